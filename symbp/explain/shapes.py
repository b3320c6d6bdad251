"""Why a factor of a matrix product stands transposed: the shapes of a product of two, in words.

Enters: an equation with its matrix form. Leaves: the pieces of a sentence, or nothing. Must not know:
formats.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.explain.document import Document, NumberedEquation
from symbp.ir.expr import Expr
from symbp.ir.system import Tensor
from symbp.read.legend import Named as Shown
from symbp.read.legend import Piece
from symbp.read.matrix.columns import Columns
from symbp.read.matrix.tree import Named, Node, Product, Summed, Transpose

Shape = tuple[Expr, Expr]


def product_shapes(document: Document, shown: NumberedEquation) -> tuple[Piece, ...]:
    """`In matrices (N, H) = (N, K)·(K, H); W2 stands transposed, since the sum runs along its last axis.`, of
    a product of two matrices that are tensors or transposed ones; else nothing."""
    tree = None if shown.matrix is None else shown.matrix.right
    while isinstance(tree, Summed):
        tree = tree.body
    if not isinstance(tree, Product) or len(tree.factors) != 2 or tree.rank != 2:
        return ()
    tensors = document.reading.derivation.system.by_name
    shapes = [_shape(factor, tensors, document.columns) for factor in tree.factors]
    left, right = shapes
    if left is None or right is None:
        return ()
    pieces: list[Piece] = ["In matrices ", *_pair((left[0], right[1])), " = "]
    pieces += [*_pair(left), "·", *_pair(right)]
    for factor, axis in zip(tree.factors, ("first", "last"), strict=True):
        if isinstance(factor, Transpose) and isinstance(factor.inner, Named):
            pieces += ["; ", Shown(factor.inner.name)]
            here = " here" if document.columns.turns(factor.inner) else ""
            pieces.append(f" stands transposed, since the sum runs along its {axis} axis{here}")
    return (*pieces, ".")


def _shape(factor: Node, tensors: Mapping[str, Tensor], turned: Columns) -> Shape | None:
    """Rows and columns of a tensor as it is shown, as far as they are left, or of a transposed one."""
    if isinstance(factor, Transpose):
        inner = _shape(factor.inner, tensors, turned)
        return None if inner is None else (inner[1], inner[0])
    if not isinstance(factor, Named) or factor.rank != 2:
        return None
    extents = tensors[factor.name].shape
    kept = factor.subscripts or (None,) * len(extents)
    left = [extent for extent, subscript in zip(extents, kept, strict=True) if subscript is None]
    if len(left) == 2 and turned.turns(factor):
        left.reverse()
    return (left[0], left[1]) if len(left) == 2 else None


def _pair(shape: Shape) -> list[Piece]:
    return ["(", shape[0], ", ", shape[1], ")"]
