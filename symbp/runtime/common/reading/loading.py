"""Data from an archive of arrays.

Enters: a path, names. Leaves: arrays by name. Must not know: what is computed. `loading_mapped` stands for it
where arrays may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.reading.axes import _with_axes
from symbp.runtime.network import Array


def _archive(path: Path, names: Collection[str]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            return {name: _with_axes(name, file[name]) for name in names if name in file.files}
    except OSError:
        raise
    except Exception as failure:  # whatever NumPy's readers raise on a file that isn't theirs
        raise DataError(f"{path} is no .npz file of arrays: {failure}") from failure
