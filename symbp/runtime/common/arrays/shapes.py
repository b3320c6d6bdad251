"""Shapes beside those of the network, with sizes by name.

Enters: arrays, shapes of names, numbers and functions of sizes. Leaves: the sizes that they show, or an
error. Must not know: how anything is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.network import Array


class DataError(ValueError):
    """Arrays do not fit the network; the message says which and what would fit."""


def _extent(extent: Any, sizes: Mapping[str, int]) -> int | None:
    """The value of an extent, or None if a size of it is not known yet."""
    if isinstance(extent, str):
        return sizes.get(extent)
    try:
        return int(extent(sizes) if callable(extent) else extent)
    except KeyError:  # parameters don't show the size of images
        return None


def _shape_text(shape: tuple[Any, ...]) -> str:
    words = [extent if isinstance(extent, (str, int)) else "…" for extent in shape]
    return f"({', '.join(map(str, words))}{',' if len(words) == 1 else ''})"


def _fit_shape(name: str, array: Array, shape: tuple[Any, ...], sizes: dict[str, int]) -> None:
    """Checks a shape and records the open sizes that it shows."""
    known = {size: sizes[size] for e in shape if isinstance(size := e, str) and size in sizes}
    fits = array.ndim == len(shape)
    if fits:
        for axis, extent in enumerate(shape):
            if isinstance(extent, str):
                fits = fits and sizes.setdefault(extent, array.shape[axis]) == array.shape[axis]
        fits = fits and all(
            _extent(extent, sizes) in (None, array.shape[axis])
            for axis, extent in enumerate(shape)
            if callable(extent)
        )
        fits = fits and all(e == array.shape[k] for k, e in enumerate(shape) if isinstance(e, int))
    if not fits:
        sized = ", ".join(f"{size} = {value}" for size, value in known.items())
        raise DataError(
            f"{name} has shape {array.shape}, the network needs {_shape_text(shape)}"
            + (f" with {sized}" if sized else "")
        )
