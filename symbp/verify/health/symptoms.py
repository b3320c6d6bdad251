"""What a training shows that a healthy one doesn't.

Enters: a course of training. Leaves: frozen `Symptoms`. Must not know: what causes them.

A symptom opens an inquiry; it is no verdict. What is found guilty is what mends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from symbp.verify.health.records import Bend, Course, Look, Way

STANDS = 0.004  # of the first loss: one that falls by less in all steps stands still
IGNORANT = 0.03  # of what a network gives that knows nothing, beside it in the end
GROWS = 1.05  # times the first loss in the end
LEAPS = 3.0  # times the first loss on the way
FAR = 2.0  # times what a network gives that knows nothing
DEAD, FLAT = 0.5, 0.5  # shares
UNITS = 8  # fewer may well be dead together by chance
VANISHED, EXPLODED = 1e-4, 1e4  # over all layers of a net
FORGETS, EXPLODES = 0.1, 1.5  # by the step of a recurrence
REACHES = 1e3  # times what set out, for a gradient that explodes through time
STEPS = 5  # of a recurrence, for its factor to mean something


@dataclass(frozen=True)
class Symptoms:
    """`chance` is the loss that a network gives that knows nothing, where it can be told; `ignorant` is one
    that ends there."""

    broken: bool
    stands: bool
    ignorant: bool
    grows: bool
    far: bool
    chance: float | None
    still: tuple[str, ...]
    copies: tuple[str, ...]
    dead: tuple[Bend, ...]
    died: tuple[Bend, ...]
    flat: tuple[Bend, ...]
    decided: tuple[str, ...]
    way: Way | None
    vanishes: bool
    explodes: bool
    forgets: bool
    leaves: bool

    @property
    def idle(self) -> bool:
        """Whether nothing is learnt."""
        return self.stands or self.ignorant

    @property
    def any(self) -> bool:
        return bool(
            self.broken or self.stands or self.ignorant or self.grows or self.far or self.still or self.copies
            or self.dead or self.died or self.flat or self.decided or self.forgets or self.leaves
        )  # fmt: skip


def symptoms(course: Course) -> Symptoms:
    """All that is seen."""
    first = course.looks[0] if course.looks else Look(0, (), (), None)
    last = course.looks[-1] if len(course.looks) > 1 else first
    chance = course.chance
    way, moved = first.way, bool(course.steps)
    layered = way if way is not None and way.kind == "layers" else None
    timed = way if way is not None and way.is_recurrence and way.kind != "layers" else None
    ends = (layered.norms[-1] / layered.norms[0]) if layered and layered.norms[0] else 1.0
    dead = tuple(b for b in first.bends if is_dead(b))
    return Symptoms(
        course.ended_early,
        not course.ended_early and moved and fall(course) < STANDS,
        chance is not None and _is_ignorant(course, chance, vanishes=ends < VANISHED),
        _grows(course),
        chance is not None and chance > 0 and isfinite(course.first) and course.first > FAR * chance,
        chance,
        course.still if moved else (),
        tuple(b.tensor for b in last.bends if b.copies and b.units > 1) if len(course.looks) > 1 else (),
        dead,
        tuple(b for b in last.bends if is_dead(b) and b.tensor not in {d.tensor for d in dead}),
        tuple(b for b in first.bends if b.flat >= FLAT),
        tuple(s.tensor for s in first.shares if s.decided >= FLAT),
        way,
        ends < VANISHED,
        ends > EXPLODED,
        timed is not None and len(timed.norms) >= STEPS and (timed.factor or 0.0) < FORGETS,
        timed is not None
        and len(timed.norms) >= STEPS
        and (timed.factor or 0.0) > EXPLODES
        and max(timed.norms) > REACHES,
    )


def is_dead(bend: Bend) -> bool:
    """Whether so many units of a rectifier pass nothing on that it is no chance."""
    return bend.dead >= DEAD and (bend.units >= UNITS or bend.dead == 1.0)


def fall(course: Course) -> float:
    """The share of the first loss by which it falls; of a loss with any sign, of its size."""
    if not isfinite(course.first) or not isfinite(course.last):
        return float("-inf")
    return (course.first - course.last) / (abs(course.first) or 1.0)


def _is_ignorant(course: Course, chance: float, *, vanishes: bool) -> bool:
    """Whether the loss ends at what chance gives or, where no gradient gets through, not below."""
    if not isfinite(course.last):
        return False
    if vanishes and course.frequent is not None:
        chance = min(chance, course.frequent)
    beyond = (course.last - chance) / (abs(chance) or 1.0)
    return beyond > -IGNORANT and (vanishes or beyond < IGNORANT)


def _grows(course: Course) -> bool:
    if not course.steps or not isfinite(course.first):
        return False
    room = abs(course.first) or 1e-12
    grown = (course.last - course.first) / room > GROWS - 1
    leapt = (course.highest - course.first) / room > LEAPS - 1 and course.last > 0.5 * course.first
    return bool(grown or leapt)
