"""The numbers that a system can be evaluated over: floats, complex, 50 digits, rationals, residues.

Enters: rationals, named constants, elementwise functions named by their SymPy class, and values.
Leaves: values that Python's `+` and `*` combine. Must not know: systems, accesses, guards.

A domain refuses by name what it cannot represent (`OutsideDomain`). Dual numbers over any of these domains
are in `symbp.ir.evaluation.dual`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.expr import Expr
from symbp.ir.functions import ELEMENTARY

Value = Any  # an element of a domain
DIGITS, MORE_DIGITS = 50, 200  # the second for values of which the first leaves none, log(1 - sigmoid(150))

UFUNCS: dict[str, Callable[..., Any]] = {
    **{f.name: getattr(np, f.numpy) for f in ELEMENTARY.values() if f.numpy}, "Pow": np.power,
    "atan2": lambda y, x: _angle(y, x),
    "Floor": lambda x: np.floor(np.real(x)),
    "FloorQuotient": lambda a, b: np.floor_divide(np.real(a), np.real(b)),
    "Round": lambda x: np.rint(np.real(x)),
}  # fmt: skip
"""Elementwise functions that NumPy has for floats and complex numbers, by the names of SymPy's classes."""

REFUSED = (
    "Abs",
    "sign",
    "Max",
    "Min",
    "Heaviside",
    "DiracDelta",
    "Piecewise",
    "Derivative",
    "Subs",
    "Sum",
    "Product",
)
"""Nodes that have no place in a body: their derivative is a distribution, or they hide a reduction."""

_MPMATH_NAMES = {
    "polygamma": "psi",
    "Pow": "power",
    "LambertW": "lambertw",
    "Floor": "floor",
    "Round": "nint",
}


_STEPS: dict[str, Callable[..., int]] = {  # of rationals
    "Floor": math.floor,
    "FloorQuotient": lambda a, b: a // b,
    "Round": round,
}


@cache
def _context(digits: int) -> Any:
    """An mpmath context of our own, so that nobody else's precision changes."""
    context = mpmath.MPContext()
    context.dps = digits
    return context


class Domain:
    """A kind of numbers. `ordered` says whether guards and maxima can be decided by the values themselves."""

    name = "abstract"
    ordered = True
    dtype: Any = object  # of arrays of elements

    def rational(self, value: Fraction) -> Value:
        """The element that equals an exact rational."""
        raise NotImplementedError

    def constant(self, constant: Expr) -> Value:
        """The element that equals π, e, ∞ or another named constant."""
        raise OutsideDomain(f"the constant {constant} cannot be represented in the domain {self.name}")

    def lift(self, value: Any) -> Value:
        """The element that equals an input: a number, or already an element."""
        return self.rational(_exact(value))

    def power(self, base: Value, exponent: Fraction) -> Value:
        """A rational power, negative ones included."""
        if exponent.denominator != 1:
            raise OutsideDomain(f"the power {exponent} cannot be evaluated in the domain {self.name}")
        if base == self.rational(Fraction(0)) and exponent < 0:
            raise EvaluationError(f"division by zero in the domain {self.name}")
        return base ** int(exponent)

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:  # noqa: ARG002
        """An elementwise function, given as SymPy's class (`sympy.Pow` for powers that aren't integer)."""
        raise OutsideDomain(
            f"{function.__name__} cannot be evaluated in the domain {self.name}",
            help="evaluate over FLOAT, COMPLEX or HIGH",
        )

    def still(self, value: Value) -> Value:
        """The value of something through which nothing is differentiated."""
        return value

    def order(self, value: Value) -> Any:
        """What comparisons compare: the value, or its real part."""
        return value


