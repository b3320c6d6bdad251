"""An update where gradients are so large that a moment might overflow.

Enters: a state, the arguments of the update. Leaves: the state updated, or as it was. Must not know: the
equations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.runtime.common.training.state import State
from symbp.runtime.numba.kernels import _update


def _updated(state: State, own: tuple[Any, ...]) -> bool:
    """One update; taken back, and False returned, if it leaves what is not finite."""
    arenas = [state.params.flat, *(arena.flat for arena in state.moments.values())]
    kept = [arena.copy() for arena in arenas]
    _update(*own)
    if all(np.isfinite(arena).all() for arena in arenas):
        return True
    for arena, before in zip(arenas, kept, strict=True):
        arena[:] = before
    return False
