"""Python syntax trees and text as the calls of a NumPy stage need them: what is replaced in them, what they
say, how they are put into parentheses.

Enters: trees and text. Leaves: the same. Must not know: forms, scratch, statements.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import sympy

from symbp.emit.elements import ElementSpelling
from symbp.ir.expr import Expr


class Taken(ast.NodeTransformer):
    """An expression where a test holds."""

    def __init__(self, test: ast.expr) -> None:
        self.test = ast.unparse(test)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self.visit(node.body) if ast.unparse(node.test) == self.test else self.generic_visit(node)


class Settled(ast.NodeTransformer):
    """An expression without the tests inside of a choice that the choice itself has made."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.body = Taken(node.test).visit(node.body)
        return self.generic_visit(node)


def without_which_zeros(operands: Sequence[ast.expr]) -> ast.expr | None:
    """The test without which all operands are zeros, if there is one."""
    choices = [[n for n in ast.walk(o) if isinstance(n, ast.IfExp)] for o in operands]
    if any(len(found) != 1 for found in choices):
        return None
    tests = {ast.unparse(found[0].test) for found in choices}
    empty = [ast.unparse(found[0].orelse).startswith("np.zeros(") for found in choices]
    return choices[0][0].test if len(tests) == 1 and all(empty) else None


class Replaced(ast.NodeTransformer):
    """An expression with one part of it under a name."""

    def __init__(self, part: ast.expr, name: str) -> None:
        self.part, self.name = ast.unparse(part), name

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and ast.unparse(node) == self.part:
            return ast.Name(self.name)
        return self.generic_visit(node)


def filled_with(node: ast.expr) -> ast.expr | None:
    """The number in `np.full(shape, number)`, `np.zeros(shape)` and `np.ones(shape)`."""
    if not isinstance(node, ast.Call):
        return None
    function = ast.unparse(node.func)
    if function == "np.full":
        return node.args[1]
    return {"np.zeros": ast.Constant(0), "np.ones": ast.Constant(1)}.get(function)


def bits(node: ast.BinOp) -> tuple[str, int] | None:
    """A quotient or a remainder by a power of two as a shift or a mask, of negative numbers, too: a division
    of integers costs ten times as much."""
    divisor = node.right.value if isinstance(node.right, ast.Constant) else None
    if not isinstance(divisor, int) or divisor < 2 or divisor & (divisor - 1):
        return None
    if isinstance(node.op, ast.Mod):
        return "bitwise_and", divisor - 1
    return ("right_shift", divisor.bit_length() - 1) if isinstance(node.op, ast.FloorDiv) else None


def number(text: str) -> str:
    """A number beside an array, which gives it its dtype."""
    return text.removeprefix("DTYPE(").removesuffix(")") if re.fullmatch(r"DTYPE\([-\d.e]+\)", text) else text


def count_of(shape: Sequence[Expr]) -> Expr:
    return sympy.expand(sympy.Mul(*shape))


def grouped(text: str, rows: Sequence[Expr], columns: Sequence[Expr]) -> str:
    """An array as a matrix of these rows and columns."""
    if len(rows) == len(columns) == 1:
        return text
    return f"{bracketed(text)}.reshape({size_text(count_of(rows))}, {size_text(count_of(columns))})"


def bracketed(text: str) -> str:
    """A choice in parentheses."""
    return f"({text})" if isinstance(ast.parse(text, mode="eval").body, ast.IfExp) else text


def size_text(extent: Expr) -> str:
    return ElementSpelling({}, {}, {}).integer(extent).text


def normal(text: str) -> str:
    """An expression as Python spells it, or nothing if the text is none."""
    try:
        return ast.unparse(ast.parse(text, mode="eval"))
    except SyntaxError:
        return ""
