"""Prints matrix expressions, in plain text or in LaTeX.

Enters: a tree of `tree` and a notation for names, numbers and functions. Leaves: text, which the grammar of
`symbp.read.grammar` reads. Must not know: equations in index notation, or where a tree came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, free_indices
from symbp.ir.printer import ADD as SCALAR_SUM
from symbp.ir.printer import ATOM as SCALAR
from symbp.ir.printer import MUL, POW, QUOTIENT, TEXT, Notation
from symbp.ir.relations import readable_relation
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
    Number,
    OfMatrix,
    OfRows,
    OneHot,
    Ones,
    Power,
    Product,
    Range,
    Rows,
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

SUM, ELEMENTWISE, PRODUCT, POSTFIX, ATOM = 1, 2, 3, 4, 5  # binding strength of what was written
STRENGTHS = {SCALAR_SUM: SUM, QUOTIENT: ELEMENTWISE, MUL: ELEMENTWISE, POW: ATOM, SCALAR: ATOM}
Written = tuple[str, int]


def _text_named(notation: Notation, name: str, subscripts: Sequence[str]) -> str:
    """`h_{t-1}`: braces, since an underscore may stand in a name."""
    written = notation.access(name, [], None)
    return f"{written}_{{{','.join(subscripts)}}}" if subscripts else written


@dataclass(frozen=True)
class Spelling:
    """The signs of matrix notation; `scalar` spells everything that index notation has too, `named` a tensor
    with its subscripts, `between` a tensor and what stands outside its range."""

    scalar: Notation
    transpose: str
    times: str
    hadamard: str
    divide: str
    ones: str
    identity: str
    inverse: str
    minus: str
    norm: str
    square: str
    power: str
    correlation: str
    kronecker: str
    summed: str
    rows: str
    named: Callable[[Notation, str, Sequence[str]], str]
    beyond: Callable[[str, str], str]


def _text_beyond(inside: str, outside: str) -> str:
    return f"{inside.removesuffix('}')} | {outside}}}"


TEXT_SPELLING = Spelling(
    TEXT, "ᵀ", "·", " ⊙ ", " ⊘ ", "𝟏", "I", "⁻¹", " - ", "‖{}‖", "²", "{}^∘{}", " ⋆ ", " ⊗ ", "Σ_{} ",
    "{}[{}]", _text_named, _text_beyond,
)  # fmt: skip


def matrix_text(node: Node, spelling: Spelling = TEXT_SPELLING) -> str:
    """The expression in the given spelling."""
    return _Printer(spelling).write(node)[0]


def matrix_sides(equation: MatrixEquation, spelling: Spelling = TEXT_SPELLING) -> tuple[str, str]:
    """Both sides of an equation in the given spelling."""
    left, right = matrix_text(equation.left, spelling), matrix_text(equation.right, spelling)
    if equation.condition is None:
        return left, right
    return left, right + spelling.scalar.holding(spelling.scalar.show(equation.condition))


def is_written_as_product(node: Power) -> bool:
    """Whether a matrix's power is written as a ⊙ a."""
    return bool(node.exponent == 2) and isinstance(node.base, (Named, Transpose))


