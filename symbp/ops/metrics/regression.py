"""Metrics of regressions: numbers that are looked at; an error as a loss is one of `losses`.

Enters: predictions and real targets of the same shape. Leaves: scalars, over all rows at once. Must not know:
derivatives.
"""

from __future__ import annotations

import sympy

from symbp.errors import ShapeError
from symbp.ir.expr import Expr, Index
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor
from symbp.ops.losses.reduction import same_axes
from symbp.ops.metrics.classification import FAMILY
from symbp.ops.registry import example, op


@op(FAMILY, example("N", "N"), example("N H", "N H"), differentiable=False)
def rmse(prediction: Tensor, target: Tensor) -> Tensor:
    """√(Σ (prediction − target)²/n), n the number of all elements. Raises ShapeError: different shapes."""
    same_axes(prediction, target, "rmse")
    every = axes(prediction.rank)
    square = (prediction.at(*every) - target.at(*every)) ** 2 / sympy.Mul(*prediction.shape)
    mean = formula(
        [], Sum(square, *every) if every else square, rule="mean square", hint=Hint("s"), kept=True
    )
    return formula([], sympy.sqrt(mean.at()), rule="root mean square", hint=Hint("rmse", "bare"), kept=True)


@op(FAMILY, example("N", "N"), example("N H", "N H"), differentiable=False)
def r2(prediction: Tensor, target: Tensor) -> Tensor:
    """1 − Σ (target − prediction)²/Σ (target − mean)² over the rows, the mean over columns where there are
    several (scikit-learn: multioutput="uniform_average").

    A column that never changes has no R²: then it is NaN or −∞. Raises ShapeError: different shapes.
    """
    same_axes(prediction, target, "r2")
    if not prediction.rank:
        raise ShapeError(f"r2 compares rows, and {display(prediction)} is one number", where=here())
    n, *own = axes(prediction.rank)
    truth = target.at(n, *own)

    def over_rows(body: Expr, rule: str, name: str) -> Expr:
        return formula(own, Sum(body, n), rule=rule, hint=Hint(name, "bare"), kept=True).at(*own)

    mean = over_rows(truth / target.shape[0], "mean of the target", "mean")
    left = over_rows((truth - prediction.at(n, *own)) ** 2, "squares that are left", "left")
    all_of = over_rows((truth - mean) ** 2, "squares around the mean", "around")
    return _mean(1 - left / all_of, own, sympy.Mul(*prediction.shape[1:]))


def _mean(body: Expr, own: list[Index], count: Expr) -> Tensor:
    total = Sum(body / count, *own) if own else body
    return formula([], total, rule="coefficient of determination", hint=Hint("r2", "bare"), kept=True)
