"""Arrays from files, results on the console.

Enters: paths, results. Leaves: arrays by name; text on stdout. Must not know: what is computed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.network import Array


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """The arrays of a file that carry the names of input tensors."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in names if name in file.files}


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")
