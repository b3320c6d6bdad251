"""The kernels of the Numba target that run a step in chunks of the batch and add up what the chunks computed.

Enters: the stages, how the batch splits, where tensors lie. Leaves: functions. Must not know: equations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from symbp.codegen import infer
from symbp.codegen.function import Function, names_in
from symbp.codegen.spelling.elements import size
from symbp.codegen.tree import Assign, Between, Effect, Expression, For, If, Return, Slice, Statement
from symbp.ir.expr import Expr
from symbp.ir.training import UpdateRule
from symbp.lower import Cost
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.segments import AFTER, LoweredNetwork
from symbp.targets.compiled.workspace import own_gradients
from symbp.targets.numba.drivers import (
    LOSS,
    guarded_update,
    integers_inside,
    own_arguments,
    row_views,
    stage_calls,
)
from symbp.targets.numba.places import ArenaSpan


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
    rows = net.split.rows.name
    c, first, last = (infer.integer(names.free(word)) for word in ("c", "first", "last"))
    sliced = {names.tensors[t.name] for t in net.given if t.name in net.split.axis}
    sliced |= {names.tensors[name] for name in net.by_rows}
    instead: dict[str, Expression] = {
        own: infer.sliced(infer.name(arena), [c], ())
        for own, arena in (("work", "work"), ("counts", "counts"), ("gradient", "gradients"))
    }
    instead |= {name: infer.sliced(infer.name(name), [Slice(first, last)], ()) for name in sliced}
    instead[rows] = infer.binary("-", last, first)
    arenas = ("theta", *(("gradient",) if net.by_rows else ()), "gradients")
    tail = ("work", "counts", "at", "bounds", *data, *net.open_sizes)
    own = own_arguments(rule, names)
    parted = _parted(rule, own, names)
    bounds = infer.integer("bounds")
    ends = [infer.sliced(bounds, [c, infer.number(k)], ()) for k in (0, 1)]
    each = (
        Assign(infer.tuple_of(first, last), infer.tuple_of(*ends)),
        *stage_calls(net, names, in_chunk(net), instead),
    )
    chunks = Function(
        "_chunks",
        (*arenas, *tail),
        "Each chunk by itself, on a thread of its own: its part of the loss and of every gradient.",
        (
            *row_views(net, places, names, in_chunk(net)),
            For(c, infer.called("prange", infer.called("len", bounds)), each),
        ),
        ("@parallel_kernel",),
    )
    loss, adding, zero = places[net.system.loss], _gradients_added(net, places), infer.number(0)
    whole: dict[str, Expression] = {
        name: infer.sliced(infer.name(name), [zero], ()) for name in ("work", "counts")
    }
    step = Function(
        "_train_step_in_chunks",
        (*own, "gradients", *tail),
        "A whole step in chunks; the update is left out if the loss or a gradient is not finite, or large.",
        (
            *integers_inside(net, names),
            Effect(infer.called("_chunks", *map(infer.name, (*arenas, *tail)))),
            *(Effect(infer.called(f.name, *map(infer.name, f.arguments))) for f in adding),
            *_added(net, places),
            *stage_calls(net, names, ("total", "finish"), {**whole, rows: zero}),
            Assign(LOSS, loss.element(zero)),
            *guarded_update(own, chunks=infer.called("len", bounds) if parted else None),
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
    c, chunks, first, last = (infer.integer(word) for word in ("c", "chunks", "first", "last"))
    gradient, gradients = infer.name("gradient"), infer.name("gradients")

    def piece(name: str) -> Expression:
        return (
            infer.sliced(infer.name(name), [Slice(first, last)], ()) if name in arenas else infer.name(name)
        )

    def end(number: Expression) -> Expression:
        return infer.binary("//", infer.joined("*", [number, infer.called("len", gradient)]), chunks)

    next_one = infer.binary("+", c, infer.number(1))
    ends = Assign(infer.tuple_of(first, last), infer.tuple_of(end(c), end(next_one)))
    each = infer.called("prange", chunks)
    noted = infer.sliced(gradients, [c, infer.number(0)], ())
    update = (For(c, each, (ends, Effect(infer.called("_update", *map(piece, own))))),)
    look = Assign(noted, infer.called("_all_moderate", piece("gradient")))
    moderate = infer.name("moderate", (), "boolean")
    told = Assign(moderate, infer.binary("!=", noted, infer.number(0)), "&")
    finite = (
        Assign(chunks, infer.called("len", gradients)),
        For(c, each, (ends, look)),
        Assign(moderate, infer.name("True")),
        For(c, infer.called("range", chunks), (told,)),
        Return(moderate),
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
    i, k, total = infer.integer("i"), infer.integer("k"), infer.name("total")
    gradients = infer.name("gradients")
    further = Assign(total, infer.sliced(gradients, [k, i], ()), "+")
    adding: Statement = For(
        k, infer.called("range", infer.number(1), infer.called("len", gradients)), (further,)
    )
    if not all(summed):
        ranges = [
            Between((), "boolean", place.start, i, infer.plus(place.start, size(place.count)))
            for parameter, wanted in zip(parameters, summed, strict=True)
            if wanted
            for place in [places[parameter.name]]
        ]
        test = infer.joined("or", ranges) if ranges else infer.name("False", (), "boolean")
        adding = If(test, (adding,))
    each = (
        Assign(total, infer.sliced(gradients, [infer.number(0), i], ())),
        adding,
        Assign(infer.sliced(infer.name("gradient"), [i], ()), total),
    )
    code = tuple(For(i, infer.called("prange", *where), each) for where in _stretches(net, places))
    mentioned = names_in(code)
    return [
        Function(
            "_add_gradients",
            ("gradient", "gradients", *(n for n in net.open_sizes if n in mentioned)),
            "The gradient by all parameters, from the parts of the chunks.",
            code,
            ("@parallel_kernel",),
        )
    ]


def _stretches(net: LoweredNetwork, places: Mapping[str, ArenaSpan]) -> list[list[Expression]]:
    """The elements of the gradients' arena that chunks add to, as arguments of a range."""
    if not net.by_rows:
        return [[infer.called("len", infer.name("gradient"))]]
    found: list[tuple[Expr, Expr]] = []
    for parameter in net.parameters:
        place = places[parameter.name]
        start, stop = place.number, sympy.expand(place.number + place.count)
        if parameter.name in net.by_rows:
            continue
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, stop))
    return [[size(a), size(b)] for a, b in found]


