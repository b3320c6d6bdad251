"""The matrix notation of an equation for one choice of subscripts, found from the equation's form only.

Enters: an equation, the tensors it reads, the indices that stay as subscripts. Leaves: a tree of `tree`, or
NoMatrixForm. Must not know: names of ops, how a tree is printed, which choice of subscripts is the best one.

What has no index but subscripts is a scalar; each tensor has at most two axes left. A product of factors is
put together in `graph`; here are sums of them, functions, and reductions within a body.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symbp.ir.affine import affine
from symbp.ir.decimals import above_and_below
from symbp.ir.expr import (
    Access,
    Expr,
    FloorDiv,
    Guard,
    Index,
    IntegerAccess,
    Mod,
    Size,
    free_indices,
    free_sizes,
)
from symbp.ir.printer import TEXT, Notation, adds_little, expression_text, function_name
from symbp.ir.relations import strict_relation
from symbp.ir.sizes.canonical import same_extent
from symbp.ir.system import Tensor
from symbp.read.display import Along, Reduced
from symbp.read.grammar.axes import Subscript, standing
from symbp.read.matrix.graph import Frame, Graph, NoMatrixForm, transposes
from symbp.read.matrix.make import transpose
from symbp.read.matrix.tree import (
    Bracket,
    Elementwise,
    Hadamard,
    Named,
    Node,
    Number,
    OfRows,
    Ones,
    Power,
    Product,
    Range,
    Rowwise,
    Scale,
    Summed,
    Total,
    Transpose,
    Triangle,
    Whole,
)
from symbp.read.matrix.windows import correlated


class BySymbols(Notation):
    """Index notation with the symbols of a page: terms in matrix notation stand in the same order."""

    def __init__(self, symbols: Mapping[str, str]) -> None:
        self.symbols = symbols

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        return super().access(self.symbols.get(name, name), subscripts, outside)

    def place(self, written: str) -> str:
        return unicodedata.normalize("NFKC", written)  # raised numbers in the order of numbers


@dataclass
class Recogniser:
    """Finds the form of expressions of one equation: `extents` of its indices, in their `order`; `kept` are
    the indices that stay as subscripts; `lengths` are names of sizes that stand for formulas."""

    tensors: Mapping[str, Tensor]
    extents: dict[Index, Expr]
    order: list[Index]
    kept: Collection[Index] = ()
    lengths: Mapping[Size, Expr] = field(default_factory=dict)
    notation: Notation = TEXT  # by whose names terms and factors are sorted

    # --- what an expression has
    def free(self, e: Expr) -> frozenset[Index]:
        """The indices of an expression that are no subscripts."""
        return frozenset(i for i in free_indices(e) if i not in self.kept)

    def own_frame(self, e: Expr) -> Frame:
        free = self.free(e)
        frame = tuple(i for i in self.order if i in free)
        if len(frame) > 2 or len(frame) < len(free):
            raise NoMatrixForm
        return frame

    def raw(self, e: Expr) -> Expr:
        """With what the names of lengths stand for."""
        return sympy.sympify(e).xreplace(self.lengths)

    def same(self, a: Expr, b: Expr) -> bool:
        """Whether two expressions of sizes are equal, by their form."""
        return same_extent(self.raw(a), self.raw(b))

    def fresh(self, extent: Expr) -> Index:
        """A new reduced index, for the axis that a label selects from."""
        index = Index(f"_{len(self.order)}")
        self.order.append(index)
        self.extents[index] = extent
        return index

    # --- sums and products
    def expression(self, e: Expr, frame: Frame, reduced: Frame) -> Node:
        """The sum over `reduced` of `e`, laid out over `frame`: up to two indices."""
        if not e.is_Add:
            return self.product(e, frame, reduced)
        order = tuple(self.order)
        ranked = sorted(e.args, key=lambda t: self.notation.term_key(t, order))  # as index notation has them
        if adds_little(e):
            ranked.sort(key=lambda t: (bool(t.could_extract_minus_sign()), bool(t.is_number)))
        mixed = not reduced and any(self.free(term) for term in ranked)
        terms: list[tuple[bool, Node]] = []
        for term in ranked:
            negative = bool(term.could_extract_minus_sign())
            positive = -term if negative else term
            # A scalar beside matrices stands for itself at each of their elements.
            laid = () if mixed and not self.free(term) else frame
            terms.append((negative, self.product(positive, laid, reduced)))
        return Total(tuple(terms))

    def product(self, e: Expr, frame: Frame, reduced: Frame) -> Node:
        coefficient, rest = e.as_coeff_Mul(rational=True)
        if coefficient.is_zero:
            return Number(sympy.Integer(0))
        if coefficient.is_negative:
            return Total(((True, self.product(-e, frame, reduced)),))
        if any(f.is_Add and len(self.free(f)) > 2 for f in sympy.Mul.make_args(rest)):
            expanded = sympy.expand_mul(e, deep=False)
            if expanded == e:
                raise NoMatrixForm
            return self.expression(expanded, frame, reduced)
        return self.graph(e).close(frame, reduced)

    def graph(self, e: Expr) -> Graph:
        """The factors of a product that isn't negative."""
        coefficient, rest = e.as_coeff_Mul(rational=True)
        over, under, factors = above_and_below(coefficient, sympy.Mul.make_args(rest))
        graph = Graph(self, over, under)
        factors = [f for f in factors if f != 1]
        order = tuple(self.order)
        for factor in sorted(factors, key=lambda f: self.notation.factor_key(f, order)):
            base, exponent = factor.as_base_exp()
            if exponent.is_number and exponent.is_negative and not factor.is_Function:
                graph.add_unit(base**-exponent, below=True)
            else:
                graph.add(factor)
        return graph

    def kronecker(self, e: Expr, frame: Frame, reduced: Frame) -> Node:
        """An expression over two rows and two columns, a Kronecker product for each term."""
        terms: list[tuple[bool, Node]] = []
        order = tuple(self.order)
        for term in sorted(sympy.Add.make_args(e), key=lambda t: self.notation.term_key(t, order)):
            negative = bool(term.could_extract_minus_sign())
            graph = self.graph(-term if negative else term)
            terms.append((negative, graph.kronecker(frame, reduced)))
        return terms[0][1] if len(terms) == 1 and not terms[0][0] else Total(tuple(terms))

    # --- everything else
    def unit(self, e: Expr, frame: Frame) -> Node:
        """An expression without sums, elementwise over exactly its own indices."""
        if not self.free(e) and not e.atoms(Access, Guard, Reduced, Along) and not e.is_Function:
            return Number(e)
        if e.is_Add or e.is_Mul or isinstance(e, Access):
            return self.expression(e, frame, ())
        if isinstance(e, Guard):
            return self.bracket(e, frame)
        if isinstance(e, Index):
            return Range(self.extents[e])
        if isinstance(e, (FloorDiv, Mod)):
            op = "//" if isinstance(e, FloorDiv) else "%"
            return Whole(op, self.side(e.args[0], frame), self.side(e.args[1], frame))
        if isinstance(e, Reduced):
            return self.nested(e, frame)
        if isinstance(e, Along):
            return self.along(e, frame)
        if e.is_Function and len(e.args) == 1:
            return Elementwise(function_name(e), self.unit(e.args[0], frame))
        if e.is_Pow and e.exp.is_number:
            if e.exp == sympy.Rational(1, 2):
                return Elementwise("sqrt", self.unit(e.base, frame))
            return Power(self.unit(e.base, frame), e.exp)
        raise NoMatrixForm

    def bracket(self, e: Guard, frame: Frame) -> Node:
        if len(frame) > 1 and any(self.free(_without_reads(side)) for side in (e.lhs, e.rhs)):
            raise NoMatrixForm  # a matrix of row and column numbers: not what a reader looks for
        op, lhs, rhs = strict_relation(e.op, e.lhs, e.rhs)
        return Bracket(op, self.side(lhs, frame), self.side(rhs, frame))

    def side(self, e: Expr, frame: Frame) -> Node:
        """One side of a relation: a scalar stays a scalar, everything else is laid out over the frame."""
        return self.unit(e, ()) if not self.free(e) else self.expression(e, frame, ())

    def nested(self, e: Reduced, frame: Frame) -> Node:
        """A reduction within a body, over exactly the indices that it doesn't bind."""
        if any(i in self.extents and not self.same(self.extents[i], n) for i, n in e.extents.items()):
            raise NoMatrixForm  # one letter along two axes
        self.extents.update(e.extents)
        self.order += [i for i in e.indices if i not in self.order]
        inner = tuple(i for i in e.indices if i not in self.kept)
        summed = tuple((i, e.extents[i]) for i in e.indices if i in self.kept)
        if e.op == "sum":
            slid = correlated(self, sympy.Mul(*e.where, e.body), frame, inner)
            if slid is not None:
                return Summed(summed, slid) if summed else slid
            node = _of_rows(self.expression(sympy.Mul(*e.where, e.body), frame, inner), self.extents, inner)
            return Summed(summed, node) if summed else node
        if e.op not in ("max", "logsumexp") or summed:
            raise NoMatrixForm
        return self.largest(e.op, e.body, frame, inner, e.where)

    def largest(self, op: str, body: Expr, frame: Frame, inner: Frame, where: Collection[Guard]) -> Node:
        """A maximum, its place, or a logsumexp along one index."""
        if len(inner) != 1 or len(frame) > 1:
            raise NoMatrixForm
        matrix = self.expression(body, (*frame, *inner), ())
        if frame and not where:  # of columns, if that shows fewer transposes
            turned = self.expression(body, (*inner, *frame), ())
            matrix = transpose(turned) if transposes(turned) < transposes(matrix) else matrix
        return OfRows(op, self.masked(matrix, where, (*frame, *inner)))

    def masked(self, matrix: Node, where: Collection[Guard], frame: Frame) -> Node:
        """The matrix with −∞ where a condition on its rows and columns doesn't hold."""
        for guard in where:
            upper = self.half(guard, frame)
            if upper is None or isinstance(matrix, Triangle):
                raise NoMatrixForm
            matrix = Triangle(matrix, upper, -sympy.oo)
        return matrix

    def half(self, guard: Guard, frame: Frame) -> bool | None:
        """Whether a condition on rows and columns leaves the upper triangle, or the lower; else None."""
        sides = guard.lhs, guard.rhs
        if guard.op != "<=" or len(frame) != 2 or set(sides) != set(frame):
            return None
        return bool(sides[0] == frame[0])

    def along(self, e: Along, frame: Frame) -> Node:
        """A softmax along an index: of rows, where it is the column."""
        self.extents.setdefault(e.index, e.extent)
        if e.index in self.kept or not self.same(self.extents[e.index], e.extent):
            raise NoMatrixForm
        rows = tuple(i for i in frame if i != e.index)
        matrix = self.expression(e.body, (*rows, e.index), ())
        found = Rowwise(e.function, self.masked(matrix, e.where, (*rows, e.index)))
        return found if frame == (*rows, e.index) else transpose(found)

    # --- tensors
    def named(self, access: Access, left: Collection[int]) -> Named:
        """The tensor with the subscripts at all axes but those that are `left`."""
        shape = self.tensors[access.name].shape
        if len(left) == len(access.subscripts):
            return Named(access.name, len(left))
        subscripts = tuple(None if k in left else s for k, s in enumerate(access.subscripts))
        kept = [s for s in subscripts if s is not None]
        if not all(map(_is_simple, kept)):
            raise NoMatrixForm
        where = tuple(k for k in range(len(shape)) if k not in left)
        found = standing([self.described(s) for s in kept], [expression_text(n) for n in shape])
        return Named(access.name, len(left), subscripts, found != where)

    def described(self, subscript: Expr) -> Subscript:
        """What a reader sees of a subscript."""
        lengths = set[str]()
        for label in subscript.atoms(IntegerAccess):
            bound = self.bound(label.name)
            lengths |= {expression_text(bound)} if bound is not None else set()
        rest = subscript.xreplace({label: sympy.Integer(0) for label in subscript.atoms(IntegerAccess)})
        lengths |= {expression_text(self.extents[i]) for i in free_indices(rest)}
        return Subscript(frozenset(lengths), frozenset(size.name for size in free_sizes(rest)))

    def bound(self, label: str) -> Expr | None:
        """What the values of an integer tensor are below."""
        tensor = self.tensors[label]
        fact = tensor.fact("below") or tensor.fact("below or ignored")
        return None if fact is None else fact.bound


