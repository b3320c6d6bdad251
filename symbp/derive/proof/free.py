"""Free conditions: at a point of evidence, what is compared doesn't decide a condition; a random draw does.

Enters: a system; the sides of conditions on real values. Leaves: where they hold, keyed by what they compare.
Must not know: which rewrite is on trial.

A condition on real values has one bit for each element, and what small samples decide is correlated: two
relu masks of one layer agree more often than not, a threshold of 3 is never passed, |x| is x at positive
points. So at these points the sign of a difference d = rhs − lhs is s(d), where s is a random odd function
from the reals to {−1, 0, 1}: [lhs < rhs] holds where s(d) = 1, [lhs ≤ rhs] where s(d) ≥ 0, [lhs = rhs]
where s(d) = 0. A maximum is the element whose value comes last in a random order of the reals. Values that
repeat (the bounds of a clip) come as often as others at half of the points, and as often as they stand there
at the other half: by the first alone few rows have a bound as their maximum, by the second few have another.

Why this decides. Fix which conditions hold (a pattern σ). Under σ, two formulas made of analytic functions
differ by an analytic function of the leaves. If the formulas differ anywhere in the real semantics, they
differ there under the pattern σ that holds there; an analytic function that isn't 0 there is 0 nowhere but
on a set of measure zero of *all* leaves, so that it differs at random leaves as soon as σ is drawn, however
rare σ is among real values. An element whose difference depends on m comparisons draws σ with a probability
of at least q^m, q = 0.5 (0.4 where ties are drawn); with E elements that are drawn independently, a wrong
formula passes with a probability of at most (1 − q^m)^E. The last word (see `confirm`) isn't given before
each condition, and each maximum, was drawn for 100 elements: (3/4)^100 = 3e-13 for two masks even where
they are scalars, as of one neuron. Where they have axes, E is in the thousands: (15/16)^1500 = 1e-42 for
four nested layers.

What conditions imply of each other holds for every s and is never lost: s is odd, so x > 0 excludes x ≤ 0
and −x > 0; s(0) = 0, so a value that is 0 is not above 0, and [h > 0] is [x > 0] for h = relu(x); |x| is x
where x > 0 by its definition. What holds for the real order alone is asked of `Signs`, which proves it: a
difference that is never negative is as it is, since it is 0 only where all that it adds up is (a sum of
exponentials from which all are excluded). Conditions on integers, on leaves of zeros and ones, and on ±∞
are as they are, too: they are sampled until they went both ways.

s(d) is a hash of the seed and of the bucket of log|d|, a thousandth wide: rounding, 1e-15, moves a value
over an edge once in 1e12 times, and then a right rewrite is refused. Different values share a bucket, and
so a truth, once in a thousand times.

The elements of one condition are drawn independently only where their differences differ. Numbers of the
formula are the same everywhere, and have one order: they are compared as they are (`fixed`)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.expr import Access, Expr, Guard, IntegerAccess, parts_of
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, System

Array = Any

BUCKETS = 1e3  # in a factor of e
NEAR = 1e-12  # relative: the same number of the formula
ROUNDING = 1e-12  # of a difference, relative to the largest of its sides: it counts as 0
TIES = 0.2  # how many differences count as 0 at points where ties are drawn
MOST_CONDITIONS = 40  # of a system of which each two are looked at
DISCRETE = ("binary", "one hot")

ORDERS = "orders"  # the key of the draws of those of which a point has fewest
FREE, DECIDED = "free", "decided"


@dataclass(frozen=True)
class Fixed:
    """Numbers of the formula that no leaf moves (`symbp.derive.proof.fixed`): differences that conditions
    compare with 0, values among which maxima are chosen; both in order."""

    differences: Array = field(default_factory=lambda: np.zeros(0))
    values: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.differences.size + self.values.size)

    def joined(self, other: Fixed) -> Fixed:
        """The numbers of both."""
        return Fixed(np.union1d(self.differences, other.differences), np.union1d(self.values, other.values))


def among(values: Array, numbers: Array) -> Array:
    """Where a value is one of the numbers, which are in order, up to rounding."""
    if not numbers.size:
        return np.zeros(values.shape, dtype=bool)
    right = np.clip(np.searchsorted(numbers, values), 0, numbers.size - 1)
    near = np.minimum(np.abs(numbers[right] - values), np.abs(numbers[np.maximum(right - 1, 0)] - values))
    return np.asarray(near <= NEAR * (np.abs(values) + 1))


class Kinds:
    """Which conditions of a system are free, and what is known of the difference rhs − lhs of the others;
    `fixed` are the numbers that free ones compare as they are."""

    def __init__(self, system: System) -> None:
        self.signs = Signs(system, system.equations)
        self.discrete = _discrete(system)
        self._known: dict[Guard, str] = {}
        self.fixed = Fixed()
        self.any_free = any(is_decided_freely(e, self) for e in system.equations)

    def of(self, guard: Guard) -> str:
        if guard not in self._known:
            self._known[guard] = self._kind(guard)
        return self._known[guard]

    def _kind(self, guard: Guard) -> str:
        if guard.lhs.is_integer and guard.rhs.is_integer:
            return DECIDED
        if guard.lhs.is_infinite or guard.rhs.is_infinite or self._is_discrete(guard):
            return DECIDED
        difference = guard.rhs - guard.lhs
        one_sided = self.signs.nonnegative(difference) or self.signs.nonnegative(-difference)
        return DECIDED if one_sided else FREE

    def _is_discrete(self, e: Expr) -> bool:
        return all(isinstance(a, IntegerAccess) or a.name in self.discrete for a in parts_of(e, Access))

    def is_free(self, e: Expr) -> bool:
        """Whether any condition in an expression is drawn."""
        return any(self.of(guard) != DECIDED for guard in parts_of(e, Guard))


def _discrete(system: System) -> frozenset[str]:
    """The tensors with few values that no real leaf changes: zeros and ones, labels, what is made of them."""
    found = {t.name for t in system.leaves if t.integer or any(t.fact(kind) for kind in DISCRETE)}
    for equation in system.equations:
        if equation.leaf is None and equation.reads and set(equation.read_names) <= found:
            found.add(equation.target)
    return frozenset(found)


class FreeConditions:
    """One random s, and one random order, by a seed; with `ties`, some differences count as 0. `seen` holds
    what was compared last by each condition, and how it was drawn."""

    def __init__(self, kinds: Kinds, seed: int, *, ties: bool = False) -> None:
        self.kinds, self.ties = kinds, TIES if ties else 0.0
        self.seen: dict[Guard, tuple[Array, Array]] = {}
        self.drawn: dict[object, int] = {}
        rng = np.random.default_rng([seed, 77])
        self._phase = rng.random()
        self._salt = np.uint64(rng.integers(1 << 62))
        self._by_count = bool(seed // 2 % 2)

    def holds(self, guard: Guard, lhs: Array, rhs: Array) -> Array:
        """Where the relation is drawn to hold; as it is, where a side is infinite."""
        if self.kinds.of(guard) == DECIDED:
            return AS_THEY_ARE.holds(guard, lhs, rhs)
        difference = np.asarray(rhs - lhs, dtype=float)
        largest = max(_largest(lhs), _largest(rhs))
        drawn = self.sign(difference, largest)
        self.seen[guard] = difference, drawn
        fixed = int(np.sum(among(difference, self.kinds.fixed.differences)))
        self.drawn[guard] = max(self.drawn.get(guard, 0), difference.size - fixed or difference.size)
        chosen = _RELATIONS[guard.op](drawn)
        finite = np.isfinite(difference)
        return chosen if np.all(finite) else np.where(finite, chosen, AS_THEY_ARE.holds(guard, lhs, rhs))

    def order(self, values: Array) -> Array:
        """A random order of the reals; infinities stay at its ends, what is no number is none. At every other
        pair of seeds, a value that stands m times in an array (a bound of a clip) comes as far as the last of
        m different ones: it is the maximum of nearly every row there, and of few at the others."""
        values = np.asarray(values, dtype=float)
        drawn = self._uniform(values)
        drawn = np.where(values < 0, 1 - drawn, drawn)
        drawn = self._in_order(values, drawn)
        if values.ndim:
            rows = max(values.size // max(values.shape[-1], 1), 1)
            self.drawn[ORDERS] = min(self.drawn.get(ORDERS, rows), rows)
            if self._by_count:
                _, place, times = np.unique(values, return_inverse=True, return_counts=True)
                drawn = drawn ** (1 / times[place].reshape(values.shape))
        return np.where(np.isfinite(values), drawn, values)

    def _in_order(self, values: Array, drawn: Array) -> Array:
        """The numbers drawn, with those of fixed values in the order of these."""
        fixed = self.kinds.fixed.values
        place = among(values, fixed)
        if not np.any(place):
            return drawn
        own = self._uniform(fixed)
        ordered = np.sort(np.where(fixed < 0, 1 - own, own))
        nearest = np.clip(np.searchsorted(fixed, values - NEAR * (np.abs(values) + 1)), 0, fixed.size - 1)
        return np.where(place, ordered[nearest], drawn)

    def sign(self, difference: Array, largest: float) -> Array:
        """s of a difference between values of which the largest is so large."""
        u = self._uniform(difference)
        size = np.where(u < self.ties, 0, np.where(u < (1 + self.ties) / 2, 1, -1))
        size = np.where(among(difference, self.kinds.fixed.differences), 1, size)
        return np.where(np.abs(difference) <= ROUNDING * largest, 0, size * np.sign(difference))

    def _uniform(self, values: Array) -> Array:
        """A number from 0 to 1 for each bucket of |value|: splitmix64 of its number and the salt."""
        with np.errstate(all="ignore"):
            buckets = np.floor(np.log(np.abs(values)) * BUCKETS + self._phase)
            buckets = np.nan_to_num(buckets, nan=0.0, posinf=0.0, neginf=0.0)
            z = (
                np.asarray(buckets, dtype=np.int64).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
                + self._salt
            )
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            return (z ^ (z >> np.uint64(31))).astype(np.float64) / 2.0**64


class Pairs:
    """Which two conditions over one box have been seen to disagree, by equal signs and by opposite ones."""

    def __init__(self) -> None:
        self._open: dict[tuple[Guard, Guard], tuple[bool, bool]] = {}
        self._told: set[tuple[Guard, Guard]] = set()

    def look(self, conditions: FreeConditions) -> None:
        """Takes in what was drawn at a point."""
        chosen = sorted(conditions.seen, key=sympy.default_sort_key)[:MOST_CONDITIONS]
        for pair in itertools.combinations(chosen, 2):
            (one, drawn), (two, other) = (conditions.seen[guard] for guard in pair)
            if pair in self._told or one.shape != two.shape or np.allclose(abs(one), abs(two), rtol=1e-6):
                continue
            equal, opposite = self._open.get(pair, (False, False))
            equal, opposite = equal or bool(np.any(drawn != other)), opposite or bool(np.any(drawn != -other))
            self._open[pair] = equal, opposite
            if equal and opposite:
                del self._open[pair]
                self._told.add(pair)

    @property
    def all_told(self) -> bool:
        """Whether there is no pair of different conditions that always agreed so far, or never did."""
        return not self._open


def _largest(side: Array) -> float:
    array = np.abs(np.asarray(side, dtype=float))
    return float(np.max(array, initial=0.0, where=np.isfinite(array)))


_RELATIONS = {
    "=": lambda s: s == 0,
    "!=": lambda s: s != 0,
    "<": lambda s: s > 0,
    "<=": lambda s: s >= 0,
}


def is_decided_freely(equation: Equation, kinds: Kinds) -> bool:
    """Whether an equation has a condition, a maximum or an order that is drawn."""
    if equation.op in ("max", "argmax") or (equation.leaf is not None and equation.leaf.integer):
        return True
    return any(kinds.is_free(e) for e in (equation.body, *equation.where))
