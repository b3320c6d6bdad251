"""The kernels of the Numba target that call the stages.

Enters: the stages, an update rule, where tensors lie. Leaves: functions. Must not know: equations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbp.codegen import infer
from symbp.codegen.function import Function
from symbp.codegen.spelling.elements import size
from symbp.codegen.tree import Assign, Effect, Expression, If, Return, Statement
from symbp.ir.expr import free_sizes
from symbp.ir.training import UpdateRule
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.sections.tables import bound_of
from symbp.targets.compiled.segments import AT_ONCE, STEP, LoweredNetwork
from symbp.targets.compiled.update import arguments
from symbp.targets.numba.places import ArenaSpan, view
from symbp.targets.numba.stages import stage_arguments

LOSS = infer.name("loss")


def driver_functions(
    net: LoweredNetwork, rule: UpdateRule, places: Mapping[str, ArenaSpan], names: Names
) -> list[Function]:
    """`_evaluate`, `_loss_and_gradients`, `_train_step`; `_replay` runs one by one what else is one stage."""
    data = tuple(names.tensors[t.name] for t in net.given)
    tail = ("work", "counts", "at", *data, *net.stage_sizes)
    unread = set(net.system.random) - set(net.random_at_inference)
    measured = tuple(names.tensors[t.name] for t in net.given if t not in unread)
    assert net.system.loss is not None
    loss = places[net.system.loss]
    evaluated = [s.name for s in net.measuring]
    evaluate = Function(
        "_evaluate", ("theta", "work", "counts", "at", *measured, *net.stage_sizes),
        "Outputs, loss and metrics.",
        (*row_views(net, places, names, evaluated), *stage_calls(net, names, evaluated)), ("@kernel",),
    )  # fmt: skip
    stages = [name for name in net.steps if name != "buffers"]
    gradients = (*row_views(net, places, names, stages), *stage_calls(net, names, stages))
    derive = Function(
        "_loss_and_gradients", ("theta", "gradient", *tail), "The loss, and its gradient by all parameters.",
        (*gradients, Return(loss.element())),
        ("@kernel",),
    )  # fmt: skip
    own = own_arguments(rule, names)
    step = Function(
        "_train_step",
        (*own, *tail),
        "A whole step; the update is left out if the loss or a gradient is not finite, or large.",
        (
            *integers_inside(net, names),
            *gradients,
            Assign(LOSS, loss.element()),
            *guarded_update(own, stage_calls(net, names, ("buffers",)), _changed_buffers(net, names)),
        ),
        ("@kernel",),
    )
    if STEP not in net.steps:
        return [evaluate, derive, step]
    replayed = (*AT_ONCE, "total", "finish")
    replay = Function(
        "_replay", ("theta", "gradient", *tail), "The loss and the gradients, with every tensor on the way.",
        (*row_views(net, places, names, replayed), *stage_calls(net, names, replayed)), ("@kernel",),
    )  # fmt: skip
    return [evaluate, derive, replay, step]


def row_views(
    net: LoweredNetwork, places: Mapping[str, ArenaSpan], names: Names, wanted: Sequence[str]
) -> list[Assign]:
    """What makes views of the parameters, and gradients, that have a row for each example."""
    found = dict.fromkeys(n for s in net.segments if s.name in wanted for n in net.rows_of(s))
    return [view(names.tensors[name], net.by_rows[name], places[name]) for name in found]


def own_arguments(rule: UpdateRule, names: Names) -> tuple[str, ...]:
    """The arguments of the update, as a step takes them."""
    return tuple(name if name in ("theta", "gradient") else names.free(name) for name in arguments(rule))


def integers_inside(net: LoweredNetwork, names: Names) -> list[Statement]:
    """The start of a step: nothing is read or written where an integer leaves its range."""
    found: list[Statement] = []
    for tensor in net.data:
        bound, ignored = bound_of(tensor)
        if bound is None or not net.known_sizes.issuperset(s.name for s in free_sizes(bound)):
            continue
        within = (infer.name(names.tensors[tensor.name]), size(bound), infer.number(ignored or 0))
        outside = infer.called("_any_outside", *within)
        refused = infer.tuple_of(infer.name("math.nan"), *[infer.name("False", (), "boolean")] * 2)
        found.append(If(outside, (Return(refused),)))
    return found


def _changed_buffers(net: LoweredNetwork, names: Names) -> list[Expression]:
    """The buffers that a step gives new values to, as one row each."""
    one = infer.python_number("-1")
    return [infer.called(".reshape", infer.name(names.tensors[name]), one) for name in net.system.updates]


def guarded_update(
    own: Sequence[str],
    before: Sequence[Statement] = (),
    changed: Sequence[Expression] = (),
    chunks: Expression | None = None,
) -> tuple[Statement, ...]:
    """The end of a step: the update if all is finite, also what is `changed` before it, and gradients are so
    small that no moment overflows; in a number of chunks, if one is given."""
    gradient = infer.name("gradient")
    finite, moderate = (infer.name(word, (), "boolean") for word in ("finite", "moderate"))
    arguments = list(map(infer.name, own))
    if chunks is None:
        looked, update = infer.called("_all_moderate", gradient), infer.called("_update", *arguments)
    else:
        looked = infer.called("_moderate_in_chunks", gradient, infer.name("gradients"))
        update = infer.called("_update_in_chunks", *arguments, chunks)
    first = list(before)
    if changed:
        first.append(Assign(finite, infer.joined("and", [infer.called("_all_finite", b) for b in changed])))
    either = infer.binary("or", moderate, infer.called("_all_finite", gradient))
    return (
        Assign(moderate, looked),
        Assign(finite, infer.binary("and", infer.called("math.isfinite", LOSS), either)),
        *([If(finite, tuple(first))] if first else []),
        If(infer.binary("and", finite, moderate), (Effect(update),)),
        Return(infer.tuple_of(LOSS, finite, moderate)),
    )


def stage_calls(
    net: LoweredNetwork,
    names: Names,
    wanted: Sequence[str],
    instead: Mapping[str, Expression] | None = None,
) -> list[Statement]:
    """What runs the wanted stages; `instead` says what stands for some of their arguments."""
    found: list[Statement] = []
    for segment in net.segments:
        if segment.name in wanted:
            given = (*stage_arguments(net, segment, names), *net.stage_sizes)
            arguments = [(instead or {}).get(name, infer.name(name)) for name in given]
            found.append(Effect(infer.called(f"_{segment.name}", *arguments)))
    return found
