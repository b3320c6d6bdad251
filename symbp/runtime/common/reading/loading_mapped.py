"""Data from an archive of arrays, or a folder of them, that may be larger than memory.

Enters: a path, names. Leaves: arrays by name, the large ones mapped. Must not know: what is computed.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from symbp.runtime.common.arrays.mapping import _mapped
from symbp.runtime.common.reading.axes import _with_axes
from symbp.runtime.network import Array


def _archive(path: Path, names: Collection[str]) -> dict[str, Array]:
    """The arrays of an .npz, or of a folder of .npy files, that carry the names of input tensors."""
    return {name: _with_axes(name, array) for name, array in _mapped(path, names).items()}
