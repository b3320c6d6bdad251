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

from symbp.ir.affine import affine
from symbp.ir.expr import Access, Expr, FloorDiv, Index, Mod, Size, free_indices
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, Role, System
from symbp.lower.passes.common_subexpressions import Additions, Shared

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
        order = (*axes, *(k for k in range(len(tensor.shape)) if k not in axes))
        plain = tuple(Index(f"i{k}") for k in range(len(order)))
        for equation in base.system.equations:
            reads = [a for a in equation.reads if a.name == name]
            if equation.op != "sum" or len(reads) != 1 or reads[0].outside is not None:
                continue
            whole = Equation(equation.target, plain, tensor.at(*plain), ranges=tensor.shape)
            copy = additions.read(whole.body, whole, f"{name}_turned", tuple(plain[k] for k in order))
            turned = Access(copy.name, *(reads[0].subscripts[k] for k in order))
            body: Expr = bodies.get(equation.target, equation.body)
            bodies[equation.target] = body.xreplace({reads[0]: turned})
    return additions.done(bodies)


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


# --- the batch last
def batch_last(base: Shared, keep: Collection[str], batch: str | None) -> Shared:
    """The system with the batch as the last axis of images, if it has convolutions and no loops: windows of
    `x[c, i, j, n]` are stretches of at least a batch, and a convolution is one product. Data are copied."""
    system = base.system
    size = Size(batch or "")
    if batch is None or any(group.loop is not None for group in groups(system)):
        return base
    if not any(_convolves(e, size) for e in system.equations):
        return base
    fixed = {*keep, *(leaf.name for leaf in system.leaves), *(e.target for e in system.equations if e.leaf)}
    axes: dict[str, int] = {}
    moved = True
    while moved:
        moved = False
        for equation in system.equations:
            found = _batched(equation, size)
            joined = _moves_windows(equation) or (equation.op != "sum" and any(n in axes for n in found))
            new = {n: axis for n, axis in found.items() if n not in axes} if joined else {}
            axes |= new
            moved = moved or bool(new)
    beside = {name: axis for name, axis in axes.items() if name in fixed}
    base = _copied(base, {n: _last(base.system, n, axis) for n, axis in beside.items()})
    orders = {n: _last(base.system, n, axis) for n, axis in axes.items() if n not in fixed}
    return Shared(_ordered(base.system, orders), base.numbers)


def _last(system: System, name: str, axis: int) -> Order:
    rank = len(system.tensor(name).shape)
    return (*(k for k in range(rank) if k != axis), axis)


def _batched(equation: Equation, size: Size) -> dict[str, int]:
    """The tensors of an equation with the batch's index as a plain subscript, and where."""
    indices = {i for i, extent in equation.extents.items() if extent == size}
    found: dict[str, int] = {}
    for name, subscripts in (
        (equation.target, equation.indices),
        *((a.name, a.subscripts) for a in equation.reads),
    ):
        at = [k for k, s in enumerate(subscripts) if s in indices]
        if len(at) == 1 and len(subscripts) > 1:
            found.setdefault(name, at[0])
    return found


def _moves_windows(equation: Equation) -> bool:
    return any(
        len(free_indices(s)) > 1 or s.atoms(FloorDiv, Mod) for a in equation.reads for s in a.subscripts
    )


def _convolves(equation: Equation, size: Size) -> bool:
    """Whether this sums a product over windows of a tensor with the batch as an axis."""
    return equation.op == "sum" and any(
        a.name in _batched(equation, size) and any(_overlaps(s, equation) for s in a.subscripts)
        for a in equation.reads
    )


def _overlaps(subscript: Expr, equation: Equation) -> bool:
    form = affine(subscript)
    return (
        form is not None
        and len(form.weights) == 2
        and all(abs(w) == 1 for w in form.weights.values())
        and any(i in equation.reduced for i in form.weights)
    )


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
