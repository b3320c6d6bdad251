"""Reductions over axes.

Enters: tensors. Leaves: tensors with fewer axes, or with `keepdims` as many, of 1 element each.
Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.ir.expr import Guard
from symbp.language.node import Hint
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor, axes, axis_numbers, reduce_axes, with_axes
from symbp.ops.registry import example, op

FAMILY = "reductions"
Axis = int | Sequence[int] | None
EACH_AXIS = (
    example("N H"),
    example("N H", axis=0),
    example("N H", axis=-1),
    example("N H", axis=1, keepdims=True),
)


@op(FAMILY, *EACH_AXIS)
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x over the given axes, or over all."""
    return x.sum(axis, keepdims)


@op(FAMILY, *EACH_AXIS)
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Σ x/n over the given axes, or over all, with n the number of elements."""
    return x.mean(axis, keepdims)


@op(FAMILY, *EACH_AXIS)
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Π x over the given axes, or over all."""
    product = reduce_axes(x, "prod", axis, rule="product over an axis", hint=Hint("q"))
    return with_axes(product, x, axis, keepdims)


@op(FAMILY, *EACH_AXIS, analytic=False, kinks="at a tie the first maximum gets all")
def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The maximum over the given axes, or over all."""
    return x.max(axis, keepdims)


@op(FAMILY, *EACH_AXIS, analytic=False, kinks="at a tie the first minimum gets all")
def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The minimum over the given axes, or over all."""
    result: Tensor = -(-x).max(axis, keepdims)
    return result


@op(FAMILY, *EACH_AXIS, example("N H", axis=-1, correction=0))
def var(x: Tensor, axis: Axis = None, correction: int = 1, keepdims: bool = False) -> Tensor:
    """Σ (x − mean)²/(n − correction) over the given axes, or over all (Bessel 1838)."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    mean = x.mean(axis)
    count = sympy.Mul(*[x.shape[k] for k in over])
    squares = Sum((x.at(*every) - mean.at(*left)) ** 2 / (count - correction), *[every[k] for k in over])
    variance = formula(left, squares, rule="variance", hint=Hint("v", "bare"), kept=True)
    return with_axes(variance, x, axis, keepdims)


@op(FAMILY, *EACH_AXIS, example("N H", axis=-1, correction=0))
def std(x: Tensor, axis: Axis = None, correction: int = 1, keepdims: bool = False) -> Tensor:
    """The square root of the variance."""
    variance = var(x, axis, correction)
    plain = axes(variance.rank)
    root = sympy.sqrt(variance.at(*plain))
    deviation = formula(plain, root, rule="standard deviation", hint=Hint("sd", "bare"))
    return with_axes(deviation, x, axis, keepdims)


@op(FAMILY, *EACH_AXIS, kinks="derivative 0 at x = 0")
def norm(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """√Σ x² over the given axes, or over all; its derivative at 0 is 0."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    squares = Sum(x.at(*every) ** 2, *[every[k] for k in over])
    s = formula(left, squares, rule="sum of squares", hint=Hint("s"), kept=True).at(*left)
    body = Guard(">", s, 0) * sympy.sqrt(s)
    root = formula(left, body, rule="norm", hint=Hint("norm", "bare"), kept=True)
    return with_axes(root, x, axis, keepdims)


@op(FAMILY, example("N H"), example("N H", axis=0), example("N H", axis=None), example("N H", keepdims=True))
def logsumexp(x: Tensor, axis: Axis = -1, keepdims: bool = False) -> Tensor:
    """log Σ eˣ over the given axes."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    exponentials = Sum(sympy.exp(x.at(*every)), *[every[k] for k in over])
    s = formula(left, exponentials, rule="logsumexp: sum of exponentials", hint=Hint("s"), kept=True)
    total = formula(left, sympy.log(s.at(*left)), rule="logsumexp", hint=Hint("lse", "bare"))
    return with_axes(total, x, axis, keepdims)
