"""Archives of arrays, as a short module reads them.

Enters: a path, names. Leaves: arrays by name. Must not know: what they are.
`reading_axes` stands for it where a network has axes of length 1.
"""

from __future__ import annotations

import os
from collections.abc import Collection

import numpy as np

from symbp.runtime.network import Array
from symbp.runtime.numpy.short.core import DataError


def _archive(path: str | os.PathLike[str], wanted: Collection[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz, those of `wanted` that it has."""
    try:
        with open(path, "rb") as content, np.load(content, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if wanted is None or name in wanted}
    except OSError:
        raise
    except Exception as failure:  # whatever NumPy's readers raise on a file that isn't theirs
        raise DataError(f"{path} is no whole .npz file of arrays: {failure}") from failure
