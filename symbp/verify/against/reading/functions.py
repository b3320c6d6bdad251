"""A function that gives the loss and its gradients at once.

Enters: a function. Leaves: a backward pass that can be asked.
Must not know: what is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.errors import UsageError
from symbp.ir.system import Role
from symbp.verify.against.answer import Answer
from symbp.verify.against.reading.labels import labelled
from symbp.verify.against.returned import Order, answer
from symbp.verify.against.returned.arrays import number
from symbp.verify.against.running import Ran, ran
from symbp.verify.against.spelled import Spelled
from symbp.verify.against.supply import Arguments, Supply, arguments, differentiable
from symbp.verify.points import Point


@dataclass(frozen=True)
class Function:
    """`function(params, x, …)` or `function(x, W1, …)`, which returns (loss, gradients)."""

    name: str
    function: Callable[..., Any]
    spelled: Spelled
    dtype: Any = np.float64

    def at(self, point: Point) -> Answer:
        supply = Supply(self.spelled, point, self.dtype)
        given, done = asked(self.name, self.function, supply)
        value = labelled(self.function, done.value, self.spelled)
        if given.filled and (value is None or number(value) is not None):
            found = Answer(number(value), given.filled, {})
        else:
            found = answer(self.name, value, *orders(self.name, self.function, supply))
        return replace(found, changed=done.changed, given=parameters_of(given, self.spelled))


def asked(name: str, function: Callable[..., Any], supply: Supply) -> tuple[Arguments, Ran]:
    """What a function was called with, and what came of it. Where it fails with all parameters by name under
    a word of its own (`theta`), they are tried as one vector, in their declared order."""
    given = arguments(name, function, supply)
    groups = [key for key, value in given.named.items() if isinstance(value, dict) and key not in given.zeros]
    try:
        return given, ran(name, function, given.positional, given.named, given.arrays)
    except UsageError:
        every = supply.all(Role.PARAMETER)
        if len(groups) != 1 or given.named[groups[0]].keys() != every.keys():
            raise
        vector = np.concatenate([array.ravel() for array in every.values()])
        as_vector = replace(given, named={**arguments(name, function, supply).named, groups[0]: vector})
        try:
            return as_vector, ran(name, function, (), as_vector.named)
        except UsageError:
            pass
        raise


def orders(name: str, function: Callable[..., Any], supply: Supply) -> list[Order]:
    """In which orders gradients may stand that have no names: the parameters as the function takes them, else
    as they were declared; and all real arrays that it takes."""
    declared = [*supply.spelled.reference.derivation.gradients]
    taken = differentiable(name, function, supply.spelled)
    parameters = [tensor for tensor in taken if tensor in declared]
    return [supply.shapes(parameters or declared), supply.shapes(taken)]


def parameters_of(given: Arguments, spelled: Spelled) -> tuple[str, ...]:
    """The parameters among what a function was given; all, if none: then it has its own."""
    declared = tuple(spelled.reference.derivation.gradients)
    return tuple(name for name in declared if name in given.arrays) or declared
