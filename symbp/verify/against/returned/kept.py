"""Arrays in what somebody's code keeps, whatever holds them: mappings, tuples in tuples, a list of steps.

Enters: a value of any make. Leaves: arrays by name; what has none is called by its place, such as `cache[2]`.
Must not know: what names stand for.

A list may be one tensor, a step an element; a list of tuples several, `cache[:][1]`; or so many layers, each
of shapes of its own. Which of these it is shows later, by shapes and values: here it is all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from symbp.verify.against.returned.arrays import Array, as_mapping, is_array, stacked

MOST = 200  # arrays of one cache
DEEP = 6  # what holds what: an object may hold itself


def kept(value: Any, called: str = "cache") -> dict[str, Array]:
    """The arrays in a value; those in mappings by their own names."""
    found = dict[str, Array]()
    for name, array in islice(_arrays(value, called), MOST):
        found.setdefault(name, array)
    return found


def _arrays(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, Array]]:
    if depth > DEEP:
        return
    inside = None if is_array(value) else as_mapping(value)
    if inside is not None:
        for key, one in inside.items():
            yield from _arrays(one, key, depth + 1)
        return
    whole = None if value is None else stacked(value)
    if whole is not None:
        yield name, whole
    if isinstance(value, (tuple, list)) and (whole is None or isinstance(value, tuple)):
        yield from _columns(value, f"{name}[:]")
        for k, one in enumerate(value):
            yield from _arrays(one, f"{name}[{k}]", depth + 1)


def _columns(steps: tuple[Any, ...] | list[Any], name: str) -> Iterator[tuple[str, Array]]:
    """What steps of one make keep, each part along all of them."""
    mappings = [None if is_array(step) else as_mapping(step) for step in steps]
    rows = [step if own is None else [*own.values()] for step, own in zip(steps, mappings, strict=True)]
    if len(rows) < 2 or not all(isinstance(row, (tuple, list)) for row in rows):
        return
    if len({len(row) for row in rows}) != 1:
        return
    keys = [None if own is None else (*own,) for own in mappings]
    if len({*keys}) != 1:
        return
    for k, column in enumerate(zip(*rows, strict=True)):
        own = keys[0][k] if keys[0] is not None else f"{name}[{k}]"
        whole = stacked([*column])
        if whole is not None:
            yield own, whole
        yield from _columns(column, own)
