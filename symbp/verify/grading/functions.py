"""The functions that answers may call, and their derivatives, on arrays over any domain.

Enters: arrays, a domain's arithmetic, who decides conditions. Leaves: arrays.
Must not know: trees, names of tensors.

They are written out from exp, log, roots and what else a domain knows, so that σ(z), however a network
declares it, is the same rational function of exp(z).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symbp.verify.grading.values import Array, Numbers

Positive = Callable[[Array], Array]  # where a value is above 0, of booleans
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Functions:
    """Functions of each element; `positive` decides where one is above 0."""

    numbers: Numbers
    positive: Positive

    def number(self, value: int | Fraction) -> Array:
        return self.numbers.rational(Fraction(value))

    def only(self, mask: Array, array: Array) -> Array:
        """The array where the mask holds, else 0."""
        array = np.broadcast_to(array, np.shape(mask))
        return self.numbers.array(np.where(mask, array, self.number(0)))

    def exp(self, x: Array) -> Array:
        return self.numbers.apply(sympy.exp, x)

    def one_minus(self, x: Array) -> Array:
        return self.numbers.subtract(self.number(1), x)

    def sigmoid(self, x: Array) -> Array:
        n = self.numbers
        minus = n.subtract(self.number(0), x)
        return n.divide(self.number(1), n.add(self.number(1), self.exp(minus)))

    def sigmoid_slope(self, x: Array) -> Array:
        s = self.sigmoid(x)
        return self.numbers.multiply(s, self.one_minus(s))

    def tanh_slope(self, x: Array) -> Array:
        t = self.numbers.apply(sympy.tanh, x)
        return self.one_minus(self.numbers.multiply(t, t))

    def relu(self, x: Array) -> Array:
        return self.only(self.positive(x), x)

    def relu_slope(self, x: Array) -> Array:
        return self.only(
            self.positive(x), self.numbers.add(self.number(1), self.numbers.multiply(x, self.number(0)))
        )

    def softplus(self, x: Array) -> Array:
        return self.numbers.apply(sympy.log, self.numbers.add(self.number(1), self.exp(x)))

    def gelu(self, x: Array) -> Array:
        n = self.numbers
        inner = n.apply(sympy.erf, n.multiply(x, n.power(self.number(2), -HALF)))
        return n.multiply(n.multiply(x, self.number(HALF)), n.add(self.number(1), inner))

    def silu(self, x: Array) -> Array:
        return self.numbers.multiply(x, self.sigmoid(x))

    def absolute(self, x: Array) -> Array:
        turned = self.numbers.subtract(self.number(0), x)
        return self.numbers.array(np.where(self.positive(x), x, turned))

    def sign(self, x: Array) -> Array:
        turned = self.numbers.subtract(self.number(0), x)
        zero = self.numbers.multiply(x, self.number(0))
        one = self.numbers.add(self.number(1), zero)
        above = self.only(self.positive(x), one)
        return self.numbers.subtract(above, self.only(self.positive(turned), one))

    @property
    def table(self) -> Mapping[str, Callable[[Array], Array]]:
        """All of one argument, by their names in answers."""
        n = self.numbers
        plain: dict[str, Any] = {
            "log": sympy.log, "ln": sympy.log, "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan,
            "tanh": sympy.tanh, "sinh": sympy.sinh, "cosh": sympy.cosh, "erf": sympy.erf,
            "atan": sympy.atan, "arctan": sympy.atan,
        }  # fmt: skip
        found = {name: _applied(n, function) for name, function in plain.items()}
        own: dict[str, Callable[[Array], Array]] = {
            "exp": self.exp, "sqrt": lambda x: n.power(x, HALF), "square": lambda x: n.multiply(x, x),
            "sigmoid": self.sigmoid, "sigma": self.sigmoid, "logistic": self.sigmoid, "relu": self.relu,
            "ReLU": self.relu, "softplus": self.softplus, "gelu": self.gelu, "silu": self.silu,
            "abs": self.absolute, "sign": self.sign,
            "reciprocal": lambda x: n.divide(self.number(1), x),
            "tanh'": self.tanh_slope, "sigmoid'": self.sigmoid_slope, "sigma'": self.sigmoid_slope,
            "relu'": self.relu_slope, "ReLU'": self.relu_slope, "exp'": self.exp,
            "softplus'": self.sigmoid, "log'": lambda x: n.divide(self.number(1), x),
            "sin'": _applied(n, sympy.cos),
            "cos'": lambda x: n.subtract(self.number(0), n.apply(sympy.sin, x)),
        }  # fmt: skip
        return {**found, **own}


def _applied(numbers: Numbers, function: Any) -> Callable[[Array], Array]:
    return lambda x: numbers.apply(function, x)


SLOPES = ("tanh'", "sigma'", "relu'", "softplus'")
REDUCING = ("sum", "mean", "max", "prod")
ALONG = ("softmax", "log_softmax", "logsumexp")
OF_ROWS = {f"{side}{op}": (side, op) for side in ("row", "col") for op in REDUCING}
PAIRS = ("maximum", "minimum", "multiply", "outer", "dot", "matmul", "add", "subtract", "divide")
OTHERS = ("onehot", "one_hot", "transpose", "where", "diag", "ones_like", "zeros_like", "norm", "len")
