"""Reductions as operations on whole arrays: products of matrices, sums along axes, maxima, softmax.

Enters: sums within bodies. Leaves: values. Must not know: statements, targets.

A sum of a product of two arrays is a product of matrices where their axes allow that, else an einsum.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays.frame import Frame
from symbp.codegen.arrays.values import Axes, Value, elementwise, whole
from symbp.codegen.tree import Call, Expression, Slice
from symbp.errors import GenerationError
from symbp.ir.expr import Expr, Guard, Index, free_indices, nan_guards
from symbp.read.display import Along, Reduced

EMPTY = {"sum": 0, "prod": 1, "max": "-np.inf"}


def reduction(e: Reduced, frame: Frame) -> Value:
    """A reduction within a body."""
    inner = frame.within(e.extents)
    if e.op == "sum":
        return total(e.body, e.indices, inner)
    return extreme(e.op, e.body, e.indices, e.where, inner)


def extreme(op: str, body: Expr, indices: Sequence[Index], where: Sequence[Guard], frame: Frame) -> Value:
    """A product, a maximum or a logsumexp over some axes."""
    from symbp.codegen.arrays.bodies import conjunction, counted, real, under

    masked = bool(where)
    value = counted(real(body, under(conjunction(where, frame), frame) if where else frame))
    if where:
        empty = Value(infer.number(str(EMPTY.get(op, "-np.inf")), "real"))
        value = elementwise(infer.where, [conjunction(where, frame), value, empty], frame.order)
    value = whole(value, indices, frame)
    axes = tuple(value.axes.index(i) for i in indices)
    kept = tuple(i for i in value.axes if i not in indices)
    if op == "logsumexp":
        shape = tuple(frame.extents[i] for i in kept)
        along = infer.axes_node(_from_end(axes, value.axes))
        return Value(infer.call("np.logaddexp.reduce", value.node, along, shape=shape), kept)
    if op not in ("prod", "max"):
        raise GenerationError(f"no array expression for the reduction {op}")
    node = infer.reduced(op, value.node, _from_end(axes, value.axes))
    if op == "max" and (masked or not all(_is_surely_positive(frame.extents[i]) for i in indices)):
        more = {"initial": infer.number("-np.inf", "real")}
        node = infer.call(".max", *node.arguments, shape=node.shape, more=more)
    return Value(node, kept)


def _is_surely_positive(extent: Expr) -> bool:
    return bool(extent.is_positive)


def _negative(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """One axis that is the last one as −1."""
    return (-1,) if axes == (rank - 1,) and rank > 1 else axes


def _from_end(axes: tuple[int, ...], every: Axes) -> tuple[int, ...]:
    return _negative(axes, len(every))


def along(e: Along, frame: Frame) -> Value:
    """softmax or log_softmax along the axis of an index, 0 where conditions exclude an element."""
    from symbp.codegen.arrays.bodies import conjunction, real

    if not isinstance(e.index, Index):
        raise GenerationError(f"{e.function} at a single place")
    if e.index in frame.running:
        return _at_step(e, frame)
    inner = frame.within({e.index: e.extent})
    value = real(e.body, inner.under_guard() if e.where else inner)
    if e.where:
        mask, low = conjunction(e.where, inner), Value(infer.number("-np.inf", "real"))
        value = elementwise(infer.where, [mask, value, low], inner.order)
    value = whole(value, (e.index,), inner)
    axis = value.axes.index(e.index)
    last = axis == len(value.axes) - 1
    more = {} if last else {"axis": infer.number(axis)}
    shape = tuple(inner.extents[i] for i in value.axes)
    return Value(infer.call(e.function, value.node, shape=shape, more=more), value.axes)


def _at_step(e: Along, frame: Frame) -> Value:
    """What a loop along the axis takes at its step."""
    running = {i: name for i, name in frame.running.items() if i != e.index}
    every = along(e, replace(frame, running=running))
    axis = every.axes.index(e.index)
    step = infer.name(frame.running[e.index], (), "integer")
    axes = tuple(i for i in every.axes if i != e.index)
    items = [*(Slice() for _ in range(axis)), step]
    return Value(infer.sliced(every.node, items, (frame.extents[i] for i in axes)), axes)


# --- sums
def total(body: Expr, indices: Sequence[Index], frame: Frame) -> Value:
    """Σ over indices of a body: what doesn't depend on them stands outside, guards are masks."""
    from symbp.codegen.arrays.bodies import conjunction, counted, quotient, real, under

    free = set(indices)
    factors = sympy.Mul.make_args(body)
    outer = [f for f in factors if not free_indices(f) & free and not isinstance(f, Guard)]
    inner = [f for f in factors if f not in outer]
    guards = [f for f in inner if isinstance(f, Guard)]
    rest = [f for f in inner if not isinstance(f, Guard)]
    if guards:
        value = mask = conjunction(guards, frame)
        if nan_guards(sympy.Mul(*inner)):
            value = real(sympy.Mul(*inner), frame)
        elif rest:
            taken, zero = real(sympy.Mul(*rest), under(mask, frame)), Value(infer.number(0))
            value = elementwise(infer.where, [mask, taken, zero], frame.order)
        found = _summed(value, indices, frame)
    else:
        upper = [f for f in rest if not _is_below(f)]
        split = [real(f, frame) for f in _ranked(upper, frame)] if len(upper) == len(rest) else []
        if len(split) > 1:
            found = contracted([counted(v) for v in split], indices, frame)
        else:
            found = _summed(real(sympy.Mul(*rest), frame), indices, frame)
    found, outer = _as_mean(found, indices, outer, frame)
    return quotient(outer, frame, found) if outer and sympy.Mul(*outer) != 1 else found


