"""Which array of an answer is which tensor: by name, else by shape, else as told.

Enters: answers at points. Leaves: for each tensor that was answered its arrays, what is missing, notes.
Must not know: whether an array is right, but where a name may stand for two tensors: then it is the one that
it equals, if any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import numpy as np

from symbp.verify.against.answer import Answer, Compared, Kind, Seen
from symbp.verify.against.differing import same
from symbp.verify.against.reference import Reference
from symbp.verify.against.returned import InOrder
from symbp.verify.against.spelled import Meaning, Spelled
from symbp.verify.points import Point

Array = np.ndarray[Any, Any]
ALIKE = 1e-6
CLOSE = (1e-9, 2e-5)  # of float64, and of shorter ones: what equals a tensor so well is that one


@dataclass(frozen=True)
class Matched:
    """`compared` by tensor; `missing` are gradients by parameters that nothing answers, `shapes` says of
    tensors with another shape what it is, `left` are arrays whose names stand for nothing, `notes` what else
    is to be known."""

    compared: Mapping[str, Compared]
    missing: tuple[str, ...] = ()
    shapes: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def matched(
    reference: Reference, spelled: Spelled, points: Sequence[Point], answers: Sequence[Answer]
) -> Matched:
    """What was answered, tensor by tensor."""
    return _Matching(reference, spelled, points, answers).matched()


class _Matching:
    def __init__(
        self, reference: Reference, spelled: Spelled, points: Sequence[Point], answers: Sequence[Answer]
    ) -> None:
        self.reference, self.spelled, self.points = reference, spelled, points
        self.answers = in_order(reference, points, answers)
        self.found: dict[str, Compared] = {}
        self.shapes: dict[str, str] = {}
        self.notes: list[str] = []
        self._right: dict[str, tuple[Array, ...]] = {}

    def matched(self) -> Matched:
        self.loss()
        left = self.gradients()
        self.by_shape(left)
        self.kept()
        self.by_value()
        given = self.answers[0].given
        named = [g for g in self.reference.derivation.gradients if given is None or g in given]
        promised = [t for t in map(self.reference.adjoint, named) if t]
        missing = tuple(t for t in promised if t not in self.found)
        order = sorted(self.found, key=self.reference.place)
        found = {t: self.found[t] for t in order}
        return Matched(found, missing, self.shapes, self.left(), tuple(self.notes))

    def left(self) -> dict[str, tuple[Array, ...]]:
        """The arrays of real numbers whose names stand for nothing."""
        taken = {one.theirs for one in self.found.values()}
        found = dict[str, tuple[Array, ...]]()
        for mappings in ([a.gradients for a in self.answers], [a.kept for a in self.answers]):
            for name in _names(mappings):
                arrays = tuple(np.asarray(mapping[name]) for mapping in mappings)
                if name not in taken and all(a.dtype.kind == "f" for a in arrays):
                    found.setdefault(name, arrays)
        return found

    # --- what there is
    def loss(self) -> None:
        losses = [answer.loss for answer in self.answers]
        if any(loss is None for loss in losses):
            self.notes.append("it returns no loss: gradients alone were compared")
            return
        arrays = [np.asarray(loss, float) for loss in losses]
        self.take(self.reference.loss, "loss", "value", arrays)

    def gradients(self) -> list[str]:
        """Takes gradients by their names; the names that stand for nothing."""
        names = _names([answer.gradients for answer in self.answers])
        marked = any(self.spelled.is_marked(name) for name in names)
        left = []
        for name in names:
            arrays = [answer.gradients[name] for answer in self.answers]
            meaning = self.chosen(self.spelled.gradient(name, marked=marked), arrays)
            if meaning is None:
                left.append(name)
            elif meaning.kind == "gradient" or self.is_input(meaning.tensor):
                self.take(meaning.tensor, name, meaning.kind, arrays)
            else:
                self.take_laid(meaning, name, arrays)
        return left

    def by_shape(self, left: list[str]) -> None:
        """Takes gradients of unknown names where but one parameter has their shape, and but one has it."""
        tensors = [t for t in map(self.reference.adjoint, self.reference.derivation.gradients) if t]
        missing = [t for t in tensors if t not in self.found]
        fitting = {name: [t for t in missing if self.fits(t, name)] for name in left}
        for name, fits in fitting.items():
            alone = len(fits) == 1 and sum(fits[0] in other for other in fitting.values()) == 1
            if alone:
                arrays = [answer.gradients[name] for answer in self.answers]
                self.take(fits[0], name, "gradient", arrays)
                self.notes.append(
                    f"{name} was taken for {self.reference.shown(fits[0])}, which alone has its shape"
                )
        left[:] = [name for name in left if all(c.theirs != name for c in self.found.values())]

    def kept(self) -> None:
        for name in _names([answer.kept for answer in self.answers]):
            arrays = [answer.kept[name] for answer in self.answers]
            meaning = self.chosen(self.spelled.kept(name), arrays)
            if meaning is not None:
                self.take_laid(meaning, name, arrays)

    def by_value(self) -> None:
        """Takes what has no name that says anything, and equals a tensor between at every point."""
        left = self.left()
        tensors = self.reference.between if left else []
        for name, arrays in left.items():
            for tensor in tensors:
                right = self.right(tensor)
                if tensor not in self.found and _tells(right) and (found := _equal(arrays, right)):
                    self.take(tensor, name, "adjoint" if self.reference.by(tensor) else "value", found)
                    break

    def take_laid(self, meaning: Meaning, name: str, arrays: Sequence[Array]) -> None:
        """Takes what is no gradient that was asked for: the order of its axes is the code's own affair."""
        if meaning.tensor in self.found or (
            meaning.kind == "value" and self.reference.is_leaf(meaning.tensor)
        ):
            return
        laid = self.laid(meaning.tensor, arrays)
        if laid is not None:
            self.take(meaning.tensor, name, meaning.kind, laid)
            return
        shape, right = np.shape(arrays[0]), self.right(meaning.tensor)[0].shape
        shown = self.reference.shown(meaning.tensor)
        self.notes.append(f"{name} has shape {shape}, {shown} has {right}: it was not compared")

    # --- deciding
    def chosen(self, meanings: Sequence[Meaning], arrays: Sequence[Array]) -> Meaning | None:
        """What a name stands for; where that may be several things, the one that its arrays equal, or else
        have the shape of."""
        if len(meanings) < 2:
            return meanings[0] if meanings else None
        equal = [m for m in meanings if self.equals(m.tensor, arrays)]
        same = [m for m in meanings if self.laid(m.tensor, arrays) is not None]
        return [*equal, *same, *meanings][0]

    def equals(self, tensor: str, arrays: Sequence[Array]) -> bool:
        laid = self.laid(tensor, arrays)
        return laid is not None and all(
            bool(np.allclose(a, b, rtol=ALIKE, atol=ALIKE * _size(b)))
            for a, b in zip(laid, self.right(tensor), strict=True)
        )

    def laid(self, tensor: str, arrays: Sequence[Array]) -> list[Array] | None:
        return laid(arrays, self.right(tensor))

    def fits(self, tensor: str, name: str) -> bool:
        arrays = [answer.gradients[name] for answer in self.answers]
        return all(np.shape(a) == b.shape for a, b in zip(arrays, self.right(tensor), strict=True))

    def is_input(self, tensor: str) -> bool:
        """Whether it is a derivative by a leaf: nothing rests on it, it was computed for its own sake."""
        by = self.reference.by(tensor)
        return bool(by) and self.reference.is_leaf(by)

    def right(self, tensor: str) -> tuple[Array, ...]:
        if tensor not in self._right:
            self._right[tensor] = tuple(self.reference.right(point, tensor) for point in self.points)
        return self._right[tensor]

    def take(self, tensor: str, theirs: str, kind: Kind, arrays: Sequence[Array]) -> None:
        if tensor in self.found:
            return
        right = self.right(tensor)
        seen = tuple(Seen(p, b, np.asarray(a)) for p, b, a in zip(self.points, right, arrays, strict=True))
        by = self.reference.by(tensor)
        self.found[tensor] = Compared(tensor, theirs, kind, seen, by)
        wrong = next((s for s in seen if s.answered.shape != s.right.shape), None)
        if wrong is not None:
            self.shapes[tensor] = misshapen(wrong.answered.shape, wrong.right.shape)


