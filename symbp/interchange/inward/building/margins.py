"""Margins: of one number, or of what lies within.

Enters: values, widths before and behind each axis. Leaves: values. Must not know: foreign operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symbp.interchange.inward.building.shapes import END, joined, sliced, tiled
from symbp.interchange.inward.values import refuse, shape_of, tensor
from symbp.interchange.inward.writing import Writer

Widths = Sequence[tuple[int, int]]


def padded(w: Writer, value: Any, widths: Sequence[tuple[int, int]], number: float) -> Any:
    """A margin of one number; negative widths take away."""
    cuts = {k: (max(0, -a), END if b >= 0 else b, 1) for k, (a, b) in enumerate(widths) if a < 0 or b < 0}
    found = sliced(w, value, cuts) if cuts else value
    margins = tuple((max(0, a), max(0, b)) for a, b in widths)
    if not any(any(pair) for pair in margins):
        return found
    return w.call("pad", tensor(w, found), margins, value=number)


def continued(w: Writer, value: Any, widths: Widths, way: str) -> Any:
    """A margin of the elements within, in one of the `WAYS`, axis by axis."""
    found = value
    for axis, (before, behind) in enumerate(widths):
        if before < 0 or behind < 0:
            refuse("a margin that takes away and one of what lies within at once")
        if not before and not behind:
            continue
        extent, parts = shape_of(found)[axis], [found]
        if before:
            parts.insert(0, WAYS[way](w, found, axis, extent, before, True))
        if behind:
            parts.append(WAYS[way](w, found, axis, extent, behind, False))
        found = joined(w, [tensor(w, part) for part in parts], axis)
    return found


def _mirrored(w: Writer, x: Any, axis: int, extent: Any, count: int, before: bool) -> Any:
    """The elements beside the outermost one, nearest first."""
    n = _known(extent, count + 1)
    within = (1, count + 1, 1) if before else (n - 1 - count, n - 1, 1)
    return w.call("flip", tensor(w, sliced(w, x, {axis: within})), axis, light=True)


def _repeated(w: Writer, x: Any, axis: int, extent: Any, count: int, before: bool) -> Any:
    """The outermost element, again and again."""
    n = _known(extent, 1)
    one = sliced(w, x, {axis: (0, 1, 1) if before else (n - 1, n, 1)})
    return tiled(w, one, [count if k == axis else 1 for k in range(len(shape_of(x)))])


def _around(w: Writer, x: Any, axis: int, extent: Any, count: int, before: bool) -> Any:
    """The elements of the other end."""
    n = _known(extent, count)
    return sliced(w, x, {axis: (n - count, n, 1) if before else (0, count, 1)})


def _known(extent: Any, least: int) -> int:
    if not isinstance(extent, int):
        refuse("a margin of what lies within an axis of an open size", "leave that axis closed")
    if extent < least:
        refuse(f"a margin needs {least} elements, and the axis has {extent}")
    return int(extent)


WAYS: Mapping[str, Callable[..., Any]] = {
    "reflect": _mirrored,
    "replicate": _repeated,
    "edge": _repeated,
    "circular": _around,
    "wrap": _around,
}
"""By the names that PyTorch and ONNX have for them."""
