"""Reductions over axes.

Enters: tensors. Leaves: tensors with fewer axes. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.ir.expr import Guard
from symbp.language.node import Hint
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor, axes, axis_numbers, reduce_axes
from symbp.ops.registry import example, op

FAMILY = "reductions"
EACH_AXIS = (example("N H"), example("N H", axis=0), example("N H", axis=-1))


@op(FAMILY, *EACH_AXIS)
def sum(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """Σ x over the given axes, or over all."""
    return x.sum(axis)


@op(FAMILY, *EACH_AXIS)
def mean(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """Σ x/n over the given axes, or over all, with n the number of elements."""
    return x.mean(axis)


@op(FAMILY, *EACH_AXIS)
def prod(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """Π x over the given axes, or over all."""
    return reduce_axes(x, "prod", axis, rule="product over an axis", hint=Hint("q"))


@op(FAMILY, *EACH_AXIS, analytic=False, kinks="at a tie the first maximum gets all")
def max(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """The maximum over the given axes, or over all."""
    return x.max(axis)


@op(FAMILY, *EACH_AXIS, analytic=False, kinks="at a tie the first minimum gets all")
def min(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """The minimum over the given axes, or over all."""
    result: Tensor = -(-x).max(axis)
    return result


@op(FAMILY, *EACH_AXIS, example("N H", axis=-1, correction=0))
def var(x: Tensor, axis: int | Sequence[int] | None = None, correction: int = 1) -> Tensor:
    """Σ (x − mean)²/(n − correction) over the given axes, or over all (Bessel 1838)."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    mean = x.mean(axis)
    count = sympy.Mul(*[x.shape[k] for k in over])
    squares = Sum((x.at(*every) - mean.at(*left)) ** 2 / (count - correction), *[every[k] for k in over])
    return formula(left, squares, rule="variance", hint=Hint("v", "bare"), kept=True)


@op(FAMILY, *EACH_AXIS, example("N H", axis=-1, correction=0))
def std(x: Tensor, axis: int | Sequence[int] | None = None, correction: int = 1) -> Tensor:
    """The square root of the variance."""
    variance = var(x, axis, correction)
    plain = axes(variance.rank)
    return formula(plain, sympy.sqrt(variance.at(*plain)), rule="standard deviation", hint=Hint("sd", "bare"))


@op(FAMILY, *EACH_AXIS, kinks="derivative 0 at x = 0")
def norm(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """√Σ x² over the given axes, or over all; its derivative at 0 is 0."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    squares = Sum(x.at(*every) ** 2, *[every[k] for k in over])
    s = formula(left, squares, rule="sum of squares", hint=Hint("s"), kept=True).at(*left)
    body = Guard(">", s, 0) * sympy.sqrt(s)
    return formula(left, body, rule="norm", hint=Hint("norm", "bare"), kept=True)


@op(FAMILY, example("N H"), example("N H", axis=0), example("N H", axis=None))
def logsumexp(x: Tensor, axis: int | Sequence[int] | None = -1) -> Tensor:
    """log Σ eˣ over the given axes."""
    every, over = axes(x.rank), axis_numbers(x, axis)
    left = [i for k, i in enumerate(every) if k not in over]
    exponentials = Sum(sympy.exp(x.at(*every)), *[every[k] for k in over])
    s = formula(left, exponentials, rule="logsumexp: sum of exponentials", hint=Hint("s"), kept=True)
    return formula(left, sympy.log(s.at(*left)), rule="logsumexp", hint=Hint("lse", "bare"))
