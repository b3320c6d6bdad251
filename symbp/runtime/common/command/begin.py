"""A state to train from, by data whose sizes may shape parameters.

Enters: a seed, data. Leaves: a state. Must not know: how one changes.
"""

from __future__ import annotations

from symbp.runtime.common.command.train import _open_sizes
from symbp.runtime.common.training.starting import _fresh_state
from symbp.runtime.common.training.state import State
from symbp.runtime.network import Array


def _begin(seed: int, data: dict[str, Array]) -> State:
    """A state with parameters drawn for the sizes that data show."""
    return _fresh_state(seed, data, _open_sizes(data))
