"""The best parameters of a training so far.

Enters: records of epochs, a state. Leaves: the state as it was at its best. Must not know: the target that
computes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.training.state import State
from symbp.runtime.network import Array


class _Best:
    """The parameters and buffers with the smallest loss on the validation data."""

    def __init__(self) -> None:
        self.loss, self.epoch = math.inf, 0
        self.kept: tuple[Array, dict[str, Array]] | None = None

    def meets(self, record: Mapping[str, Any], state: State) -> int:
        """Notes an epoch; how many epochs ago the best one was."""
        if record["validation_loss"] < self.loss:
            self.loss, self.epoch = record["validation_loss"], record["epoch"]
            self.kept = state.params.flat.copy(), {n: a.copy() for n, a in state.buffers.items()}
        return int(record["epoch"] - self.epoch)

    def restore(self, state: State) -> None:
        """Puts the best parameters and buffers back."""
        if self.kept is not None:
            state.params.flat[:] = self.kept[0]
            for name, array in self.kept[1].items():
                state.buffers[name][...] = array
