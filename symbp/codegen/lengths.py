"""Integers in code as expressions in sizes: `2 * H + 1`.

Enters: an expression, what its names stand for. Leaves: a SymPy expression, or LookupError where
the code says something else. Must not know: targets, tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy

from symbp.codegen import tree
from symbp.codegen.printer import text
from symbp.ir.expr import Expr, FloorDiv, Mod

ARITHMETIC: Mapping[str, Callable[[Expr, Expr], Expr]] = {
    "+": lambda a, b: sympy.expand(a + b),
    "-": lambda a, b: sympy.expand(a - b),
    "*": lambda a, b: sympy.expand(a * b),
    "//": FloorDiv,
    "%": Mod,
}


def length(node: tree.Node, named: Callable[[str], Expr | None]) -> Expr:
    """An integer as an expression; `named` says what a name stands for, None for what is no such integer.
    Raises LookupError."""
    if isinstance(node, tree.Constant) and node.text.isdigit():
        return sympy.Integer(node.text)
    if isinstance(node, tree.Name):
        found = named(node.id)
        if found is not None:
            return found
    if isinstance(node, tree.Unary) and node.op == "-":
        return -length(node.operand, named)
    if isinstance(node, tree.Binary) and node.op in ARITHMETIC:
        return ARITHMETIC[node.op](length(node.left, named), length(node.right, named))
    raise LookupError(text(node))
