"""What is proven of the gradients of a network, at the points of its sweep.

Enters: a derivation. Leaves: claims about gradients, proven exactly where that can be, else in 50 digits.
Must not know: what a claim is good for.

The gradients here are those of the raw sweep, which is the chain rule and nothing else; `symbp prove` shows
that they are the derivatives of what was declared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from symbp.derive.derivation import Derivation, Ground
from symbp.ir.expr import Expr
from symbp.ir.system import System
from symbp.verify.proofs.evaluation import Array, Refused, mismatch
from symbp.verify.proofs.grounded import GroundAtPoint, Grounded, Outcome
from symbp.verify.proofs.report import EXACT

SMALL = sympy.Rational(1, 500)  # a number below that is added to something under a root or a line: ε
RATIOS = tuple(sympy.Rational(*pq) for pq in ((1, 1), (-1, 1), (2, 1), (1, 2), (-2, 1), (-1, 2)))


@dataclass(frozen=True)
class Evidence:
    """Claims about the gradients of a derivation."""

    derivation: Derivation
    seed: int = 0

    @cached_property
    def grounded(self) -> Grounded:
        return Grounded(self.derivation.grounds[-1], self.seed)

    @cached_property
    def without_epsilon(self) -> Grounded | None:
        """The same with each ε as 0; None if there is none."""
        ground = self.derivation.grounds[-1]
        system = _without_epsilon(ground.after)
        if system is None:
            return None
        return Grounded(Ground(ground.first, system, system), self.seed)

    def zero(self, name: str) -> Outcome:
        """Whether a tensor is 0 in all elements, at all points."""

        def check(place: GroundAtPoint) -> Any:
            array = place.after.tensor(name)
            return mismatch(name, _zeros(array, place), array, place.point)

        return self.grounded.proven(check)

    def vanishes(self, grounded: Grounded, name: str, gradient: str, kept: tuple[int, ...]) -> Outcome:
        """Whether Σ W·dW is 0, summed over all axes but those kept."""

        def check(place: GroundAtPoint) -> Any:
            products = place.after.tensor(name) * place.after.tensor(gradient)
            total = _summed(products, kept)
            return mismatch(name, _zeros(total, place), total, place.point)

        return grounded.proven(check)

    def equal(
        self, one: Callable[[GroundAtPoint], Array], other: Callable[[GroundAtPoint], Array]
    ) -> Outcome:
        """Whether two values are equal, and not 0."""

        def check(place: GroundAtPoint) -> Any:
            left, right = one(place), other(place)
            if all(_is_zero(v) for v in left.flat):
                raise Refused("both are 0")
            return mismatch("", left, right, place.point)

        return self.grounded.proven(check)

    def gathered(self, name: str, gradient: str) -> Callable[[GroundAtPoint], Array]:
        """Σ W·dW of a parameter, as a value at places."""
        return lambda place: _summed(place.after.tensor(name) * place.after.tensor(gradient), ())

    def times(self, gradient: str, factor: Expr) -> Callable[[GroundAtPoint], Array]:
        """A gradient times a number."""

        def value(place: GroundAtPoint) -> Array:
            number = place.point.domain.rational(_fraction(factor))
            return np.asarray(place.after.tensor(gradient) * _held(number))

        return value


def how(outcome: Outcome) -> str:
    """How something is known, as a sentence."""
    sizes = " and ".join(", ".join(f"{n}={v}" for n, v in s.items()) for s in outcome.sizes)
    way = "exactly, modulo random primes near 2⁶¹" if outcome.how == EXACT else "in 50 digits"
    return f"Proven {way}, conditions drawn at random, at the sizes {sizes}."


def _fraction(value: Expr) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _held(value: Any) -> Array:
    held = np.empty((), dtype=object)
    held[()] = value
    return held


def _summed(products: Array, kept: tuple[int, ...]) -> Array:
    axes = tuple(k for k in range(np.ndim(products)) if k not in kept)
    if not axes:
        return np.asarray(products, dtype=object)
    total = np.asarray(products, dtype=object)
    for axis in sorted(axes, reverse=True):
        total = np.add.reduce(total, axis=axis)
    return total if isinstance(total, np.ndarray) else _held(total)


def _zeros(like: Array, place: GroundAtPoint) -> Array:
    found = np.empty(like.shape, dtype=object)
    for at in np.ndindex(found.shape):
        found[at] = place.point.domain.lift(0)
    return found


def _is_zero(value: Any) -> bool:
    return bool(getattr(value, "value", value) == 0)


def _without_epsilon(system: System) -> System | None:
    changed: Mapping[str, Any] = {e.target: e.with_(body=_dropped(e.body)) for e in system.equations}
    if all(changed[e.target].body == e.body for e in system.equations):
        return None
    return system.with_(equations=tuple(changed[e.target] for e in system.equations))


def _dropped(body: Expr) -> Expr:
    found = {}
    for power in body.atoms(sympy.Pow):
        number, rest = power.base.as_coeff_Add()
        if (0 < number < SMALL and rest != 0 and not power.exp.is_integer) or (
            0 < number < SMALL and power.exp < 0
        ):
            found[power] = rest**power.exp
    return body.xreplace(found)
