"""Tensors with operators: each operator is one equation, broadcasting by trailing axes as NumPy does.

Enters: tensors and numbers. Leaves: tensors and conditions. Must not know: ops by name, networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices
from symbp.ir.system import ReductionOp
from symbp.language.bodies import number
from symbp.language.frames import here
from symbp.language.node import Hint, Node, counted, display
from symbp.language.sizes import is_one
from symbp.language.slices import is_slice, sliced

Operand = Any  # a Tensor, a number, a size, or an element of a scalar in index notation
Scalar = Callable[..., Expr]


def axes(count: int, letter: str = "a") -> list[Index]:
    """Indices for the axes of an op; a network gives them their final letters."""
    return [Index(f"{letter}{k}") for k in range(count)]


class Tensor(Node):
    """A tensor that a user computes with."""

    def __add__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a + b, self, other, rule="sum of two")

    def __radd__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a + b, other, self, rule="sum of two")

    def __sub__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a - b, self, other, rule="difference")

    def __rsub__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a - b, other, self, rule="difference")

    def __mul__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a * b, self, other, rule="product")

    def __rmul__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a * b, other, self, rule="product")

    def __truediv__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a / b, self, other, rule="quotient")

    def __rtruediv__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a / b, other, self, rule="quotient")

    def __pow__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a**b, self, other, rule="power")

    def __rpow__(self, other: Operand) -> Any:
        return pointwise(lambda a, b: a**b, other, self, rule="power")

    def __neg__(self) -> Tensor:
        return pointwise(lambda a: -a, self, rule="negative")  # type: ignore[no-any-return]

    def __pos__(self) -> Tensor:
        return self

    def __matmul__(self, other: Operand) -> Tensor:
        return matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return matmul(other, self)

    def __lt__(self, other: Operand) -> Condition:
        return Condition((("<", self, other),))

    def __le__(self, other: Operand) -> Condition:
        return Condition((("<=", self, other),))

    def __gt__(self, other: Operand) -> Condition:
        return Condition(((">", self, other),))

    def __ge__(self, other: Operand) -> Condition:
        return Condition(((">=", self, other),))

    def __getitem__(self, subscripts: Any) -> Any:
        """An element in index notation, `x[n, i]`; with slices, `x[:, 1:]`, a tensor."""
        given = subscripts if isinstance(subscripts, tuple) else (subscripts,)
        if not is_slice(given):
            return self.at(*given)
        left, read, ranges = sliced(self, given, axes(self.rank))
        return Tensor.defined(left, self.at(*read), ranges=ranges, parts=left, rule="slice")

    @property
    def T(self) -> Tensor:
        """The tensor with its axes in reverse order."""
        plain = axes(self.rank)
        return Tensor.defined(plain, self.at(*reversed(plain)), rule="transpose")

    def sum(self, axis: int | Sequence[int] | None = None) -> Tensor:
        """The sum over the given axes, or over all."""
        return reduce_axes(self, "sum", axis, rule="sum", hint=Hint("s"))

    def mean(self, axis: int | Sequence[int] | None = None) -> Tensor:
        """The mean over the given axes, or over all."""
        count = sympy.Mul(*[self.shape[k] for k in axis_numbers(self, axis)])
        return reduce_axes(self, "sum", axis, rule="mean", scale=1 / count, hint=Hint("m"))

    def max(self, axis: int | Sequence[int] | None = None) -> Tensor:
        """The maximum over the given axes, or over all; its gradient goes to the first maximum."""
        return reduce_axes(self, "max", axis, rule="maximum", hint=Hint("m"))

    def argmax(self, axis: int = -1) -> Tensor:
        """The position of the first maximum along one axis: an integer tensor, without a gradient."""
        return reduce_axes(self, "argmax", axis, rule="argmax", hint=Hint("c"))


@dataclass(frozen=True)
class Condition:
    """Relations between tensors that all hold, element by element; `bp.where` takes it."""

    relations: tuple[tuple[str, Operand, Operand], ...]

    def __and__(self, other: Condition) -> Condition:
        return Condition(self.relations + other.relations)

    def __bool__(self) -> bool:
        raise DeclarationError(
            "a condition on a tensor is neither true nor false while it is being declared",
            where=here(),
            help="use bp.where(condition, a, b), and & between conditions; for a < x < b, (a < x) & (x < b)",
        )

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Both sides of each relation, in order."""
        return tuple(side for _, lhs, rhs in self.relations for side in (lhs, rhs))

    def guard(self, elements: Sequence[Expr]) -> Expr:
        """The product of the brackets, the operands read as the given elements."""
        sides = zip(self.relations, elements[::2], elements[1::2], strict=True)
        return sympy.Mul(*[Guard(relation[0], lhs, rhs) for relation, lhs, rhs in sides])


