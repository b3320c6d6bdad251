"""A generated module: it says in tables what it takes.

Enters: a module. Leaves: a backward pass that can be asked. Must not know: which target wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from symbp.verify.against.answer import Answer
from symbp.verify.against.returned import answer
from symbp.verify.against.running import ran
from symbp.verify.against.spelled import Spelled
from symbp.verify.against.supply import Supply
from symbp.verify.points import Point


@dataclass(frozen=True)
class Generated:
    """`loss_and_gradients(params, buffers, masks=…, **inputs)`, with tables of what these are."""

    name: str
    module: ModuleType
    spelled: Spelled

    @property
    def dtype(self) -> Any:
        return np.dtype(self.module.DTYPE)

    def at(self, point: Point) -> Answer:
        supply = Supply(self.spelled, point, self.dtype)
        tables = ("PARAMETERS", "BUFFERS", "RANDOM", "INPUTS")
        params, buffers, masks, inputs = (self.named(supply, table) for table in tables)
        more = {key: arrays for key, arrays in (("buffers", buffers), ("masks", masks)) if arrays}
        watched = {**params, **inputs, **buffers, **masks}
        done = ran(self.name, self.module.loss_and_gradients, (params,), {**more, **inputs}, watched)
        return answer(self.name, done.value, {name: array.shape for name, array in params.items()})

    def named(self, supply: Supply, table: str) -> dict[str, Any]:
        """The values of what a table lists."""
        system = self.spelled.reference.derivation.declared
        found = {
            name: supply.named(name) for name in getattr(self.module, table, ()) if name in system.by_name
        }
        return {name: pair[1] for name, pair in found.items() if pair is not None}


def is_generated(what: Any) -> bool:
    """Whether a module has the tables of a generated one."""
    return (
        isinstance(what, ModuleType)
        and all(hasattr(what, name) for name in ("PARAMETERS", "INPUTS", "DTYPE", "GRADIENTS"))
        and callable(getattr(what, "loss_and_gradients", None))
    )
