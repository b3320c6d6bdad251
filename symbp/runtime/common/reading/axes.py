"""Axes of length 1 that a network has and a file lacks: images of one channel.

Enters: an array and its name. Leaves: the array. Must not know: files.
"""

from __future__ import annotations

import numpy as np

from symbp.runtime.network import INPUTS, SIZES, Array


def _with_axes(name: str, array: Array) -> Array:
    """The array with the axes of length 1 that a file may leave out, such as that of one channel."""
    single = [k for k, extent in enumerate(INPUTS[name]) if SIZES.get(extent, extent) == 1]
    return np.expand_dims(array, single) if array.ndim + len(single) == len(INPUTS[name]) else array
