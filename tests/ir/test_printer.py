"""Texts of expressions: an order of symbp's own, and work that grows with what is written."""

from __future__ import annotations

import sympy

from symbp.ir.expr import Access, Expr, FloorDiv, Index, Mod, Size
from symbp.ir.printer import Notation, Written, expression_text

i = Index("i")
x, y = Access("x", i), Access("y", i)


class Counting(Notation):
    """Counts the nodes that are written."""

    def __init__(self) -> None:
        self.nodes = 0

    def _write(self, e: Expr, order: tuple[Index, ...]) -> Written:
        self.nodes += 1
        return super()._write(e, order)


def nested(depth: int) -> Expr:
    """`y − x·tanh(1 − …)`, again and again."""
    e: Expr = x
    for _ in range(depth):
        e = y - x * sympy.tanh(1 - e)
    return e


def test_each_node_is_written_once() -> None:
    counts = []
    for depth in (8, 16, 24):
        notation = Counting()
        notation.show(nested(depth), (i,))
        counts.append(notation.nodes)
    assert counts[2] - counts[1] == counts[1] - counts[0]


def test_signs_in_sums() -> None:
    assert expression_text(y - x * (1 - y), (i,)) == "y[i] - (1 - y[i])·x[i]"
    assert expression_text(-x - y, (i,)) == "-x[i] - y[i]"
    assert expression_text(sympy.Add(-2, -x), (i,)) == "-2 - x[i]"


def test_a_quotient_of_integers_as_a_factor_is_in_parentheses() -> None:
    size = Size("H")
    half = FloorDiv(size, 2)
    assert expression_text(2 * half) == "2·(H//2)"
    assert expression_text(half + i) == "i + H//2"
    assert expression_text(FloorDiv(2 * size, 3) + Mod(i, 2)) == "i%2 + (2·H)//3"