class _Float(Domain):
    name = "float"
    dtype: Any = np.float64

    def rational(self, value: Fraction) -> Value:
        return np.float64(value.numerator / value.denominator)

    def constant(self, constant: Expr) -> Value:
        return np.float64(float(constant))

    def lift(self, value: Any) -> Value:
        return np.float64(value)

    def power(self, base: Value, exponent: Fraction) -> Value:
        return float_power(base, exponent)

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        return elementwise(function.__name__, False)(*arguments)


class _Complex(_Float):
    name, dtype = "complex", np.complex128

    def rational(self, value: Fraction) -> Value:
        return np.complex128(value.numerator / value.denominator)

    def constant(self, constant: Expr) -> Value:
        return np.complex128(float(constant))

    def lift(self, value: Any) -> Value:
        return np.complex128(value)

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        return elementwise(function.__name__, True)(*arguments)

    def order(self, value: Value) -> Any:
        return value.real


class _High(Domain):
    """Real and complex numbers of so many digits."""

    def __init__(self, digits: int) -> None:
        self.name, self.digits = f"{digits} digits", digits
        self.context = _context(digits)

    def rational(self, value: Fraction) -> Value:
        return self.context.mpf(value.numerator) / value.denominator

    def constant(self, constant: Expr) -> Value:
        if constant in (sympy.oo, -sympy.oo):
            return self.context.mpf("inf" if constant is sympy.oo else "-inf")
        return self.context.mpf(str(sympy.N(constant, self.digits + 10)))

    def lift(self, value: Any) -> Value:
        if isinstance(value, (complex, np.complexfloating)):
            return self.context.mpc(float(value.real), float(value.imag))
        if hasattr(value, "_mpf_") or hasattr(value, "_mpc_"):
            return self.context.convert(value)
        if isinstance(value, (float, np.floating)):
            return self.context.mpf(float(value))
        return self.rational(_exact(value))

    def power(self, base: Value, exponent: Fraction) -> Value:
        if base == 0 and exponent < 0:
            return self.context.inf
        return base ** (int(exponent) if exponent.denominator == 1 else self.rational(exponent))

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        return _in_mpmath(function.__name__, self.digits)(*arguments)

    def order(self, value: Value) -> Any:
        return value.real


class _Exact(Domain):
    """Rationals; −∞ stands beside them as a float, for the value of an empty maximum."""

    name = "exact rationals"

    def rational(self, value: Fraction) -> Value:
        return value

    def constant(self, constant: Expr) -> Value:
        if constant in (sympy.oo, -sympy.oo):
            return float("inf" if constant is sympy.oo else "-inf")
        return super().constant(constant)

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        step = _STEPS.get(function.__name__)
        return super().apply(function, arguments) if step is None else Fraction(step(*arguments))


@dataclass(frozen=True)
class Residue:
    """An integer modulo a prime."""

    value: int
    prime: int

    def __add__(self, other: Residue) -> Residue:
        return Residue((self.value + other.value) % self.prime, self.prime)

    def __mul__(self, other: Residue) -> Residue:
        return Residue(self.value * other.value % self.prime, self.prime)

    def __pow__(self, exponent: int) -> Residue:
        return Residue(pow(self.value, exponent, self.prime), self.prime)

    def __int__(self) -> int:
        return self.value

    def __str__(self) -> str:
        return f"{self.value} mod {self.prime}"


@dataclass(frozen=True)
class _Modular(Domain):
    """Integers modulo a prime: no order, so a companion run decides guards and maxima."""

    prime: int
    ordered = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"integers modulo {self.prime}"

    def rational(self, value: Fraction) -> Value:
        return (
            Residue(value.numerator % self.prime, self.prime) * Residue(value.denominator, self.prime) ** -1
        )

    def lift(self, value: Any) -> Value:
        return value if isinstance(value, Residue) else super().lift(value)


FLOAT, COMPLEX, EXACT = _Float(), _Complex(), _Exact()
HIGH, HIGHER = _High(DIGITS), _High(MORE_DIGITS)
"""The domains without a parameter."""