def _as_mean(
    value: Value, indices: Sequence[Index], outer: list[Expr], frame: Frame
) -> tuple[Value, list[Expr]]:  # fmt: skip
    """A sum by the lengths of its axes as a mean, and the factors that are left."""
    inverse = [1 / frame.extents[i] for i in indices]
    call = value.node
    if not isinstance(call, Call) or call.name != ".sum" or call.dtype != "real":
        return value, outer
    if not all(outer.count(e) >= inverse.count(e) for e in inverse):
        return value, outer
    left = list(outer)
    for factor in inverse:
        left.remove(factor)
    return Value(replace(call, name=".mean"), value.axes), left


def mean(over: list[Expr], under: list[Expr], frame: Frame) -> Value | None:
    """A sum over axes by their lengths as a mean: what it is made of is taken out of both lists."""
    for node in over:
        if not isinstance(node, Reduced) or node.op != "sum":
            continue
        extents = list(node.extents.values())
        if not all(under.count(e) >= extents.count(e) for e in extents):
            continue
        value = reduction(node, frame)
        call = value.node
        if isinstance(call, Call) and call.name == ".sum" and call.dtype == "real":
            over.remove(node)
            for extent in extents:
                under.remove(extent)
            return Value(replace(call, name=".mean"), value.axes)
    return None


def _is_below(factor: Expr) -> bool:
    """Whether a factor stands below a line."""
    _, exponent = factor.as_base_exp()
    return bool(exponent.is_number and exponent.is_negative and not factor.is_Function)


def _ranked(factors: Sequence[Expr], frame: Frame) -> list[Expr]:
    from symbp.ir.printer import TEXT

    return sorted(factors, key=lambda factor: TEXT.factor_key(factor, frame.order))


def _summed(value: Value, indices: Sequence[Index], frame: Frame) -> Value:
    """The sum along axes; along one that a value doesn't have it is multiplied by its length."""
    from symbp.codegen.arrays.bodies import counted, length

    here = [i for i in indices if i in value.axes]
    found = value
    if here:
        axes = tuple(sorted(value.axes.index(i) for i in here))
        kept = tuple(i for i in value.axes if i not in here)
        found = Value(infer.reduced("sum", value.node, _from_end(axes, value.axes)), kept)
    for index in indices:
        if index not in value.axes:
            times = length(frame.extents[index], frame)
            found = Value(infer.binary("*", times, counted(found).node), found.axes)
    return found


