"""Which equation of a backward pass is the first that is wrong.

Enters: a derivation, points at which a result of it is wrong. Leaves: the first wrong equation in order, an
element of it and both values; None if each is right by itself, as far as can be told.
Must not know: how a gradient was found.

Each adjoint is checked on its own: its own equation, with the right values of all other adjoints that it
reads. What is right is ∂loss/∂t where t moves beside its equation: the raw sweep of the forward pass has it
in one pass, and is believed where it agrees with the complex step along random directions, else the complex
step is taken for each element. Equations of a part of an adjoint have no such meaning: they are checked
together with what reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbp.derive import adjoints
from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.ir.evaluation.vector import Run, run, with_stopped
from symbp.ir.system import Equation, System
from symbp.verify.entries import element
from symbp.verify.numeric import COMPLEX_STEP, EPSILON, Values
from symbp.verify.points import Point
from symbp.verify.report import FLOOR, Located
from symbp.verify.rounding import Evaluate as Tensors
from symbp.verify.rounding import rounding

Array = np.ndarray[Any, Any]
TOLERANCE = 2.0**22 * EPSILON  # as for results along random directions
DIRECTIONS = 2
MOST_ELEMENTS = 600  # of a tensor, by the complex step
ALONE = "itself"


def first_wrong(derivation: Derivation, points: Sequence[Point]) -> Located | None:
    """The first wrong equation at the first point that shows one."""
    if not derivation.is_gradient or derivation.declared.loss is None:
        return None
    for point in points:
        try:
            with np.errstate(all="ignore"):
                found = _Pass(derivation, point).first_wrong()
        except SymbpError:
            continue
        if found is not None:
            return found
    return None


class _Pass:
    """The backward pass at one point."""

    def __init__(self, derivation: Derivation, point: Point) -> None:
        self.derivation, self.point, self.system = derivation, point, derivation.system
        assert derivation.declared.loss is not None
        self.loss = derivation.declared.loss
        needed = self.system.resting([self.loss])
        self.forward = self.system.without([t.name for t in self.system.tensors if t.name not in needed])
        self.values = with_stopped(self.system, point.values, point.sizes)
        self.by = {name: by for name, by in self._meanings() if by in needed}
        self.right = _right(self.forward, self.loss, self.by.values(), self.values, point.sizes)

    def _meanings(self) -> Iterable[tuple[str, str]]:
        """Each adjoint, and the tensor by which it is the derivative of the loss."""
        gradients = {tensor: name for name, tensor in self.derivation.gradients.items()}
        for equation in self.derivation.backward:
            what = self.system.tensor(equation.target).differential
            whole = what is not None and what.of == self.loss and not (what.part or what.along or what.whole)
            if equation.target in gradients:
                yield equation.target, gradients[equation.target]
            elif what is not None and whole:
                yield equation.target, what.by

    def first_wrong(self) -> Located | None:
        found = [located for equation in self.derivation.backward if (located := self._located(equation))]
        if not found:
            return None
        return replace(found[0], further=tuple(one.tensor for one in found[1:]))

    def _located(self, equation: Equation) -> Located | None:
        """An equation that is wrong by itself."""
        name = equation.target
        right = self.right.get(self.by.get(name, ""))
        if right is None:
            return None
        kept, values = self._alone(equation)
        sizes = self.point.sizes
        try:
            mine = np.asarray(run(kept, values, sizes, wanted=[ALONE])[ALONE], float)
        except SymbpError:  # it reads out of range, say
            return self._named(equation, np.full(right.shape, np.nan), right, 0)
        if mine.shape != right.shape:
            return None  # said elsewhere
        known = np.isfinite(right)
        off = np.where(known, np.abs(mine - right), 0.0)
        off = np.where(np.isnan(off), np.inf, off)
        scale = max(float(np.max(np.abs(right[known]), initial=0.0)), FLOOR)
        if np.max(off, initial=0.0) <= TOLERANCE * scale:
            return None

        def itself(tensors: Tensors) -> Array:
            return tensors(kept, values, sizes, [ALONE])[ALONE]

        beyond = off - rounding(itself)
        if not np.max(beyond, initial=0.0) > TOLERANCE * scale:
            return None
        return self._named(equation, mine, right, int(np.argmax(beyond)))

    def _named(self, equation: Equation, mine: Array, right: Array, at: int) -> Located:
        """What is said of an equation that is wrong at an element."""
        name = equation.target
        return Located(
            self.derivation.numbers[name], name, str(equation), f"∂{self.loss}/∂{self.by[name]}",
            element(right.shape, at), float(mine.flat[at]), float(right.flat[at]), dict(self.point.sizes),
            through=self._through(equation),
        )  # fmt: skip

    def _alone(self, equation: Equation) -> tuple[System, Values]:
        """The system in which all adjoints whose values are known have them, and the equation defines a
        tensor of its own."""
        known = {name: self.right[by] for name, by in self.by.items() if by in self.right}
        left = tuple(e for e in self.system.equations if e.target not in known)
        tensor = replace(self.system.tensor(equation.target), name=ALONE)
        kept = self.system.with_(
            tensors=(*self.system.tensors, tensor), equations=(*left, equation.with_(target=ALONE))
        )
        return kept, {**self.values, **known}

    def _through(self, equation: Equation) -> tuple[str, ...]:
        """The parts of adjoints that an equation reads, and is checked together with."""
        parts = {e.target: e for e in self.derivation.backward if self.by.get(e.target) not in self.right}
        found, stack = dict[str, None](), [*equation.read_names]
        while stack:
            name = stack.pop(0)
            if name in parts and name not in found:
                found[name] = None
                stack += parts[name].read_names
        return tuple(found)


def _right(
    forward: System, loss: str, wanted: Iterable[str], values: Values, sizes: Mapping[str, int]
) -> dict[str, Array]:
    """∂loss/∂t for each of the tensors; nothing of those that are too large without the sweep's help."""
    names = list(dict.fromkeys(wanted))
    try:
        swept = adjoints(forward, loss, names)
        found = run(swept.system, values, sizes, wanted=list(swept.gradients.values()))
        candidates = {name: np.asarray(found[tensor], float) for name, tensor in swept.gradients.items()}
    except SymbpError:
        candidates = {}
    shapes = {name: np.shape(array) for name, array in run(forward, values, sizes, wanted=names).items()}
    slopes = _Slopes(forward, loss, values, sizes)
    rng, right = np.random.default_rng(0), dict[str, Array]()
    for name in names:
        candidate = candidates.get(name)
        if candidate is not None and slopes.confirms(name, candidate, rng):
            right[name] = candidate
        elif int(np.prod(shapes[name])) <= MOST_ELEMENTS:
            right[name] = slopes.elements(name, shapes[name])
    return right


