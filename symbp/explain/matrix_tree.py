"""Matrix expressions as a small tree: what an equation looks like without indices, and its value.

Enters: names of tensors of rank 0 to 2, numbers and sizes. Leaves: a tree that `matrix_text` prints and
that `value` evaluates. Must not know: equations (see `matrix`), or how anything is spelled.

Vectors are columns. A node's rank is 0 for a scalar, 1 for a vector and 2 for a matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from symbp.ir.expr import Expr
from symbp.ir.matrices import MATRIX_LEAVES

Array = Any  # a NumPy array with two axes: (rows, columns), (rows, 1) or (1, 1)


@dataclass(frozen=True)
class Named:
    """A tensor of the system by its name."""

    name: str
    rank: int


@dataclass(frozen=True)
class Number:
    """A number, a size, or an expression of these."""

    value: Expr
    rank: int = 0


@dataclass(frozen=True)
class Ones:
    """The vector of ones."""

    extent: Expr
    rank: int = 1


@dataclass(frozen=True)
class Identity:
    """The identity matrix."""

    extent: Expr
    rank: int = 2


@dataclass(frozen=True)
class OneHot:
    """The matrix whose row n is 1 at the label of example n and 0 elsewhere."""

    labels: str
    classes: Expr
    rank: int = 2


@dataclass(frozen=True)
class Transpose:
    """Rows become columns; of a vector, the row that multiplies from the left."""

    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class Product:
    """The matrix product; `rank` is stated, since a row times a column is a scalar."""

    factors: tuple[Node, ...]
    rank: int


@dataclass(frozen=True)
class Scale:
    """A matrix or vector (or nothing) times scalars, over scalars."""

    over: tuple[Node, ...]
    under: tuple[Node, ...]
    body: Node | None

    @property
    def rank(self) -> int:
        return self.body.rank if self.body else 0


@dataclass(frozen=True)
class Hadamard:
    """The elementwise product of some, divided elementwise by others; all of one shape."""

    over: tuple[Node, ...]
    under: tuple[Node, ...]
    rank: int


@dataclass(frozen=True)
class Total:
    """A sum of terms of one shape; the flag says that a term is subtracted."""

    terms: tuple[tuple[bool, Node], ...]

    @property
    def rank(self) -> int:
        return self.terms[0][1].rank


@dataclass(frozen=True)
class Elementwise:
    """A scalar function of each element."""

    function: str
    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class Power:
    """Each element to a constant power."""

    base: Node
    exponent: Expr

    @property
    def rank(self) -> int:
        return self.base.rank


@dataclass(frozen=True)
class Diagonal:
    """The matrix with a vector on its diagonal; inverted, with its reciprocals."""

    vector: Node
    inverted: bool = False
    rank: int = 2


@dataclass(frozen=True)
class DiagonalOf:
    """The vector on a matrix's diagonal."""

    matrix: Node
    rank: int = 1


@dataclass(frozen=True)
class Trace:
    """The sum of a matrix's diagonal."""

    matrix: Node
    rank: int = 0


@dataclass(frozen=True)
class SquaredNorm:
    """The sum of the squares of all elements."""

    inner: Node
    rank: int = 0


@dataclass(frozen=True)
class Bracket:
    """1 where a relation between elements holds, 0 elsewhere."""

    op: str
    lhs: Node
    rhs: Node

    @property
    def rank(self) -> int:
        return max(self.lhs.rank, self.rhs.rank)


@dataclass(frozen=True)
class Extreme:
    """The largest element of each row of a matrix, or of a vector; `argmax` is where it stands first."""

    op: str
    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank - 1


@dataclass(frozen=True)
class OfMatrix:
    """A leaf of linear algebra of a whole matrix, by its name in `MATRIX_LEAVES`."""

    op: str
    matrix: Node

    @property
    def rank(self) -> int:
        return len(MATRIX_LEAVES[self.op].result)


Node = (
    Named | Number | Ones | Identity | OneHot | Transpose | Product | Scale | Hadamard | Total | Elementwise
    | Power | Diagonal | DiagonalOf | Trace | SquaredNorm | Bracket | Extreme
    | OfMatrix
)  # fmt: skip


def transpose(node: Node) -> Node:
    """The transpose, with the signs pushed inwards where that shortens them."""
    match node:
        case Transpose(inner):
            return inner
        case Diagonal() | Identity():
            return node
        case Product(factors, rank=2):
            return Product(tuple(transpose(f) for f in reversed(factors)), 2)
        case _:
            return node if node.rank == 0 else Transpose(node)


