"""Metrics: numbers that are looked at, not differentiated.

Enters: predictions and targets. Leaves: scalars. Must not know: derivatives.
"""

from __future__ import annotations

from typing import Any

import sympy

from symbp.errors import ShapeError
from symbp.ir.expr import Expr, Guard
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor, axes
from symbp.ops.functions import constant
from symbp.ops.registry import example, op

FAMILY = "metrics"


@op(
    FAMILY,
    example("N K", "N: labels"),
    example("N K", "N K: distribution"),
    example("N: probability", "N: binary"),
    analytic=False,
    kinks="a count, constant where it doesn't jump",
    differentiable=False,
)
def accuracy(p: Tensor, y: Tensor, threshold: Any = 0.5) -> Tensor:
    """The share of rows whose largest p stands at the label, or, of binary y, where p ≥ threshold iff y = 1.

    y is one integer label per row, a distribution per row (its largest entry is the label), or binary with
    p's shape. Rows with a label that is declared as ignored don't count. For logits instead of
    probabilities, the binary threshold is 0. Raises ShapeError otherwise.
    """
    binary = y.rank == p.rank and (y.integer or any(f.kind == "binary" for f in y.facts))
    if binary:
        return _binary(p, y, threshold)
    lead = axes(p.rank)[: p.rank - 1]
    if y.rank == p.rank and y.rank:
        label = y.argmax(-1)
    elif y.integer and y.rank == p.rank - 1:
        label = y
    else:
        raise ShapeError(
            f"accuracy can't pair {display(p)} with {display(y)}",
            where=here(),
            details=tuple(f"{display(t)}: ({', '.join(map(str, t.shape))})" for t in (p, y)),
            help='give one label per row, bp.labels("y", (N,), classes=K), or targets of the same shape',
        )
    ignored = next((fact.ignored for fact in y.facts if fact.ignored is not None), None)
    count: Expr = sympy.Mul(*p.shape[:-1])
    if ignored is not None:
        labelled = Sum(Guard("!=", label.at(*lead), ignored), *lead)
        count = formula([], labelled, rule="rows with a label", hint=Hint("count", "bare"), kept=True).at()
    right = Guard("=", p.argmax(-1).at(*lead), label.at(*lead)) / count
    return formula(
        [], Sum(right, *lead) if lead else right, rule="accuracy", hint=Hint("accuracy", "bare"), kept=True
    )


def _binary(p: Tensor, y: Tensor, threshold: Any) -> Tensor:
    every = axes(p.rank)
    half, said = sympy.Rational(1, 2), constant(threshold, "accuracy's threshold")
    says, holds = Guard(">=", p.at(*every), said), Guard(">=", y.at(*every), half)
    right = (says * holds + says.complement() * holds.complement()) / sympy.Mul(*p.shape)
    return formula(
        [], Sum(right, *every) if every else right, rule="accuracy", hint=Hint("accuracy", "bare"), kept=True
    )
