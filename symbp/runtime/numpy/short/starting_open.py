"""Parameters to start from, with sizes that are open.

Enters: a seed, sizes, data. Leaves: parameters, a state. Must not know: how one changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE, INPUTS, SHAPING, Array, _initial
from symbp.runtime.numpy.short.core import DataError, State, _checked, init_state


def init_params(seed: int = 0, **sizes: int) -> dict[str, Array]:
    """Fresh parameters, drawn with `seed`; sizes that are open in this module are arguments."""
    if sizes.keys() != set(SHAPING):
        given = ", ".join(sizes) or "none"
        raise DataError(f"init_params takes the sizes {', '.join(SHAPING)}; given: {given}")
    drawn = _initial(np.random.default_rng(seed), sizes)
    return {name: np.asarray(value, DTYPE) for name, value in drawn.items()}


def _begin(seed: int, data: Mapping[str, Any]) -> State:
    """A state with parameters drawn for the sizes that data show."""
    _, shown = _checked(data, INPUTS, {})
    return init_state(init_params(seed, **{n: shown[n] for n in SHAPING if n in shown}), seed=seed)