def product(*factors: Node, rank: int) -> Node:
    """The matrix product with nested products flattened and identities dropped."""
    flat: list[Node] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else (factor,)
    kept = [f for f in flat if not isinstance(f, Identity)] or flat[:1]
    return kept[0] if len(kept) == 1 else Product(tuple(kept), rank)


def hadamard(over: list[Node], under: list[Node], ones: Node) -> Node:
    """The elementwise product; `ones` where nothing stands above."""
    if not over and not under:
        return ones
    if len(over) == 1 and not under:
        return over[0]
    return Hadamard(tuple(over) or (ones,), tuple(under), ones.rank)


def value(node: Node, tensors: Mapping[str, Array], sizes: Mapping[str, int]) -> Array:
    """The node's value as an array with two axes; `tensors` maps names to arrays of rank 0 to 2."""
    return _Evaluator(tensors, sizes).value(node)


class _Evaluator:
    def __init__(self, tensors: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        self.tensors = tensors
        self.numbers = {name: sympy.Integer(size) for name, size in sizes.items()}

    def number(self, expr: Expr) -> Expr:
        return expr.xreplace({s: self.numbers[s.name] for s in expr.free_symbols})

    def value(self, node: Node) -> Array:
        match node:
            case Named(name, rank):
                array = np.asarray(self.tensors[name])
                return array.reshape(array.shape + (1,) * (2 - rank))
            case Number(expr):
                return np.full((1, 1), float(self.number(expr)))
            case Ones(extent):
                return np.ones((int(self.number(extent)), 1))
            case Identity(extent):
                return np.eye(int(self.number(extent)))
            case OneHot(labels, classes):
                columns = np.arange(int(self.number(classes)))
                return (np.asarray(self.tensors[labels])[:, None] == columns).astype(float)
            case Product(factors):
                result = self.value(factors[0])
                for factor in factors[1:]:
                    result = result @ self.value(factor)
                return result
            case Scale(over, under, body):
                result = np.ones((1, 1)) if body is None else self.value(body)
                for scalar in over:
                    result = result * self.value(scalar)
                for scalar in under:
                    result = result / self.value(scalar)
                return result
            case Total(terms):
                return sum(-self.value(term) if negative else self.value(term) for negative, term in terms)
            case Hadamard():
                return self.hadamard(node)
            case _:
                return self.unary(node)

    def hadamard(self, node: Hadamard) -> Array:
        """A bracket is lazy here too: where it is 0, the other factors don't count."""
        mask: Array = np.ones((1, 1), dtype=bool)
        result = np.ones((1, 1))
        with np.errstate(all="ignore"):
            for factor in node.over:
                factor_value = self.value(factor)
                if isinstance(factor, Bracket):
                    mask = mask & (factor_value != 0)
                result = result * factor_value
            for factor in node.under:
                result = result / self.value(factor)
        return np.where(mask, result, 0.0)

    def unary(self, node: Node) -> Array:
        match node:
            case Transpose(inner):
                return self.value(inner).T
            case Elementwise(function, inner):
                return _function(function)(self.value(inner))
            case Power(base, exponent):
                return self.value(base) ** float(exponent)
            case Diagonal(vector, inverted):
                entries = self.value(vector)
                return np.diagflat(1.0 / entries if inverted else entries)
            case DiagonalOf(matrix):
                return np.diag(self.value(matrix))[:, None]
            case Trace(matrix):
                return np.trace(self.value(matrix)).reshape(1, 1)
            case OfMatrix(op, matrix):
                found = MATRIX_LEAVES[op].arrays(self.value(matrix))
                return found if node.rank == 2 else found.reshape(-1, 1)
            case SquaredNorm(inner):
                return np.sum(self.value(inner) ** 2).reshape(1, 1)
            case Bracket(op, lhs, rhs):
                compare = {"=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal}[op]
                return compare(self.value(lhs), self.value(rhs)).astype(float)
            case Extreme(op, inner):
                rows = self.value(inner) if inner.rank == 2 else self.value(inner).T
                found = rows.max(axis=1) if op == "max" else rows.argmax(axis=1)
                return found[:, None]
            case _:
                raise TypeError(f"no value for {type(node).__name__}")


@lru_cache(maxsize=256)
def _function(name: str) -> Any:
    x = sympy.Symbol("x")
    return sympy.lambdify(x, getattr(sympy, name)(x), modules=["scipy", "numpy"])