def MODULAR(prime: int) -> Domain:
    """The integers modulo a prime; floats enter as the exact rationals that they are."""
    return _Modular(prime)


# --- elementwise functions
def float_power(base: Any, exponent: Fraction) -> Any:
    """A rational power of floats or complex numbers, of arrays too."""
    if exponent == Fraction(1, 2):
        return np.sqrt(base)
    if exponent.denominator != 1:
        return np.power(base, float(exponent))
    # NumPy's numbers divide by 0 to infinity, Python's raise
    return base ** int(exponent) if exponent > 0 else np.float64(1.0) / base ** int(-exponent)


@cache
def elementwise(name: str, is_complex: bool) -> Callable[..., Any]:
    """An elementwise function of floats or complex numbers, of arrays too, by the name of SymPy's class.

    What NumPy lacks is evaluated element by element, by mpmath where the standard library lacks it too.
    Raises OutsideDomain for a name that nothing knows.
    """
    if name in UFUNCS:
        return UFUNCS[name]
    if name in ("erf", "erfc") and not is_complex:
        one: Callable[..., Any] = getattr(math, name)
    else:
        one = _rounded(_in_mpmath(name), complex if is_complex else _real)
    dtype = np.complex128 if is_complex else np.float64

    def everywhere(*arguments: Any) -> Any:
        return np.asarray(np.frompyfunc(one, len(arguments), 1)(*arguments)).astype(dtype)[()]

    return everywhere


def _angle(y: Any, x: Any) -> Any:
    """The angle of the point (x, y); continued into the complex numbers, for steps along them."""
    if not (np.iscomplexobj(x) or np.iscomplexobj(y)):
        return np.arctan2(y, x)
    turned = np.exp(-1j * np.arctan2(np.real(y), np.real(x)))
    real, imaginary = (x + 1j * y) * turned, (x - 1j * y) / turned
    return np.arctan2(np.real(y), np.real(x)) - 0.5j * np.log(real / imaginary)


def _rounded(evaluate: Callable[..., Any], number: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *arguments: number(evaluate(*arguments))


def _real(value: Any) -> float:
    """A float, not a number where the function leaves the reals."""
    return math.nan if value.imag != 0 else float(value.real)


@cache
def _in_mpmath(name: str, digits: int = DIGITS) -> Callable[..., Any]:
    """A function of mpmath at so many digits by the name of SymPy's class; a pole is not a number."""
    context = _context(digits)
    known = getattr(context, _MPMATH_NAMES.get(name, name), None)
    if name == "FloorQuotient":
        known = _floor_quotient(context)
    if name == "exp":
        known = _exponential(context)
    if known is None or not callable(known):
        raise OutsideDomain(
            f"no domain can evaluate {name}", help="write it with SymPy's elementwise functions"
        )

    def evaluate(*arguments: Any) -> Any:
        try:
            numbers = [context.convert(a) for a in arguments]
            return known(*[a.real if a.imag == 0 else a for a in numbers])
        except (ValueError, ZeroDivisionError):
            return context.nan

    return evaluate


def _exponential(context: Any) -> Callable[[Any], Any]:
    """exp(x), 0 for an x of less than −10⁶⁰, as −exp(10⁶) is: nothing brings that back, and to all the digits
    of such an x it takes minutes."""
    least = -(context.mpf(10) ** 60)
    return lambda x: context.zero if x.imag == 0 and x.real < least else context.exp(x)


def _floor_quotient(context: Any) -> Callable[[Any, Any], Any]:
    """⌊a/b⌋ by the remainder: a quotient that is rounded up to an integer isn't taken for it."""
    return lambda a, b: context.nint((a - a % b) / b)


def _exact(value: Any) -> Fraction:
    """An input as the exact rational that it is."""
    if isinstance(value, np.generic):
        value = value.item()
    try:
        return Fraction(value)
    except (TypeError, ValueError, OverflowError):
        raise OutsideDomain(f"{value!r} is not a rational number") from None
