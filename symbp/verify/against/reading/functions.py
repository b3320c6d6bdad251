"""A function that gives the loss and its gradients at once.

Enters: a function. Leaves: a backward pass that can be asked.
Must not know: what is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.verify.against.answer import Answer
from symbp.verify.against.reading.labels import labelled
from symbp.verify.against.returned import answer
from symbp.verify.against.returned.arrays import number
from symbp.verify.against.running import ran
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
        given = arguments(self.name, self.function, Supply(self.spelled, point, self.dtype))
        done = ran(self.name, self.function, given.positional, given.named, given.arrays)
        value = labelled(self.function, done.value, self.spelled)
        if given.filled and (value is None or number(value) is not None):
            found = Answer(number(value), given.filled, {})
        else:
            found = answer(self.name, value, *orders(self.name, self.function, self.spelled))
        return replace(found, changed=done.changed, given=parameters_of(given, self.spelled))


def orders(name: str, function: Callable[..., Any], spelled: Spelled, *, skip: int = 0) -> list[list[str]]:
    """In which orders gradients may stand that have no names: the parameters as the function takes them, else
    as they were declared; and all real arrays that it takes."""
    declared = [*spelled.reference.derivation.gradients]
    taken = differentiable(name, function, spelled, skip=skip)
    parameters = [tensor for tensor in taken if tensor in declared]
    return [parameters or declared, taken]


def parameters_of(given: Arguments, spelled: Spelled) -> tuple[str, ...]:
    """The parameters among what a function was given; all, if none: then it has its own."""
    declared = tuple(spelled.reference.derivation.gradients)
    return tuple(name for name in declared if name in given.arrays) or declared
