"""Proves a derivation again, each step on its own, then the whole: with none of the code that derived it.

Enters: a derivation. Leaves: `Proofs`. Must not know: rules; a step is what it claims (`claims`).

A claim is proven modulo random primes, where what isn't rational is an unknown
(`symbp.ir.evaluation.unknowns`); what needs more of a function than that, exp(a)·exp(b) = exp(a + b), in 50
digits. Both at several choices of small sizes, with conditions on real values drawn at random. What a step of
the chain rule says is a derivative is compared with the tangent that dual numbers carry through the forward
equations: all of them at once, along a random direction of all tensors together, and one by one only where
these differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from symbp.derive.derivation import Derivation, Step
from symbp.errors import UsageError
from symbp.ir.labels import Differential
from symbp.ir.system import System
from symbp.verify.proofs.claims import Claim, Part, claims, defines
from symbp.verify.proofs.evaluation import Refused, mismatch
from symbp.verify.proofs.foundation import foundation
from symbp.verify.proofs.grounded import GroundAtPoint, Grounded, Outcome, first, sizes_of
from symbp.verify.proofs.report import DEFINED, DIGITS, EXACT, OPEN, Mismatch, Proofs, Verdict
from symbp.verify.proofs.slopes import adjoint_arrays, along_directions, culprits


def prove(derivation: Derivation, *, seed: int = 0) -> Proofs:
    """A verdict on each step of a derivation of gradients, and on its equations and gradients as a whole.

    Raises UsageError: other derivatives than gradients.
    """
    if not derivation.is_gradient:
        raise UsageError(
            "only derivations of gradients are proven", help="check others: symbp check --order 2"
        )
    if not derivation.grounds:
        raise UsageError(
            "the derivation doesn't say what its steps stand on", help="derive it: bp.derive(net)"
        )
    verdicts: list[Verdict] = []
    ends = [*(ground.first for ground in derivation.grounds[1:]), len(derivation.steps)]
    for ground, end in zip(derivation.grounds, ends, strict=True):
        own = _Steps(ground, seed)
        steps = derivation.steps[ground.first : end]
        own.take(steps)
        for step in steps:
            verdict = _said(len(verdicts) + 1, step.target, step.rule, own.verdict(step))
            rests = own.foundation(step) if verdict.how == EXACT else None
            verdicts.append(replace(verdict, rests_on=rests))
    return Proofs(derivation.name, tuple(verdicts), tuple(_whole(derivation, own)))


@dataclass(frozen=True)
class _Steps(Grounded):
    """The steps on one ground; what derivatives are right is found once."""

    slopes: dict[str, Outcome] = field(default_factory=dict)

    def foundation(self, step: Step) -> tuple[str, ...] | None:
        """What a rewrite rests on, where that can be told."""
        same = self.ground.before is self.ground.after
        return foundation(step, self.exact) if same else None

    def verdict(self, step: Step) -> Outcome:
        """How a step is proven, where; or where it fails."""
        found = claims(step, self.ground)
        outcome = self.proven(lambda place: first(_compared(place, claim) for claim in found))
        if outcome.ok and self.ground.before is not self.ground.after:
            outcome = _weaker(outcome, self.transition)
        if outcome.ok and step.differential is not None:
            if defines(step, self.ground):
                return replace(outcome, how=DEFINED)
            outcome = _weaker(outcome, self.slopes[_key(step.target, step.differential)])
        return outcome

    @cached_property
    def transition(self) -> Outcome:
        """Whether all tensors that both systems have, but for those that moved, keep their values."""
        both = [e.target for e in self.ground.after.equations if e.target in self.ground.before.defining]
        kept = [name for name in both if name not in self.ground.moved]
        same = [Claim(name, Part(name, after=False), Part(name)) for name in kept]
        return self.proven(lambda place: first(_compared(place, claim) for claim in same))

    def take(self, steps: Sequence[Step]) -> None:
        """Finds which of the derivatives that steps speak of are right."""
        if self.slopes:
            return
        found: dict[str, tuple[str, Differential]] = {}
        for step in steps:
            what = step.differential
            if what is not None and not what.part:
                found[_key(step.target, what)] = step.target, what
        for of, along in dict.fromkeys((what.of, what.along) for _, what in found.values()):
            own = {key: pair for key, pair in found.items() if (pair[1].of, pair[1].along) == (of, along)}
            outcomes = self.derivatives(of, along, {what.by: name for name, what in own.values()})
            self.slopes.update({key: outcomes[what.by] for key, (_, what) in own.items()})

    def derivatives(self, of: str, along: str | None, adjoints: Mapping[str, str]) -> dict[str, Outcome]:
        """Whether each adjoint, by what it is by, is the derivative that it is said to be; where it isn't,
        whether its own equation is to blame."""

        def check(place: GroundAtPoint, names: Mapping[str, str]) -> Mismatch | None:
            arrays = adjoint_arrays(place.after, names)
            return along_directions(place.point, self.ground.after, of, along, arrays)

        together = self.proven(lambda place: check(place, adjoints))
        outcomes = dict.fromkeys(adjoints, together)
        if together.ok:
            return outcomes
        for by, name in adjoints.items():
            outcomes[by] = self.proven(lambda place: check(place, {by: name}))  # noqa: B023
        wrong = {by: adjoints[by] for by, outcome in outcomes.items() if outcome.wrong is not None}
        blamed: dict[str, Mismatch | None] = {}
        for place in (*self.digits, *self.exact):
            try:
                blamed = culprits(place.after, of, along, wrong)
                break
            except Refused:
                continue
        for by, fault in blamed.items():
            given = Outcome(EXACT, sizes_of([place]), why="given what it reads, which is wrong")
            outcomes[by] = given if fault is None else Outcome(OPEN, (), fault)
        return outcomes


def _key(name: str, what: Differential) -> str:
    return f"{name} {what}"


def _compared(place: GroundAtPoint, claim: Claim) -> Mismatch | None:
    return mismatch(claim.what, place.value(claim.left), place.value(claim.right), place.point)


# --- the whole
def _whole(derivation: Derivation, last: Grounded) -> Iterator[Verdict]:
    """The closed equations against those of the sweep, and the gradients against the declared function."""
    free = {leaf.name for leaf in last.ground.after.leaves}
    closed = _stopped(derivation.system, free)
    declared = _stopped(derivation.declared, free)
    asked = [*derivation.system.outputs, *([derivation.system.loss] if derivation.system.loss else [])]
    for name in dict.fromkeys((*asked, *derivation.gradients.values())):
        yield _said(0, name, "the equations in closed form", last.proven(lambda p: _closed(p, closed, name)))  # noqa: B023
    loss = derivation.system.loss
    assert loss is not None
    outcome = last.proven(lambda p: _declared(p, closed, declared, loss, derivation.gradients))
    for by, name in derivation.gradients.items():
        own = outcome
        if not outcome.ok and len(derivation.gradients) > 1:
            own = last.proven(lambda p: _declared(p, closed, declared, loss, {by: name}))  # noqa: B023
        yield _said(0, name, f"∂{loss}/∂{by} of what was declared", own)


def _said(number: int, name: str, rule: str, outcome: Outcome) -> Verdict:
    return Verdict(number, name, rule, outcome.how, outcome.sizes, outcome.wrong, outcome.why)


def _stopped(system: System, free: set[str]) -> System:
    """The system with the stopped values as the leaves that they are while deriving."""
    return system.with_(equations=tuple(e for e in system.equations if e.target not in free))


def _closed(place: GroundAtPoint, closed: System, name: str) -> Mismatch | None:
    found = place.beside(closed).tensor(name)
    return mismatch(name, place.after.tensor(name), found, place.point)


def _declared(
    place: GroundAtPoint, closed: System, declared: System, loss: str, gradients: Mapping[str, str]
) -> Mismatch | None:
    found = place.beside(closed)
    arrays = adjoint_arrays(found, gradients)
    return along_directions(place.point, declared, loss, None, arrays)


def _weaker(one: Outcome, other: Outcome) -> Outcome:
    """The outcome of two checks together."""
    order = (EXACT, DEFINED, DIGITS, OPEN)
    worse = max((one, other), key=lambda outcome: order.index(outcome.how))
    return replace(worse, sizes=worse.sizes or one.sizes)
