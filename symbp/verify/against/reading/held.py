"""What an object holds, and what its parts hold: arrays in attributes, mappings, lists, layers in lists.

Enters: an object. Leaves: its arrays with their places; parameters put there, gradients found there.
Must not know: names of a network.

A model of layers has `W` in each of them. Which is which parameter then shows by shapes, and by the order in
which they stand; an array beside it with a mark, `dW` or `W_grad`, or in a list `grads`, is its gradient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.verify.against.returned.arrays import Array, is_array

DEEP = 6  # what holds what: an object may hold itself
MARKED = r"d_?(?P<of>.+)|grad_?(?P<by>.+)|(?P<a>.+?)_?grad"
GRADIENTS = ("grads", "grad", "gradients", "gradient")


@dataclass(frozen=True, eq=False)
class Place:
    """An array under a key of what holds it; `marked`, if it is a gradient by what stands beside it."""

    holder: Any  # a mapping or a list
    key: Any
    array: Array
    path: str
    marked: bool


def places(made: Any) -> list[Place]:
    """The arrays of real numbers in an object, each under all keys that it has."""
    return [*_places(made, "", False, 0, set())]


def _places(value: Any, path: str, marked: bool, depth: int, seen: set[int]) -> Iterator[Place]:
    holder = vars(value) if hasattr(value, "__dict__") and not isinstance(value, type) else value
    if depth > DEEP or id(value) in seen or not isinstance(holder, (dict, list, tuple)):
        return
    seen.add(id(value))
    for key, one in [*(holder.items() if isinstance(holder, dict) else enumerate(holder))]:
        name = str(key) if isinstance(key, str) else f"[{key}]"
        inner = f"{path}.{name}".strip(".") if isinstance(key, str) else f"{path}{name}"
        own = marked or key in GRADIENTS or (isinstance(holder, dict) and _marks(name, holder))
        if is_array(one):
            if np.asarray(one).dtype.kind == "f":
                yield Place(holder, key, one, inner, own)
        elif not callable(one) or hasattr(one, "forward"):
            yield from _places(one, inner, own, depth + 1, seen)


def _marks(name: str, beside: Mapping[Any, Any]) -> bool:
    """Whether a name is another one beside it with a mark of a gradient."""
    found = re.fullmatch(MARKED, name)
    return found is not None and any(part in beside for part in found.groups() if part)


def put(found: list[Place], values: Mapping[str, Array]) -> bool:
    """Puts parameters where arrays of their shapes stand, the first of these first, if that can be done with
    all of them."""
    plain = [place for place in found if not place.marked]
    distinct = [*{id(place.array): place for place in plain}.values()]
    chosen: list[tuple[Place, Array]] = []
    for value in values.values():
        place = next((p for p in distinct if np.shape(p.array) == value.shape), None)
        if place is None:
            return False
        distinct.remove(place)
        chosen.append((place, value))
    for place, value in chosen:
        if isinstance(place.array, np.ndarray) and place.array.dtype == value.dtype:
            place.array[...] = value  # optimizers and layers share it
            continue
        for same in (p for p in plain if p.array is place.array and not isinstance(p.holder, tuple)):
            same.holder[same.key] = value
    return True


def gradients_in(found: list[Place]) -> dict[str, Array]:
    """The arrays that are marked as gradients, each once, by their paths."""
    marked = {id(place.array): place for place in reversed(found) if place.marked}
    return {place.path: np.asarray(place.array) for place in reversed([*marked.values()])}
