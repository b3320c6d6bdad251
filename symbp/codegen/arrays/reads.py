"""Reads of tensors: a view where subscripts are indices, windows where they are sums of these, else elements
at computed places, with the value that a read outside of the array has.

Enters: an access and its frame. Leaves: a value. Must not know: what surrounds the read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays.frame import Frame, Variable
from symbp.codegen.arrays.values import Axes, Value, aligned, filled, joined
from symbp.codegen.arrays.windows import reshaped, windows
from symbp.codegen.tree import Expression, Node, Slice
from symbp.ir.bounds import never_negative, within
from symbp.ir.expr import Access, Expr, Index, IntegerAccess, free_indices

Lower = Callable[[Expr, Frame], Value]


def read(access: Access, frame: Frame, lower: Lower) -> Value:
    """The elements that an access reads; `lower` makes a value of what it is outside of the array."""
    variable = frame.variables[access.name]
    if variable.steps:
        return _at_step(access, variable, frame, lower)
    if not access.subscripts:
        return Value(variable.node)
    if access.outside is None and not frame.guarded and _may_run_out(access, variable, frame):
        access = access.with_(outside=sympy.S.Zero)
    plain = _plain(access.subscripts, variable, frame, access.outside is None)
    rest = [k for k in range(len(access.subscripts)) if k not in plain]
    missing = [g for k in rest for g in _outside(access.subscripts[k], variable.shape[k], frame)]
    missing = [g for g in missing if g not in frame.assumed]
    if any(g == 0 for g in missing) and (access.outside is not None or frame.guarded):
        return Value(infer.number(0)) if access.outside is None else lower(access.outside, frame)
    scalars = all(not _has_axes(access.subscripts[k], frame) for k in rest)
    if scalars and (not missing or access.outside is not None or frame.guarded):
        return _view(access, plain, missing, frame, lower)
    if len(plain) < len(access.subscripts):
        found = reshaped(access, variable, frame) or windows(access, variable, frame)
        if found is not None:
            return found
    if missing and (access.outside is not None or frame.guarded):
        return _taken(access, plain, frame, lower)
    return _elements(access, plain, frame)


def _may_run_out(access: Access, variable: Variable, frame: Frame) -> bool:
    """Whether an index runs farther than its axis: on a page another factor is 0 there."""
    for subscript, extent in zip(access.subscripts, variable.shape, strict=True):
        if isinstance(subscript, Index) and subscript not in frame.running:
            known = frame.extents[subscript]
            spare = (frame.full(extent) - frame.full(known)).xreplace(dict(frame.bound))
            if not frame.same(known, extent) and not never_negative(spare, {}):
                return True
    return False


def _has_axes(subscript: Expr, frame: Frame) -> bool:
    return bool(free_indices(subscript) - set(frame.running))


def _plain(subscripts: Sequence[Expr], variable: Variable, frame: Frame, inside: bool) -> dict[int, Index]:
    """The positions at which an index runs over the whole axis, or over its beginning, and stands nowhere
    else in the access."""
    found: dict[int, Index] = {}
    for k, s in enumerate(subscripts):
        alone = all(s not in free_indices(other) for j, other in enumerate(subscripts) if j != k)
        if isinstance(s, Index) and s not in frame.running and alone:
            extent = frame.extents[s]
            if frame.same(extent, variable.shape[k]) or (inside and not frame.guarded):
                found[k] = s
    return found


def _outside(subscript: Expr, extent: Expr, frame: Frame) -> list[Expr]:
    """The guards that say that a subscript is inside, without those that always hold."""
    if isinstance(subscript, IntegerAccess) and subscript.outside in (None, 0):
        below = frame.variables[subscript.name].below
        if below is not None and frame.same(below, extent):
            return []
    extents = {i: frame.full(e) for i, e in frame.extents.items()}
    return within(subscript, frame.full(extent), extents)


def _slice(index: Index, extent: Expr, frame: Frame) -> Slice:
    from symbp.codegen.arrays.bodies import length

    if frame.same(frame.extents[index], extent):
        return Slice()
    return Slice(None, length(frame.extents[index], frame))


def _view(
    access: Access, plain: Mapping[int, Index], missing: Sequence[Expr], frame: Frame, lower: Lower
) -> Value:
    """A view: whole axes, and single places along others; beyond the array its value there."""
    from symbp.codegen.arrays.bodies import integer

    variable = frame.variables[access.name]
    axes = tuple(plain.values())
    items: list[Node] = [
        _slice(plain[k], variable.shape[k], frame) if k in plain else integer(s, frame).node
        for k, s in enumerate(access.subscripts)
    ]
    while items and isinstance(items[-1], Slice) and items[-1].stop is None:
        items.pop()
    shape = tuple(frame.extents[index] for index in axes)
    node: Expression = infer.sliced(variable.node, items, shape) if items else variable.node
    return _or_outside(Value(node, axes), access, missing, frame, lower)


def _or_outside(value: Value, access: Access, missing: Sequence[Expr], frame: Frame, lower: Lower) -> Value:
    """The value that is read, where a place is inside as far as that isn't known, else the one outside."""
    from symbp.codegen.arrays.bodies import conjunction, length

    if not missing:
        return value
    condition = conjunction(missing, frame).node
    if access.outside is None:
        other = Value(infer.number(0))
    else:
        other = lower(access.outside, frame)
    axes = value.axes
    more = tuple(i for i in other.axes if i not in axes)
    whole = joined([axes, other.axes], frame.order) if more else axes
    here = aligned(value, whole)
    there = filled(other, whole, frame.extents, lambda e: length(e, frame), here.dtype)
    return Value(infer.choice(here, condition, there), whole)


