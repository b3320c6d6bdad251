"""Matrix products and leaves of linear algebra in Numba, for one element of a batch.

Enters: contractions and leaves, the code around them. Leaves: statements. Must not know: other kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import sympy

from symbp.codegen import infer, tree
from symbp.codegen.spelling.linear_algebra import LINEAR_ALGEBRA, helpers_of
from symbp.ir.expr import Expr, Index
from symbp.ir.matrices import MATRIX_LEAVES
from symbp.lower.program import Contraction, MatrixKernel, Operand


class Around(Protocol):
    """What kernels need of the code around them."""

    helpers: set[str]

    def loop(self, index: Index) -> tree.Name: ...
    def tensor(self, name: str) -> tree.Name: ...
    def size(self, extent: Expr) -> tree.Expression: ...


def contraction(lines: Around, kernel: Contraction) -> tree.Statement:
    """`_product(left, right, target)`, of a vector `np.dot`."""
    left = _matrix(lines, kernel, kernel.left, (kernel.rows, kernel.summed), kernel.left_transposed)
    right = _matrix(lines, kernel, kernel.right, (kernel.summed, kernel.columns), kernel.right_transposed)
    whole = Operand(kernel.target, kernel.batch + kernel.rows + kernel.columns)
    target = _matrix(lines, kernel, whole, (kernel.rows, kernel.columns), False)
    if kernel.inverses:
        place = infer.subscript(target, tree.Rest())
        return tree.Assign(place, _solution(lines, kernel, left, right), "", kernel.numbers)
    called = "_product" if kernel.rows and kernel.columns else "np.dot"
    lines.helpers |= {called} - {"np.dot"}
    return tree.Effect(infer.called(called, left, right, target), (kernel.number,))


def _solution(
    lines: Around, kernel: Contraction, left: tree.Expression, right: tree.Expression
) -> tree.Expression:
    """The product with an inverse that is never made: A⁻¹·b solves A·x = b, b·A⁻¹ solves Aᵀ·xᵀ = bᵀ."""
    lines.helpers.add("_solve")

    def solved(matrix: tree.Expression, other: tree.Expression) -> tree.Expression:
        return infer.call("_solve", matrix, other, shape=other.shape)

    if kernel.left.inverted:
        return solved(left, right)
    if not kernel.rows:
        return solved(_turned(right), left)
    return _turned(solved(_turned(right), _turned(left)))


def matrix_leaf(lines: Around, kernel: MatrixKernel) -> tree.Statement:
    """`target[...] = np.linalg.inv(matrix)`."""
    function, component = LINEAR_ALGEBRA[kernel.op]
    lines.helpers |= helpers_of(function)
    inside = [*map(lines.size, kernel.operand.at), *map(lines.loop, kernel.batch)]
    array = lines.tensor(kernel.operand.name)
    operand = infer.subscript(array, *inside) if inside else array
    more = [] if kernel.count is None else [lines.size(kernel.count)]
    value: tree.Expression = infer.call(function, operand, *more, shape=())
    if component is not None:
        value = tree.Subscript((), "real", value, (infer.number(component),))
    rank = len(MATRIX_LEAVES[kernel.op].result)
    at: list[tree.Node] = [*map(lines.loop, kernel.place)]
    at = [*at, *[tree.Slice()] * rank] if at else [tree.Rest() if rank else infer.number(0)]
    return tree.Assign(infer.sliced(lines.tensor(kernel.target), at, ()), value, "", (kernel.number,))


def _matrix(
    lines: Around,
    kernel: Contraction,
    operand: Operand,
    groups: tuple[tuple[Index, ...], tuple[Index, ...]],
    transposed: bool,
) -> tree.Expression:
    """An operand as a matrix or vector: reshaped if a group has several axes, then turned."""
    value: tree.Expression = lines.tensor(operand.name)
    at = [*map(lines.size, operand.at), *(lines.loop(i) for i in kernel.batch if i in operand.indices)]
    if at:
        value = infer.subscript(value, *at)
    present = [g for g in (groups[::-1] if transposed else groups) if g]
    if any(len(g) > 1 for g in present):
        shape: Sequence[Expr] = [sympy.Mul(*[kernel.extents[i] for i in g]) for g in present]
        value = infer.call(".reshape", value, *map(lines.size, shape), shape=shape, dtype=value.dtype)
    return _turned(value) if transposed and all(groups) else value


def _turned(matrix: tree.Expression) -> tree.Expression:
    """The transpose; that of a transpose is the matrix."""
    if isinstance(matrix, tree.Attribute) and matrix.name == "T":
        return matrix.value
    return tree.Attribute(matrix.shape[::-1], matrix.dtype, matrix, "T")
