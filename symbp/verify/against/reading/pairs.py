"""A forward and a backward function, with a cache between them.

Enters: two functions. Leaves: a backward pass that can be asked.
Must not know: what is right, but where the forward function gives no loss: then the backward one needs the
derivative by what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.errors import UsageError
from symbp.verify.against.answer import Answer, Array
from symbp.verify.against.reading.functions import orders, parameters_of
from symbp.verify.against.reading.labels import labelled
from symbp.verify.against.returned import LOSSES, Order, gradients_of, leaves_of, together
from symbp.verify.against.returned.arrays import array, as_mapping, is_array, number
from symbp.verify.against.returned.kept import kept
from symbp.verify.against.running import ran
from symbp.verify.against.spelled import Spelled
from symbp.verify.against.supply import Supply, arguments, signature
from symbp.verify.points import Point

CACHE = (
    "cache",
    "ctx",
    "context",
    "saved",
    "tape",
    "memo",
    "intermediates",
    "activations",
    "residuals",
    "res",
)
UPSTREAM = ("dout", "dloss", "dL", "grad_output", "grad_out", "upstream", "g", "grad", "gradient", "dLoss")
CLOSE = 1e-7


@dataclass(frozen=True)
class Forward:
    """What a forward function gave: a loss, or the value of a tensor; and what it keeps."""

    loss: float | None
    output: Array | None
    cache: Any
    kept: Mapping[str, Array]


@dataclass(frozen=True)
class Pair:
    """`forward(…) -> (loss, cache)` and `backward(cache)`, or `backward(dout, cache)`."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    spelled: Spelled
    dtype: Any = np.float64

    def at(self, point: Point) -> Answer:
        supply = Supply(self.spelled, point, self.dtype)
        given = arguments(f"{self.name}: forward", self.forward, supply)
        done = ran(f"{self.name}: forward", self.forward, given.positional, given.named, given.arrays)
        passed = forward_of(self.name, done.value)
        seed = seed_of(self.name, self.backward, supply, passed)
        back = arguments(f"{self.name}: backward", self.backward, behind(supply, passed, seed))
        again = ran(f"{self.name}: backward", self.backward, back.positional, back.named, back.arrays)
        ways = orders(self.name, self.forward, supply)
        if back.filled and again.value is None:
            returned = Answer(None, back.filled, {})
        else:
            value = labelled(self.backward, again.value, self.spelled)
            returned = gradients(self.name, value, *ways)
        return together(
            Answer(passed.loss, {}, passed.kept, passed=tuple(passed.kept)),
            returned,
            changed=(*done.changed, *again.changed),
            given=parameters_of(given, self.spelled),
        )


def seed_of(name: str, backward: Callable[..., Any], supply: Supply, passed: Forward) -> Any:
    """The derivative of the loss by what a forward function gave, if the backward one asks for it."""
    asked = signature(f"{name}: backward", backward).parameters.values()
    open_ = [p.name for p in asked if p.default is p.empty and supply.named(p.name) is None]
    if passed.output is not None and all(key in CACHE for key in open_):
        return None  # it has the loss in itself
    return upstream(name, supply.spelled, supply.point, passed)


def behind(supply: Supply, passed: Forward, seed: Any) -> Supply:
    """What a backward function may ask for beside all that a forward function may."""
    extra = dict.fromkeys(CACHE, passed.cache) | dict.fromkeys(UPSTREAM, seed)
    other = (passed.cache,) if passed.cache is not None else ()
    return Supply(supply.spelled, supply.point, supply.dtype, extra, other)


def forward_of(name: str, value: Any) -> Forward:
    """What a forward function returned, sorted. Raises UsageError: nothing."""
    fields = as_mapping(value)
    if fields is not None:
        loss = next((key for key in LOSSES if number(fields.get(key)) is not None), None)
        inner = as_mapping(fields.get("cache"))
        arrays = kept({key: one for key, one in fields.items() if key != loss})
        cache = fields if inner is None else fields["cache"]
        return Forward(number(fields[loss]) if loss else None, None, cache, arrays)
    parts = list(value) if isinstance(value, tuple) else [value]
    if not parts or parts[0] is None:
        raise UsageError(f"{name}: forward returns nothing", help="it returns (loss, cache)")
    cache = parts[-1] if len(parts) > 1 else None
    if len(parts) > 2 and (is_array(cache) or number(cache) is not None):
        cache = tuple(parts[1:])  # loss, x, h, p
    arrays = {} if cache is None else kept(cache)
    losses = [found for part in parts if (found := number(part)) is not None]
    if losses:
        return Forward(losses[0], None, cache, arrays)
    return Forward(None, array(parts[0]), cache, arrays)


def upstream(name: str, spelled: Spelled, point: Point, passed: Forward) -> Any:
    """The derivative of the loss by what a forward function gave: 1 for the loss itself. Raises UsageError:
    an array that is none of the network's tensors."""
    if passed.output is None:
        return 1.0
    reference, output = spelled.reference, passed.output
    told = [m.tensor for m in spelled.kept("out") if m.kind == "value"]
    for tensor in [*told, *reversed(reference.differentiable)]:
        value = reference.right(point, tensor)
        adjoint = reference.adjoint(tensor)
        same = value.shape == output.shape
        if adjoint and same and (tensor in told or np.allclose(value, output, CLOSE, CLOSE)):
            return reference.right(point, adjoint).astype(output.dtype)
    raise UsageError(
        f"{name}: what forward returns first is neither a loss nor a tensor of the network",
        details=(f"its shape is {output.shape}",),
        help="return (loss, cache), or say which tensor it is: --map NAME=out",
    )


def gradients(name: str, value: Any, *ways: Order) -> Answer:
    """What a backward function returned: gradients by name or in order, and maybe more; or layer by layer."""
    called = f"{name}: backward"
    if isinstance(value, (tuple, list)) and any(_holds_more(part) for part in value):
        lengths = [len(way) for way in ways]
        if as_mapping(value[0]) is not None or (_holds_more(value[0]) and len(value[0]) in lengths):
            more = [kept(part, f"result[{k}]") for k, part in enumerate(value[1:], 1)]
            return together(Answer(None, gradients_of(called, value[0], *ways), {}), *map(_beside, more))
        leaves = [*leaves_of(value)]
        if len(value) not in lengths and len(leaves) in lengths:
            return Answer(None, gradients_of(called, leaves, *ways), {})
    return Answer(None, gradients_of(called, value, *ways), {})


def _beside(arrays: dict[str, Array]) -> Answer:
    return Answer(None, {}, arrays)


def _holds_more(part: Any) -> bool:
    return isinstance(part, (tuple, list)) or as_mapping(part) is not None