class _Slopes:
    """Derivatives of a loss by tensors of its system, leaves or not, by the complex step."""

    def __init__(self, system: System, loss: str, values: Values, sizes: Mapping[str, int]) -> None:
        self.system, self.loss, self.values, self.sizes = system, loss, values, sizes

    def along(self, name: str, direction: Array) -> float:
        point = _Moving(self.system, self.values, self.sizes)
        point.move(name, direction * (COMPLEX_STEP * 1j))
        return float(np.imag(point.tensor(self.loss)) / COMPLEX_STEP)

    def confirms(self, name: str, candidate: Array, rng: np.random.Generator) -> bool:
        """Whether a candidate agrees along random directions."""
        for _ in range(DIRECTIONS):
            direction = np.asarray(rng.normal(size=candidate.shape))
            mine, theirs = float(np.sum(candidate * direction)), self.along(name, direction)
            scale = max(float(np.linalg.norm(candidate * direction)), FLOOR)
            if not abs(mine - theirs) <= TOLERANCE * scale:
                return False
        return True

    def elements(self, name: str, shape: tuple[int, ...]) -> Array:
        found = np.empty(shape)
        for at in np.ndindex(shape):
            unit = np.zeros(shape)
            unit[at] = 1
            found[at] = self.along(name, unit)
        return found


class _Moving(Run):
    """One point, at which one tensor moves beside its equation, in each of the steps of a recurrence."""

    def move(self, name: str, by: Array) -> None:
        self.moved, self.by = name, by
        self.is_complex, self.dtype = True, np.complex128
        if name not in self.system.defining:
            self.values = {**self.values, name: self.values[name] + by}

    def _evaluate(self, equation: Equation, fixed: Mapping[int, int]) -> Array:
        value = super()._evaluate(equation, fixed)
        if equation.target != self.moved:
            return value
        return value + self.by[tuple(fixed.get(k, slice(None)) for k in range(self.by.ndim))]