def _at_step(access: Access, variable: Variable, frame: Frame, lower: Lower) -> Value:
    """A read of a tensor that loops are filling in: of an earlier step of the outer loop or, within this
    step, of one of the inner loop."""
    from symbp.codegen.arrays.bodies import integer

    gone: list[int] = []
    for step in variable.steps:
        subscript = access.subscripts[step.axis]
        gone.append(step.axis)
        here = isinstance(subscript, Index) and frame.running.get(subscript) == step.at
        if not here or step is variable.steps[-1]:
            break
    kept = [k for k in range(len(access.subscripts)) if k not in gone]
    missing = [g for g in _outside(subscript, variable.shape[step.axis], frame) if g not in frame.assumed]
    if access.outside is None and not frame.guarded:
        missing = []
    if any(g == 0 for g in missing):
        return Value(infer.number(0)) if access.outside is None else lower(access.outside, frame)
    element = step.node
    if not step.alone:
        shape = (variable.shape[k] for k in kept)
        element = infer.sliced(step.node, [integer(subscript, frame).node], shape)
        element = replace(element, dtype=variable.node.dtype)
    inner = type(access)(access.name, *(access.subscripts[k] for k in kept), outside=access.outside)
    variables = {**frame.variables, access.name: Variable(element, variable.below)}
    value = read(inner, replace(frame, variables=variables), lower)
    return _or_outside(value, access, missing, frame, lower)


def _places(access: Access, frame: Frame) -> list[Value]:
    from symbp.codegen.arrays.bodies import integer

    return [integer(s, frame) for s in access.subscripts]


def _taken(access: Access, plain: Mapping[int, Index], frame: Frame, lower: Lower) -> Value:
    """Elements at places that may lie outside of the array; axes in front and behind are taken whole."""
    variable = frame.variables[access.name]
    places = _places(access, frame)
    whole = {k: i for k, i in plain.items() if frame.same(frame.extents[i], variable.shape[k])}
    rest = [k for k in range(len(places)) if k not in whole]
    first, last = rest[0], rest[-1]
    parts = [places[k] for k in range(first, last + 1)]
    outside = None if access.outside in (None, 0) else lower(access.outside, frame)
    together = joined([p.axes for p in parts], frame.order)
    before = tuple(whole[k] for k in range(first))
    after = tuple(whole[k] for k in range(last + 1, len(places)))
    axes = (*before, *together, *after)
    if outside is not None and not set(outside.axes) <= set(axes):  # they have axes that the places haven't
        first, parts, before, after = 0, places, (), ()
        axes = together = joined([p.axes for p in (*parts, outside)], frame.order)
    nodes = [aligned(p, together) for p in parts]
    shape = tuple(frame.extents[i] for i in axes)
    more = {} if outside is None else {"outside": aligned(outside, axes)}
    node = infer.call(
        "taken", variable.node, infer.number(first), *nodes, shape=shape, dtype=variable.node.dtype, more=more
    )  # fmt: skip
    return Value(node, axes)


def _elements(access: Access, plain: Mapping[int, Index], frame: Frame) -> Value:
    """Elements at places within the array: `table[x]`, `p[np.arange(N), y]`."""
    variable = frame.variables[access.name]
    places = _places(access, frame)
    rest = [k for k in range(len(places)) if k not in plain]
    used: set[Index] = set()
    for k in rest:
        used |= set(places[k].axes)
    kept = {k: index for k, index in plain.items() if index not in used}
    rest = [k for k in range(len(places)) if k not in kept]
    together: Axes = joined([places[k].axes for k in rest], frame.order)
    items: list[Node] = [
        _slice(kept[k], variable.shape[k], frame) if k in kept else aligned(places[k], together)
        for k in range(len(places))
    ]
    neighbours = rest == list(range(rest[0], rest[-1] + 1))
    before = tuple(index for k, index in kept.items() if k < rest[0]) if neighbours else ()
    after = tuple(index for index in kept.values() if index not in before)
    axes = (*before, *together, *after)
    while isinstance(items[-1], Slice) and items[-1].stop is None:
        items.pop()
    return Value(infer.sliced(variable.node, items, (frame.extents[i] for i in axes)), axes)