def pointwise(body: Scalar, *operands: Operand, rule: str, **more: Any) -> Any:
    """One equation without a reduction: `body` of the operands' elements, broadcast by trailing axes.

    In index notation, where the operands are elements and numbers, it is the body itself.
    """
    tensors = [o for o in operands if isinstance(o, Tensor)]
    if any(isinstance(o, sympy.Expr) and o.has(Access, Index) for o in operands):
        return body(*[_element(o) for o in operands])
    if not tensors:
        return body(*[_constant(o) for o in operands])
    rank = max(t.rank for t in tensors)
    plain = axes(rank)
    wide = [
        not all(is_one(t.shape[k - rank + t.rank]) for t in tensors if k >= rank - t.rank)
        for k in range(rank)
    ]
    elements = [_broadcast(o, plain, wide) if isinstance(o, Tensor) else _constant(o) for o in operands]
    found = sympy.sympify(body(*elements))
    gone = [k for k, index in enumerate(plain) if index not in free_indices(found)]  # as in v − v, or 0·v
    ranges = {plain[k]: _extent(tensors, k - rank, wide=wide[k]) for k in gone}
    return Tensor.defined(plain, found, rule=rule, ranges=ranges, **more)


def _extent(tensors: Sequence[Tensor], axis: int, *, wide: bool) -> Expr:
    """How far an axis, counted from the end, goes when tensors are broadcast."""
    extents = [t.shape[axis] for t in tensors if -axis <= t.rank]
    return next(e for e in extents if not (wide and is_one(e)))


def _broadcast(tensor: Tensor, plain: list[Index], wide: list[bool]) -> Expr:
    """The element at the plain indices; an axis of the bare size 1 stays at 0 where others go on."""
    offset = len(plain) - tensor.rank
    return tensor.at(
        *[
            0 if is_one(extent) and wide[offset + k] else plain[offset + k]
            for k, extent in enumerate(tensor.shape)
        ]
    )


def _element(operand: Operand) -> Expr:
    """An operand in index notation; a scalar tensor stands for its element."""
    if isinstance(operand, Tensor):
        if operand.rank:
            raise DeclarationError(
                f"{display(operand)} stands as a whole beside elements of other tensors",
                where=here(),
                help=f"index it too: {display(operand)}[{', '.join('nijkl'[: operand.rank])}]",
            )
        return operand.at()
    return operand if isinstance(operand, sympy.Expr) else _constant(operand)


def _constant(operand: Operand) -> Expr:
    value = number(operand)
    if value is None:
        raise DeclarationError(
            f"a network is made of tensors and numbers, not of {type(operand).__name__}",
            where=here(),
            help='declare data with bp.input("x", shape) and give the arrays when training',
        )
    return value


def matmul(a: Operand, b: Operand) -> Tensor:
    """`a @ b` as NumPy has it: the last axis of a against the last but one (or only) axis of b.

    Raises ShapeError: a scalar operand, or sizes that differ.
    """
    for side in (a, b):
        if not isinstance(side, Tensor):
            _constant(side)
        if not isinstance(side, Tensor) or side.rank == 0:
            raise ShapeError(
                "a matrix product needs tensors with axes", where=here(), help="use * for scalars"
            )
    batch = max(a.rank, b.rank, 2) - 2
    lead, contracted = axes(batch), Index("c")
    row = [Index("r")] if a.rank > 1 else []
    column = [Index("s")] if b.rank > 1 else []
    left = [*lead[batch - max(a.rank - 2, 0) :], *row, contracted]
    right = [*lead[batch - max(b.rank - 2, 0) :], contracted, *column]
    return Tensor.defined(
        [*lead, *row, *column],
        a.at(*left) * b.at(*right),
        "sum",
        [contracted],
        rule="matrix product",
        hint=Hint("z", "layer"),
        kept=True,
    )


def axis_numbers(tensor: Tensor, axis: int | Sequence[int] | None) -> tuple[int, ...]:
    """The axes as positions from 0, in order. Raises ShapeError: no such axis, or one named twice."""
    if axis is None:
        return tuple(range(tensor.rank))
    wanted = (axis,) if isinstance(axis, int) else tuple(axis)
    found = {k % tensor.rank for k in wanted if -tensor.rank <= k < tensor.rank}
    if len(found) != len(wanted):
        raise ShapeError(
            f"{display(tensor)} has {counted(tensor.rank, 'axis', 'axes')}: no axis={axis}, or one twice",
            where=here(),
            details=(f"shape: ({', '.join(map(str, tensor.shape))})",),
        )
    return tuple(sorted(found))


def reduce_axes(
    tensor: Tensor,
    op: ReductionOp,
    axis: int | Sequence[int] | None,
    *,
    rule: str,
    scale: Expr = sympy.S.One,
    **more: Any,
) -> Tensor:
    """The reduction over the given axes of `scale` times the elements."""
    over = axis_numbers(tensor, axis)
    every = axes(tensor.rank)
    plain = [i for k, i in enumerate(every) if k not in over]
    body = tensor.at(*every) * scale
    if not over:
        return Tensor.defined(plain, body, rule=rule, **more)
    return Tensor.defined(plain, body, op, [every[k] for k in over], rule=rule, kept=True, **more)
