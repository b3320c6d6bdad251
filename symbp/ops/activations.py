"""Smooth activations, and the softmax family: as they are published, nothing rearranged for stability.

Enters: tensors, or elements in index notation. Leaves: the same. Must not know: derivatives.
"""

from __future__ import annotations

from typing import Any, Literal

import sympy

from symbp.errors import DeclarationError
from symbp.ir.expr import Expr, Index
from symbp.language.axes import axes, axis_numbers
from symbp.language.bodies import without_kinks
from symbp.language.node import Hint
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor
from symbp.ops.functions import constant
from symbp.ops.reductions import logsumexp
from symbp.ops.registry import elementwise, example, op

FAMILY = "activations"
HIDDEN = Hint("h", "layer")


@elementwise(FAMILY, hint=HIDDEN)
def linear(x: Expr) -> Expr:
    """x itself."""
    return x


@elementwise(FAMILY, hint=HIDDEN)
def tanh(x: Expr) -> Expr:
    """tanh x = (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ)."""
    return sympy.tanh(x)


@elementwise(FAMILY, hint=HIDDEN)
def sigmoid(x: Expr) -> Expr:
    """σ(x) = 1/(1 + e⁻ˣ)."""
    return 1 / (1 + sympy.exp(-x))


@elementwise(FAMILY, hint=HIDDEN)
def logsigmoid(x: Expr) -> Expr:
    """log σ(x) = −log(1 + e⁻ˣ)."""
    return -sympy.log(1 + sympy.exp(-x))


@elementwise(FAMILY, hint=HIDDEN, options=({}, {"beta": 3}))
def softplus(x: Expr, beta: Any = 1) -> Expr:
    """log(1 + e^(β·x))/β, a smooth relu (Dugas et al. 2001)."""
    sharpness = constant(beta, "softplus's beta")
    return sympy.log(1 + sympy.exp(sharpness * x)) / sharpness


@elementwise(FAMILY, hint=HIDDEN, kinks="its second derivative jumps at x = 0", analytic=False)
def softsign(x: Expr) -> Expr:
    """x/(1 + |x|) (Turian, Bergstra and Bengio 2009)."""
    return x / (1 + without_kinks(sympy.Abs(x)))


@elementwise(FAMILY, hint=HIDDEN)
def tanhshrink(x: Expr) -> Expr:
    """x − tanh x."""
    return x - sympy.tanh(x)


@elementwise(FAMILY, hint=HIDDEN)
def mish(x: Expr) -> Expr:
    """x·tanh(log(1 + eˣ)) (Misra 2019)."""
    return x * sympy.tanh(sympy.log(1 + sympy.exp(x)))


@elementwise(FAMILY, hint=HIDDEN, options=({}, {"a": 2}))
def snake(x: Expr, a: Any = 1) -> Expr:
    """x + sin²(a·x)/a (Ziyin, Hartwig and Ueda 2020)."""
    frequency = constant(a, "snake's a")
    return x + sympy.sin(frequency * x) ** 2 / frequency


@elementwise(FAMILY, hint=HIDDEN, options=({}, {"approximate": "tanh"}))
def gelu(x: Expr, approximate: Literal["none", "tanh"] = "none") -> Expr:
    """x·Φ(x) = x/2·(1 + erf(x/√2)) (Hendrycks and Gimpel 2016).

    `approximate="tanh"` is their x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))). Raises DeclarationError for
    any other choice.
    """
    if approximate == "none":
        return x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2
    if approximate == "tanh":
        inner = sympy.sqrt(2 / sympy.pi) * (x + sympy.Rational(44715, 1000000) * x**3)
        return x * (1 + sympy.tanh(inner)) / 2
    raise DeclarationError(f"gelu knows approximate='none' and 'tanh', not {approximate!r}")


@elementwise(FAMILY, hint=HIDDEN)
def silu(x: Expr) -> Expr:
    """x·σ(x) = x/(1 + e⁻ˣ) (Elfwing, Uchibe and Doya 2018)."""
    return x / (1 + sympy.exp(-x))


@elementwise(FAMILY, hint=HIDDEN)
def quick_gelu(x: Expr) -> Expr:
    """x·σ(1.702·x), the sigmoid approximation of GELU (Hendrycks and Gimpel 2016)."""
    return x / (1 + sympy.exp(-sympy.Rational(1702, 1000) * x))


@op(FAMILY, example("N K"), example("N K", axis=0))
def softmax(z: Tensor, axis: int = -1) -> Tensor:
    """p_k = e^(z_k) / Σ_j e^(z_j) along one axis (Bridle 1990)."""
    plain, over = along(z, axis)
    e = formula(plain, sympy.exp(z.at(*plain)), rule="softmax: exponentials", hint=Hint("e"), kept=True)
    left = [i for i in plain if i is not over]
    s = formula(left, Sum(e.at(*plain), over), rule="softmax: their sum", hint=Hint("s"), kept=True)
    return formula(plain, e.at(*plain) / s.at(*left), rule="softmax", hint=Hint("p", "bare"), kept=True)


@op(FAMILY, example("N K"), example("N K", axis=0))
def softmin(z: Tensor, axis: int = -1) -> Tensor:
    """e^(−z_k) / Σ_j e^(−z_j) along one axis: the softmax of −z."""
    result: Tensor = softmax(-z, axis)
    return result


@op(FAMILY, example("N K"), example("N K", axis=0))
def log_softmax(z: Tensor, axis: int = -1) -> Tensor:
    """log p_k = z_k − log Σ_j e^(z_j) along one axis."""
    plain, over = along(z, axis)
    total = logsumexp(z, axis)
    left = [i for i in plain if i is not over]
    return formula(
        plain, z.at(*plain) - total.at(*left), rule="log-softmax", hint=Hint("log_p", "bare"), kept=True
    )


def along(z: Tensor, axis: int) -> tuple[list[Index], Index]:
    """An index per axis of z, and the one of the given axis."""
    plain = axes(z.rank)
    (position,) = axis_numbers(z, axis)
    return plain, plain[position]
