"""Relations: whether one of numbers holds, and the one spelling of one of integers.

Enters: a relation's sign and its sides. Leaves: a truth, or the sign and sides in one order. Must not know:
brackets, which are made of them.
"""

from __future__ import annotations

from typing import Any

import sympy

Expr = Any


def relation_holds(op: str, lhs: Expr, rhs: Expr) -> bool | None:
    """Whether a relation of numbers holds; None where SymPy knows no digits, as of a page's `relu(0)`."""
    difference = sympy.N(lhs - rhs, 50)
    if not difference.is_Number:
        return None
    if op in ("=", "!="):
        return bool(difference == 0) == (op == "=")
    return bool(difference < 0) or (op == "<=" and bool(difference == 0))


def canonical_relation(op: str, lhs: Expr, rhs: Expr) -> tuple[str, Expr, Expr]:
    """A relation of integers with each term where its sign is positive; `a < b` as `a + 1 <= b`."""
    difference = sympy.expand(rhs - lhs)
    if op == "<":
        op, difference = "<=", difference - 1
    terms = sorted(sympy.Add.make_args(difference), key=sympy.default_sort_key)
    positive = [term for term in terms if not term.could_extract_minus_sign()]
    negative = [-term for term in terms if term.could_extract_minus_sign()]
    left, right = sympy.Add(*negative), sympy.Add(*positive)
    if op in ("=", "!=") and sympy.default_sort_key(right) < sympy.default_sort_key(left):
        left, right = right, left
    return op, left, right
