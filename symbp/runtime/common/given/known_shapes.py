"""Arrays that must have known shapes: buffers, and random tensors that are passed in.

Enters: a user's arrays, sizes. Leaves: arrays of the module's dtype. Must not know: what they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.arrays import _as_dtype, _check_values
from symbp.runtime.common.arrays.shapes import DataError, _extent, _fit_shape
from symbp.runtime.network import Array


def _known_shape(name: str, shape: tuple[Any, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    extents = [_extent(extent, sizes) for extent in shape]
    if None in extents:
        raise DataError(f"{name} needs the size {shape[extents.index(None)]}, which nothing shows")
    return tuple(extent for extent in extents if extent is not None)


def _fitting(name: str, value: Any, shape: tuple[Any, ...], sizes: Mapping[str, int]) -> Array:
    """An array of the module's dtype, with the shape and the facts that the network needs."""
    array = _as_dtype(name, value)
    _fit_shape(name, array, shape, dict(sizes))
    _check_values(name, array, sizes)
    return array
