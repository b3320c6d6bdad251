"""Values of any make as arrays, numbers and mappings of fields.

Enters: a value: an array of some library, a list, a mapping, a dataclass. Leaves: NumPy's arrays.
Must not know: what a value stands for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def as_mapping(value: Any) -> dict[str, Any] | None:
    """The fields of a mapping, a named tuple, a dataclass or a plain object; None for anything else."""
    if isinstance(value, Mapping):
        return {str(key): one for key, one in value.items()}
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (tuple, list, np.ndarray, float, int, np.generic)) or value is None:
        return None
    return dict(vars(value)) if hasattr(value, "__dict__") and not is_array(value) else None


def stacked(value: Any) -> Array | None:
    """An array, or a list of equal arrays as one; None for anything else."""
    if isinstance(value, (str, bytes, bool)) or callable(value):
        return None
    try:
        found = array(value)
    except (TypeError, ValueError, RuntimeError):  # a ragged list, or one of another library's arrays
        return None
    return found if found.dtype.kind in "biufc" else None


def array(value: Any) -> Array:
    """A NumPy array of what may be another library's."""
    for step in ("detach", "cpu"):
        value = getattr(value, step)() if hasattr(value, step) else value
    return np.asarray(value)


def number(value: Any) -> float | None:
    """A single real number; None for anything else."""
    if isinstance(value, (bool, str, bytes)) or value is None or isinstance(value, (Mapping, tuple, list)):
        return None
    try:
        found = array(value)
    except (TypeError, ValueError):
        return None
    if found.dtype.kind not in "iuf" or found.size != 1:
        return None
    return float(found.reshape(()))


def is_array(value: Any) -> bool:
    return hasattr(value, "__array__") or hasattr(value, "detach")
