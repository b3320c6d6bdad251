"""The kernels of the Numba target that run a step in chunks of the batch and add up what the chunks computed.

Enters: the stages, how the batch splits, where tensors lie. Leaves: functions. Must not know: equations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import sympy

from symbp.emit.blocks import Function
from symbp.emit.elements import ElementSpelling
from symbp.emit.names import Names
from symbp.emit.numba.drivers import guarded_update, own_arguments, row_views, stage_calls
from symbp.emit.numba.places import ArenaSpan
from symbp.emit.segments import AFTER, LoweredNetwork
from symbp.emit.workspace import own_gradients
from symbp.ir.expr import Expr
from symbp.ir.training import UpdateRule
from symbp.lower import Cost


def in_chunk(net: LoweredNetwork) -> tuple[str, ...]:
    """The stages that each chunk runs."""
    return tuple(name for name in net.steps if name not in AFTER)


def chunk_functions(
    net: LoweredNetwork, rule: UpdateRule, places: Mapping[str, ArenaSpan], names: Names
) -> list[Function]:
    """`_chunks`, `_add_gradients`, `_train_step_in_chunks`, and `_flops`, which says if it is worth it."""
    assert net.split is not None
    assert net.system.loss is not None
    data = tuple(names.tensors[t.name] for t in net.given)
    rows, c = net.split.rows.name, names.free("c")
    sliced = {names.tensors[t.name] for t in net.given if t.name in net.split.axis}
    own_place = {"work": f"work[{c}]", "counts": f"counts[{c}]", "gradient": f"gradients[{c}]"}
    first, last = names.free("first"), names.free("last")
    sliced |= {names.tensors[name] for name in net.by_rows}
    instead = own_place | {name: f"{name}[{first}:{last}]" for name in sliced} | {rows: f"{last} - {first}"}
    arenas = ("theta", *(("gradient",) if net.by_rows else ()), "gradients")
    tail = ("work", "counts", "at", "bounds", *data, *net.open_sizes)
    own = own_arguments(rule, names)
    parted = _parted(rule, own, names)
    chunks = Function(
        "_chunks",
        (*arenas, *tail),
        "Each chunk by itself, on a thread of its own: its part of the loss and of every gradient.",
        (
            *row_views(net, places, names, in_chunk(net)),
            f"for {c} in prange(len(bounds)):",
            f"    {first}, {last} = bounds[{c}, 0], bounds[{c}, 1]",
            *(f"    {line}" for line in stage_calls(net, names, in_chunk(net), instead)),
        ),
        ("@parallel_kernel",),
    )
    loss, adding = places[net.system.loss], _gradients_added(net, places)
    whole = {"work": "work[0]", "counts": "counts[0]", rows: "0"}
    step = Function(
        "_train_step_in_chunks",
        (*own, "gradients", *tail),
        "A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large.",
        (
            f"_chunks({', '.join((*arenas, *tail))})",
            *(f"{function.name}({', '.join(function.arguments)})" for function in adding),
            *_added(net, places),
            *stage_calls(net, names, ("total", "finish"), whole),
            f"loss = {loss.arena}[0, {loss.start}]",
            *guarded_update(own, chunks="len(bounds)" if parted else ""),
        ),
        ("@kernel",),
    )
    return [chunks, *adding, *parted, step, _flops(net)]


def _parted(rule: UpdateRule, own: tuple[str, ...], names: Names) -> list[Function]:
    """The update, and the look for what is not finite, by a piece of the arenas for each thread; where no sum
    over all entries is needed, and no parameter told apart."""
    if rule.by_parameter or any(equation.reduction for equation in rule.system.equations):
        return []
    arenas = {"theta", "gradient", *(names.free(moment) for moment in rule.moments)}
    piece = [f"{name}[first:last]" if name in arenas else name for name in own]
    ends = "first, last = c * len(gradient) // chunks, (c + 1) * len(gradient) // chunks"
    update = ("for c in prange(chunks):", f"    {ends}", f"    _update({', '.join(piece)})")
    finite = (
        "chunks = len(gradients)",
        "for c in prange(chunks):",
        f"    {ends}",
        "    gradients[c, 0] = _all_moderate(gradient[first:last])",
        "for c in range(chunks):",
        "    if gradients[c, 0] == 0:",
        "        return False",
        "return True",
    )
    return [
        Function(
            "_moderate_in_chunks", ("gradient", "gradients"),
            "Whether no gradient is large, a piece a thread; each notes it in gradients of its own.",
            finite, ("@parallel_kernel",),
        ),
        Function(
            "_update_in_chunks", (*own, "chunks"), "The update of a piece of the parameters on each thread.",
            update, ("@parallel_kernel",),
        ),
    ]  # fmt: skip


def _gradients_added(net: LoweredNetwork, places: Mapping[str, ArenaSpan]) -> list[Function]:
    """The sum of the chunks' gradients; one that no example enters is the same in every chunk, and rows of
    one that has them for each example are in their place."""
    assert net.split is not None
    parameters = [p for p in net.parameters if p.name not in net.by_rows]
    summed = [net.derivation.gradients[p.name] in net.split.partial for p in parameters]
    if not parameters:
        return []
    adding = ["for k in range(1, len(gradients)):", "    total += gradients[k, i]"]
    if not all(summed):
        ranges = []
        for parameter, wanted in zip(parameters, summed, strict=True):
            place = places[parameter.name]
            stop = ElementSpelling({}, {}, {}).integer(place.count).text
            if wanted:
                ranges.append(f"{place.start} <= i < {place.start} + {stop}")
        adding = [f"if {' or '.join(ranges) or 'False'}:", *(f"    {line}" for line in adding)]
    each = ["total = gradients[0, i]", *adding, "gradient[i] = total"]
    lines = []
    for where in _stretches(net, places):
        lines += [f"for i in prange({where}):", *(f"    {line}" for line in each)]
    mentioned = set(re.findall(r"\w+", " ".join(lines)))
    return [
        Function(
            "_add_gradients",
            ("gradient", "gradients", *(n for n in net.open_sizes if n in mentioned)),
            "The gradient by all parameters, from the parts of the chunks.",
            tuple(lines),
            ("@parallel_kernel",),
        )
    ]


def _stretches(net: LoweredNetwork, places: Mapping[str, ArenaSpan]) -> list[str]:
    """The elements of the gradients' arena that chunks add to, as arguments of a range."""
    if not net.by_rows:
        return ["len(gradient)"]
    found: list[tuple[Expr, Expr]] = []
    for parameter in net.parameters:
        place = places[parameter.name]
        start, stop = place.number, sympy.expand(place.number + place.count)
        if parameter.name in net.by_rows:
            continue
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, stop))
    spelled = ElementSpelling({}, {}, {})
    return [f"{spelled.integer(a).text}, {spelled.integer(b).text}" for a, b in found]


