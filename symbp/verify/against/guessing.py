"""Arrays whose names say nothing: which tensor one is shows in what was made of it.

Enters: what was matched and is wrong, arrays that weren't matched. Leaves: more that is matched.
Must not know: how a name is spelled.

If an array stands for a tensor, or for the derivative by one, what rests on it and is wrong, the loss or a
gradient, is what the equations make of it. That all its elements agree is no coincidence; an array that has
another meaning never does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symbp.verify.against.answer import Compared, Kind, Seen
from symbp.verify.against.differing import same
from symbp.verify.against.matching import laid
from symbp.verify.against.reference import Reference
from symbp.verify.points import Point

Array = np.ndarray[Any, Any]
CLOSE = 1e-6
MOST = 400  # pairs of an array and a tensor that are tried


def guessed(
    reference: Reference,
    points: Sequence[Point],
    known: Mapping[str, Compared],
    wrong: Sequence[str],
    left: Mapping[str, Sequence[Array]],
    passed: Sequence[str] = (),
    close: float = CLOSE,
) -> dict[str, Compared]:
    """Of the arrays that are `left`, by their names in the code, those that explain what is `wrong`. What a
    forward function `passed` on are no derivatives: y - t is right, whatever is forgotten behind it."""
    found: dict[str, Compared] = {}
    forward = any(known[tensor].kind == "value" for tensor in wrong)
    if not forward:
        left = {name: arrays for name, arrays in left.items() if name not in passed}
    pairs = _pairs(reference, points, known, left, forward=forward)
    for _, (name, tensor, arrays) in zip(range(MOST), pairs, strict=False):
        right = tuple(reference.right(point, tensor) for point in points)
        if tensor in found or name in (one.theirs for one in found.values()):
            continue
        if all(same(np.asarray(a, float), b, close) for a, b in zip(arrays, right, strict=True)):
            continue  # it is right, and explains nothing
        readers = reference.readers(tensor, [*wrong])
        if any(_explains(reference, points, known, reader, tensor, arrays, close) for reader in readers):
            seen = tuple(Seen(p, b, a) for p, b, a in zip(points, right, arrays, strict=True))
            kind: Kind = "value" if forward else "adjoint"
            found[tensor] = Compared(tensor, name, kind, seen, reference.by(tensor))
    return found


def _pairs(
    reference: Reference,
    points: Sequence[Point],
    known: Mapping[str, Compared],
    left: Mapping[str, Sequence[Array]],
    *,
    forward: bool,
) -> Iterator[tuple[str, str, list[Array]]]:
    """Arrays, and the tensors whose shape they have: those of the forward pass, if that went wrong; else
    derivatives, those that the closed form has first, and the last ones of these: what a rectifier passed
    back looks like what it was given, too."""
    tensors = [t for t in reference.between if t not in known and bool(reference.by(t)) is not forward]
    closed = reference.sources.closed.called
    tensors = sorted(tensors, key=lambda t: (t not in closed, 0 if forward else -reference.place(t)))
    for name, arrays in left.items():
        for tensor in tensors:
            found = laid(arrays, [reference.right(point, tensor) for point in points])
            if found is not None:
                yield name, tensor, found


def _explains(
    reference: Reference,
    points: Sequence[Point],
    known: Mapping[str, Compared],
    reader: str,
    tensor: str,
    arrays: Sequence[Array],
    close: float,
) -> bool:
    """Whether a wrong tensor is what the chain rule makes of an array in the place of another tensor."""
    for k, point in enumerate(points):
        answered = {t: np.asarray(np.real(one.seen[k].answered), float) for t, one in known.items()}
        answered[tensor] = np.asarray(arrays[k], float)
        steps = reference.chain(point, answered).steps(reader)
        if not any(same(answered[reader], step, close) for step in steps):
            return False
    return True
