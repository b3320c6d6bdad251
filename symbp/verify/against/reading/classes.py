"""A class whose instances go forward and backward, or one such instance.

Enters: a class or an instance. Leaves: a backward pass that can be asked.
Must not know: what is right.

Gradients are what `backward` returns, else attributes that are called like gradients, else `grads`, else what
layers keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.errors import UsageError
from symbp.verify.against.answer import Answer
from symbp.verify.against.reading.functions import orders, parameters_of
from symbp.verify.against.reading.held import gradients_in, places
from symbp.verify.against.reading.labels import labelled
from symbp.verify.against.reading.made import instance as made
from symbp.verify.against.reading.pairs import behind, forward_of, gradients, seed_of
from symbp.verify.against.returned import GRADIENTS, Order, answer, flat, gradients_of, together
from symbp.verify.against.returned.arrays import array, as_mapping, is_array
from symbp.verify.against.returned.kept import kept
from symbp.verify.against.running import ran
from symbp.verify.against.spelled import Spelled
from symbp.verify.against.supply import Supply, arguments
from symbp.verify.points import Point

AT_ONCE = ("loss_and_gradients", "loss_and_grads", "loss_and_grad", "value_and_grad")
LOSS = "loss"  # gives gradients, too, where there is no backward
FORWARD, BACKWARD = ("forward", "__call__"), ("backward", "grad", "gradient")


@dataclass(frozen=True)
class Object:
    """`made` is a class, of which each point gets an instance of its own, or an instance, which is copied."""

    name: str
    made: Any
    spelled: Spelled
    dtype: Any = np.float64

    def at(self, point: Point) -> Answer:
        supply = Supply(self.spelled, point, self.dtype)
        instance, held = made(self.name, self.made, supply)
        at_once = method(instance, AT_ONCE) or (
            None if method(instance, BACKWARD) else method(instance, (LOSS,))
        )
        if at_once is not None:
            given = arguments(self.name, at_once, supply)
            done = ran(self.name, at_once, given.positional, given.named, given.arrays)
            value = labelled(at_once, done.value, self.spelled)
            found = answer(self.name, value, *orders(self.name, at_once, supply))
            return replace(found, changed=done.changed, given=held or parameters_of(given, self.spelled))
        return self.passes(supply, instance, held)

    def passes(self, supply: Supply, instance: Any, held: tuple[str, ...]) -> Answer:
        """Forward, then backward."""
        forward, backward = method(instance, FORWARD), method(instance, BACKWARD)
        if forward is None or backward is None:
            raise UsageError(f"{self.name} has no forward and backward", help="define both methods")
        given = arguments(f"{self.name}: forward", forward, supply)
        done = ran(f"{self.name}: forward", forward, given.positional, given.named, given.arrays)
        passed = forward_of(self.name, done.value)
        before = {key: array.copy() for key, array in self.attributes(instance).items()}
        seed = seed_of(self.name, backward, supply, passed)
        back = arguments(f"{self.name}: backward", backward, behind(supply, passed, seed))
        again = ran(f"{self.name}: backward", backward, back.positional, back.named, back.arrays)
        ways = orders(self.name, forward, supply)
        own = self.attributes(instance)
        left = [key for key, a in own.items() if key in before and np.array_equal(before[key], a)]
        inside = self.inside(instance, own, ways[0])
        nothing = again.value is None or again.value is instance
        if nothing or (inside and is_array(again.value)):  # what a layer gives is the derivative by its input
            returned = Answer(None, inside, {} if nothing else {"result": array(again.value)})
        else:
            returned = gradients(self.name, labelled(backward, again.value, self.spelled), *ways)
        return together(
            Answer(passed.loss, {}, {**own, **passed.kept}, passed=(*left, *passed.kept)),
            returned,
            changed=(*done.changed, *again.changed),
            given=held or parameters_of(given, self.spelled),
        )

    def inside(self, instance: Any, own: Mapping[str, Any], order: Order) -> dict[str, Any]:
        """The gradients that an instance keeps: under names that say so, in a mapping, in a list, in its
        layers."""
        marked = {key: a for key, a in own.items() if self.spelled.derivatives(key)}
        holder = next((vars(instance)[k] for k in GRADIENTS if k in vars(instance)), None)
        fields = as_mapping(holder)
        if marked or fields:
            return {**marked, **flat(fields or {})}
        found = gradients_in(places(instance))
        return gradients_of(self.name, [*found.values()], order) if len(found) == len(order) else found

    def attributes(self, instance: Any) -> dict[str, Any]:
        """The arrays that an instance keeps."""
        places = vars(instance) if hasattr(instance, "__dict__") else {}
        known = {key: value for key, value in places.items() if key not in GRADIENTS}
        return kept(known)


def method(instance: Any, names: tuple[str, ...]) -> Callable[..., Any] | None:
    """The first of some methods that an instance has."""
    return next((getattr(instance, name) for name in names if callable(getattr(instance, name, None))), None)
