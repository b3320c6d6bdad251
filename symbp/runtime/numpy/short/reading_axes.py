"""Archives of arrays, as a short module reads them whose network has axes of length 1.

Enters: a path, names. Leaves: arrays by name. Must not know: what they are.
"""

from __future__ import annotations

import os
from collections.abc import Collection

import numpy as np

from symbp.runtime.network import INPUTS, Array
from symbp.runtime.numpy.short.core import DataError


def _archive(path: str | os.PathLike[str], wanted: Collection[str] | None = None) -> dict[str, Array]:
    """The arrays of an .npz, those of `wanted` that it has; data may lack axes of length 1, such as that of
    one channel."""
    try:
        with open(path, "rb") as content, np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if wanted is None or name in wanted}
    except OSError:
        raise
    except Exception as failure:  # whatever NumPy's readers raise on a file that isn't theirs
        raise DataError(f"{path} is no whole .npz file of arrays: {failure}") from failure
    for name in arrays.keys() & INPUTS.keys():
        single = [k for k, extent in enumerate(INPUTS[name]) if extent == 1]
        if arrays[name].ndim + len(single) == len(INPUTS[name]):
            arrays[name] = np.expand_dims(arrays[name], single)
    return arrays
