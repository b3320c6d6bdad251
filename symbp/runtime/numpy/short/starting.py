"""Parameters to start from, all of whose sizes are known.

Enters: a seed, data. Leaves: parameters, a state. Must not know: how one changes. `starting_open` stands for
it where data show sizes of parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE, Array, _initial
from symbp.runtime.numpy.short.core import State, init_state


def init_params(seed: int = 0) -> dict[str, Array]:
    """Fresh parameters, drawn with `seed`."""
    return {name: np.asarray(a, DTYPE) for name, a in _initial(np.random.default_rng(seed), {}).items()}


def _begin(seed: int, data: Mapping[str, Any]) -> State:
    return init_state(init_params(seed), seed=seed)
