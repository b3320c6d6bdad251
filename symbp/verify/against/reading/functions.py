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
from symbp.verify.against.returned import answer
from symbp.verify.against.running import ran
from symbp.verify.against.spelled import Spelled
from symbp.verify.against.supply import Supply, arguments, signature
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
        return replace(
            answer(self.name, done.value, order(self.name, self.function, self.spelled)), changed=done.changed
        )


def order(name: str, function: Callable[..., Any], spelled: Spelled) -> list[str]:
    """The parameters in the order in which a function takes them, else as they were declared."""
    declared = [*spelled.reference.derivation.gradients]
    asked = [spelled.said.get(key, key) for key in signature(name, function).parameters]
    taken = [tensor for key in asked for tensor in spelled.tensors(key) if tensor in declared]
    return taken if set(taken) == set(declared) else declared
