"""The order in which axes lie in memory: those that loops run along come first.

Enters: a system, the names of the tensors whose shape others see. Leaves: the same system with the axes of
other tensors in another order, their equations and all reads with them. Must not know: targets, time.

A step of a recurrence works on `h[n, t, j]` at one t: as `h[t, n, j]` that is one piece of memory, which
products write to directly and calls pass over in one stretch. What shares the loop's index with such a
tensor, read or filled beside it, takes the same order, so that nothing is transposed on the way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from symbp.ir.expr import Access, Expr
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, Role, System
from symbp.lower.shared import Additions, Shared

Order = tuple[int, ...]  # where each axis was before


def loops_first(base: Shared, keep: Collection[str]) -> Shared:
    """The system with the axes that loops run along in front; the tensors in `keep` stay as they are, and
    data are copied once."""
    system = base.system
    fixed = {*keep, *(leaf.name for leaf in system.leaves)}
    fixed |= {e.target for e in system.equations if e.leaf is not None}
    front: dict[str, tuple[int, ...]] = {}
    for group in groups(system):
        _along(group, front, ())
    front = {name: axes for name, axes in front.items() if name not in fixed}
    if all(axes == tuple(range(len(axes))) for axes in front.values()):
        return base
    base = _copied(base, _followers(system, front, fixed))
    system = base.system
    _followers(system, front, fixed)
    orders = {
        name: (*axes, *(k for k in range(len(system.tensor(name).shape)) if k not in axes))
        for name, axes in front.items()
    }
    moved = {n: order for n, order in orders.items() if order != tuple(sorted(order))}
    return Shared(_ordered(system, moved), base.numbers)


def _copied(base: Shared, beside: Mapping[str, tuple[int, ...]]) -> Shared:
    """The system with copies of the inputs that stand beside tensors in another order, which all of their
    readers share; the copies will have that order."""
    bodies: dict[str, Expr] = {}
    additions = Additions(base)
    for name, axes in beside.items():
        tensor = base.system.tensor(name)
        if tensor.role is not Role.INPUT or tensor.integer or axes == tuple(range(len(axes))):
            continue
        for equation in base.system.equations:
            reads = [a for a in equation.reads if a.name == name]
            if equation.op != "sum" or len(reads) != 1 or not _plain(reads[0], equation):
                continue
            order = tuple(reads[0].subscripts)
            copy = additions.read(reads[0], equation, f"{name}_steps", order)
            body: Expr = bodies.get(equation.target, equation.body)
            bodies[equation.target] = body.xreplace({reads[0]: copy})
    return additions.done(bodies)


def _plain(access: Access, equation: Equation) -> bool:
    own = set(equation.all_indices)
    return len(set(access.subscripts)) == len(access.subscripts) and set(access.subscripts) <= own


def _along(group: Group, front: dict[str, tuple[int, ...]], outer: tuple[Mapping[str, int], ...]) -> None:
    """Notes the axes of a group's tensors along which its loops run, the outermost first."""
    if group.loop is not None:
        outer = (*outer, group.loop.axis)
    for name in group.targets:
        axes = tuple(axis[name] for axis in outer if name in axis)
        if axes:
            front[name] = tuple(dict.fromkeys(axes))
    for inner in group.inner:
        _along(inner, front, outer)


def _followers(
    system: System, front: dict[str, tuple[int, ...]], fixed: Collection[str]
) -> dict[str, tuple[int, ...]]:
    """Adds what is read or computed at the same index as what has its axis in front; returns what is fixed,
    and would have been added, too."""
    moved, beside = True, {}
    while moved:
        moved = False
        for equation in system.equations:
            for name, axes in _shared(equation, front):
                if name in fixed:
                    beside[name] = axes
                elif name not in front:
                    front[name] = axes
                    moved = True
    return beside


def _shared(
    equation: Equation, front: Mapping[str, tuple[int, ...]]
) -> Iterable[tuple[str, tuple[int, ...]]]:
    """The tensors of an equation that have the leading indices of another one as plain subscripts."""
    places = [(equation.target, equation.indices), *((a.name, a.subscripts) for a in equation.reads)]
    for name, subscripts in places:
        if name not in front:
            continue
        wanted = [subscripts[k] for k in front[name]]
        if not all(i in equation.all_indices for i in wanted):
            continue
        for other, own in places:
            if all(list(own).count(i) == 1 for i in wanted):
                yield other, tuple(list(own).index(i) for i in wanted)


def _ordered(system: System, orders: Mapping[str, Order]) -> System:
    tensors = tuple(
        replace(t, shape=tuple(t.shape[k] for k in orders[t.name])) if t.name in orders else t
        for t in system.tensors
    )
    return system.with_(tensors=tensors, equations=tuple(_equation(e, orders) for e in system.equations))


def _equation(equation: Equation, orders: Mapping[str, Order]) -> Equation:
    order = orders.get(equation.target, tuple(range(len(equation.indices))))
    kept = equation.ranges[len(equation.indices) :]
    return equation.with_(
        indices=tuple(equation.indices[k] for k in order),
        ranges=(*(equation.ranges[k] for k in order), *kept),
        body=_reads(equation.body, orders),
        where=tuple(_reads(guard, orders) for guard in equation.where),
    )


def _reads(e: Expr, orders: Mapping[str, Order]) -> Expr:
    """The expression with the subscripts of every read in the tensor's order."""
    if not e.atoms(Access):
        return e
    if isinstance(e, Access):
        subscripts = [_reads(s, orders) for s in e.subscripts]
        order = orders.get(e.name, tuple(range(len(subscripts))))
        outside = None if e.outside is None else _reads(e.outside, orders)
        return type(e)(e.name, *(subscripts[k] for k in order), outside=outside)
    return e.func(*[_reads(a, orders) for a in e.args])