class _Printer:
    def __init__(self, spelling: Spelling) -> None:
        self.signs, self.scalar = spelling, spelling.scalar

    def wrapped(self, node: Node, least: int) -> str:
        text, strength = self.write(node)
        return text if strength >= least else self.scalar.parenthesis(text)

    def base(self, node: Node) -> str:
        """What gets a sign behind it."""
        return self.scalar.base(self.wrapped(node, ATOM))

    def write(self, node: Node) -> Written:
        match node:
            case Named():
                return self.named(node), ATOM if self.is_one_sign(node) else POSTFIX
            case Number(value):
                written, strength = self.scalar.written(value)
                return written, STRENGTHS[strength]
            case Ones():
                return self.signs.ones, ATOM
            case Identity(extent, sized):
                sign = self.signs.identity
                return (self.scalar.lowered(sign, self.scalar.show(extent)) if sized else sign), ATOM
            case Total(terms):
                return self.total(terms), SUM
            case Product(factors):
                return self.signs.times.join(self.wrapped(f, PRODUCT + 1) for f in factors), PRODUCT
            case Hadamard(over, under):
                text = self.signs.hadamard.join(map(self.factor, over))
                text += "".join(self.signs.divide + self.wrapped(f, POSTFIX) for f in under)
                return text, ELEMENTWISE
            case Summed(indices, body):
                letters = self.scalar.comma.join(self.scalar.symbol(i) for i, _ in indices)
                return self.signs.summed.format(letters) + self.wrapped(body, ELEMENTWISE), ELEMENTWISE
            case Whole(op, left, right):
                sides = [(self.wrapped(side, ATOM), SCALAR) for side in (left, right)]
                return self.scalar.quotient(sides[0], sides[1], op)[0], ELEMENTWISE
            case Correlation(image, kernel, pads):
                slid = self.padded(image, pads) + self.signs.correlation + self.wrapped(kernel, POSTFIX)
                return slid, ELEMENTWISE
            case Kronecker(a, b):
                return self.wrapped(a, POSTFIX) + self.signs.kronecker + self.wrapped(b, POSTFIX), ELEMENTWISE
            case Scale(over, under, body):
                return self.scale([*over, *([] if body is None else [body])], under)
            case Transpose(inner):
                return self.scalar.raised(self.base(inner), self.signs.transpose), POSTFIX
            case OfMatrix("inverse", matrix):
                return self.scalar.raised(self.base(matrix), self.signs.inverse), POSTFIX
            case Power(base, exponent):
                return self.power(base, exponent)
            case _:
                return self.call(node), ATOM

    def factor(self, node: Node) -> str:
        """A factor of an elementwise product, a square a ⊙ a without a parenthesis."""
        square = isinstance(node, Power) and node.rank > 0 and is_written_as_product(node)
        return self.write(node)[0] if square else self.wrapped(node, POSTFIX)

    def named(self, node: Named) -> str:
        """A tensor with its subscripts; `:` stands for an axis that is left where a reader couldn't tell."""
        shown = [s for s in node.subscripts if s is not None or node.colons]
        subscripts = [":" if s is None else self.subscript(s) for s in shown]
        written = self.signs.named(self.scalar, node.name, subscripts)
        return written if node.outside is None else self.signs.beyond(written, self.write(node.outside)[0])

    def is_one_sign(self, node: Node) -> bool:
        """Whether a tensor's symbol holds together where a sign is raised behind it: `∂L/∂W` doesn't."""
        return not isinstance(node, Named) or self.scalar.binding(node.name) == SCALAR

    def subscript(self, e: Expr) -> str:
        """An expression of indices, or a label with subscripts of its own."""
        if e.is_Add:
            return self.shifted(e)
        if not isinstance(e, Access):
            return self.scalar.show(e)
        return self.signs.named(self.scalar, e.name, [self.subscript(s) for s in e.subscripts])

    def shifted(self, e: Expr) -> str:
        """`t-1`, `w+l-1`: what it starts from before what is added, without spaces."""
        terms = sorted(e.args, key=lambda t: (t.is_number, not free_indices(t), self.scalar.show(t)))
        terms.sort(key=lambda t: bool(t.could_extract_minus_sign()))
        text = ""
        for term in terms:
            negative = bool(term.could_extract_minus_sign())
            written = self.scalar.wrapped(self.scalar.written(-term if negative else term), MUL)
            text += (self.scalar.sign("-") if negative else self.scalar.sign("+") if text else "") + written
        return text

    def padded(self, image: Node, pads: Sequence[Expr]) -> str:
        """The image with zeros around it, as many as are said once if all axes have the same number."""
        if all(pad == 0 for pad in pads):
            return self.wrapped(image, POSTFIX)
        numbers = pads[:1] if len(set(pads)) == 1 else pads
        return self.scalar.call("pad", [self.write(image)[0], *map(self.scalar.show, numbers)])

    def total(self, terms: Sequence[tuple[bool, Node]]) -> str:
        text = ""
        for negative, term in terms:
            written = self.wrapped(term, ELEMENTWISE) if negative else self.write(term)[0]
            first = self.scalar.sign("-") if negative else ""
            text += ((self.signs.minus if negative else self.scalar.plus) if text else first) + written
        return text

    def scale(self, over: Sequence[Node], under: Sequence[Node]) -> Written:
        if len(over) == 1:
            text, strength = self.write(over[0])
        else:
            text = self.signs.times.join(self.wrapped(f, PRODUCT) for f in over) or self.scalar.one
            strength = PRODUCT if over else ATOM
        if not under:
            return text, strength
        # The scalar notation binds with strengths of its own.
        numerator = (text, SCALAR_SUM if strength <= ELEMENTWISE else MUL if strength == PRODUCT else SCALAR)
        written = self.scalar.fraction(numerator, self.below(under))
        return written[0], PRODUCT

    def below(self, under: Sequence[Node]) -> Written:
        """A denominator, with a strength of the scalar notation: a sum alone gets its parenthesis there."""
        if len(under) > 1:
            return self.signs.times.join(self.wrapped(f, PRODUCT) for f in under), MUL
        text, strength = self.write(under[0])
        if strength <= ELEMENTWISE:
            return text, SCALAR_SUM
        return text, SCALAR if strength != PRODUCT and self.is_one_sign(under[0]) else MUL

    def power(self, base: Node, exponent: sympy.Expr) -> Written:
        written = self.scalar.wrapped(self.scalar.written(exponent), SCALAR)
        if base.rank == 0:
            return self.scalar.power(self.wrapped(base, ATOM), exponent, written), POSTFIX
        if is_written_as_product(Power(base, exponent)):
            return self.signs.hadamard.join([self.write(base)[0]] * 2), ELEMENTWISE
        return self.signs.power.format(self.base(base), written), POSTFIX

    def call(self, node: Node) -> str:
        match node:
            case OneHot(labels):
                return self.scalar.call("onehot", [self.write(labels)[0]])
            case Rows(matrix, labels):
                return self.signs.rows.format(self.write(matrix)[0], self.write(labels)[0])
            case Range(extent):
                return self.scalar.call("range", [self.scalar.show(extent)])
            case Triangle(inner, upper, fill):
                filled = [] if fill is None else [self.scalar.show(fill)]
                return self.scalar.call("triu" if upper else "tril", [self.write(inner)[0], *filled])
            case Turned(inner):
                return self.scalar.call("rot180", [self.write(inner)[0]])
            case Strided(inner, steps):
                numbers = steps[:1] if len(set(steps)) == 1 else steps
                return self.scalar.call("stride", [self.write(inner)[0], *map(self.scalar.show, numbers)])
            case MaxPool(inner, window):
                numbers = window[:1] if len(set(window)) == 1 else window
                return self.scalar.call("maxpool", [self.write(inner)[0], *map(self.scalar.show, numbers)])
            case Flattened(name):
                return self.scalar.call("flatten", [self.scalar.access(name, [], None)])
            case Rowwise(op, inner):
                return self.scalar.call(op, [self.write(inner)[0]])
            case Elementwise("sqrt", SquaredNorm(inner)):
                return self.signs.norm.format(self.write(inner)[0])
            case Elementwise("sqrt", inner):
                return self.scalar.root(self.write(inner)[0])
            case Elementwise(function, inner):
                return self.scalar.call(function, [self.write(inner)[0]])
            case Diagonal(vector, inverted):
                call = self.scalar.call("diag", [self.write(vector)[0]])
                return self.scalar.raised(call, self.signs.inverse) if inverted else call
            case DiagonalOf(matrix):
                return self.scalar.call("diag", [self.write(matrix)[0]])
            case Trace(matrix):
                return self.scalar.call("tr", [self.write(matrix)[0]])
            case OfMatrix(op, matrix):
                return self.scalar.call(op, [self.write(matrix)[0]])
            case SquaredNorm(inner):
                return self.scalar.raised(self.signs.norm.format(self.write(inner)[0]), self.signs.square)
            case Bracket(op, lhs, rhs):
                return self.bracket(op, lhs, rhs)
            case OfRows(op, Transpose(inner)) if inner.rank == 2 and op != "logsumexp":
                return self.scalar.call(f"col{op}", [self.write(inner)[0]])
            case OfRows(op, inner):
                rows = "row" if inner.rank == 2 and op != "logsumexp" else ""
                return self.scalar.call(rows + op, [self.write(inner)[0]])
            case _:
                raise TypeError(f"no notation for {type(node).__name__}")

    def bracket(self, op: str, lhs: Node, rhs: Node) -> str:
        if isinstance(lhs, Number) and isinstance(rhs, Number):
            op, left, right = readable_relation(op, lhs.value, rhs.value)
            return self.scalar.guard(op, self.write(Number(left))[0], self.write(Number(right))[0])
        if isinstance(lhs, Number) and lhs.value.is_number:  # `[z > 0]`, not `[0 < z]`
            op, lhs, rhs = {"<": ">", "<=": ">="}.get(op, op), rhs, lhs
        return self.scalar.guard(op, self.write(lhs)[0], self.write(rhs)[0])
