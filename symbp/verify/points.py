"""Random points for a check, of its own making: sizes, and leaves at several scales.

Enters: a system, sizes that are given, the values of constants. Leaves: `Point`s at which what is
differentiated has a value. Must not know: how a gradient was derived, or what was sampled for that.

The points differ on purpose: in size (no two open sizes agree, nor do they keep their ratios), in the scale
of each leaf and in its offset, so that thresholds are passed on both sides, and in labels, which are dealt
in turn until each has occurred. Axes that were given as numbers keep them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from symbp.errors import EvaluationError
from symbp.ir.evaluation.vector import run
from symbp.ir.points.fitting import constraints, sample_sizes
from symbp.ir.points.sampling import CENTRED, Spread, draws, evaluate_size, sample_leaf
from symbp.ir.system import Fact, Role, System, Tensor

Array = np.ndarray[Any, Any]

# Pairwise different, in no common ratio, and larger than what proves a rule: a factor 2/N is none of them.
RINGS = ((5, 7, 6, 9, 8, 11, 10, 13), (7, 4, 9, 5, 10, 6, 11, 8), (3, 8, 5, 7, 4, 9, 6, 10))
MORE_RINGS = 60
LARGEST, TIMES_LARGER = (
    1 << 16,
    8,
)  # a box of indices may grow to this, or so many times beyond that of the first point
SCALES = (1.0, 3.0, 0.1, 10.0, 0.02)
DENSITIES = (0.5, 0.5, 0.75, 0.95, 1.0)  # of masks, from one try to the next: a hidden row may have no value
FACTS_OF_SIGN = ("positive", "nonnegative")


@dataclass(frozen=True)
class Point:
    """Sizes and the value of every leaf; `seed` gives both again."""

    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    seed: int


@dataclass(frozen=True)
class Style:
    """How the leaves of one point are drawn: real ones at a scale (each at its own, between 0.01 and 10, if
    None) and, if `shifted`, around a number of their own; labels at random or, if `dealt`, in turn."""

    scale: float | None = 1.0
    shifted: bool = False
    dealt: bool = False
    density: float = 0.5


PLAIN = Style()


@dataclass
class Drawer:
    """Draws points of one system. `domains` says for a leaf that can't have any sign from where it is drawn;
    the labels dealt so far are counted."""

    system: System
    wanted: Sequence[str]  # what must have a value
    hyper: Mapping[str, float] = field(default_factory=dict)
    domains: Mapping[str, Spread] = field(default_factory=dict)
    _dealt: dict[str, int] = field(default_factory=dict)

    def draw(self, sizes: Mapping[str, int], seed: int, style: Style = PLAIN) -> Point | None:
        """A point at which everything wanted is finite; None if a few tries find none."""
        for attempt, density in enumerate(DENSITIES):
            dense = Style(style.scale, style.shifted, style.dealt, max(style.density, density))
            point = self.attempt(sizes, seed + 7919 * attempt, dense)
            if self.is_finite(point):
                return point
        return None

    def attempt(
        self, sizes: Mapping[str, int], seed: int, style: Style = PLAIN, *, far: bool = True
    ) -> Point:
        """A point, wherever it lies."""
        rng = np.random.default_rng(seed)
        values = {t.name: self._leaf(t, sizes, rng, style, far) for t in self.system.leaves}
        values |= {name: np.asarray(value) for name, value in self.hyper.items() if name in values}
        return Point(sizes, values | draws(self.system, sizes, seed), seed)

    def is_finite(self, point: Point) -> bool:
        """Whether what is wanted has a value there."""
        try:
            with np.errstate(all="ignore"):
                found = run(self.system, point.values, point.sizes, wanted=self.wanted)
        except EvaluationError:  # an integer that reaches out of a tensor
            return False
        return all(bool(np.isfinite(value).all()) for value in found.values())

    def _leaf(
        self, tensor: Tensor, sizes: Mapping[str, int], rng: np.random.Generator, style: Style, far: bool
    ) -> Array:
        shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
        if tensor.integer:
            return self._labels(tensor, sizes, shape, rng, style, far)
        if tensor.fact("binary"):
            return np.asarray(rng.random(shape) < style.density, float)
        scale = style.scale if style.scale is not None else float(10 ** rng.uniform(-2, 1))
        domain = self.domains.get(tensor.name)
        if domain is not None:
            free = scale if scale < 1 or rng.random() < 0.5 else 1.0
            spread = Spread(free * domain.low, free * domain.high, dominant=domain.dominant)
            return np.asarray(sample_leaf(tensor, sizes, rng, spread), float)
        halved = 0.5 if tensor.role is Role.PARAMETER and style.scale == 1.0 else 1.0
        spread = Spread(-0.9 * scale * halved, 0.9 * scale * halved)
        value = np.asarray(sample_leaf(tensor, sizes, rng, spread), float)
        if style.shifted and not tensor.facts and tensor.draw is None:
            value = np.asarray(value + scale * rng.normal())
        return value

    def _labels(
        self,
        tensor: Tensor,
        sizes: Mapping[str, int],
        shape: tuple[int, ...],
        rng: np.random.Generator,
        style: Style,
        far: bool,
    ) -> Array:
        bound = bound_of(tensor)
        if bound is None or bound.bound is None or not style.dealt:
            spread = CENTRED if far else Spread(-0.9, 0.9, far=False)
            return np.asarray(sample_leaf(tensor, sizes, rng, spread))
        top, count = evaluate_size(bound.bound, sizes), prod(shape)
        start = self._dealt.get(tensor.name, 0)
        self._dealt[tensor.name] = start + count
        deck = np.random.default_rng(0).permutation(top)
        return np.asarray(rng.permutation(deck[(start + np.arange(count)) % top]).reshape(shape))


def bound_of(tensor: Tensor) -> Fact | None:
    """The fact that bounds an integer tensor, if it has one."""
    return tensor.fact("below") or tensor.fact("below or ignored")


UNIT, ABOVE_ONE = Spread(0.15, 0.85), Spread(1.1, 1.9)
DOMINANT, HIGH_AND_DOMINANT = Spread(-0.9, 0.9, dominant=True), Spread(0.15, 0.85, dominant=True)
DOMAINS = (UNIT, ABOVE_ONE, DOMINANT, HIGH_AND_DOMINANT)


def domains_of(drawer: Drawer, sizes: Mapping[str, int], seed: int) -> dict[str, Spread]:
    """Where leaves must be drawn from: of those that may have any sign without harm, nothing is said.

    All leaves are first drawn from one interval at which the system has values; then each by itself of any
    sign.
    """
    drawer.domains = {}
    if _stays_finite(drawer, sizes, seed):
        return {}
    names = [t.name for t in drawer.system.leaves if _is_free(t)]
    for domain in DOMAINS:
        drawer.domains = dict.fromkeys(names, domain)
        if _stays_finite(drawer, sizes, seed):
            break
    else:
        return {}
    for name in names:
        before = drawer.domains
        drawer.domains = {key: value for key, value in before.items() if key != name}
        if not _stays_finite(drawer, sizes, seed):
            drawer.domains = before
    return dict(drawer.domains)


def _stays_finite(drawer: Drawer, sizes: Mapping[str, int], seed: int) -> bool:
    """Whether two of three points have values, masks full."""
    points = (drawer.attempt(sizes, seed + k, Style(density=1.0), far=k < 2) for k in range(3))
    return sum(drawer.is_finite(point) for point in points) >= 2


def _is_free(tensor: Tensor) -> bool:
    return not tensor.integer and tensor.draw is None and not tensor.fact("binary")


def all_sizes(system: System, given: Mapping[str, int], count: int) -> list[dict[str, int]]:
    """`count` choices of sizes at most, the first as a declaration has them with open sizes small; in the
    others open sizes are pairwise different, and different from one choice to another. `given` ones keep
    their value."""
    fixed = {name: value for name, value in {**system.bound, **given}.items() if name in system.sizes}
    first = {**sample_sizes(system), **fixed}
    first = {name: first[name] for name in system.sizes}
    needed, found, most = constraints(system), [first], max(LARGEST, TIMES_LARGER * _largest(system, first))
    if len(fixed) < len(system.sizes):
        for chosen in _rings(system, fixed):
            if len(found) == count:
                break
            if chosen not in found and needed.hold(chosen) and _largest(system, chosen) <= most:
                found.append(chosen)
    return found


def _rings(system: System, fixed: Mapping[str, int]) -> Iterator[dict[str, int]]:
    names = [name for name in system.sizes if name not in fixed]
    for ring in RINGS:
        yield _dealt(system, names, ring, fixed)
    rng = np.random.default_rng(0)
    for attempt in range(MORE_RINGS):
        ring = (3 + attempt // 10 + rng.permutation(9 + len(names) + attempt // 10)).tolist()
        yield _dealt(system, names, ring, fixed)


def _dealt(
    system: System, names: Sequence[str], ring: Sequence[int], fixed: Mapping[str, int]
) -> dict[str, int]:
    left = [value for value in ring if value not in fixed.values()] or list(ring)
    extra = max(left) + 1
    values = [left[k] if k < len(left) else extra + k for k in range(len(names))]
    chosen = {**dict(zip(names, values, strict=True)), **fixed}
    return {name: chosen[name] for name in system.sizes}


def _largest(system: System, sizes: Mapping[str, int]) -> int:
    """The elements of the largest box of indices."""
    return max(prod(evaluate_size(e, sizes) for e in equation.ranges) for equation in system.equations)
