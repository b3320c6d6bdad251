"""Diagonals and triangles of matrices.

Enters: tensors. Leaves: tensors, 0 where nothing is put. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbp.errors import ShapeError
from symbp.ir.expr import Expr, Guard, Index
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import display
from symbp.language.notation import formula
from symbp.language.sizes import as_size, value_of
from symbp.language.tensor import Tensor
from symbp.ops.registry import example, op

FAMILY = "shapes"


@op(FAMILY, example("N N"), example("N N", offset=-1))
def tril(x: Tensor, offset: int = 0) -> Tensor:
    """The lower triangle of the last two axes, 0 above it."""
    plain = axes(x.rank)
    body = Guard("<=", plain[-1] - offset, plain[-2]) * x.at(*plain)
    return formula(plain, body, ranges=_all(plain, x), rule="lower triangle", kept=True)


@op(FAMILY, example("N N"), example("N N", offset=1))
def triu(x: Tensor, offset: int = 0) -> Tensor:
    """The upper triangle of the last two axes, 0 below it."""
    plain = axes(x.rank)
    body = Guard("<=", plain[-2], plain[-1] - offset) * x.at(*plain)
    return formula(plain, body, ranges=_all(plain, x), rule="upper triangle", kept=True)


def _all(plain: Sequence[Index], x: Tensor) -> dict[Index, Expr]:
    return dict(zip(plain, x.shape, strict=True))


@op(FAMILY, example("N"), example("N N"), example("N", offset=1), example("4 4", offset=-1))
def diag(x: Tensor, offset: int = 0) -> Tensor:
    """The square matrix with a vector on its diagonal and 0 elsewhere; of a square matrix its diagonal.

    `offset` counts diagonals above the main one, below it if negative. Raises ShapeError: neither a vector
    nor a matrix, or a diagonal beyond the matrix.
    """
    if x.rank not in (1, 2):
        raise ShapeError(
            f"diag needs a vector or a matrix, and {display(x)} has {x.rank} axes",
            where=here(),
            help='in index notation any axes will do: bp.define("d", [n, i], x[n, i, i])',
        )
    row, column = axes(2)
    down, right = max(-offset, 0), max(offset, 0)
    if x.rank == 1:
        extent = x.shape[0] + down + right if offset else x.shape[0]
        body = Guard("=", row - down, column - right) * x.at(row - down, outside=0)
        return formula([row, column], body, ranges={row: extent, column: extent}, rule="diagonal matrix")
    length = x.shape[0] - down - right
    known = value_of(x.shape[0])
    if known is not None and known <= down + right:
        raise ShapeError(f"{display(x)} has no diagonal {offset}: it has {known} rows", where=here())
    extent = as_size(known - down - right) if known is not None and offset else length
    parts: dict[str, Any] = {"ranges": {row: extent}, "parts": [row]} if offset else {}
    return formula([row], x.at(row + down, row + right), rule="diagonal", **parts)