def _added(net: LoweredNetwork, places: Mapping[str, ArenaSpan]) -> Iterator[str]:
    """The other sums over the batch that are read when all chunks are done, added in the first workspace."""
    assert net.split is not None
    later = [s for s in net.segments if s.name in ("total", "finish")]
    read = {t.name for s in later for t in s.program.leaves} | {net.system.loss}
    apart = own_gradients(net)
    for name in net.split.partial:
        place = places.get(name)
        if name not in read or place is None:
            continue
        at = place.start
        if name in apart:
            continue
        count = ElementSpelling({}, {}, {}).integer(place.count).text
        yield "for k in range(1, len(work)):"
        if count == "1":
            yield f"    {place.arena}[0, {at}] += {place.arena}[k, {at}]"
        else:
            yield f"    for i in range({at}, {at} + {count}):"
            yield f"        {place.arena}[0, i] += {place.arena}[k, i]"


def _flops(net: LoweredNetwork) -> Function:
    """The floating-point operations of a step as a function of the open sizes."""
    assert net.split is not None
    cost = sum((s.program.cost for s in net.segments if s.name in in_chunk(net)), Cost())
    bound = {size: net.sizes[size.name] for size in cost.flops.free_symbols if size.name in net.sizes}
    flops = cost.flops.xreplace({**bound, net.split.rows: net.split.size})
    whole = sympy.expand(flops)
    text = ElementSpelling({}, {}, {}).integer(sympy.ceiling(whole) if whole.is_number else whole).text
    return Function("_flops", net.open_sizes, "Floating-point operations of one step.", (f"return {text}",))
