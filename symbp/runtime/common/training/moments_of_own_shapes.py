"""Moments as training starts, some of them of shapes of their own.

Enters: parameters. Leaves: arenas. Must not know: the target that computes.
Here `SHAPED_MOMENTS` has the shapes by parameter, none where they are the parameters'.
"""

from __future__ import annotations

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.network import DTYPE, SHAPED_MOMENTS


def _moments(params: Arena) -> dict[str, Arena]:
    """The moments, all zero."""
    return {name: Arena(own, DTYPE) if own else params.like() for name, own in SHAPED_MOMENTS.items()}