def contracted(values: Sequence[Value], indices: Sequence[Index], frame: Frame) -> Value:
    """The sum of a product of arrays."""
    absent = [i for i in indices if all(i not in v.axes for v in values)]
    present = [i for i in indices if i not in absent]
    arrays, scalars = [v for v in values if v.axes], [v for v in values if not v.axes]
    found: Value | None = None
    if len(arrays) == 1 or len({frozenset(v.axes) for v in arrays}) == 1:
        product = arrays[0]
        for other in arrays[1:]:
            product = elementwise(lambda a, b: infer.binary("*", a, b), [product, other], frame.order)
        found = _summed(product, present, frame)
        if len(arrays) == 2 and len(arrays[0].axes) == 1:
            found = Value(infer.binary("@", arrays[0].node, arrays[1].node))
    elif len(arrays) == 2:
        found = _matrix_product(arrays, present, frame)
        least, most = set(arrays[0].axes), set(arrays[1].axes)
        if found is None and (least <= most or most <= least):
            product = elementwise(lambda a, b: infer.binary("*", a, b), arrays, frame.order)
            found = _summed(product, present, frame)
    if found is None:
        found = _einsum(arrays, present, frame)
    for scalar in scalars:
        found = elementwise(lambda a, b: infer.binary("*", a, b), [scalar, found], frame.order)
    return _summed(found, absent, frame) if absent else found


def _kept(values: Sequence[Value], indices: Sequence[Index], frame: Frame) -> Axes:
    """The axes that a contraction leaves, in order."""
    every = {i for v in values for i in v.axes} - set(indices)
    return tuple(i for i in frame.order if i in every)


def _matrix_product(values: Sequence[Value], indices: Sequence[Index], frame: Frame) -> Value | None:
    """`A @ B`, in the order in which the result has its axes where it is wanted."""
    wanted = _kept(values, indices, frame)
    found = [
        f for pair in (values, values[::-1]) if (f := _as_matrices(pair[0], pair[1], indices)) is not None
    ]
    return next((f for f in found if f.axes == wanted), found[0] if found else None)


def _as_matrices(a: Value, b: Value, indices: Sequence[Index]) -> Value | None:
    shared = [i for i in a.axes if i in b.axes]
    over = [i for i in indices if i in shared]
    if len(over) != 1 or set(indices) - set(over):
        return None
    (c,) = over
    batch = tuple(i for i in shared if i != c)
    if batch:
        count = len(batch)
        if a.axes[:count] != batch or b.axes[:count] != batch:
            return None
        if len(a.axes) != count + 2 or len(b.axes) != count + 2:
            return None
    elif len(b.axes) > 2 or (len(a.axes) > 2 and a.axes[-1] != c):
        return None
    left = a if a.axes[-1] == c else _swapped(a)
    right = b if b.axes[max(len(b.axes) - 2, 0)] == c else _swapped(b)
    axes = (*(i for i in left.axes if i != c), *(i for i in right.axes if i != c and i not in batch))
    return Value(infer.binary("@", left.node, right.node), axes)


def _swapped(value: Value) -> Value:
    """The last two axes exchanged."""
    rank = len(value.axes)
    order = (*range(rank - 2), rank - 1, rank - 2)
    return Value(infer.transposed(value.node, order), tuple(value.axes[k] for k in order))


def _einsum(values: Sequence[Value], indices: Sequence[Index], frame: Frame) -> Value:
    kept = _kept(values, indices, frame)
    letters = _letters([i for v in values for i in v.axes])
    inputs = ",".join("".join(letters[i] for i in v.axes) for v in values)
    formula = infer.quoted(f"{inputs}->{''.join(letters[i] for i in kept)}")
    more: dict[str, Expression] = {"optimize": infer.number("True", "object")} if len(values) > 2 else {}
    shape = tuple(frame.extents[i] for i in kept)
    return Value(infer.call("np.einsum", formula, *(v.node for v in values), shape=shape, more=more), kept)


def _letters(indices: Sequence[Index]) -> Mapping[Index, str]:
    """A letter for each index, its own where that is one."""
    found: dict[Index, str] = {}
    names = {i.name for i in indices}
    spare = (c for c in string.ascii_letters if c not in names)
    for index in indices:
        if index not in found:
            own = index.name
            single = len(own) == 1 and own in string.ascii_letters
            found[index] = own if single else next(spare)
    return found
