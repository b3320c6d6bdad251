"""The kernels of the Numba target that run a step in chunks of the batch and add up what the chunks computed.

Enters: the stages, how the batch splits, where tensors lie. Leaves: functions. Must not know: equations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from symbp.emit.blocks import Function
from symbp.emit.drivers import guarded_update, own_arguments, stage_calls
from symbp.emit.elements import ElementSpelling
from symbp.emit.names import Names
from symbp.emit.numba_places import Place
from symbp.emit.segments import AFTER, Network
from symbp.emit.workspace import own_gradients
from symbp.ir.training import UpdateRule
from symbp.lower import Cost


def in_chunk(net: Network) -> tuple[str, ...]:
    """The stages that each chunk runs."""
    return tuple(name for name in net.steps if name not in AFTER)


def chunk_functions(
    net: Network, rule: UpdateRule, places: Mapping[str, Place], names: Names
) -> list[Function]:
    """`_chunks`, `_add_gradients`, `_train_step_in_chunks`, and `_flops`, which says if it is worth it."""
    assert net.split is not None
    assert net.system.loss is not None
    data = tuple(names.tensors[t.name] for t in net.given)
    rows, c = net.split.rows.name, names.free("c")
    sliced = {names.tensors[t.name] for t in net.given if t.name in net.split.axis}
    own_place = {"work": f"work[{c}]", "counts": f"counts[{c}]", "gradient": f"gradients[{c}]"}
    first, last = names.free("first"), names.free("last")
    instead = own_place | {name: f"{name}[{first}:{last}]" for name in sliced} | {rows: f"{last} - {first}"}
    tail = ("work", "counts", "at", "bounds", *data, *net.open_sizes)
    chunks = Function(
        "_chunks",
        ("theta", "gradients", *tail),
        "Each chunk by itself, on a thread of its own: its part of the loss and of every gradient.",
        (
            f"for {c} in prange(len(bounds)):",
            f"    {first}, {last} = bounds[{c}, 0], bounds[{c}, 1]",
            *(f"    {line}" for line in stage_calls(net, names, in_chunk(net), instead)),
        ),
        ("@parallel_kernel",),
    )
    loss, own = places[net.system.loss], own_arguments(rule, names)
    whole = {"work": "work[0]", "counts": "counts[0]", rows: "0"}
    step = Function(
        "_train_step_in_chunks",
        (*own, "gradients", *tail),
        "A whole step in chunks; the update is left out if the loss or a gradient is not finite.",
        (
            f"_chunks({', '.join(('theta', 'gradients', *tail))})",
            "_add_gradients(gradient, gradients)",
            *_added(net, places),
            *stage_calls(net, names, ("total", "finish"), whole),
            f"loss = {loss.arena}[0, {loss.start}]",
            *guarded_update(own),
        ),
        ("@kernel",),
    )
    return [chunks, _gradients_added(net, places), step, _flops(net)]


def _gradients_added(net: Network, places: Mapping[str, Place]) -> Function:
    """The sum of the chunks' gradients; one that no example enters is the same in every chunk."""
    assert net.split is not None
    summed = [net.derivation.gradients[p.name] in net.split.partial for p in net.parameters]
    lines = ["for i in prange(len(gradient)):", "    total = gradients[0, i]"]
    adding = ["for k in range(1, len(gradients)):", "    total += gradients[k, i]"]
    if not all(summed):
        ranges = []
        for parameter, wanted in zip(net.parameters, summed, strict=True):
            place = places[parameter.name]
            stop = ElementSpelling({}, {}, {}).integer(place.count).text
            if wanted:
                ranges.append(f"{place.start} <= i < {place.start} + {stop}")
        adding = [f"if {' or '.join(ranges) or 'False'}:", *(f"    {line}" for line in adding)]
    lines += [f"    {line}" for line in adding]
    return Function(
        "_add_gradients",
        ("gradient", "gradients"),
        "The gradient by all parameters, from the parts of the chunks.",
        (*lines, "    gradient[i] = total"),
        ("@parallel_kernel",),
    )


def _added(net: Network, places: Mapping[str, Place]) -> Iterator[str]:
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


def _flops(net: Network) -> Function:
    """The floating-point operations of a step as a function of the open sizes."""
    assert net.split is not None
    cost = sum((s.program.cost for s in net.segments if s.name in in_chunk(net)), Cost())
    bound = {size: net.sizes[size.name] for size in cost.flops.free_symbols if size.name in net.sizes}
    flops = cost.flops.xreplace({**bound, net.split.rows: net.split.size})
    whole = sympy.expand(flops)
    text = ElementSpelling({}, {}, {}).integer(sympy.ceiling(whole) if whole.is_number else whole).text
    return Function("_flops", net.open_sizes, "Floating-point operations of one step.", (f"return {text}",))