def in_order(reference: Reference, points: Sequence[Point], answers: Sequence[Answer]) -> Sequence[Answer]:
    """Gradients without names under those whose shapes they have at every point, where that is another order
    than the one that was supposed."""
    names = [*answers[0].gradients] if answers else []
    adjoints = [reference.adjoint(name) or "" for name in names]
    alike = all(isinstance(a.gradients, InOrder) and [*a.gradients] == names for a in answers)
    if not alike or not all(adjoints):
        return answers
    theirs = [tuple(np.shape(answer.gradients[name]) for answer in answers) for name in names]
    ours = [tuple(reference.right(point, t).shape for point in points) for t in adjoints]
    if ours == theirs or sorted(ours) != sorted(theirs):
        return answers
    left, order = dict(zip(names, ours, strict=True)), []
    for shapes in theirs:
        order.append(next(name for name, own in left.items() if own == shapes))
        del left[order[-1]]
    return [replace(a, gradients=dict(zip(order, a.gradients.values(), strict=True))) for a in answers]


def laid(arrays: Sequence[Array], right: Sequence[Array]) -> list[Array] | None:
    """Arrays with their axes in the network's order, if that takes but another order or no axes of 1."""
    if all(np.shape(a) == b.shape for a, b in zip(arrays, right, strict=True)):
        return [*arrays]
    bare = [np.squeeze(a) if b.ndim < a.ndim else a for a, b in zip(arrays, right, strict=True)]
    if any(sorted(a.shape) != sorted(b.shape) for a, b in zip(bare, right, strict=True)):
        return None
    for order in permutations(range(right[0].ndim)):
        if all(np.transpose(a, order).shape == b.shape for a, b in zip(bare, right, strict=True)):
            return [np.transpose(a, order) for a in bare]
    return None


