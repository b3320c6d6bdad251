"""Outputs for a file of data, all at once.

Enters: a state, data. Leaves: arrays by name. Must not know: where they go. `predicting_by_rows` stands for
it where data may be larger than memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symbp.runtime.common.training.calls import predict
from symbp.runtime.common.training.state import State
from symbp.runtime.network import Array


def _predicted(state: State, data: dict[str, Any], path: Path) -> dict[str, Array]:
    """The outputs at inference, which go to a path."""
    return predict(state.params, state.buffers, **data)
