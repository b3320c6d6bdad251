"""The functions that answers may call, and their derivatives, on arrays over any domain.

Enters: arrays, a domain's arithmetic, who decides conditions. Leaves: arrays.
Must not know: trees, names of tensors.

Each is a formula in exp, log, roots and what else a domain knows, so that σ(z), however a network declares
it, is the same rational function of exp(z). A derivative, tanh'(z), is SymPy's of that formula; at a kink it
is the one of the branch that the condition takes, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce

import numpy as np
import sympy

from symbp.ir.expr import Expr, Guard
from symbp.verify.grading.values import Array, Numbers

Positive = Callable[[Array], Array]  # where a value is above 0, of booleans


@cache
def formulas() -> Mapping[str, Expr]:
    """Each function by its names, and with a prime its derivative, in the variable `x`; but for |x| and the
    sign, which have several at 0."""
    x, one = variable(), sympy.Integer(1)
    above, logistic = Guard("<", sympy.Integer(0), x), one / (1 + sympy.exp(-x))
    found = {
        "exp": sympy.exp(x), "log": sympy.log(x), "ln": sympy.log(x), "sqrt": sympy.sqrt(x), "square": x**2,
        "sin": sympy.sin(x), "cos": sympy.cos(x), "tan": sympy.tan(x), "atan": sympy.atan(x),
        "arctan": sympy.atan(x), "tanh": sympy.tanh(x), "sinh": sympy.sinh(x), "cosh": sympy.cosh(x),
        "sech": 1 / sympy.cosh(x),
        "erf": sympy.erf(x), "sigmoid": logistic, "sigma": logistic, "logistic": logistic, "relu": above * x,
        "ReLU": above * x, "softplus": sympy.log(1 + sympy.exp(x)), "silu": x * logistic,
        "gelu": x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2, "reciprocal": 1 / x,
    }  # fmt: skip
    slopes = {f"{name}'": sympy.diff(formula, x) for name, formula in found.items()}
    kinked = {"abs": (2 * above - 1) * x, "sign": above - Guard("<", sympy.Integer(0), -x)}
    return {**found, **slopes, **kinked}


def variable() -> Expr:
    return sympy.Symbol("x", real=True)


@dataclass(frozen=True)
class Functions:
    """Functions of each element; `positive` decides where one is above 0."""

    numbers: Numbers
    positive: Positive

    def of(self, name: str) -> Callable[[Array], Array] | None:
        """The function of a name; None of an unknown one."""
        formula = formulas().get(name)
        return None if formula is None else lambda x: self.value(formula, x)

    def value(self, e: Expr, x: Array) -> Array:
        """A formula at the elements of an array."""
        n = self.numbers
        if e == variable():
            return x
        if e.is_Rational:
            return n.rational(Fraction(int(e.p), int(e.q)))
        if e.is_Add:
            return reduce(n.add, [self.value(term, x) for term in e.args])
        if e.is_Mul or isinstance(e, Guard):
            return self.product(sympy.Mul.make_args(e), x)
        if e.is_Pow and e.exp.is_Rational:
            return n.power(self.value(e.base, x), Fraction(int(e.exp.p), int(e.exp.q)))
        return n.apply(type(e), *[self.value(argument, x) for argument in e.args])

    def product(self, factors: tuple[Expr, ...], x: Array) -> Array:
        """The product where all conditions hold, else 0."""
        n = self.numbers
        rest = [self.value(f, x) for f in factors if not isinstance(f, Guard)]
        found = reduce(n.multiply, rest) if rest else n.rational(Fraction(1))
        for guard in (f for f in factors if isinstance(f, Guard)):
            mask = self.positive(self.value(guard.rhs, x))
            whole = np.broadcast_to(found, np.shape(mask))
            found = n.array(np.where(mask, whole, n.rational(Fraction(0))))
        return found


REDUCING = ("sum", "mean", "max", "argmax", "prod", "var", "std")
ALONG = ("softmax", "log_softmax", "logsumexp")
OF_ROWS = {f"{side}{op}": (side, op) for side in ("row", "col") for op in REDUCING}
PAIRS = ("maximum", "minimum", "multiply", "outer", "dot", "matmul", "add", "subtract", "divide")
OTHERS = (
    "onehot",
    "one_hot",
    "transpose",
    "where",
    "diag",
    "ones_like",
    "zeros_like",
    "norm",
    "len",
    "shape",
    "size",
    "reshape",
)
