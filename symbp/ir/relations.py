"""Relations as people state them: `t < T - 1`, not `t + 2 <= T`.

Enters: a relation and its two sides. Leaves: the same relation. Must not know: notations, systems.
"""

from __future__ import annotations

from symbp.ir.expr import (
    Expr,
    Index,
)


def readable_relation(op: str, lhs: Expr, rhs: Expr) -> tuple[str, Expr, Expr]:
    """A relation with an index by itself on its left, if it has one: `t = T - 1`, not `T = t + 1`."""
    op, lhs, rhs = strict_relation(*number_last(op, lhs, rhs))
    whole = lhs.is_integer and rhs.is_integer
    step = _step(lhs)
    if whole and step > 0 and op == "<=":  # `t < T - 1`, not `t + 2 <= T`
        op, lhs, rhs = "<", lhs - step, rhs - step + 1
    elif op in ("=", "!=") and not isinstance(lhs, Index):
        lhs, rhs = (rhs, lhs) if _step(rhs) else (lhs, rhs)
        lhs, rhs = lhs - _step(lhs), rhs - _step(lhs)
    return op, lhs, rhs


def number_last(op: str, lhs: Expr, rhs: Expr) -> tuple[str, Expr, Expr]:
    """A relation with a number on its right, if it has one: `z > 0`, not `0 < z`."""
    if lhs.is_number:
        return {"<": ">", "<=": ">="}.get(op, op), rhs, lhs
    return op, lhs, rhs


def strict_relation(op: str, lhs: Expr, rhs: Expr) -> tuple[str, Expr, Expr]:
    """A relation of integers without the one by which it isn't strict: `m < A`, not `m + 1 <= A`."""
    whole = lhs.is_integer and rhs.is_integer
    if whole and op == "<=" and lhs.is_Add and lhs.as_coeff_Add()[0] == 1:
        return "<", lhs - 1, rhs
    return op, lhs, rhs


def _step(e: Expr) -> int:
    """c of an index and a number, `t + c`; 0 for all else."""
    number, rest = e.as_coeff_Add()
    return int(number) if isinstance(rest, Index) and number.is_Integer else 0
