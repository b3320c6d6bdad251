"""Arrays from files, results on the console.

Enters: paths, results. Leaves: arrays by name; text on stdout. Must not know: what is computed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.network import Array


def _archive(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            return {name: file[name] for name in names if name in file.files}
    except OSError:
        raise
    except Exception as failure:  # whatever NumPy's readers raise on a file that isn't theirs
        raise DataError(f"{path} is no .npz file of arrays: {failure}") from failure


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")
