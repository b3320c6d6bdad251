"""Prints matrix expressions, in plain text or in LaTeX.

Enters: a tree of `matrix_tree` and a notation for names, numbers and functions. Leaves: text.
Must not know: equations, or where a tree came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.explain.matrix_tree import (
    Bracket,
    Diagonal,
    DiagonalOf,
    Elementwise,
    Extreme,
    Hadamard,
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
    Transpose,
)
from symbp.ir.printer import ADD as SCALAR_SUM
from symbp.ir.printer import ATOM as SCALAR
from symbp.ir.printer import MUL, TEXT, Notation

SUM, ELEMENTWISE, PRODUCT, POSTFIX, ATOM = 1, 2, 3, 4, 5  # binding strength of what was written
Written = tuple[str, int]


@dataclass(frozen=True)
class Spelling:
    """The signs of matrix notation; `scalar` spells everything that index notation has too."""

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
    power: str


TEXT_SPELLING = Spelling(TEXT, "ᵀ", "·", " ⊙ ", " ⊘ ", "𝟏", "I", "⁻¹", " - ", "‖{}‖²", "{}^∘{}")


def matrix_text(node: Node, spelling: Spelling = TEXT_SPELLING) -> str:
    """The expression in the given spelling."""
    return _Printer(spelling).write(node)[0]


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
            case Named(name):
                return self.scalar.access(name, [], None), ATOM
            case Number(value):
                # A sum of sizes is the only number that falls apart inside a product.
                return self.scalar.show(value), SUM if value.is_Add or value.is_negative else ATOM
            case Ones():
                return self.signs.ones, ATOM
            case Identity():
                return self.signs.identity, ATOM
            case Total(terms):
                return self.total(terms), SUM
            case Product(factors):
                return self.signs.times.join(self.wrapped(f, PRODUCT + 1) for f in factors), PRODUCT
            case Hadamard(over, under):
                text = self.signs.hadamard.join(self.wrapped(f, POSTFIX) for f in over)
                text += "".join(self.signs.divide + self.wrapped(f, POSTFIX) for f in under)
                return text, ELEMENTWISE
            case Scale(over, under, body):
                return self.scale([*over, *([] if body is None else [body])], under)
            case Transpose(inner):
                return self.base(inner) + self.signs.transpose, POSTFIX
            case OfMatrix("inverse", matrix):
                return self.base(matrix) + self.signs.inverse, POSTFIX
            case Power(base, exponent):
                return self.power(base, exponent)
            case _:
                return self.call(node), ATOM

    def total(self, terms: Sequence[tuple[bool, Node]]) -> str:
        text = ""
        for negative, term in terms:
            written = self.wrapped(term, ELEMENTWISE) if negative else self.write(term)[0]
            joint = (self.signs.minus if negative else " + ") if text else ("-" if negative else "")
            text += joint + written
        return text

    def scale(self, over: Sequence[Node], under: Sequence[Node]) -> Written:
        if len(over) == 1:
            text, strength = self.write(over[0])
        else:
            text = self.signs.times.join(self.wrapped(f, PRODUCT) for f in over) or "1"
            strength = PRODUCT if over else ATOM
        if not under:
            return text, strength
        # The scalar notation binds with strengths of its own.
        numerator = (text, SCALAR_SUM if strength <= ELEMENTWISE else MUL if strength == PRODUCT else SCALAR)
        below = self.signs.times.join(self.wrapped(f, PRODUCT) for f in under)
        alone = len(under) == 1 and self.write(under[0])[1] != PRODUCT  # no product or quotient itself
        written = self.scalar.fraction(numerator, (below, SCALAR if alone else MUL))
        return written[0], PRODUCT

    def power(self, base: Node, exponent: sympy.Expr) -> Written:
        if base.rank == 0:
            written = self.scalar.show(exponent)
            return self.scalar.power(self.wrapped(base, ATOM), exponent, written), POSTFIX
        if exponent == 2 and isinstance(base, (Named, Transpose)):
            return self.signs.hadamard.join([self.write(base)[0]] * 2), ELEMENTWISE
        return self.signs.power.format(self.base(base), self.scalar.show(exponent)), POSTFIX

    def call(self, node: Node) -> str:
        match node:
            case OneHot(labels):
                return self.scalar.call("onehot", [self.scalar.access(labels, [], None)])
            case Elementwise("sqrt", inner):
                return self.scalar.root(self.write(inner)[0])
            case Elementwise(function, inner):
                return self.scalar.call(function, [self.write(inner)[0]])
            case Diagonal(vector, inverted):
                call = self.scalar.call("diag", [self.write(vector)[0]])
                return call + (self.signs.inverse if inverted else "")
            case DiagonalOf(matrix):
                return self.scalar.call("diag", [self.write(matrix)[0]])
            case Trace(matrix):
                return self.scalar.call("tr", [self.write(matrix)[0]])
            case OfMatrix("logdet", matrix):
                return self.scalar.call("log", [self.scalar.call("|det|", [self.write(matrix)[0]])])
            case OfMatrix(op, matrix):
                return self.scalar.call(op, [self.write(matrix)[0]])
            case SquaredNorm(inner):
                return self.signs.norm.format(self.write(inner)[0])
            case Bracket(op, lhs, rhs):
                return self.bracket(op, lhs, rhs)
            case Extreme(op, inner):
                return self.scalar.call(("row" if inner.rank == 2 else "") + op, [self.write(inner)[0]])
            case _:
                raise TypeError(f"no notation for {type(node).__name__}")

    def bracket(self, op: str, lhs: Node, rhs: Node) -> str:
        if isinstance(lhs, Number):  # `[z > 0]`, not `[0 < z]`
            op, lhs, rhs = {"<": ">", "<=": ">="}.get(op, op), rhs, lhs
        return self.scalar.guard(op, self.write(lhs)[0], self.write(rhs)[0])
