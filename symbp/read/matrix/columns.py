"""The column convention: examples as columns of matrices, for display.

Enters: equations in matrix notation in which examples are rows. Leaves: equal ones in which each tensor that
comes from data stands transposed, x is (D, N) and a dense layer `Wᵀ·x + b·𝟏ᵀ`; parameters stand as they are
declared. Must not know: formats, how a form was found.

Images, whose two axes a kernel slides over, keep their axes. What is taken of each example is taken of each
column: softmax, logsumexp, one-hot, flatten. Index notation doesn't change: its subscripts stand in the order
that the author gave the axes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from typing import Any

from symbp.derive.derivation import Derivation
from symbp.ir.expr import Expr
from symbp.ir.system import Role, System, Tensor
from symbp.read.matrix.graph import transposes
from symbp.read.matrix.make import product, transpose
from symbp.read.matrix.rewrite import nodes
from symbp.read.matrix.tree import (
    Bracket,
    Correlation,
    Diagonal,
    DiagonalOf,
    Elementwise,
    Flattened,
    Hadamard,
    Identity,
    Kronecker,
    MatrixEquation,
    MaxPool,
    Named,
    Node,
    OfMatrix,
    OfRows,
    OneHot,
    Power,
    Product,
    Rowwise,
    Scale,
    SquaredNorm,
    Strided,
    Summed,
    Total,
    Trace,
    Transpose,
    Triangle,
    Turned,
    Whole,
)
from symbp.read.symbols import differentials

Pair = tuple[Node, Node]  # of one value: itself and its transpose
DATA = (Role.INPUT, Role.TARGET, Role.RANDOM)
WINDOWS = (Correlation, MaxPool, Strided, Turned)
OF_EACH = (Total, Hadamard, Scale, Elementwise, Power, Whole, Bracket, Summed, Kronecker)
OF_ALL = (DiagonalOf, Trace, SquaredNorm)  # the same of a matrix and of its transpose


@dataclass(frozen=True)
class Columns:
    """The tensors that are shown transposed wherever they are a matrix; not over the axes of their
    `images`."""

    names: frozenset[str] = frozenset()
    images: Mapping[str, frozenset[tuple[int, int]]] = field(default_factory=dict)

    def turns(self, node: Node) -> bool:
        """Whether a tensor in matrix notation is shown transposed."""
        if not isinstance(node, Named) or node.rank != 2 or node.name not in self.names:
            return False
        return _axes(node) not in self.images.get(node.name, ())


def _axes(node: Named) -> tuple[int, int]:
    """The two axes that are left of a tensor."""
    left = [k for k, s in enumerate(node.subscripts) if s is None] if node.subscripts else [0, 1]
    return left[0], left[1]


# --- which tensors
def columns(
    derivation: Derivation, tensors: Mapping[str, Tensor], forms: Iterable[MatrixEquation]
) -> Columns:
    """Which tensors of a page are shown transposed; `tensors` have the shapes of the page."""
    names = from_data(derivation)
    pairs = _images(forms, tensors)
    images = {name: _of_pairs(tensors[name].shape, pairs) for name in names}
    return Columns(names, {name: axes for name, axes in images.items() if axes})


def from_data(derivation: Derivation) -> frozenset[str]:
    """The tensors that data are, or that are computed from data, and derivatives by these; not the
    derivatives by parameters."""
    system, known = derivation.system, differentials(derivation)
    given = {t.name for t in system.with_role(*DATA)} - set(derivation.directions.values())
    found = _reading(system, given)
    asked = {tensor: key for key, tensor in derivation.gradients.items()}

    def is_data(name: str) -> bool:
        if name in asked and not (derivation.is_gradient and "," not in asked[name]):
            return False
        by = asked.get(name) or (known[name].by if name in known else None)
        return name in found if by is None or by == name else is_data(by)

    return frozenset(t.name for t in system.tensors if is_data(t.name))


def _reading(system: System, given: Collection[str]) -> set[str]:
    """What is given, and all that rests on it."""
    found, before = set(given), -1
    while len(found) > before:  # a recurrence is read before it is defined
        before = len(found)
        found |= {e.target for e in system.equations if found & set(e.read_names)}
    return found


def _images(forms: Iterable[MatrixEquation], tensors: Mapping[str, Tensor]) -> set[tuple[Expr, Expr]]:
    """The lengths of rows and columns of what a window slides over, and of what results."""
    found = set[tuple[Expr, Expr]]()
    for form in forms:
        windows = [node for node in nodes(form.right) if isinstance(node, WINDOWS)]
        inner = [node for window in windows for node in nodes(window)]
        for node in [*inner, *([form.left] if windows else [])]:
            if isinstance(node, Named) and node.rank == 2:
                shape = tensors[node.name].shape
                a, b = _axes(node)
                found.add((shape[a], shape[b]))
    return found


def _of_pairs(shape: Sequence[Expr], pairs: Collection[tuple[Expr, Expr]]) -> frozenset[tuple[int, int]]:
    places = combinations(range(len(shape)), 2)
    return frozenset((a, b) for a, b in places if (shape[a], shape[b]) in pairs)


# --- the forms
def in_columns(form: MatrixEquation, by: Columns) -> MatrixEquation:
    """The equation with these tensors transposed."""
    right = _Turning(by).both(form.right)
    left = form.left
    if isinstance(left, Flattened):
        return MatrixEquation(left, right[1])
    return MatrixEquation(left, right[1] if by.turns(left) else right[0])


class _Turning:
    def __init__(self, by: Columns) -> None:
        self.by = by
        self.known: dict[int, tuple[Node, Pair]] = {}  # by identity, with the node that has it

    def both(self, node: Node) -> Pair:
        """The value of a node and its transpose, over the tensors as they are shown, each with as few
        transposes as it needs."""
        if id(node) not in self.known:
            self.known[id(node)] = node, self.best(node)
        return self.known[id(node)][1]

    def best(self, node: Node) -> Pair:
        plain, turned = self.pair(node)
        if node.rank == 0:
            best = min(plain, turned, key=transposes)
            return best, best
        if node.rank == 1:
            return plain, turned
        return (
            min(plain, transpose(turned), key=transposes),
            min(turned, transpose(plain), key=transposes),
        )

    def pair(self, node: Node) -> Pair:
        match node:
            case Named():
                return self.named(node)
            case Transpose(inner):
                plain, turned = self.both(inner)
                return (turned, plain) if inner.rank == 2 else (transpose(plain), plain)
            case Product(factors, rank):
                pairs = [self.both(factor) for factor in factors]
                plain = product(*(pair[0] for pair in pairs), rank=rank)
                if rank == 1:
                    return plain, transpose(plain)
                return plain, product(*(pair[1] for pair in reversed(pairs)), rank=rank)
            case OneHot() if node.rank == 2:
                return transpose(node), node
            case Flattened():
                return transpose(node), node
            case Rowwise(op, inner) if node.rank == 2:
                found = Rowwise(op, self.both(inner)[1])
                return transpose(found), found
            case OfRows("logsumexp", inner) if inner.rank == 2:
                return self.alone(OfRows("logsumexp", self.both(inner)[1]))
            case _:
                return self.other(node)

    def named(self, node: Named) -> Pair:
        """A tensor, as it is shown; so is what stands outside its range."""
        turns = self.by.turns(node)
        if node.outside is not None:
            node = replace(node, outside=self.both(node.outside)[1 if turns else 0])
        return (transpose(node), node) if turns else self.alone(node)

    def other(self, node: Node) -> Pair:
        each = self.parts(node, 0), self.parts(node, 1)
        match node:
            case _ if isinstance(node, OF_EACH) and node.rank == 2:
                return each
            case _ if isinstance(node, OF_ALL):
                best = min(each, key=transposes)
                return self.alone(best)
            case Identity():
                return node, node
            case Diagonal():
                return each[0], each[0]
            case Triangle(_, upper):
                return each[0], replace(each[1], upper=not upper)
            case OfMatrix(op) if op in ("inverse", "cofactors"):
                return each
            case Turned():
                return each
            case Correlation(pads=numbers):
                return each[0], replace(each[1], pads=numbers[::-1])
            case Strided(steps=numbers):
                return each[0], replace(each[1], steps=numbers[::-1])
            case MaxPool(window=numbers):
                return each[0], replace(each[1], window=numbers[::-1])
            case _:
                return self.alone(each[0])

    def alone(self, node: Node) -> Pair:
        return node, transpose(node)

    def parts(self, node: Node, which: int) -> Any:
        """The node with its parts as they are, or with its matrices transposed."""

        def inside(value: Any) -> Any:
            if isinstance(value, Node):
                return self.both(value)[which if value.rank == 2 else 0]
            return tuple(map(inside, value)) if isinstance(value, tuple) else value

        return replace(node, **{part.name: inside(getattr(node, part.name)) for part in fields(node)})
