"""Moments as training starts.

Enters: parameters. Leaves: arenas. Must not know: the target that computes.
`moments_of_own_shapes` stands for it where some have other shapes than the parameters.
"""

from __future__ import annotations

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.network import MOMENTS


def _moments(params: Arena) -> dict[str, Arena]:
    """The moments, all zero."""
    return {name: params.like() for name in MOMENTS}
