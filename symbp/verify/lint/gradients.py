"""Parameters whose gradient is always zero, that the loss doesn't use, or that another one can stand for.

Enters: evidence about the gradients of a derivation. Leaves: findings. Must not know: layers, ops.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from symbp.derive.derivation import Derivation, Step
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation, Role
from symbp.verify.lint.evidence import RATIOS, Evidence, how
from symbp.verify.lint.report import PLACED, Finding
from symbp.verify.proofs.grounded import Grounded, Outcome
from symbp.verify.proofs.report import DIGITS


def unused(derivation: Derivation) -> Iterator[Finding]:
    """What the loss doesn't depend on, and inputs that nothing reads."""
    system = derivation.declared
    assert system.loss is not None
    needed = system.ancestors(system.loss)
    anything = system.resting([*system.asked, *(e.target for e in system.equations)])
    read = {name for equation in system.equations for name in equation.read_names}
    for tensor in system.leaves:
        if tensor.role is Role.PARAMETER and tensor.name not in needed:
            elsewhere = " though an output does" if tensor.name in read else ""
            yield Finding(
                "problem",
                "unused parameter",
                (tensor.name,),
                f"The loss does not depend on {{{tensor.name}}}{elsewhere}: training leaves it as it starts.",
                proof=f"No chain of definitions leads from {{{tensor.name}}} to {{{system.loss}}}.",
                origin=tensor.origin,
            )
        elif tensor.role in (Role.INPUT, Role.TARGET) and tensor.name not in read & anything:
            yield Finding(
                "problem",
                "unread input",
                (tensor.name,),
                f"Nothing reads {{{tensor.name}}}.",
                proof=f"No equation has {{{tensor.name}}} on its right-hand side.",
                origin=tensor.origin,
            )


def zeros(evidence: Evidence) -> tuple[list[Finding], set[str]]:
    """Gradients that are identically zero, and the parameters that have one."""
    derivation, found, names = evidence.derivation, [], set()
    system = derivation.declared
    assert system.loss is not None
    needed = system.ancestors(system.loss)
    for by, gradient in derivation.gradients.items():
        if by not in needed:
            names.add(by)
            continue
        outcome = evidence.zero(gradient)
        if not outcome.ok:
            continue
        names.add(by)
        found.append(
            Finding(
                "problem",
                "gradient that is always zero",
                (by,),
                f"∂{{{system.loss}}}/∂{{{by}}} is 0 whatever the values are: {{{by}}} has no effect on the "
                f"loss, and training leaves it as it starts.",
                tuple(_why_zero(derivation, gradient)),
                how(outcome),
                f"Leave {{{by}}} out.",
                system.tensor(by).origin,
            )
        )
    return found, names


def _why_zero(derivation: Derivation, gradient: str) -> Iterator[str]:
    """The steps at which a gradient became 0, with what they rest on."""
    for number, step in enumerate(derivation.steps, start=1):
        if step.target != gradient or not _gives_zero(step) or step.rule == "substitution":
            continue
        (before,) = step.before
        rests = "; ".join(
            " = ".join(PLACED.equation(rest)) for rest in step.rests_on if isinstance(rest, Equation)
        )
        because = f", by {rests}" if rests else ""
        yield f"{_right(before)} = 0 (step {number} of its derivation){because}."


def _gives_zero(step: Step) -> bool:
    return len(step.before) == len(step.after) == 1 and step.after[0].body == 0


def _right(equation: Equation) -> str:
    """The right-hand side of an equation, tensors in places for their symbols."""
    return PLACED.equation(equation)[1]


def redundant(evidence: Evidence, without: set[str]) -> Iterator[Finding]:
    """Parameters of which one can stand for another: equal gradients, a common scale, a scale without
    effect."""
    gradients = {by: g for by, g in evidence.derivation.gradients.items() if by not in without}
    yield from _offsets(evidence, gradients)
    free = dict(_free_scales(evidence, gradients))
    for by, (kept, outcome, epsilon) in free.items():
        yield _free_scale(evidence, by, kept, outcome, epsilon=epsilon)
    yield from _shared_scales(evidence, {by: g for by, g in gradients.items() if by not in free})


