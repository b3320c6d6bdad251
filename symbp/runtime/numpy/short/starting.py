"""A state to train a short module from.

Enters: a seed, data. Leaves: a state. Must not know: how one changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.numpy.short.core import State, init_params, init_state


def _begin(seed: int, data: Mapping[str, Any]) -> State:
    return init_state(init_params(seed), seed=seed)
