"""Tensors with operators: each operator is one equation, broadcasting by trailing axes as NumPy does.

Enters: tensors and numbers. Leaves: tensors and conditions. Must not know: ops by name, networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symbp.errors import DeclarationError, ShapeError, no_method
from symbp.ir.build import Brackets
from symbp.ir.expr import Access, Expr, Floor, FloorQuotient, Guard, Index, Round, accesses, free_indices
from symbp.language.axes import axes, axis_numbers, reduce_axes, with_axes
from symbp.language.constants import constant, entries
from symbp.language.elsewhere import known_names
from symbp.language.naming.frames import here
from symbp.language.node import Hint, Label, Node, display
from symbp.language.sizes import as_size, is_one
from symbp.language.slices import from_the_end, is_slice, sliced

Operand = Any  # a Tensor, a number, a size, or an element of a scalar in index notation
MOST_ENTRIES = 64  # of an array that stands in a declaration
Scalar = Callable[..., Expr]


class Arithmetic:
    """What may be calculated with: tensors, and conditions, which are 1 where they hold and else 0."""

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

    def __floordiv__(self, other: Operand) -> Any:
        return floor_quotient(self, other)

    def __rfloordiv__(self, other: Operand) -> Any:
        return floor_quotient(other, self)

    def __mod__(self, other: Operand) -> Any:
        return remainder(self, other)

    def __rmod__(self, other: Operand) -> Any:
        return remainder(other, self)

    def __divmod__(self, other: Operand) -> tuple[Any, Any]:
        return floor_quotient(self, other), remainder(self, other)

    def __neg__(self) -> Any:
        return pointwise(lambda a: -a, self, rule="negative")

    def __matmul__(self, other: Operand) -> Tensor:
        return matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return matmul(other, self)


class Tensor(Arithmetic, Node):
    """A tensor that a user computes with."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_method(name)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Any:
        return pointwise(sympy.Abs, self, rule="absolute value")

    def __round__(self, digits: int | None = None) -> Any:
        scale = sympy.Integer(10) ** (digits or 0)
        whole = rounded(Round, self if scale == 1 else self * scale)
        return whole if scale == 1 else whole / scale

    def __floor__(self) -> Any:
        return rounded(Floor, self)

    def __ceil__(self) -> Any:
        return -rounded(Floor, -self)

    def __lt__(self, other: Operand) -> Condition:
        return Condition("<", (self, other))

    def __le__(self, other: Operand) -> Condition:
        return Condition("<=", (self, other))

    def __gt__(self, other: Operand) -> Condition:
        return Condition(">", (self, other))

    def __ge__(self, other: Operand) -> Condition:
        return Condition(">=", (self, other))

    def __getitem__(self, subscripts: Any) -> Any:
        """An element in index notation, `x[n, i]`; at slices `x[:, 1:]` or places `x[0]`, `E[t]`, a tensor"""
        given = subscripts if isinstance(subscripts, tuple) else (subscripts,)
        if not is_slice(given):
            return self.at(*from_the_end(self, given))
        part = sliced(self, given, axes(self.rank))
        return Tensor.defined(
            part.left,
            self.at(*part.read),
            ranges=part.ranges,
            parts=part.ranges,
            joined=part.joined,
            rule="slice",
        )

    @property
    def T(self) -> Tensor:
        """The tensor with its axes in reverse order."""
        plain = axes(self.rank)
        return Tensor.defined(plain, self.at(*reversed(plain)), rule="transpose")

    @known_names
    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """The sum over the given axes, or over all; `keepdims` leaves each of them with 1 element."""
        total = reduce_axes(self, "sum", axis, rule="sum", hint=Hint("s"))
        return with_axes(total, self, axis, keepdims)

    @known_names
    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """The mean over the given axes, or over all; `keepdims` leaves each of them with 1 element."""
        count = sympy.Mul(*[self.shape[k] for k in axis_numbers(self, axis)])
        mean = reduce_axes(self, "sum", axis, rule="mean", scale=1 / count, hint=Hint("m"))
        return with_axes(mean, self, axis, keepdims)

    @known_names
    def max(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """The maximum over the given axes, or over all; its gradient goes to the first maximum. `keepdims`
        leaves each of the axes with 1 element."""
        largest = reduce_axes(self, "max", axis, rule="maximum", hint=Hint("m"))
        return with_axes(largest, self, axis, keepdims)

    @known_names
    def argmax(self, axis: int = -1) -> Tensor:
        """The position of the first maximum along one axis: an integer tensor, without a gradient."""
        return reduce_axes(self, "argmax", axis, rule="argmax", hint=Hint("c"))


@dataclass(frozen=True)
class Condition(Arithmetic):
    """A relation between tensors, or conditions joined by & and |, element by element; `bp.where` takes it.

    `op` is the relation, or "&" or "|"; `parts` are its two sides.
    """

    op: str
    parts: tuple[Operand, Operand]

    def __and__(self, other: Condition) -> Condition:
        return self._joined("&", other)

    def __or__(self, other: Condition) -> Condition:
        return self._joined("|", other)

    def __invert__(self) -> Condition:
        if self.op in ("&", "|"):
            first, second = self.parts
            return Condition("|" if self.op == "&" else "&", (~first, ~second))
        opposite = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
        return Condition(opposite[self.op], self.parts)

    def _joined(self, op: str, other: Condition) -> Condition:
        if not isinstance(other, Condition):
            raise DeclarationError(
                f"{op} joins two conditions, not a condition and {type(other).__name__}",
                where=here(),
                help="put each comparison in parentheses: (a < x) & (x < b)",
            )
        return Condition(op, (self, other))

    def tensor(self) -> Tensor:
        """The tensor that is 1 where it holds, and else 0."""

        def bracket(*elements: Expr) -> Expr:
            return self.brackets(elements).choose(sympy.S.One, sympy.S.Zero)

        return pointwise(bracket, *self.operands, rule="choice")  # type: ignore[no-any-return]

    @known_names
    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """How often it holds along the given axes, or along all."""
        return self.tensor().sum(axis, keepdims)

    @known_names
    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """The share of elements for which it holds."""
        return self.tensor().mean(axis, keepdims)

    def __getitem__(self, subscripts: Any) -> Any:
        """Ones and zeros where a tensor would be read: `(tok > 0)[:, None]`."""
        return self.tensor()[subscripts]

    # a subscript must not make it iterable, and numpy arrays must leave operators to us
    __iter__ = None
    __array_ufunc__ = None

    def __bool__(self) -> bool:
        raise DeclarationError(
            "a condition on a tensor is neither true nor false while it is being declared",
            where=here(),
            help="use bp.where(condition, a, b), and &, | and ~ of conditions; for a < x < b, "
            "(a < x) & (x < b); for Python's max and min, bp.maximum and bp.minimum",
        )

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Both sides of each relation, in order."""
        if self.op in ("&", "|"):
            return tuple(side for part in self.parts for side in part.operands)
        return self.parts

    def brackets(self, elements: Sequence[Expr]) -> Brackets:
        """Where it holds and where not, the operands read as the given elements."""
        if self.op not in ("&", "|"):
            return Brackets.of(Guard(self.op, *elements))
        count = len(self.parts[0].operands)
        first: Brackets = self.parts[0].brackets(elements[:count])
        second: Brackets = self.parts[1].brackets(elements[count:])
        return first.both(second) if self.op == "&" else first.either(second)


def pointwise(body: Scalar, *operands: Operand, rule: str, **more: Any) -> Any:
    """One equation without a reduction: `body` of the operands' elements, broadcast by trailing axes.

    In index notation, where the operands are elements and numbers, it is the body itself.
    """
    operands = tuple(as_tensor(o) for o in operands)
    tensors = [o for o in operands if isinstance(o, Tensor)]
    if any(isinstance(o, sympy.Expr) and o.has(Access, Index) for o in operands):
        return body(*[_element(o) for o in operands])
    if not tensors:
        return body(*[constant(o) for o in operands])
    rank = max(t.rank for t in tensors)
    plain = axes(rank)
    wide = [
        not all(is_one(t.shape[k - rank + t.rank]) for t in tensors if k >= rank - t.rank)
        for k in range(rank)
    ]
    elements = [_broadcast(o, plain, wide) if isinstance(o, Tensor) else constant(o) for o in operands]
    found = sympy.sympify(body(*elements))
    gone = [
        k for k, i in enumerate(plain) if i not in free_indices(found)
    ]  # an operand cancelled: x − x, 0·x
    ranges = {plain[k]: _extent(tensors, k - rank, wide=wide[k]) for k in gone}
    names = {access.args[0] for access in accesses(found)}
    beside = tuple(t for t in tensors if Label(t) not in names)
    return Tensor.defined(plain, found, rule=rule, ranges=ranges, beside=beside, **more)


def as_tensor(value: Operand) -> Operand:
    """A condition as a tensor of ones and zeros; a list, a tuple or an array of numbers as one, by a bracket
    for each of them; anything else as it is. Raises DeclarationError: too many, or of uneven lengths.
    """
    if isinstance(value, Condition):
        return value.tensor()
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    if not isinstance(value, (list, tuple, np.ndarray)):
        return value
    given = value.tolist() if isinstance(value, np.ndarray) else value
    if any(isinstance(part, Arithmetic) for part in given):
        raise DeclarationError(
            f"a {type(value).__name__} of tensors isn't one tensor",
            where=here(),
            help="bp.stack puts tensors of one shape along a new axis, bp.concat along one that they have; "
            "what is to be added needs no list: a + b",
        )
    shape, numbers = entries(given)
    if len(numbers) > MOST_ENTRIES or not numbers:
        raise DeclarationError(
            f"an array of {len(numbers)} numbers can't stand in a declaration",
            where=here(),
            help='declare it as data, w = bp.input("w", shape), and give the array when training; up to '
            f"{MOST_ENTRIES} numbers may be written out",
        )
    plain = axes(len(shape), "w")
    terms = [
        sympy.Mul(entry, *[Guard("=", i, k) for i, k in zip(plain, place, strict=True)])
        for place, entry in numbers.items()
    ]
    ranges = {i: as_size(extent) for i, extent in zip(plain, shape, strict=True)}
    return Tensor.defined(
        plain, sympy.Add(*terms), rule="constants", ranges=ranges, hint=Hint("k"), kept=True
    )


def _extent(tensors: Sequence[Tensor], axis: int, *, wide: bool) -> Expr:
    """How far an axis, counted from the end, goes when tensors are broadcast."""
    extents = [t.shape[axis] for t in tensors if -axis <= t.rank]
    return next(e for e in extents if not (wide and is_one(e)))


def floor_quotient(a: Operand, b: Operand) -> Any:
    """`a // b` = ⌊a/b⌋ of tensors, through which nothing is differentiated."""
    return pointwise(
        FloorQuotient, a, b, rule="floor of a quotient", kept=True, constant=True, hint=Hint("c")
    )


def rounded(function: Scalar, x: Operand) -> Any:
    """An integer beside each element, through which nothing is differentiated."""
    return pointwise(function, x, rule=function.__name__.lower(), kept=True, constant=True, hint=Hint("c"))


def remainder(a: Operand, b: Operand) -> Any:
    """`a % b` = a − b·⌊a/b⌋ of tensors."""
    return pointwise(lambda x, y, q: x - y * q, a, b, floor_quotient(a, b), rule="remainder")


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
    return operand if isinstance(operand, sympy.Expr) else constant(operand)


def matmul(a: Operand, b: Operand) -> Tensor:
    """`a @ b` as NumPy has it: the last axis of a against the last but one (or only) axis of b.

    Raises ShapeError: a scalar operand, or sizes that differ.
    """
    a, b = as_tensor(a), as_tensor(b)
    for side in (a, b):
        if not isinstance(side, Tensor):
            constant(side)
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