def _without_reads(e: Expr) -> Expr:
    return e.xreplace(dict.fromkeys(e.atoms(Access), sympy.Integer(0)))


def _is_simple(subscript: Expr) -> bool:
    """Whether a reader finds the element at once: a label, or indices and sizes added, as `t - 1`; of a label
    also every second one, `y_{l//2}`."""
    if isinstance(subscript, IntegerAccess):
        halved = [
            s.args[0] if isinstance(s, FloorDiv) and s.args[1].is_Integer else s for s in subscript.subscripts
        ]
        return subscript.outside in (None, 0) and all(map(_is_simple, halved))
    found = affine(subscript)
    return found is not None and all(abs(weight) == 1 for weight in found.weights.values())


def _of_rows(node: Node, extents: Mapping[Index, Expr], inner: Frame) -> Node:
    """`rowsum(A)` for A·𝟏 where A is put together itself; rowmean, where it is divided by the length."""
    divided = isinstance(node, Scale) and not node.over and len(inner) == 1
    if isinstance(node, Scale) and divided and node.under == (Number(extents[inner[0]]),):
        mean = node.body and _of_rows(node.body, extents, inner)
        return OfRows("mean", mean.inner) if isinstance(mean, OfRows) else node
    match node:
        case Product((Named() | Transpose(Named()), Ones())):
            return node
        case Product((matrix, Ones()), 1) if isinstance(matrix, (Hadamard, Elementwise, Power, Total)):
            return OfRows("sum", matrix)
        case _:
            return node
