"""A product of factors, summed over some indices, as a product of matrices.

Enters: factors, by a recogniser. Leaves: a tree of `tree`. Must not know: equations, how a tree is printed.

A sum over a product is a graph: indices are vertices, a matrix `A[i,j]` is an edge, a vector `v[i]` a weight
on a vertex. Parallel edges merge to elementwise products, a reduced vertex with two edges becomes a matrix
product, with one edge a matrix times a vector, with none a scalar. What is left joins the plain indices.
What isn't series-parallel, has a rank above two, or reads with computed subscripts has no matrix form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess
from symbp.read.matrix.make import hadamard, product, transpose
from symbp.read.matrix.rewrite import mapped, nodes
from symbp.read.matrix.tree import (
    Diagonal,
    DiagonalOf,
    Identity,
    Kronecker,
    Named,
    Node,
    Number,
    OneHot,
    Ones,
    Power,
    Product,
    Rows,
    Scale,
    SquaredNorm,
    Trace,
    Transpose,
    Triangle,
)

if TYPE_CHECKING:  # the two call each other: a factor may hold a sum of products
    from symbp.read.matrix.recognise import Recogniser

Frame = tuple[Index, ...]


class NoMatrixForm(Exception):
    """The expression has no matrix form with these subscripts."""


@dataclass
class Edge:
    """The elementwise product of matrices over (row, column), over others."""

    row: Index
    column: Index
    over: list[Node]
    under: list[Node]

    def joins(self, a: Index, b: Index) -> bool:
        return {self.row, self.column} == {a, b}

    def other(self, vertex: Index) -> Index:
        return self.column if vertex == self.row else self.row

    def turned(self, row: Index) -> Edge:
        """The same edge with `row` as its first index."""
        if self.row == row:
            return self
        return Edge(
            self.column, self.row, [transpose(n) for n in self.over], [transpose(n) for n in self.under]
        )


@dataclass
class Weight:
    over: list[Node] = field(default_factory=list)
    under: list[Node] = field(default_factory=list)


class Graph:
    """One product of factors as a graph over its indices."""

    def __init__(self, recogniser: Recogniser, over: Sequence[Expr], under: Sequence[Expr]) -> None:
        self.by = recogniser
        self.over: list[Node] = [Number(number) for number in over]
        self.under: list[Node] = [Number(number) for number in under]
        self.weights: dict[Index, Weight] = {}
        self.edges: list[Edge] = []
        self.gathered: list[Index] = []

    # --- building
    def add(self, factor: Expr) -> None:
        if isinstance(factor, Access):
            self.add_access(factor)
        elif isinstance(factor, Guard) and (self.add_delta(factor) or self.add_half(factor)):
            return
        else:
            self.add_unit(factor, below=False)

    def add_unit(self, e: Expr, *, below: bool) -> None:
        frame = self.by.own_frame(e)
        found = self.by.unit(e, frame)
        if len(frame) == 2 and transposes(found):
            turned = self.by.unit(e, frame[::-1])
            if transposes(turned) < transposes(found):
                frame, found = frame[::-1], turned
        self.place(found, frame, below=below)

    def place(self, node: Node, frame: Sequence[Index], *, below: bool = False) -> None:
        over: list[Node] = [] if below else [node]
        under: list[Node] = [node] if below else []
        if not frame:
            self.over += over
            self.under += under
        elif len(frame) == 1:
            weight = self.weights.setdefault(frame[0], Weight())
            weight.over += over
            weight.under += under
        else:
            self.edges.append(Edge(frame[0], frame[1], over, under))

    def add_access(self, access: Access) -> None:
        left = [k for k, s in enumerate(access.subscripts) if self.by.free(s)]
        if len(left) > 2:
            raise NoMatrixForm
        if access.outside not in (None, 0):
            self.add_beyond(access, left)
            return
        if len(left) == 2 and self.add_rows(access, left):
            return
        selected: list[tuple[OneHot, Frame]] = []
        frame = [self.vertex(access, axis, selected) for axis in left]
        node = self.by.named(access, left)
        if len(frame) == 2 and frame[0] == frame[1]:
            self.place(DiagonalOf(node), frame[:1])
        else:
            self.place(node, frame)
        for one_hot, joined in selected:
            self.place(one_hot, joined)

    def add_beyond(self, access: Access, left: list[int]) -> None:
        """A read that may lie outside the range of a subscript, where something stands for it."""
        frame = tuple(self.plain(access, axis) for axis in left)
        if len(set(frame)) < len(frame) or not self.by.free(access.outside) <= set(frame):
            raise NoMatrixForm
        outside = self.by.expression(access.outside, frame, ())
        named = self.by.named(access, left)
        self.place(Named(named.name, named.rank, named.subscripts, named.colons, outside), frame)

    def add_rows(self, access: Access, left: list[int]) -> bool:
        """`E[y[n],k]`: the rows of a matrix that labels select."""
        label, column = (access.subscripts[k] for k in left)
        if not isinstance(label, IntegerAccess) or not isinstance(column, Index):
            return False
        if access.outside is not None or self.by.tensors[label.name].fact("below") is None:
            return False  # a label may select nothing
        row = self.labelled(label)
        if len(row) != 1 or row[0] == column:
            return False
        self.plain(access, left[1])
        self.checked(label.name, self.by.tensors[access.name].shape[left[0]])
        self.place(Rows(self.by.named(access, left), self.label(label)), (row[0], column))
        return True

    def plain(self, access: Access, axis: int) -> Index:
        """The index at an axis, along all of it."""
        subscript = access.subscripts[axis]
        length = self.by.tensors[access.name].shape[axis]
        if not isinstance(subscript, Index) or not self.by.same(self.by.extents[subscript], length):
            raise NoMatrixForm
        return subscript

    def vertex(self, access: Access, axis: int, selected: list[tuple[OneHot, Frame]]) -> Index:
        """The index at an axis; a label there selects: a sum over the axis against its one-hot rows."""
        subscript = access.subscripts[axis]
        if not isinstance(subscript, IntegerAccess):
            return self.plain(access, axis)
        row, length = self.labelled(subscript), self.by.tensors[access.name].shape[axis]
        if len(row) != 1:
            raise NoMatrixForm
        self.checked(subscript.name, length)
        index = self.by.fresh(length)
        self.gathered.append(index)
        selected.append((OneHot(self.label(subscript), length), (row[0], index)))
        return index

    def labelled(self, label: IntegerAccess) -> Frame:
        """The indices of labels that are no subscripts: each alone at an axis, along all of it."""
        if label.outside not in (None, 0):
            raise NoMatrixForm
        left = [k for k, s in enumerate(label.subscripts) if self.by.free(s)]
        return tuple(self.plain(label, k) for k in left)

    def label(self, label: IntegerAccess) -> Named:
        return self.by.named(label, [k for k, s in enumerate(label.subscripts) if self.by.free(s)])

    def checked(self, label: str, length: Expr) -> None:
        """Labels select along an axis as long as they have values, or a reader couldn't tell how long."""
        bound = self.by.bound(label)
        if bound is None or not self.by.same(bound, length):
            raise NoMatrixForm

    def add_delta(self, guard: Guard) -> bool:
        """`[i = j]` is an identity matrix and `[k = y[n]]` a one-hot matrix, or a vector for one label."""
        if guard.op != "=":
            return False
        sides = guard.lhs, guard.rhs
        for index, label in (sides, sides[::-1]):
            if not isinstance(index, Index) or index in self.by.kept:
                continue
            extent = self.by.extents[index]
            if isinstance(label, Index) and label not in self.by.kept:
                if not self.by.same(extent, self.by.extents[label]):
                    return False
                self.place(Identity(extent), self.by.own_frame(guard))
                return True
            if isinstance(label, IntegerAccess):
                bound, row = self.by.bound(label.name), self.labelled(label)
                if len(row) > 1 or index in row or bound is None or not self.by.same(bound, extent):
                    return False
                self.place(OneHot(self.label(label), extent), (*row, index))
                return True
        return False

    def add_half(self, guard: Guard) -> bool:
        """`[j <= i]` is 1 on and below a matrix's diagonal."""
        frame = guard.rhs, guard.lhs
        if not all(isinstance(i, Index) and i not in self.by.kept for i in frame):
            return False
        upper = self.by.half(guard, frame)
        if upper is None or not self.by.same(*(self.by.extents[i] for i in frame)):
            return False
        rows, columns = (Ones(self.by.extents[i]) for i in frame)
        self.place(Triangle(product(rows, transpose(columns), rank=2), upper), frame)
        return True

    # --- eliminating
    def close(self, frame: Frame, reduced: Frame) -> Node:
        """The node over `frame` once every other index is summed over."""
        self.sum_over(reduced)
        return self.scaled(self.over_frame(frame))

    def kronecker(self, frame: Frame, reduced: Frame) -> Node:
        """The node over two rows and two columns, each row beside its column."""
        self.sum_over(reduced)
        pairs = (frame[0], frame[2]), (frame[1], frame[3])
        edges = [[edge for edge in self.edges if edge.joins(*pair)] for pair in pairs]
        if self.weights or len(self.edges) != 2 or not all(edges):
            raise NoMatrixForm
        left, right = (self.matrix(edge, pair[0]) for (edge,), pair in zip(edges, pairs, strict=True))
        return self.scaled(Kronecker(mapped(left, _sized), mapped(right, _sized)))

    def sum_over(self, reduced: Frame) -> None:
        """Takes reduced vertices out of the graph one by one."""
        waiting = [*reduced, *self.gathered]
        while waiting:
            if self.closed(waiting):
                continue
            self.merge_parallel()
            index = next(
                (i for most in (1, 2) for i in reversed(waiting) if len(self.edges_at(i)) <= most), None
            )
            if index is None:
                raise NoMatrixForm
            waiting.remove(index)
            self.eliminate(index)
        self.merge_parallel()

    def edges_at(self, vertex: Index) -> list[Edge]:
        return [edge for edge in self.edges if vertex in (edge.row, edge.column)]

    def merge_parallel(self) -> None:
        merged: list[Edge] = []
        for edge in self.edges:
            twin = next((m for m in merged if m.joins(edge.row, edge.column)), None)
            if twin is None:
                merged.append(edge)
            else:
                turned = edge.turned(twin.row)
                twin.over += turned.over
                twin.under += turned.under
        self.edges = merged

    def closed(self, waiting: list[Index]) -> bool:
        """Two reduced vertices joined to each other only: a cycle is tr(A·B), one squared edge ‖A‖²."""
        for edge in self.edges:
            ends = [edge.row, edge.column]
            both = [e for e in self.edges if e.joins(*ends)]
            if any(v not in waiting or v in self.weights or len(self.edges_at(v)) > len(both) for v in ends):
                continue
            matrices = [self.matrix(e, e.row) for e in both]
            cycle = len(both) == 2 and both[0].row != both[1].row
            if cycle or (len(both) == 2 and any(isinstance(m, Product) for m in matrices)):
                back = matrices[1] if cycle else transpose(matrices[1])
                self.place(Trace(product(matrices[0], back, rank=2)), ())
            elif len(both) == 1 and isinstance(matrices[0], Power) and matrices[0].exponent == 2:
                self.place(SquaredNorm(matrices[0].base), ())
            else:
                continue
            self.edges = [e for e in self.edges if e not in both]
            for vertex in ends:
                waiting.remove(vertex)
            return True
        return False

    def eliminate(self, r: Index) -> None:
        """Sums over a vertex with at most two edges."""
        edges = self.edges_at(r)
        weight = self.weights.pop(r, Weight())
        self.edges = [edge for edge in self.edges if edge not in edges]
        if not edges:
            self.place(self.summed(weight, r), ())
        elif len(edges) == 1:
            (edge,) = edges
            matrix = self.matrix(edge, edge.other(r))
            self.place(product(matrix, self.vector(weight, r), rank=1), (edge.other(r),))
        else:
            a, b = sorted((edge.other(r) for edge in edges), key=self.by.order.index)
            first = next(edge for edge in edges if edge.other(r) == a)
            second = next(edge for edge in edges if edge.other(r) == b)
            middle = [] if weight == Weight() else [self.diagonal(weight)]
            chain = product(self.matrix(first, a), *middle, self.matrix(second, r), rank=2)
            self.place(chain, (a, b))

    def summed(self, weight: Weight, r: Index) -> Node:
        """The scalar Σ_r of a vertex's weight."""
        if weight == Weight():
            return Number(self.by.extents[r])
        if len(weight.over) == 2 and not weight.under:
            return product(transpose(weight.over[0]), weight.over[1], rank=0)
        match self.vector(weight, r):
            case DiagonalOf(matrix):
                return Trace(matrix)
            case Power(base, exponent) if exponent == 2:
                return SquaredNorm(base)
            case vector:
                return product(transpose(Ones(self.by.extents[r])), vector, rank=0)

    # --- nodes
    def vector(self, weight: Weight, index: Index) -> Node:
        return hadamard(weight.over, weight.under, Ones(self.by.extents[index]))

    def matrix(self, edge: Edge, row: Index) -> Node:
        turned = edge.turned(row)
        ones = [Ones(self.by.extents[i]) for i in (turned.row, turned.column)]
        matrices = [node for node in (*turned.over, *turned.under) if node.rank]
        if len(matrices) > 1 and all(isinstance(node, Transpose) for node in matrices):
            ones.reverse()  # one transpose for all
            back = turned.turned(turned.column)
            return transpose(hadamard(back.over, back.under, product(ones[0], transpose(ones[1]), rank=2)))
        return hadamard(turned.over, turned.under, product(ones[0], transpose(ones[1]), rank=2))

    def diagonal(self, weight: Weight) -> Node:
        if not weight.over:
            return Diagonal(hadamard(weight.under, [], weight.under[0]), inverted=True)
        return Diagonal(hadamard(weight.over, weight.under, weight.over[0]))

    def over_frame(self, frame: Frame) -> Node | None:
        if not frame:
            return None
        if len(frame) == 1:
            return self.vector(self.weights.get(frame[0], Weight()), frame[0])
        left, right = (self.weights.get(index) for index in frame)
        if not self.edges:
            u, v = (self.vector(self.weights.get(index, Weight()), index) for index in frame)
            return product(u, transpose(v), rank=2)
        parts = [self.diagonal(left)] if left else []
        parts += [self.matrix(self.edges[0], frame[0])]
        parts += [self.diagonal(right)] if right else []
        return product(*parts, rank=2)

    def scaled(self, body: Node | None) -> Node:
        if body is None and len(self.over) == 1 and not self.under:
            return self.over[0]
        if not self.over and not self.under:
            return body if body is not None else Number(sympy.Integer(1))
        return Scale(tuple(self.over), tuple(self.under), body)


def transposes(node: Node) -> int:
    """How many matrices are transposed."""
    return sum(isinstance(inner, Transpose) and inner.rank == 2 for inner in nodes(node))


def _sized(node: Node) -> Node:
    """An identity matrix that says how large it is."""
    return Identity(node.extent, sized=True) if isinstance(node, Identity) else node