def _offsets(evidence: Evidence, gradients: dict[str, str]) -> Iterator[Finding]:
    """Two parameters with proportional gradients: only a combination of them counts."""
    system = evidence.derivation.declared
    loss = system.loss
    for one, other in itertools.combinations(gradients, 2):
        if system.tensor(one).shape != system.tensor(other).shape:
            continue
        left = evidence.times(gradients[one], RATIOS[0])
        for ratio in RATIOS:
            outcome = evidence.equal(left, evidence.times(gradients[other], ratio))
            if not outcome.ok:
                continue
            factor = "" if ratio == 1 else f"{ratio}·"
            sign = {1: "+", -1: "-"}.get(ratio)
            sum_ = f"{{{one}}} {sign} {{{other}}}" if sign else "a combination of both"
            yield Finding(
                "problem",
                "redundant parameter",
                (one, other),
                f"{{{one}}} and {{{other}}} do the same: the loss sees nothing but {sum_}.",
                (f"∂{{{loss}}}/∂{{{one}}} = {factor}∂{{{loss}}}/∂{{{other}}}, in every element.",),
                how(outcome),
                "Leave one of them out; with both, their step is twice as long.",
                system.tensor(other).origin,
            )
            break


Free = tuple[tuple[int, ...], Outcome, bool]


def _free_scales(evidence: Evidence, gradients: dict[str, str]) -> Iterator[tuple[str, Free]]:
    """Parameters whose scale doesn't change the loss: Σ W·dW = 0, for each place along the axes kept."""
    system = evidence.derivation.declared
    ways: list[tuple[Grounded | None, bool]] = [(evidence.grounded, False), (evidence.without_epsilon, True)]
    for by, gradient in gradients.items():
        rank = len(system.tensor(by).shape)
        for grounded, epsilon in ways:
            if grounded is None or not rank:
                continue
            whole = evidence.vanishes(grounded, by, gradient, ())
            if not whole.ok or (epsilon and whole.how == DIGITS and not grounded.digits):
                continue
            best: Free = (), whole, epsilon
            for kept in _subsets(rank):
                outcome = evidence.vanishes(grounded, by, gradient, kept)
                if outcome.ok:
                    best = kept, outcome, epsilon
            yield by, best
            break


def _subsets(rank: int) -> list[tuple[int, ...]]:
    """Axes to keep, few first; never all of them."""
    return [kept for count in range(1, rank) for kept in itertools.combinations(range(rank), count)]


def _free_scale(
    evidence: Evidence, by: str, kept: Sequence[int], outcome: Outcome, *, epsilon: bool
) -> Finding:
    tensor, loss = evidence.derivation.declared.tensor(by), evidence.derivation.declared.loss
    along = " and ".join(f"axis {k} ({expression_text(tensor.shape[k])})" for k in kept)
    each = f", for each place along {along}" if kept else ""
    but = " but for the small number beside it (ε)" if epsilon else ""
    return Finding(
        "note",
        "scale without effect",
        (by,),
        f"Scaling {{{by}}} changes nothing{but}{each}: a normalisation behind it takes the scale out again.",
        (f"Σ {{{by}}}·∂{{{loss}}}/∂{{{by}}} = 0{each}: the derivative of the loss by that scale.",),
        how(outcome),
        "Weight decay acts on it as a longer step only.",
        tensor.origin,
    )


def _shared_scales(evidence: Evidence, gradients: dict[str, str]) -> Iterator[Finding]:
    """Parameters with one scale between them: Σ A·dA = Σ B·dB, so that αA and B/α do what A and B do."""
    system, left = evidence.derivation.declared, list(gradients)
    while left:
        first = left.pop(0)
        group: dict[str, Outcome] = {}
        for other in list(left):
            outcome = evidence.equal(
                evidence.gathered(first, gradients[first]), evidence.gathered(other, gradients[other])
            )
            if outcome.ok:
                group[other] = outcome
                left.remove(other)
        if group:
            yield _shared_scale(evidence, (first, *group), next(iter(group.values())), system.loss)


def _shared_scale(evidence: Evidence, names: tuple[str, ...], outcome: Outcome, loss: str | None) -> Finding:
    system = evidence.derivation.declared
    scalars = [name for name in names if not system.tensor(name).shape]
    one, other = names[0], names[1]
    listed = ", ".join(f"{{{name}}}" for name in names)
    equal = " = ".join(f"Σ {{{name}}}·∂{{{loss}}}/∂{{{name}}}" for name in names)
    if scalars:
        text = f"{{{scalars[0]}}} is a scale that {listed} have together: one of them is enough."
        advice = f"Leave {{{scalars[0]}}} out, or hold the scale of the others."
    else:
        text = (
            f"{listed} have one scale between them: α·{{{one}}} with {{{other}}}/α is the same function, "
            "which is customary and harmless."
        )
        advice = ""
    kind = "problem" if scalars else "note"
    rule = "redundant scale" if scalars else "common scale"
    return Finding(
        kind,  # type: ignore[arg-type]
        rule,
        names,
        text,
        (f"{equal}: moving the scale from one to the other leaves the loss as it is.",),
        how(outcome),
        advice,
        system.tensor((scalars or names)[0]).origin,
    )
