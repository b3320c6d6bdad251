"""Which of several wrong tensors is wrong by itself, and which only follow from those.

Enters: a reference, what was answered, which tensors differ. Leaves: who is to blame, in the order of the
backward pass. Must not know: how a mistake looks.

Each equation of the chain rule is evaluated with what was answered in place of what it reads: if it gives
what was answered for its own tensor, this one follows. A derivative between that nobody rests on as it is
has another meaning in the code (a gradient before its 1/N, say), and is no mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symbp.verify.against.answer import Array, Compared
from symbp.verify.against.chain import Chain
from symbp.verify.against.differing import Difference, beyond, same
from symbp.verify.against.reference import Reference

CLOSE = 1e-6  # how well a tensor that follows agrees, relative to its largest element
LOOSE = 3e-3  # in float32
TOLD, TELLING = 2, 1e-3  # points, and by how much of its size a gradient would be another one
SOME = 0.05  # of the elements that tell what a reader was made of


@dataclass(frozen=True)
class Blame:
    """`own` are wrong by themselves, the first one first; `follows` maps others to those that explain them;
    `other` have another meaning in the code; `behind` is a derivative that wasn't answered, on which all that
    is wrong by itself rests, and nothing that is right."""

    own: tuple[str, ...] = ()
    follows: Mapping[str, tuple[str, ...]] | None = None
    other: tuple[str, ...] = ()
    behind: str = ""


def blame(
    reference: Reference, compared: Mapping[str, Compared], found: Mapping[str, Difference], *, loose: bool
) -> Blame:
    """Who is to blame for what differs."""
    wrong = [t for t, difference in found.items() if not difference.ok]
    values = [t for t in wrong if compared[t].kind == "value"]
    forward = reference.loss in wrong or (reference.loss not in found and bool(values))
    other = [] if forward else values  # the loss is right: these are something else in the code
    known = {t: compared[t] for t in found if t not in other}
    while True:
        trial = _Trial(reference, known, found, LOOSE if loose else CLOSE)
        strange = next((t for t in trial.wrong if trial.is_strange(t)), None)
        if strange is None:
            return Blame(trial.own, trial.follows, tuple(other), trial.behind)
        other.append(strange)
        known = {t: one for t, one in known.items() if t != strange}


@dataclass(frozen=True)
class _Trial:
    """What follows from what, if all that is `known` means what its name says."""

    reference: Reference
    known: Mapping[str, Compared]
    found: Mapping[str, Difference]
    close: float

    @cached_property
    def wrong(self) -> list[str]:
        return sorted((t for t in self.known if not self.found[t].ok), key=self.reference.place)

    @cached_property
    def consistent(self) -> dict[str, bool]:
        """Whether each tensor is what the chain rule makes of the answers."""
        return {t: self._is_consistent(t) for t in self.known}

    def _is_consistent(self, tensor: str) -> bool:
        return all(
            any(same(chain.answered[tensor], step, self.close) for step in chain.steps(tensor))
            for chain in self.chains
        )

    @cached_property
    def chains(self) -> list[Chain]:
        """At each point, the chain rule with all answers."""
        points = [seen.point for seen in next(iter(self.known.values())).seen]
        return [self.reference.chain(point, self._answered(k)) for k, point in enumerate(points)]

    def is_strange(self, tensor: str) -> bool:
        """Whether a wrong derivative between has readers, none of which rests on it as it is, or a gradient
        is right that would be wrong with it."""
        if self.known[tensor].kind != "adjoint":
            return False
        if self._is_contradicted(tensor):
            return True
        readers = [t for t in self.reference.readers(tensor, [*self.known]) if t != tensor]
        telling = [t for t in readers if not self._is_zero(t)]
        return bool(telling) and not any(self._uses(t, tensor) for t in telling)

    def _is_contradicted(self, tensor: str) -> bool:
        """Whether a right gradient would be another one if a tensor were what was answered."""
        right = [t for t in self.known if self.found[t].ok and self.known[t].kind == "gradient"]
        right = [t for t in right if self.reference.rests(t, tensor) and not self._is_zero(t)]
        for k, chain in enumerate(self.chains[:TOLD] if right else ()):
            alone = self.reference.chain(chain.point, {tensor: chain.answered[tensor]})
            for other in right:
                known = self.known[other].seen[k].right
                if not all(same(step, known, TELLING) for step in alone.steps(other)):
                    return True
        return False

    def _uses(self, reader: str, tensor: str) -> bool:
        """Whether elements of a reader are what the chain rule makes of a tensor as it was answered, and not
        of the right one."""
        for k, chain in enumerate(self.chains):
            right = self.known[tensor].seen[k].right
            other_chain = self.reference.chain(chain.point, {**chain.answered, tensor: right})
            for one, other in zip(chain.steps(reader), other_chain.steps(reader), strict=True):
                size = self.close * float(np.max(np.abs(one), initial=0.0, where=np.isfinite(one)))
                with np.errstate(all="ignore"):
                    telling = np.abs(one - other) > 10 * size
                    kept = telling & (np.abs(chain.answered[reader] - one) <= size)
                if kept.sum() > SOME * telling.sum():
                    return True
        return False

    def _answered(self, k: int) -> dict[str, Array]:
        return {t: np.asarray(np.real(o.seen[k].answered), float) for t, o in self.known.items()}

    def _is_zero(self, tensor: str) -> bool:
        """Whether a tensor is right because there is nothing of it."""
        return self.found[tensor].ok and not any(np.any(s.right) for s in self.known[tensor].seen)

    @cached_property
    def own(self) -> tuple[str, ...]:
        found = [t for t in self.wrong if not self.consistent[t]] or self.wrong[:1]
        return tuple(sorted(found, key=self._moment))

    @cached_property
    def behind(self) -> str:
        """The last derivative of the page that explains several mistakes at once."""
        derivatives = [t for t in self.wrong if self.known[t].kind != "value"]
        own = {t for t in self.own if t in derivatives}
        if len(own) < 2 or len(derivatives) < len(self.wrong):
            return ""
        found = []
        for tensor in self.reference.sources.closed.called:
            if self.reference.by(tensor) and tensor not in self.known:
                readers = {t for t in self.reference.readers(tensor, [*self.known]) if not self._is_zero(t)}
                if own <= readers <= set(self.wrong):
                    found.append(tensor)
        return max(found, key=self.reference.place, default="")

    def _moment(self, tensor: str) -> tuple[int, int, int]:
        """When the backward pass first gets a tensor wrong, at the point where that is soonest."""
        return min(
            self.reference.moment(tensor, beyond(seen, self.close) > 0) for seen in self.known[tensor].seen
        )

    @cached_property
    def follows(self) -> dict[str, tuple[str, ...]]:
        """Wrong tensors, and those wrong ones that they rest on."""
        rests = self.reference.rests
        return {t: tuple(r for r in self.own if rests(t, r)) for t in self.wrong if t not in self.own}
