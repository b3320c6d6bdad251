"""Arrays of equal layers: `h.0.weight`, `h.1.weight`, … as one with the layer in front, `h.*.weight`.

Enters: keys and arrays of a state_dict. Leaves: the same with those of equal layers stacked beside them.
Must not know: networks, what any key means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

STAR = "*"


def families(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[str, ...]]:
    """For each key with a star the keys that it stands for, those of layers 0, 1, … of one shape."""
    found: dict[str, dict[int, str]] = {}
    for key in shapes:
        parts = key.split(".")
        for place, part in enumerate(parts):
            if part.isascii() and part.isdigit() and str(int(part)) == part:
                starred = ".".join([*parts[:place], STAR, *parts[place + 1 :]])
                found.setdefault(starred, {})[int(part)] = key
    return {
        starred: tuple(keys[k] for k in range(len(keys)))
        for starred, keys in found.items()
        if set(keys) == set(range(len(keys))) and len({shapes[k] for k in keys.values()}) == 1
    }


def with_stacks(arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """The arrays and, before the first of each family, its stack; and the families."""
    known = families({key: np.shape(a) for key, a in arrays.items()})
    first: dict[str, list[str]] = {}
    for starred, keys in known.items():
        first.setdefault(keys[0], []).append(starred)
    found: dict[str, Any] = {}
    for key, array in arrays.items():
        for starred in first.get(key, ()):
            found[starred] = np.stack([arrays[one] for one in known[starred]])
        found[key] = array
    return found, known


def apart(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Stacks as the arrays of their layers; the others as they are."""
    found: dict[str, Any] = {}
    for key, array in arrays.items():
        if is_stacked(key):
            found |= {key.replace(STAR, str(layer)): one for layer, one in enumerate(array)}
        else:
            found[key] = array
    return found


def is_stacked(key: str) -> bool:
    """Whether a key or a prefix stands for all layers."""
    return STAR in key.split(".")
