"""What training from a file of data starts from.

Enters: a seed, data, the open sizes that they show. Leaves: a state. Must not know: the target that computes.
`standardising` stands for it where buffers start from the data.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.common.training.parameters import init_params
from symbp.runtime.common.training.state import State, init_state
from symbp.runtime.network import Array


def _fresh_state(seed: int, data: Mapping[str, Array], sizes: Mapping[str, int]) -> State:
    """A state with parameters drawn for data with these sizes."""
    return init_state(init_params(seed, **sizes), seed=seed)
