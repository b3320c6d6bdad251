"""Arrays that rest on no values: the identity, and labels as vectors.

Enters: sizes, integer tensors. Leaves: tensors of zeros and ones. Must not know: derivatives.
"""

from __future__ import annotations

from typing import Any

from symbp.errors import DeclarationError
from symbp.ir.expr import Guard, Index
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import formula
from symbp.language.sizes import as_size
from symbp.language.tensor import Tensor
from symbp.ops.registry import example, op

FAMILY = "shapes"


@op(FAMILY, example(rows=4), example(rows=2, columns=3), differentiable=False)
def eye(rows: Any, columns: Any = None) -> Tensor:
    """The identity matrix: 1 where row and column agree, 0 elsewhere. Sizes may be open or integers."""
    row, column = axes(2)
    height = as_size(rows)
    ranges = {row: height, column: height if columns is None else as_size(columns)}
    return formula(
        [row, column], Guard("=", row, column), ranges=ranges, rule="identity matrix", hint=Hint("I", "bare")
    )


@op(FAMILY, example("N: labels"), example("N T: labels"), differentiable=False)
def one_hot(y: Tensor, classes: Any = None) -> Tensor:
    """1 at the class of each label, 0 at the others, along a new last axis; `classes` is how many there are,
    by default as many as y is declared with. Raises DeclarationError: y holds no labels.
    """
    bound = next((f.bound for f in sorted(y.facts, key=str) if f.bound is not None), None)
    if not y.integer or (classes is None and bound is None):
        raise DeclarationError(
            f"one_hot needs integers of which it is known how many there are, and {display(y)} has none",
            where=here(),
            help='y = bp.labels("y", (N,), classes=K), or bp.one_hot(y, classes=K)',
        )
    lead, k = axes(y.rank, "n"), Index("k")
    extent = bound if classes is None else as_size(classes)
    return formula([*lead, k], Guard("=", y.at(*lead), k), ranges={k: extent}, rule="one-hot code", kept=True)
