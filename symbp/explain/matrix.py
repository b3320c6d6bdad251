"""The matrix notation of an equation, where it has one, found from the equation's form only.

Enters: an equation and the tensors it reads. Leaves: a tree of `matrix_tree`, or None.
Must not know: names of ops, how a tree is printed, whether the equation is forward or backward.

A sum over a product is a graph: indices are vertices, a matrix `A[i,j]` is an edge, a vector `v[i]` a weight
on a vertex. Parallel edges merge to elementwise products, a reduced vertex with two edges becomes a matrix
product, with one edge a matrix times a vector, with none a scalar. What is left joins the plain indices.
What isn't series-parallel, has a rank above two, or reads with computed subscripts has no matrix form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symbp.explain.matrix_tree import (
    Bracket,
    Diagonal,
    DiagonalOf,
    Elementwise,
    Extreme,
    Identity,
    Named,
    Node,
    Number,
    OfMatrix,
    OneHot,
    Ones,
    Power,
    Product,
    Scale,
    SquaredNorm,
    Total,
    Trace,
    hadamard,
    product,
    transpose,
)
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, free_indices
from symbp.ir.printer import TEXT, decimal, function_name
from symbp.ir.system import Equation, Tensor

Frame = tuple[Index, ...]


class _NoMatrixForm(Exception):
    """Control flow inside this module: the expression has no matrix form."""


def matrix_form(equation: Equation, tensors: Mapping[str, Tensor]) -> Node | None:
    """The right-hand side in matrix notation, or None; vectors are columns, examples are rows."""
    recogniser = _Recogniser(equation, tensors)
    try:
        return recogniser.equation()
    except _NoMatrixForm:
        return None


@dataclass
class _Edge:
    """The elementwise product of matrices over (row, column), over others."""

    row: Index
    column: Index
    over: list[Node]
    under: list[Node]

    def joins(self, a: Index, b: Index) -> bool:
        return {self.row, self.column} == {a, b}

    def other(self, vertex: Index) -> Index:
        return self.column if vertex == self.row else self.row

    def turned(self, row: Index) -> _Edge:
        """The same edge with `row` as its first index."""
        if self.row == row:
            return self
        return _Edge(
            self.column, self.row, [transpose(n) for n in self.over], [transpose(n) for n in self.under]
        )


@dataclass
class _Weight:
    over: list[Node] = field(default_factory=list)
    under: list[Node] = field(default_factory=list)


class _Recogniser:
    def __init__(self, equation: Equation, tensors: Mapping[str, Tensor]) -> None:
        self.source, self.tensors = equation, tensors
        self.extents = dict(equation.extents)
        self.order = list(equation.all_indices)

    def equation(self) -> Node:
        e = self.source
        if len(e.indices) > 2 or e.where:
            raise _NoMatrixForm
        if e.op in (None, "sum"):
            return self.expression(e.body, e.indices, e.reduced)
        if e.op in ("max", "argmax") and len(e.reduced) == 1 and len(e.indices) < 2:
            return Extreme(e.op, self.expression(e.body, e.indices + e.reduced, ()))
        if e.leaf is not None and e.leaf.square and len(e.indices) == len(e.result):
            return OfMatrix(e.op, self.expression(e.body, e.reduced, ()))
        raise _NoMatrixForm

    def expression(self, e: Expr, frame: Frame, reduced: Frame) -> Node:
        """The sum over `reduced` of `e`, laid out over `frame`: up to two indices."""
        if not e.is_Add:
            return self.product(e, frame, reduced)
        order = tuple(self.order)
        terms: list[tuple[bool, Node]] = []
        for term in sorted(e.args, key=lambda t: TEXT.term_key(t, order)):  # as index notation has them
            negative = bool(term.could_extract_minus_sign())
            terms.append((negative, self.product(-term if negative else term, frame, reduced)))
        return Total(tuple(terms))

    def product(self, e: Expr, frame: Frame, reduced: Frame) -> Node:
        coefficient, rest = e.as_coeff_Mul(rational=True)
        if coefficient.is_negative:
            return Total(((True, self.product(-e, frame, reduced)),))
        if any(f.is_Add and len(free_indices(f)) > 2 for f in sympy.Mul.make_args(rest)):
            return self.expression(sympy.expand_mul(e, deep=False), frame, reduced)
        graph = _Graph(self, coefficient)
        factors = [f for f in sympy.Mul.make_args(rest) if f != 1]
        order = tuple(self.order)
        for factor in sorted(factors, key=lambda f: TEXT.factor_key(f, order)):
            base, exponent = factor.as_base_exp()
            if exponent.is_number and exponent.is_negative and not factor.is_Function:
                graph.add_unit(base**-exponent, below=True)
            else:
                graph.add(factor)
        return graph.close(frame, reduced)

    def unit(self, e: Expr, frame: Frame) -> Node:
        """An expression without sums, elementwise over exactly its own indices."""
        if e.is_Add or e.is_Mul or isinstance(e, Access):
            return self.expression(e, frame, ())
        if isinstance(e, Guard):
            return Bracket(e.op, self.side(e.lhs, frame), self.side(e.rhs, frame))
        if e.is_number or (e.is_Symbol and not free_indices(e)):
            return Number(e)
        if e.is_Function and len(e.args) == 1:
            return Elementwise(function_name(e), self.unit(e.args[0], frame))
        if e.is_Pow and e.exp.is_number:
            if e.exp == sympy.Rational(1, 2):
                return Elementwise("sqrt", self.unit(e.base, frame))
            return Power(self.unit(e.base, frame), e.exp)
        raise _NoMatrixForm

    def side(self, e: Expr, frame: Frame) -> Node:
        """One side of a relation: a scalar stays a scalar, everything else is laid out over the frame."""
        return self.unit(e, ()) if not free_indices(e) else self.expression(e, frame, ())

    def own_frame(self, e: Expr) -> Frame:
        free = free_indices(e)
        frame = tuple(i for i in self.order if i in free)
        if len(frame) > 2:
            raise _NoMatrixForm
        return frame

    def fresh(self, extent: Expr) -> Index:
        """A new reduced index, for the axis that a label selects from."""
        index = Index(f"_{len(self.order)}")
        self.order.append(index)
        self.extents[index] = extent
        return index


class _Graph:
    """One product of factors as a graph over its indices."""

    def __init__(self, recogniser: _Recogniser, coefficient: Expr) -> None:
        self.by = recogniser
        self.over: list[Node] = []
        self.under: list[Node] = []
        self.weights: dict[Index, _Weight] = {}
        self.edges: list[_Edge] = []
        self.gathered: list[Index] = []
        if "/" in decimal(coefficient):
            self.under.append(Number(sympy.Integer(coefficient.q)))
            coefficient = sympy.Integer(coefficient.p)
        if coefficient != 1:
            self.over.append(Number(coefficient))

    # --- building
    def add(self, factor: Expr) -> None:
        if isinstance(factor, Access):
            self.add_access(factor)
        elif isinstance(factor, Guard) and factor.op == "=" and self.add_delta(factor):
            return
        else:
            self.add_unit(factor, below=False)

    def add_unit(self, e: Expr, *, below: bool) -> None:
        frame = self.by.own_frame(e)
        if isinstance(e, Index):
            raise _NoMatrixForm
        self.place(self.by.unit(e, frame), frame, below=below)

    def place(self, node: Node, frame: Sequence[Index], *, below: bool = False) -> None:
        over: list[Node] = [] if below else [node]
        under: list[Node] = [node] if below else []
        if not frame:
            self.over += over
            self.under += under
        elif len(frame) == 1:
            weight = self.weights.setdefault(frame[0], _Weight())
            weight.over += over
            weight.under += under
        else:
            self.edges.append(_Edge(frame[0], frame[1], over, under))

    def add_access(self, access: Access) -> None:
        if access.outside is not None or len(access.subscripts) > 2:
            raise _NoMatrixForm
        selected: list[tuple[OneHot, Frame]] = []
        frame = [self.vertex(access, axis, selected) for axis in range(len(access.subscripts))]
        node = Named(access.name, len(frame))
        if len(frame) == 2 and frame[0] == frame[1]:
            self.place(DiagonalOf(node), frame[:1])
        else:
            self.place(node, frame)
        for one_hot, joined in selected:
            self.place(one_hot, joined)

    def vertex(self, access: Access, axis: int, selected: list[tuple[OneHot, Frame]]) -> Index:
        """The index at an axis; a label there selects: a sum over the axis against its one-hot rows."""
        subscript = access.subscripts[axis]
        if isinstance(subscript, Index):
            return subscript
        if isinstance(subscript, IntegerAccess) and _plain(subscript):
            index = self.by.fresh(self.by.tensors[access.name].shape[axis])
            self.gathered.append(index)
            one_hot = OneHot(subscript.name, self.by.extents[index])
            selected.append((one_hot, (subscript.subscripts[0], index)))
            return index
        raise _NoMatrixForm

    def add_delta(self, guard: Guard) -> bool:
        """`[i = j]` is an identity matrix and `[k = y[n]]` a one-hot matrix."""
        sides = guard.lhs, guard.rhs
        for index, label in (sides, sides[::-1]):
            if isinstance(index, Index) and isinstance(label, Index):
                self.place(Identity(self.by.extents[index]), self.by.own_frame(guard))
                return True
            if isinstance(index, Index) and isinstance(label, IntegerAccess) and _plain(label):
                if label.subscripts[0] == index:
                    return False
                self.place(OneHot(label.name, self.by.extents[index]), (label.subscripts[0], index))
                return True
        return False

    # --- eliminating
    def close(self, frame: Frame, reduced: Frame) -> Node:
        """The node over `frame` once every other index is summed over."""
        waiting = [*reduced, *self.gathered]
        while waiting:
            if self.closed(waiting):
                continue
            self.merge_parallel()
            index = next(
                (i for most in (1, 2) for i in reversed(waiting) if len(self.edges_at(i)) <= most), None
            )
            if index is None:
                raise _NoMatrixForm
            waiting.remove(index)
            self.eliminate(index)
        self.merge_parallel()
        return self.scaled(self.over_frame(frame))

    def edges_at(self, vertex: Index) -> list[_Edge]:
        return [edge for edge in self.edges if vertex in (edge.row, edge.column)]

    def merge_parallel(self) -> None:
        merged: list[_Edge] = []
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
        weight = self.weights.pop(r, _Weight())
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
            middle = [] if weight == _Weight() else [self.diagonal(weight)]
            chain = product(self.matrix(first, a), *middle, self.matrix(second, r), rank=2)
            self.place(chain, (a, b))

    def summed(self, weight: _Weight, r: Index) -> Node:
        """The scalar Σ_r of a vertex's weight."""
        if weight == _Weight():
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
    def vector(self, weight: _Weight, index: Index) -> Node:
        return hadamard(weight.over, weight.under, Ones(self.by.extents[index]))

    def matrix(self, edge: _Edge, row: Index) -> Node:
        turned = edge.turned(row)
        ones = [Ones(self.by.extents[i]) for i in (turned.row, turned.column)]
        return hadamard(turned.over, turned.under, product(ones[0], transpose(ones[1]), rank=2))

    def diagonal(self, weight: _Weight) -> Node:
        if not weight.over:
            return Diagonal(hadamard(weight.under, [], weight.under[0]), inverted=True)
        return Diagonal(hadamard(weight.over, weight.under, weight.over[0]))

    def over_frame(self, frame: Frame) -> Node | None:
        if not frame:
            return None
        if len(frame) == 1:
            return self.vector(self.weights.get(frame[0], _Weight()), frame[0])
        left, right = (self.weights.get(index) for index in frame)
        if not self.edges:
            u, v = (self.vector(self.weights.get(index, _Weight()), index) for index in frame)
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


def _plain(label: IntegerAccess) -> bool:
    subscripts = label.subscripts
    return len(subscripts) == 1 and isinstance(subscripts[0], Index) and label.outside is None
