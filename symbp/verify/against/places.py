"""Points at which somebody's backward pass is asked: at the declared sizes, and at free ones.

Enters: a derivation, sizes. Leaves: points at which the loss and all gradients have values.
Must not know: whose answers are compared there.

Scales are moderate on purpose: an honest log(p + 1e-12) is the network's log(p) there. At free sizes no two
sizes agree, so that a transpose shows in the shape, and 1/N is no 1/K; code that only works at the declared
sizes can't be asked there, and needn't be. What is right there may be wrong for one example, or where sizes
do agree: the last points are such. A branch that chance doesn't take is looked for: a margin that is
never kept hides what was forgotten for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbp.derive.derivation import Derivation
from symbp.ir.axes.examples import examples
from symbp.ir.points.fitting import constraints, sample_sizes
from symbp.ir.system import System
from symbp.verify.coverage import Coverage
from symbp.verify.fresh import SEARCHED, sought
from symbp.verify.points import Drawer, Point, Style, all_sizes, domains_of

COUNT = 5
CHOICES = 3
STYLES = (
    Style(dealt=True),
    Style(0.5, density=0.75),
    Style(0.3, dealt=True),
    Style(0.5, shifted=True),
    Style(dealt=True),
)
ALIKE = 3  # sizes that all agree
MORE = 12  # draws at most, for branches that none has taken


@dataclass(frozen=True)
class Places:
    """Points at the `declared` sizes, and at `free` ones, where the declaration has any to free."""

    declared: tuple[Point, ...]
    free: tuple[Point, ...]


def places(
    derivation: Derivation,
    *,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
) -> Places:
    """The points of a check."""
    given = dict(sizes or {})
    own = {**derivation.declared.bound, **given}
    return Places(
        _points(derivation, own, seed, hyper or {}),
        _points(derivation, given, seed + 1, hyper or {}) if derivation.declared.bound else (),
    )


def _points(
    derivation: Derivation, fixed: Mapping[str, int], seed: int, hyper: Mapping[str, float]
) -> tuple[Point, ...]:
    system = derivation.declared.with_(bound={})
    assert system.loss is not None
    drawer = Drawer(system, [system.loss], hyper)
    choices = all_sizes(system, fixed, CHOICES + 1)
    choices = choices[1:] or choices  # the first has sizes that agree
    drawer.domains = domains_of(drawer, choices[0], seed)
    found: list[Point] = []
    coverage = Coverage(system, drawer.wanted)
    missing = set(coverage.goals(choices[0]))
    for turn in range(COUNT + MORE):
        point = drawer.draw(choices[turn % len(choices)], seed + 104_729 * turn, STYLES[turn % len(STYLES)])
        if point is None:
            continue
        reached = coverage.reached(point)[0]
        if len(found) < COUNT or missing & reached:
            found.append(point)
            missing -= reached
        if len(found) >= COUNT and not missing:
            break
    for goal in sorted(goal for goal in missing if goal[0] == "branch")[: SEARCHED if found else 0]:
        near = sought(drawer, coverage, goal, found) if goal in missing else None
        if near is not None:
            found.append(near)
            missing -= coverage.reached(near)[0]
    special = (drawer.draw(sizes, seed, STYLES[0]) for sizes in _special(system, fixed))
    return (*found, *(point for point in special if point is not None))


def _special(system: System, fixed: Mapping[str, int]) -> list[dict[str, int]]:
    """Sizes at which code goes other ways than at pairwise different ones: a batch of one example, in which
    most labels don't occur and `squeeze` takes an axis too many, and sizes that all agree, where a matrix has
    the shape of its transpose."""
    left = [name for name in system.sizes if name not in fixed]
    batch = [name for name in [examples(system, left)] if name is not None]
    usual = {**sample_sizes(system), **fixed}
    alike = {**usual, **dict.fromkeys(left, ALIKE)}
    chosen = [{**usual, **dict.fromkeys(batch, 1)}] * bool(batch) + [alike] * (len(left) > 1)
    return [c for c in chosen if constraints(system).hold(c)]