def _equal(arrays: Sequence[Array], right: Sequence[Array]) -> list[Array] | None:
    """Arrays with their axes in that order in which they are the right ones, if there is one."""
    if any(sorted(a.shape) != sorted(b.shape) for a, b in zip(arrays, right, strict=True)):
        return None
    for order in permutations(range(right[0].ndim)):
        turned = [np.transpose(a, order) for a in arrays]
        if all(same(a, b, CLOSE[a.dtype.itemsize < 8]) for a, b in zip(turned, right, strict=True)):
            return turned
    return None


def _tells(right: Sequence[Array]) -> bool:
    """Whether values tell one tensor from another: more than a mask of ones, or nothing at all."""
    return all(np.isfinite(array).all() for array in right) and any(np.ptp(a) > 0 for a in right if a.size)


def misshapen(shape: tuple[int, ...], right: tuple[int, ...]) -> str:
    """What is wrong with a shape."""
    if len(shape) == len(right) == 2 and shape == right[::-1]:
        return f"its shape is {shape}, not {right}: it is transposed"
    if sorted(shape) == sorted(right):
        return f"its shape is {shape}, not {right}: its axes are in another order"
    if [n for n in shape if n != 1] == [n for n in right if n != 1]:
        much = "too many" if len(shape) > len(right) else "missing"
        return f"its shape is {shape}, not {right}: an axis of 1 is {much}"
    if len(shape) > len(right):
        return f"its shape is {shape}, not {right}: a sum over an axis is missing"
    return f"its shape is {shape}, not {right}"


def _names(mappings: Sequence[Mapping[str, Array]]) -> list[str]:
    """The names that are in all of them."""
    return [name for name in mappings[0] if all(name in other for other in mappings)] if mappings else []


def _size(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))
