"""A ground at its points: a check is tried where it can be exact, then in 50 digits.

Enters: what steps stand on, checks. Leaves: how a check was proven and where, or where it fails.
Must not know: what is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symbp.derive.derivation import Ground
from symbp.ir.system import System
from symbp.verify.proofs.claims import Part
from symbp.verify.proofs.evaluation import Array, Evaluation, Refused
from symbp.verify.proofs.points import Point, digit_points, exact_points
from symbp.verify.proofs.report import DIGITS, EXACT, OPEN, How, Mismatch

Sizes = tuple[Mapping[str, int], ...]


@dataclass(frozen=True)
class Outcome:
    """How a check was proven, at which sizes; what differs where it wasn't, or why nothing can be told."""

    how: How
    sizes: Sizes = ()
    wrong: Mismatch | None = None
    why: str = ""

    @property
    def ok(self) -> bool:
        return self.how != OPEN


@dataclass(frozen=True)
class GroundAtPoint:
    """A point, and both systems of a ground there."""

    ground: Ground
    point: Point
    others: dict[System, Evaluation] = field(default_factory=dict)

    @cached_property
    def before(self) -> Evaluation:
        return Evaluation(self.ground.before, self.point)

    @cached_property
    def after(self) -> Evaluation:
        if self.ground.before is self.ground.after:
            return self.before
        return Evaluation(self.ground.after, self.point)

    def beside(self, system: System) -> Evaluation:
        """Another system at the same point."""
        if system not in self.others:
            self.others[system] = Evaluation(system, self.point)
        return self.others[system]

    def value(self, part: Part) -> Array:
        evaluation = self.after if part.after else self.before
        return evaluation.tensor(part.name) if part.equation is None else evaluation.value(part.equation)


@dataclass(frozen=True)
class Grounded:
    """A ground with the points at which its steps are proven."""

    ground: Ground
    seed: int = 0

    @cached_property
    def exact(self) -> list[GroundAtPoint]:
        return [GroundAtPoint(self.ground, point) for point in exact_points(self.ground.before, self.seed)]

    @cached_property
    def digits(self) -> list[GroundAtPoint]:
        return [GroundAtPoint(self.ground, point) for point in digit_points(self.ground.before, self.seed)]

    def proven(self, check: Callable[[GroundAtPoint], Mismatch | None]) -> Outcome:
        """The outcome of a check at the exact points; where it fails there or can't tell, in 50 digits."""
        try:
            wrong = first(check(place) for place in self.exact)
            if wrong is None and self.exact:
                return Outcome(EXACT, sizes_of(self.exact))
        except Refused:
            pass
        told, why, sizes = False, "", []
        for place in self.digits:
            try:
                wrong = check(place)
            except Refused as refusal:
                why = str(refusal)
                continue
            told = True
            sizes.append(place)
            if wrong is not None:
                return Outcome(OPEN, (), wrong)
        return (
            Outcome(DIGITS, sizes_of(sizes)) if told else Outcome(OPEN, (), None, f"no point can tell: {why}")
        )


def first(found: Iterable[Mismatch | None]) -> Mismatch | None:
    """The first that there is."""
    return next((one for one in found if one is not None), None)


def sizes_of(places: Sequence[GroundAtPoint]) -> Sizes:
    """The sizes of places, each choice once."""
    return tuple({tuple(p.point.sizes.items()): p.point.sizes for p in places}.values())
