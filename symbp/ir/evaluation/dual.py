"""Dual numbers over any domain: forward-mode derivatives for exact and high-precision checks of gradients.

Enters: a domain, arrays of values with tangents. Leaves: a domain again, arrays of dual numbers.
Must not know: systems, accesses, guards.

No derivative is written here: that of an elementwise function is asked of SymPy and evaluated in the domain
below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from symbp.ir.evaluation.closures import Closure, Closures
from symbp.ir.evaluation.domains import FLOAT, Domain, Value
from symbp.ir.expr import Expr


@dataclass(frozen=True)
class DualNumber:
    """`value + tangent·ε` with ε² = 0; the tangent None is that of a constant, and so is 0: nothing moves,
    also where the value is −∞ (what is excluded) or a slope infinite (its logarithm)."""

    value: Value
    tangent: Value | None = None

    def __add__(self, other: DualNumber) -> DualNumber:
        return DualNumber(self.value + other.value, _plus(self.tangent, other.tangent))

    def __mul__(self, other: DualNumber) -> DualNumber:
        left = None if _is_still(self.tangent) else self.tangent * other.value
        right = None if _is_still(other.tangent) else self.value * other.tangent
        return DualNumber(self.value * other.value, _plus(left, right))


@dataclass(frozen=True)
class _Dual(Domain):
    """Forward-mode derivatives, in one direction, over another domain."""

    base: Domain

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"duals over {self.base.name}"

    @property
    def ordered(self) -> bool:  # type: ignore[override]
        return self.base.ordered

    def rational(self, value: Fraction) -> Value:
        return DualNumber(self.base.rational(value))

    def constant(self, constant: Expr) -> Value:
        return DualNumber(self.base.constant(constant))

    def lift(self, value: Any) -> Value:
        if isinstance(value, DualNumber):
            tangent = None if value.tangent is None else self.base.lift(value.tangent)
            return DualNumber(self.base.lift(value.value), tangent)
        return DualNumber(self.base.lift(value))

    def power(self, base: Value, exponent: Fraction) -> Value:
        v = sympy.Symbol("v0", real=True)
        power = v ** sympy.Rational(exponent.numerator, exponent.denominator)
        return self._chain(power, (v,), (base,), self.base.power(base.value, exponent))

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        symbols = tuple(sympy.Symbol(f"v{k}", real=True) for k in range(len(arguments)))
        value = self.base.apply(function, [a.value for a in arguments])
        return self._chain(function(*symbols), symbols, arguments, value)

    def still(self, value: Value) -> Value:
        return DualNumber(self.base.still(value.value))

    def order(self, value: Value) -> Any:
        return self.base.order(value.value)

    def _chain(self, expr: Expr, symbols: Sequence[Expr], arguments: Sequence[Value], value: Value) -> Value:
        """The value with `Σ ∂expr/∂symbol · tangent`, constants left out."""
        tangent = None
        point = {symbol.name: argument.value for symbol, argument in zip(symbols, arguments, strict=True)}
        for symbol, argument in zip(symbols, arguments, strict=True):
            if not _is_still(argument.tangent):
                slope = _slope(expr, symbol, self.base)(point)
                tangent = _plus(tangent, slope * argument.tangent)
        return DualNumber(value, tangent)


def DUAL(base: Domain) -> Domain:
    """Dual numbers over a domain: inputs made by `dual` carry a tangent, all others are constants."""
    return _Dual(base)


def dual(values: Any, tangents: Any) -> np.ndarray[Any, Any]:
    """An array of dual numbers from two arrays of one shape."""
    values, tangents = np.asarray(values, dtype=object), np.asarray(tangents, dtype=object)
    out = np.empty(values.shape, dtype=object)
    for at in np.ndindex(values.shape):
        out[at] = DualNumber(values[at], tangents[at])
    return out


def tangent(value: Any, domain: Domain = FLOAT) -> Any:
    """The tangents of an array of dual numbers over `domain` (zero where nothing depends on a direction)."""
    values: Any = np.asarray(value, dtype=object)
    out = np.empty(values.shape, dtype=object)
    for at in np.ndindex(values.shape):
        slope = values[at].tangent
        out[at] = domain.rational(Fraction(0)) if slope is None else slope
    return out


@lru_cache(maxsize=4096)
def _slope(expr: Expr, symbol: Expr, domain: Domain) -> Closure:
    """The compiled derivative of a scalar expression by one of its symbols."""
    return Closures(domain).value(sympy.diff(expr, symbol))


def _is_still(tangent: Value | None) -> bool:
    """Whether a tangent is that of a constant."""
    if isinstance(tangent, DualNumber):
        return _is_still(tangent.value) and _is_still(tangent.tangent)
    return tangent is None or bool(tangent == 0)


def _plus(a: Value | None, b: Value | None) -> Value | None:
    if a is None or b is None:
        return a if b is None else b
    return a + b
