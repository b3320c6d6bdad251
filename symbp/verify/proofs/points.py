"""Points at which steps are proven: sizes, a domain, leaves that obey their facts, who decides conditions.

Enters: a system, a seed. Leaves: points. Must not know: steps, or what is compared.

Modulo a prime, leaves are uniform residues, and a condition on real values is drawn at random by the residue
of what it compares (`symbp.derive.proof.free` says why that decides): its sign is odd, so that x > 0 excludes
−x > 0, and 0 where the sides are equal. In 50 digits, conditions are drawn at one point, and as they are at
others.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import sympy

from symbp.derive.proof.fixed import kinds_of
from symbp.derive.proof.free import DECIDED, Fixed, Kinds
from symbp.derive.proof.points import drawn
from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.box import AS_THEY_ARE, Conditions
from symbp.ir.evaluation.domains import HIGH, Domain, Residue
from symbp.ir.evaluation.unknowns import UNKNOWNS
from symbp.ir.expr import Guard
from symbp.ir.points.fitting import constraints, elements, least_sizes, literal_sizes, sample_sizes
from symbp.ir.points.sampling import CENTRED, DENSE, WIDE, as_fractions, sample_leaf, sample_run
from symbp.ir.system import System, Tensor

MOST = 60_000  # elements of all boxes of a system at one point
SHUFFLES = 300
LARGEST_DENOMINATOR = 10**5  # of a number that formulas hold
Rationals = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]
TIES = 5  # one in so many differences counts as 0 where ties are drawn


@dataclass(frozen=True)
class Point:
    """Where a system is evaluated."""

    sizes: Mapping[str, int]
    values: Mapping[str, Any]
    domain: Domain
    conditions: Conditions
    exact: bool


def size_choices(system: System) -> list[dict[str, int]]:
    """Two choices of small sizes, in each of which they are pairwise distinct, and none is the same in both,
    but for those with positions given as numbers; the least ones that fit where these take too long."""
    found = [sizes for variant in (0, 1) if elements(system, sizes := sample_sizes(system, variant)) <= MOST]
    kept = literal_sizes(system)
    for other in _shuffled(system):
        if len(found) > 1:
            break
        if not any(sizes[name] == n for sizes in found for name, n in other.items() if name not in kept):
            found.append(other)
    return found or [least_sizes(system)]


def _shuffled(system: System) -> Iterator[dict[str, int]]:
    """Other choices that fit, of the least values, where boxes are small enough."""
    draw, needed = random.Random(1), constraints(system)
    for attempt in range(SHUFFLES):
        kept = dict(literal_sizes(system)) if attempt % 2 else {}
        names = [name for name in system.sizes if name not in kept]
        values = range(2, 3 + len(names) + attempt // 40)
        chosen = {**dict(zip(names, draw.sample(values, len(names)), strict=True)), **kept}
        fits = needed.hold(chosen)
        if fits and elements(system, chosen) <= MOST:
            yield chosen


def exact_points(
    system: System, seed: int, choices: Sequence[Mapping[str, int]] | None = None
) -> Iterator[Point]:
    """Points modulo random primes, one for each choice of sizes, two at least, every other one with ties."""
    kinds = kinds_of(system)
    numbers = _rationals(kinds.fixed)
    if numbers is None:
        return  # the order of numbers that are no fractions can't be told from residues
    choices = choices or size_choices(system)
    for count in range(max(len(choices), 2)):
        sizes = choices[count % len(choices)]
        own = 1000 * seed + count
        prime = random_prime(own)
        values = residues(system, sizes, own, prime)
        ties = bool(count % 2) and kinds.any_free
        yield Point(sizes, values, UNKNOWNS(prime, own), ByResidue(kinds, prime, own, ties, numbers), True)


def digit_points(
    system: System, seed: int, choices: Sequence[Mapping[str, int]] | None = None
) -> Iterator[Point]:
    """Points in 50 digits: conditions drawn, then as they are at ordinary values and at large ones."""
    kinds = kinds_of(system)
    choices = choices or size_choices(system)
    ways = [(CENTRED, drawn(kinds, 2 * seed)), (CENTRED, (AS_THEY_ARE,)), (WIDE, (AS_THEY_ARE,))]
    ways += [(DENSE, (AS_THEY_ARE,))]
    for count, (spread, decided) in enumerate(ways):
        sizes = choices[count % len(choices)]
        run = sample_run(system, seed + count, sizes=sizes, first=spread, conditions=decided)
        yield Point(sizes, as_fractions(system, run.values), HIGH, run.conditions, False)


@lru_cache(maxsize=64)
def random_prime(seed: int) -> int:
    """A prime of 61 bits, by a seed."""
    draw = random.Random(seed)
    while True:
        candidate = draw.getrandbits(60) | 1 << 60 | 1
        if sympy.isprime(candidate):
            return candidate


def residues(system: System, sizes: Mapping[str, int], seed: int, prime: int) -> dict[str, Any]:
    """Leaves as residues that obey their facts; those of few values, labels and masks, as they are drawn
    anywhere."""
    draw, rng = random.Random(seed), np.random.default_rng(seed)
    return {t.name: _leaf(t, sample_leaf(t, sizes, rng), draw, prime) for t in system.leaves}


def _leaf(tensor: Tensor, sample: Any, draw: random.Random, prime: int) -> Any:
    if tensor.integer:
        return sample
    found = np.empty(sample.shape, dtype=object)
    discrete = tensor.fact("binary") or tensor.fact("one hot")
    for at in np.ndindex(sample.shape):
        value = int(sample[at]) if discrete else draw.randrange(1, prime)
        found[at] = 0 if sample[at] == 0 else value  # outside of a triangle
    simplex = tensor.fact("sums to one")
    if simplex is not None and simplex.axis is not None:
        last = tuple(-1 if k == simplex.axis else slice(None) for k in range(sample.ndim))
        found[last] = 0
        found[last] = (1 - found.sum(axis=simplex.axis)) % prime
    if tensor.fact("symmetric"):
        found = (found + np.swapaxes(found, -1, -2)) % prime
    return _as_residues(found, prime)


def _as_residues(values: Any, prime: int) -> Any:
    found = np.empty(np.shape(values), dtype=object)
    for at in np.ndindex(found.shape):
        found[at] = Residue(int(values[at]), prime)
    return found


def _rationals(fixed: Fixed) -> Rationals | None:
    """The numbers as fractions, in order; None, if one is none."""
    found = []
    for numbers in (fixed.differences, fixed.values):
        fractions = [Fraction(float(x)).limit_denominator(LARGEST_DENOMINATOR) for x in numbers]
        if any(abs(float(q) - x) > 1e-12 * (1 + abs(x)) for q, x in zip(fractions, numbers, strict=True)):
            return None
        found.append(tuple(sorted(set(fractions))))
    return found[0], found[1]


@dataclass(frozen=True)
class ByResidue:
    """Conditions between residues: random, but for what is known of them."""

    kinds: Kinds
    prime: int
    salt: int
    ties: bool = False
    fixed: Rationals = ((), ())

    @cached_property
    def signs(self) -> dict[int, int]:
        """The signs of differences that no leaf moves."""
        return {self.residue(d): 1 if d > 0 else -1 for d in self.fixed[0] if d}

    @cached_property
    def places(self) -> dict[int, int]:
        """Where values that no leaf moves stand in the random order: in their own."""
        values = [self.residue(v) for v in self.fixed[1]]
        return dict(zip(values, sorted(_hash(-self.salt - 1, v) for v in values), strict=True))

    def residue(self, number: Fraction) -> int:
        """A fraction modulo the prime."""
        return number.numerator * pow(number.denominator, -1, self.prime) % self.prime

    @property
    def drawn(self) -> Mapping[object, int]:
        return {}

    def holds(self, guard: Guard, lhs: int | None, rhs: int | None) -> bool:
        """Whether a relation is drawn to hold; where it is decided, by what it compares. None is −∞."""
        if lhs is None or rhs is None:
            low, high = lhs is None, rhs is None
            below = {"=": low and high, "!=": low != high, "<": low and not high, "<=": low}
            return below[guard.op]
        difference = (rhs - lhs) % self.prime
        sign = self.known(guard, difference) if self.kinds.of(guard) == DECIDED else self.sign(difference)
        return {"=": sign == 0, "!=": sign != 0, "<": sign > 0, "<=": sign >= 0}[guard.op]

    def known(self, guard: Guard, difference: int) -> int:
        """The sign of a difference of zeros and ones, or of one that has one sign only."""
        if difference == 0:
            return 0
        signs = self.kinds.signs
        if signs.nonnegative(guard.rhs - guard.lhs):
            return 1
        if signs.nonnegative(guard.lhs - guard.rhs):
            return -1
        return 1 if difference < self.prime // 2 else -1

    def sign(self, difference: int) -> int:
        """The odd random sign of a difference."""
        if difference in self.signs:
            return self.signs[difference]
        turned = self.prime - difference
        drawn = _hash(self.salt, min(difference, turned))
        if difference == 0 or (self.ties and drawn // 2 % TIES == 0):
            return 0
        sign = 1 if drawn % 2 else -1
        return sign if difference < turned else -sign

    def order(self, value: int | None) -> int:
        """A random order of the residues, −∞ before all of them."""
        if value is None:
            return -1
        return self.places[value] if value in self.places else _hash(-self.salt - 1, value)


def _hash(salt: int, value: int) -> int:
    return int.from_bytes(blake2b(f"{salt} {value}".encode(), digest_size=8).digest(), "big")


def is_refusal(error: Exception) -> bool:
    """Whether a point can't tell, since the domain lacks a value there, or an algorithm for real numbers (of
    eigenvalues, say) can't go on with its elements."""
    kinds = (OutsideDomain, EvaluationError, ArithmeticError, TypeError, AttributeError)
    return isinstance(error, kinds)
