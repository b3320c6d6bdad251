"""The kernels of the Numba target that call the stages.

Enters: the stages, an update rule, where tensors lie. Leaves: functions. Must not know: equations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbp.emit.blocks import Function
from symbp.emit.names import Names
from symbp.emit.numba_target import Place, stage_arguments
from symbp.emit.segments import Network
from symbp.emit.update import arguments
from symbp.ir.training import UpdateRule


def driver_functions(
    net: Network, rule: UpdateRule, places: Mapping[str, Place], names: Names
) -> list[Function]:
    """`_evaluate`, `_loss_and_gradients` and `_train_step`."""
    data = tuple(names.tensors[t.name] for t in net.given)
    tail = ("work", "counts", "at", *data, *net.open_sizes)
    unread = set(net.system.random) - set(net.random_at_inference)
    measured = tuple(names.tensors[t.name] for t in net.given if t not in unread)
    assert net.system.loss is not None
    loss = places[net.system.loss]
    evaluate = Function(
        "_evaluate", ("theta", "work", "counts", "at", *measured, *net.open_sizes),
        "Outputs, loss and metrics.",
        tuple(stage_calls(net, names, [s.name for s in net.measuring])), ("@kernel",),
    )  # fmt: skip
    derive = Function(
        "_loss_and_gradients", ("theta", "gradient", *tail), "The loss, and its gradient by all parameters.",
        (*stage_calls(net, names, ("forward", "loss", "backward")), f"return {loss.arena}[{loss.start}]"),
        ("@kernel",),
    )  # fmt: skip
    given = {name: name if name in ("theta", "gradient") else names.free(name) for name in arguments(rule)}
    own = tuple(given.values())
    step = Function(
        "_train_step",
        (*own, *tail),
        "A whole step; the update is left out if the loss or a gradient is not finite.",
        (
            f"loss = _loss_and_gradients({', '.join(('theta', 'gradient', *tail))})",
            "finite = math.isfinite(loss) and _all_finite(gradient)",
            "if finite:",
            *(f"    {line}" for line in stage_calls(net, names, ("buffers",))),
            f"    _update({', '.join(own)})",
            "return loss, finite",
        ),
        ("@kernel",),
    )
    return [evaluate, derive, step]


def stage_calls(net: Network, names: Names, wanted: Sequence[str]) -> list[str]:
    """The lines that run the wanted stages."""
    lines = []
    for segment in net.segments:
        if segment.name in wanted:
            given = (*stage_arguments(net, segment, names), *net.open_sizes)
            lines.append(f"_{segment.name}({', '.join(given)})")
    return lines
