"""Points for a check, chosen so that every branch is taken that can be.

Enters: a drawer of points. Leaves: the point at which entries are compared one by one, and further ones.
Must not know: what is compared at them, or how a gradient was derived.

The first further points are taken anyhow; others because they reach what none before did, or tell two
conditions apart that agreed so far. A branch that chance doesn't take is looked for: leaves are moved as
long as that brings it nearer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from symbp.ir.system import Tensor
from symbp.verify.appeal import work
from symbp.verify.coverage import Coverage, Goal
from symbp.verify.points import SCALES, Drawer, Point, Style

FIRST, FIRST_OF_SMALL, SMALL = 8, 20, 5000  # points taken whatever they reach; of nets with so few elements
MORE = 8  # because of what they reach
MOVES = 60  # of one search
SHORTER, LEAST = 0.7, 1e-6  # how far a move reaches after one that didn't help
SEARCHED = 12  # goals at most


def fresh_points(drawer: Drawer, sizes: list[dict[str, int]], coverage: Coverage, seed: int) -> list[Point]:
    """Further points, in the order in which they were found; sizes in turn."""
    points: list[Point] = []
    sizes, open_goals = list(sizes), set(coverage.goals(sizes[0]))
    alike = _Alike()
    first = FIRST_OF_SMALL if work(drawer.system, sizes[0]) <= SMALL else FIRST
    for turn in range(first + 2 * MORE):
        if len(points) >= first and not open_goals and (alike.settled or turn >= first + MORE):
            break
        chosen = sizes[(turn + 1) % len(sizes)]
        point = drawer.draw(chosen, seed + 104_729 * (turn + 1), _style(turn))
        if point is None:
            if len(sizes) > 1 and turn >= len(sizes):
                sizes.remove(chosen)  # words of this length never fit into this time, say
            continue
        goals, patterns = coverage.reached(point)
        more = open_goals & goals or alike.splits(patterns)
        if len(points) < first or (len(points) < first + MORE and more):
            points.append(point)
            open_goals -= goals
            alike.add(patterns)
    wanted = sorted(goal for goal in open_goals if goal[0] == "branch")[:SEARCHED]
    for goal in wanted:
        if goal in open_goals and points:
            found = sought(drawer, coverage, goal, points)
            if found is not None:
                points.append(found)
                open_goals -= coverage.reached(found)[0]
    return points


def _style(turn: int) -> Style:
    if turn < len(SCALES):
        return Style(SCALES[turn], dealt=turn % 2 == 0)
    return Style(None, shifted=turn % 2 == 1, dealt=turn % 3 != 0)


class _Alike:
    """Which conditions held at the same places at all points so far; those that always will are never told
    apart."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[bytes, ...]] = defaultdict(tuple)

    def add(self, patterns: Mapping[int, bytes]) -> None:
        for number, pattern in patterns.items():
            self.seen[number] = (*self.seen[number], pattern)

    @property
    def settled(self) -> bool:
        """Whether no two agree."""
        return len(set(self.seen.values())) == len(self.seen)

    def splits(self, patterns: Mapping[int, bytes]) -> bool:
        """Whether two that agreed so far differ here."""
        before = len(set(self.seen.values()))
        after = len({(self.seen[number], pattern) for number, pattern in patterns.items()})
        return after > before


def sought(drawer: Drawer, coverage: Coverage, goal: Goal, points: list[Point]) -> Point | None:
    """A point that reaches a goal, from the nearest one on: moves are kept that bring it nearer."""
    ranked = sorted(points, key=lambda point: -coverage.distance(goal, point))
    best, distance = ranked[0], coverage.distance(goal, ranked[0])
    if not np.isfinite(distance):
        return None
    rng, reach = np.random.default_rng(len(points)), 1.0
    for _ in range(MOVES):
        new = _moved(drawer, best, reach, rng)
        nearer = coverage.distance(goal, new) if drawer.is_finite(new) else -np.inf
        if nearer > distance:
            best, distance, reach = new, nearer, 2 * reach
            if distance > 0 and goal in coverage.reached(best)[0]:
                return best
        else:
            reach = max(SHORTER * reach, LEAST)
    return None


def _moved(drawer: Drawer, point: Point, reach: float, rng: np.random.Generator) -> Point:
    """The point with one real leaf or all of them moved or stretched, as far as their facts allow."""
    free = [t for t in drawer.system.leaves if _may_be_stretched(t) and t.name not in drawer.hyper]
    chosen = free if not free or rng.random() < 0.5 else [free[rng.integers(len(free))]]
    values = dict(point.values)
    for tensor in chosen:
        value = values[tensor.name]
        if tensor.facts or tensor.name in drawer.domains or rng.random() < 0.3:
            values[tensor.name] = np.asarray(value * np.exp(reach * rng.normal()))
        else:
            values[tensor.name] = np.asarray(value + reach * rng.normal(size=value.shape))
    return replace(point, values=values)


def _may_be_stretched(tensor: Tensor) -> bool:
    """Whether a multiple of it is as good a value."""
    whole = tensor.integer or tensor.draw is not None
    return not whole and not any(tensor.fact(kind) for kind in ("sums to one", "one hot", "binary"))
