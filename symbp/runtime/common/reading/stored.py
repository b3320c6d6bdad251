"""Data that are stored as arrays.

Enters: a path, names. Leaves: arrays by name. Must not know: what is computed. `texts` stands for it where a
module reads texts, too.
"""

from __future__ import annotations

from pathlib import Path

from symbp.runtime.common.reading.loading import _archive
from symbp.runtime.network import Array


def _stored(path: Path, names: tuple[str, ...], columns: str | None) -> tuple[dict[str, Array], str]:
    """The arrays of a file by the names of input tensors, and what is kept of how it was read."""
    return _archive(path, names), columns or ""
