"""Elementary functions, element by element: SymPy's own, and those with a kink as guards.

Enters: tensors, numbers, or elements in index notation. Leaves: the same. Must not know: derivatives.
Kinks follow PyTorch's conventions, and each op says which.
"""

from __future__ import annotations

from typing import Any

import sympy

from symbp.errors import DeclarationError
from symbp.ir.build import where
from symbp.ir.expr import Expr, Floor, FloorQuotient, Guard, Round
from symbp.ir.system import Role
from symbp.language.bodies import named_number, number
from symbp.language.node import Hint
from symbp.language.notation import stopped
from symbp.language.tensor import Tensor, pointwise
from symbp.ops.registry import elementwise, example, op

FAMILY = "functions"
JUMPS = "jumps at integers; derivative 0 everywhere"


def constant(value: Any, what: str, letter: str = "") -> Expr:
    """An option of an op as an exact number; with a `letter`, pages call it so. Raises DeclarationError if it
    is none."""
    found = number(value)
    if found is None:
        raise DeclarationError(f"{what} must be a number, not {value!r}")
    return named_number(letter, found) if letter else found


def option(value: Any, what: str, letter: str = "") -> Expr:
    """The same of an option that may also be the author's own constant, `bp.hyper("eps", 1e-5)`: it keeps its
    name. Raises DeclarationError: neither."""
    if isinstance(value, Tensor) and value.role is Role.HYPER:
        return value.at()
    return constant(value, what, letter)


@elementwise(FAMILY)
def exp(x: Expr) -> Expr:
    """eˣ."""
    return sympy.exp(x)


@elementwise(FAMILY, "positive")
def log(x: Expr) -> Expr:
    """The natural logarithm of x > 0."""
    return sympy.log(x)


@elementwise(FAMILY, "positive")
def log1p(x: Expr) -> Expr:
    """log(1 + x), of small x in full precision."""
    return sympy.log(1 + x)


@elementwise(FAMILY)
def expm1(x: Expr) -> Expr:
    """eˣ − 1, of small x in full precision."""
    return sympy.exp(x) - 1


@elementwise(FAMILY)
def sin(x: Expr) -> Expr:
    """The sine of x."""
    return sympy.sin(x)


@elementwise(FAMILY)
def cos(x: Expr) -> Expr:
    """The cosine of x."""
    return sympy.cos(x)


@elementwise(FAMILY, "unit")
def tan(x: Expr) -> Expr:
    """The tangent of x."""
    return sympy.tan(x)


@elementwise(FAMILY, "unit")
def asin(x: Expr) -> Expr:
    """The inverse sine of x in (−1, 1)."""
    return sympy.asin(x)


@elementwise(FAMILY, "unit")
def acos(x: Expr) -> Expr:
    """The inverse cosine of x in (−1, 1)."""
    return sympy.acos(x)


@elementwise(FAMILY)
def atan(x: Expr) -> Expr:
    """The inverse tangent of x."""
    return sympy.atan(x)


@elementwise(FAMILY, "real", "real")
def atan2(y: Expr, x: Expr) -> Expr:
    """The angle from −π to π of the point (x, y) ≠ (0, 0)."""
    return sympy.atan2(y, x)


@elementwise(FAMILY, "real", "real")
def logaddexp(a: Expr, b: Expr) -> Expr:
    """log(eᵃ + eᵇ), as the larger of the two plus log(1 + e^−|a − b|)."""
    above, below = a + sympy.log(1 + sympy.exp(b - a)), b + sympy.log(1 + sympy.exp(a - b))
    return where(Guard("<=", b, a), above, below)


@op(FAMILY, example("N H", "N H: positive"))
def xlogy(x: Any, y: Any) -> Any:
    """x·log y, and 0 where x = 0 and y ≤ 0: the logarithm is then that of 1."""

    def safe(a: Expr, b: Expr) -> Expr:
        return where(Guard("=", a, 0) * Guard("<=", b, 0), sympy.Integer(1), b)

    inner = pointwise(safe, x, y, rule="argument of a logarithm", kept=True, hint=Hint("y"))
    return pointwise(lambda a, b: a * sympy.log(b), x, inner, rule="xlogy")


@elementwise(FAMILY)
def sinh(x: Expr) -> Expr:
    """The hyperbolic sine, (eˣ − e⁻ˣ)/2."""
    return sympy.sinh(x)


@elementwise(FAMILY)
def cosh(x: Expr) -> Expr:
    """The hyperbolic cosine, (eˣ + e⁻ˣ)/2."""
    return sympy.cosh(x)


@elementwise(FAMILY)
def asinh(x: Expr) -> Expr:
    """The inverse hyperbolic sine of x."""
    return sympy.asinh(x)


@elementwise(FAMILY, "above one")
def acosh(x: Expr) -> Expr:
    """The inverse hyperbolic cosine of x > 1."""
    return sympy.acosh(x)