def _added(net: LoweredNetwork, places: Mapping[str, ArenaSpan]) -> Iterator[Statement]:
    """The other sums over the batch that are read when all chunks are done, added in the first workspace."""
    assert net.split is not None
    later = [s for s in net.segments if s.name in ("total", "finish")]
    read = {t.name for s in later for t in s.program.leaves} | {net.system.loss}
    apart = own_gradients(net)
    for name in net.split.partial:
        place = places.get(name)
        if name not in read or place is None:
            continue
        if name in apart:
            continue
        i, k, zero = infer.integer("i"), infer.integer("k"), infer.number(0)
        at, one = place.start, place.count == 1

        def element(row: Expression, column: Expression, arena: Expression = place.array) -> Expression:
            return infer.sliced(arena, [row, column], ())

        further: Statement = Assign(element(zero, at if one else i), element(k, at if one else i), "+")
        if not one:
            stop = infer.plus(at, size(place.count))
            further = For(i, infer.called("range", at, stop), (further,))
        yield For(
            k, infer.called("range", infer.number(1), infer.called("len", infer.name("work"))), (further,)
        )


def _flops(net: LoweredNetwork) -> Function:
    """The floating-point operations of a step as a function of the open sizes."""
    assert net.split is not None
    cost = sum((s.program.cost for s in net.segments if s.name in in_chunk(net)), Cost())
    bound = {size: net.sizes[size.name] for size in cost.flops.free_symbols if size.name in net.sizes}
    flops = cost.flops.xreplace({**bound, net.split.rows: net.split.size})
    whole = sympy.expand(flops)
    count = size(sympy.ceiling(whole) if whole.is_number else whole)
    return Function("_flops", net.open_sizes, "Floating-point operations of one step.", (Return(count),))
