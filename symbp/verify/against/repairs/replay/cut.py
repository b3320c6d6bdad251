"""A bench on which one slice of the target is judged: a gate's part of a weight, the row that holds biases.

Enters: what was answered. Leaves: the slice that alone is wrong, if there is one; a bench for it.
Must not know: slips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.ir.system import Equation, Tensor
from symbp.verify.against.answer import Compared, Seen
from symbp.verify.against.repairs.agreement import scale, tolerance
from symbp.verify.against.repairs.replay.bench import Bench

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Slice:
    """One place along one axis; counted from the end if negative."""

    axis: int
    at: int
    rank: int

    def of(self, array: Array) -> Array:
        """The slice, its axis kept."""
        at = self.at % array.shape[self.axis]
        return array[(slice(None),) * self.axis + (slice(at, at + 1),)]

    def spelled(self, name: str) -> str:
        """As code has it: dW[:,2]."""
        places = [":"] * self.rank
        places[self.axis] = str(self.at)
        return f"{name}[{','.join(places)}]"


@dataclass(frozen=True)
class Cut(Bench):
    """A bench whose target is but a slice of itself."""

    part: Slice = Slice(0, 0, 1)

    def right(self, k: int, name: str | None = None) -> Array:
        found = super().right(k, name)
        return self.part.of(found) if name is None else found

    def changed(
        self,
        k: int,
        equations: Sequence[Equation],
        helpers: Sequence[Tensor] = (),
        wanted: str | None = None,
    ) -> Array | None:
        found = super().changed(k, equations, helpers, wanted)
        fits = found is not None and wanted is None and found.ndim == self.part.rank
        return self.part.of(found) if found is not None and fits else found

    @classmethod
    def of(cls, bench: Bench, part: Slice) -> Cut:
        return cls(bench.system, bench.target, bench.points, bench.answered, part=part)


def only_wrong(compared: Compared) -> Slice | None:
    """The one slice in which what was answered is wrong, if the rest is right. For one example all may be."""
    asked = [_places(seen) for seen in compared.seen]
    places = [found for found in asked if found is not None]
    shapes = [seen.right.shape for seen in compared.seen]
    if len(places) < len(asked) or not any(map(len, places)):
        return None
    for axis in range(len(shapes[0])):
        if any(shape[axis] < 2 for shape in shapes):
            continue
        front = {int(at) for found in places for at in found[:, axis]}
        pairs = zip(places, shapes, strict=True)
        back = {int(at) - shape[axis] for found, shape in pairs for at in found[:, axis]}
        one = front if len(front) == 1 else back
        if len(one) == 1:
            return Slice(axis, one.pop(), len(shapes[0]))
    return None


def _places(seen: Seen) -> Array | None:
    """Where an answer is wrong; None where it has another shape, or no numbers."""
    answered, right = np.asarray(seen.answered), seen.right
    if answered.shape != right.shape or not right.ndim or answered.dtype.kind not in "fiu":
        return None
    off = np.abs(answered - right)
    return np.argwhere(~(off <= tolerance(answered) * scale(right)))


def sliced(compared: Compared, part: Slice) -> Compared:
    """The slice alone."""
    seen = [replace(one, right=part.of(one.right), answered=part.of(one.answered)) for one in compared.seen]
    return replace(compared, seen=tuple(seen))