@elementwise(FAMILY, "unit")
def atanh(x: Expr) -> Expr:
    """The inverse hyperbolic tangent of x in (−1, 1)."""
    return sympy.atanh(x)


@elementwise(FAMILY)
def erf(x: Expr) -> Expr:
    """The error function, 2/√π ∫₀ˣ e^(−t²) dt."""
    return sympy.erf(x)


@elementwise(FAMILY)
def erfc(x: Expr) -> Expr:
    """The complementary error function, 1 − erf x."""
    return sympy.erfc(x)


@elementwise(FAMILY, "positive")
def loggamma(x: Expr) -> Expr:
    """log Γ(x) of x > 0."""
    return sympy.loggamma(x)


@elementwise(FAMILY, "positive")
def digamma(x: Expr) -> Expr:
    """ψ(x) = Γ′(x)/Γ(x) of x > 0."""
    return sympy.digamma(x)


@elementwise(FAMILY, "positive")
def sqrt(x: Expr) -> Expr:
    """√x of x > 0."""
    return sympy.sqrt(x)


@elementwise(FAMILY)
def square(x: Expr) -> Expr:
    """x²."""
    return x**2


@elementwise(FAMILY, "positive")
def reciprocal(x: Expr) -> Expr:
    """1/x of x ≠ 0."""
    return 1 / x


@elementwise(FAMILY, "positive", "real")
def power(x: Expr, y: Expr) -> Expr:
    """x to the power y; of x > 0 unless y is a constant integer."""
    return x**y


@elementwise(FAMILY, analytic=False, kinks="derivative 0 at x = 0")
def abs(x: Expr) -> Expr:
    """|x| = x where x > 0, −x where x < 0, 0 at 0."""
    return Guard(">", x, 0) * x - Guard("<", x, 0) * x


@elementwise(FAMILY, analytic=False, kinks="jumps at x = 0; derivative 0 everywhere")
def sign(x: Expr) -> Expr:
    """1 where x > 0, −1 where x < 0, 0 at 0."""
    return Guard(">", x, 0) - Guard("<", x, 0)


@op(FAMILY, example("N H"), analytic=False, kinks=JUMPS)
def floor(x: Any) -> Any:
    """⌊x⌋, the largest integer that is not above x."""
    return stopped(Floor, x, rule="floor")


@op(FAMILY, example("N H"), analytic=False, kinks=JUMPS)
def ceil(x: Any) -> Any:
    """⌈x⌉, the smallest integer that is not below x."""
    return pointwise(lambda e: -e, floor(pointwise(lambda e: -e, x, rule="negative")), rule="ceiling")


@op(FAMILY, example("N H"), analytic=False, kinks=JUMPS)
def round(x: Any) -> Any:
    """The integer nearest to x; of two that are equally near, the even one."""
    return stopped(Round, x, rule="round")


@op(FAMILY, example("N H", "N H: positive"), analytic=False, kinks="jumps where x/d is an integer")
def mod(x: Any, d: Any) -> Any:
    """x − d·⌊x/d⌋, between 0 and d; the derivative by x is 1, by d it is −⌊x/d⌋."""
    quotient = stopped(FloorQuotient, x, d, rule="floor of a quotient")
    return pointwise(lambda a, b, q: a - b * q, x, d, quotient, rule="remainder")


@elementwise(FAMILY, "real", "real", analytic=False, kinks="at a tie each side gets half of the gradient")
def maximum(a: Expr, b: Expr) -> Expr:
    """a where a > b, b where a < b, (a + b)/2 where they are equal."""
    return Guard(">", a, b) * a + Guard("<", a, b) * b + Guard("=", a, b) * (a + b) / 2


@elementwise(FAMILY, "real", "real", analytic=False, kinks="at a tie each side gets half of the gradient")
def minimum(a: Expr, b: Expr) -> Expr:
    """a where a < b, b where a > b, (a + b)/2 where they are equal."""
    return Guard("<", a, b) * a + Guard(">", a, b) * b + Guard("=", a, b) * (a + b) / 2


@elementwise(
    FAMILY,
    analytic=False,
    kinks="derivative 1 at both bounds, as inside",
    options=({"low": -0.5, "high": 0.5}, {"low": 0}, {"high": 0.25}),
)
def clamp(x: Expr, low: Any = None, high: Any = None) -> Expr:
    """x held between low and high, either of which may be absent.

    Raises DeclarationError: no bound at all, or low above high.
    """
    if low is None and high is None:
        raise DeclarationError("clamp needs a bound", help="clamp(x, low=0), clamp(x, 0, 1)")
    result = x
    if high is not None:
        upper = constant(high, "clamp's high")
        result = where(Guard("<=", x, upper), result, upper)
    if low is not None:
        lower = constant(low, "clamp's low")
        if high is not None and lower > constant(high, "clamp's high"):
            raise DeclarationError(f"clamp's low {low} lies above its high {high}")
        result = where(Guard(">=", x, lower), result, lower)
    return sympy.expand_mul(result)
