"""The size that counts examples: along it data may be shuffled, and a part of them taken alone.

Enters: a system, the sizes that are open. Leaves: one of these, or none.
Must not know: how a training goes over examples, or what batches are for.

Along steps of time, or nodes of a graph, data have a first axis, too. A size counts examples unless something
says that places matter along it: an axis of a parameter, a second axis of the same array (the edges of a
graph), a target whose examples are along another axis of the same data, a neighbour (`h[t - 1]`), a certain
place (`h[-1]`), an order of places (`s ≤ t`), a place that is data (`x[child[n]]`) or a number.
"""

from __future__ import annotations

from collections.abc import Collection

import sympy

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
    parts_of,
)
from symbp.ir.system import Equation, Role, System, Tensor


def examples(system: System, open_sizes: Collection[str]) -> str | None:
    """The first axis of the data, if its size is open and counts examples."""
    data = [t for t in system.with_role(Role.INPUT, Role.TARGET) if t.shape]
    firsts = dict.fromkeys(t.shape[0] for t in data)
    for size in firsts:
        if isinstance(size, Size) and size.name in open_sizes and _counts(size, data, system, open_sizes):
            return str(size.name)
    return None


def _counts(size: Size, data: Collection[Tensor], system: System, open_sizes: Collection[str]) -> bool:
    kept = system.with_role(Role.PARAMETER, Role.BUFFER)
    if any(_sizes(t) & {size} for t in kept) or any(_has(size, t.shape[1:]) for t in data):
        return False
    beside = {s for t in data if t.shape[0] == size for s in _sizes(t) if s.name in open_sizes}
    apart = [t for t in data if t.role is Role.TARGET and t.shape[0] != size]
    if any(_sizes(t) & beside for t in apart):
        return False
    return not any(_in_order(equation, size, system) for equation in system.equations)


def _sizes(tensor: Tensor) -> set[Size]:
    return {s for extent in tensor.shape for s in extent.free_symbols if isinstance(s, Size)}


def _has(size: Size, extents: Collection[Expr]) -> bool:
    return any(size in extent.free_symbols for extent in extents)


def _in_order(equation: Equation, size: Size, system: System) -> bool:
    """Whether the equation asks where along the size something stands."""
    own = {index for index, extent in equation.extents.items() if extent == size}
    for read in equation.reads:
        along = zip(read.subscripts, system.tensor(read.name).shape, strict=True)
        if any(extent == size and _is_place(s, size, equation, system) for s, extent in along):
            return True
    parts = (equation.body, *equation.where)
    return any(_counted(part) & own or _compared(part, own, equation, system) for part in parts)


def _is_place(subscript: Expr, size: Size, equation: Equation, system: System) -> bool:
    """Whether a read along the size is that of a certain place, or of a neighbour. Axes that are joined or
    taken apart, `x[m//T, m%T]`, leave the examples as they are."""
    if isinstance(subscript, Index):
        shorter = sympy.expand(size - equation.extents[subscript])
        return bool(shorter.is_Integer and shorter > 0)
    if subscript.has(IntegerAccess):
        return _is_data(subscript, system)
    indices = free_indices(subscript)
    if subscript.has(FloorDiv, Mod):
        return not indices
    offset = sympy.expand(subscript.xreplace(dict.fromkeys(indices, sympy.S.Zero)))
    if len(indices) != 1 or (offset.is_Integer and offset != 0):
        return True
    return bool(sympy.expand(subscript - offset - next(iter(indices))) != 0)


def _is_data(e: Expr, system: System) -> bool:
    return any(read.name not in system.defining for read in parts_of(e, IntegerAccess))


def _counted(e: Expr) -> set[Index]:
    """The indices that stand for numbers: outside of reads and conditions."""
    if isinstance(e, Index):
        return {e}
    if isinstance(e, (Access, Guard)):
        return set()
    return set().union(*map(_counted, e.args)) if e.args else set()


def _compared(e: Expr, own: Collection[Index], equation: Equation, system: System) -> bool:
    """Whether a condition asks for an order of places, or for one place; not the order among equal values, by
    which a sort is stable."""
    if isinstance(e, Guard):
        return e.lhs.is_integer and e.rhs.is_integer and _asks(e, own, equation, system)
    among = [g for g in e.args if isinstance(g, Guard)] if e.is_Mul else []
    stable = any(g.op == "=" and not (g.lhs.is_integer and g.rhs.is_integer) for g in among)
    return any(_compared(arg, own, equation, system) for arg in e.args if not (stable and arg in among))


def _asks(guard: Guard, own: Collection[Index], equation: Equation, system: System) -> bool:
    """Whether a condition between integers is one on places along the size."""
    sides = [_counted(side) & set(own) for side in (guard.lhs, guard.rhs)]
    if not any(sides):
        return False
    if guard.op in ("=", "!="):
        same = all(isinstance(side, Index) for side in (guard.lhs, guard.rhs))
        found = guard.has(IntegerAccess) and not _is_data(guard, system)
        return not (same or found)
    return not all(side and side <= set(equation.reduced) for side in sides)  # pairs, each of them once
