"""Which equation loses a gradient's digits: the last one that must be computed exactly for it to be right.

Enters: a derivation, a point at which float32 has a gradient wrong, what is right. Leaves: a `Culprit`.
Must not know: how points are chosen, or how a finding is shown.

All tensors before an equation are held at their true values, rounded to float32, the others are computed in
float32. With none held the gradient is wrong; with all it is right; halving finds the equation at which that
turns. Its inputs are right to rounding, what it makes of them isn't, and the gradient needs it.

Where it is off by rounding alone, one that reads it needs more digits than float32 has, and is named in its
place. Else it is evaluated in many digits at its rounded inputs. If that is right, its own arithmetic loses
the digits: its form does, and another might not. If it is wrong already, rounding what it reads has lost
them: it subtracts what was saved from something near it, or takes an exponential of something large.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.domains import HIGH
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.system import Equation
from symbp.verify.extremes.errors import BOUND, LARGEST, error_of
from symbp.verify.extremes.points import Extreme, single
from symbp.verify.extremes.runs import valued
from symbp.verify.extremes.single import in_float32
from symbp.verify.extremes.truth import Truth, as_floats

Array = np.ndarray[Any, Any]
ULPS = 4 * 2.0**-24  # by which an elementary function may be off
How = Literal["form", "rounding", "range", "recurrence", "derived", "code"]


@dataclass(frozen=True)
class Culprit:
    """The equation that loses the digits of a gradient, one element of what it defines, and how it loses
    them; `by` are the tensors whose rounding alone does. Without an equation, the derived equations have
    another value in many digits (`derived`), or the code alone is wrong (`code`)."""

    how: How
    target: str = ""
    at: tuple[int, ...] = ()
    ours: float = 0.0
    true: float = 0.0
    by: tuple[str, ...] = ()


def culprit(truth: Truth, point: Extreme, parameter: str, right: Array) -> Culprit:
    """What loses the gradient by a parameter at a point."""
    return _Search(truth, point, parameter, right).run()


class _Search:
    """One wrong gradient at one point."""

    def __init__(self, truth: Truth, point: Extreme, parameter: str, right: Array) -> None:
        self.derivation: Derivation = truth.derivation
        self.truth, self.point, self.right, self.shaken = truth, point, right, False
        self.gradient = self.derivation.gradients[parameter]
        self.system = self.derivation.system
        self.values = valued(self.derivation, point)
        resting = self.system.resting([self.gradient])
        self.order = [e.target for e in self.system.equations if e.target in resting]

    def run(self) -> Culprit:
        if not self._wrong(self.derived[self.gradient]):
            self.shaken = not self._wrong(self._computed({}))  # code has another order of operations
            if self.shaken and not self._wrong(self._computed({})):
                return Culprit("code")
            return self._found(self._turn())
        return self._without_value()

    @cached_property
    def derived(self) -> dict[str, Array]:
        """The true values of the derived tensors, in many digits."""
        return self.truth.derived(self.point, self.order, self.gradient, self.right)

    @cached_property
    def rounded(self) -> dict[str, Array]:
        """The true values as float32 holds them."""
        with np.errstate(all="ignore"):
            return {name: self._single(name, value) for name, value in self.derived.items()}

    def _single(self, name: str, value: Array) -> Array:
        is_integer = self.system.tensor(name).integer
        return np.asarray(value.astype(np.int64)) if is_integer else single(as_floats(value))

    def _wrong(self, found: Any) -> bool:
        return not error_of(as_floats(np.asarray(found)), self.right) <= BOUND

    def _computed(self, held: Mapping[str, Any], wanted: str = "") -> Array:
        name = wanted or self.gradient
        if name in held:
            return np.asarray(held[name])
        sizes, shaken = self.point.sizes, self.shaken
        return np.asarray(in_float32(self.system, self.values, sizes, [name], held, shaken=shaken)[name])

    def _held(self, count: int) -> dict[str, Array]:
        return {name: self.rounded[name] for name in self.order[:count]}

    def _turn(self) -> str:
        """The tensor that the gradient turns right with when it is held, those before it held, too."""
        wrong, right = 0, len(self.order)
        while right - wrong > 1:
            middle = (wrong + right) // 2
            if self._wrong(self._computed(self._held(middle))):
                wrong = middle
            else:
                right = middle
        return self.order[right - 1]

    # --- what is found
    def _found(self, name: str) -> Culprit:
        """The culprit; where an equation is right to the last digits, that which needs more of them."""
        held = self._held(self.order.index(name))
        ours = self._computed(held, name)
        if self._is_rounded(name, ours):
            for reader in self.order[self.order.index(name) + 1 :]:
                if name in self.system.defining[reader].read_names:
                    before = self._held(self.order.index(reader))
                    value = self._computed({**before, name: ours}, reader)
                    if self._wrong(self._computed({**before, reader: value})):
                        return self._culprit(reader, value, "rounding", (name,))
        return self._culprit(name, ours, *self._how(self.system.defining[name], held))

    def _culprit(self, name: str, ours: Array, how: How, by: tuple[str, ...]) -> Culprit:
        ours, true = ours.astype(float), as_floats(self.derived[name])
        at = _worst(ours, true)
        return Culprit(how, name, at, float(ours[at]), float(true[at]), by)

    def _is_rounded(self, name: str, ours: Array) -> bool:
        """Whether all elements are right to rounding."""
        true = as_floats(self.derived[name])
        return bool(np.all(np.abs(ours - true) <= ULPS * np.abs(true)))

    def _how(self, equation: Equation, held: Mapping[str, Array]) -> tuple[How, tuple[str, ...]]:
        reads = [name for name in dict.fromkeys(equation.read_names) if name in self.derived]
        if any(np.any(np.abs(as_floats(self.derived[n])) > LARGEST) for n in (*reads, equation.target)):
            far = [n for n in reads if np.any(np.abs(as_floats(self.derived[n])) > LARGEST)]
            return "range", tuple(far)
        if equation.target in equation.read_names or not set(reads) <= set(held):
            return "recurrence", ()
        if not self._lost_by(equation, held, reads):
            return "form", ()
        return "rounding", tuple(n for n in reads if self._lost_by(equation, held, [n]))

    def _lost_by(self, equation: Equation, held: Mapping[str, Array], rounded: Sequence[str]) -> bool:
        """Whether the gradient is wrong with an equation evaluated in many digits at rounded inputs."""
        exact = {name: self.derived[name] for name in equation.read_names if name in self.derived}
        values = {**self.values, **exact, **{name: self.rounded[name] for name in rounded}}
        alone = self.system.with_(equations=(equation,))
        try:
            found = evaluate(alone, values, self.point.sizes, HIGH, wanted=[equation.target])
        except (EvaluationError, OutsideDomain):
            return True
        value = self._single(equation.target, found[equation.target])
        return self._wrong(self._computed({**held, equation.target: value}))

    def _without_value(self) -> Culprit:
        """The derived equations are wrong in many digits, too: the first without a value, if it is that."""
        for name in self.order:
            value = as_floats(self.derived[name])
            reads = self.system.defining[name].read_names
            known = all(_finite(self.derived[n]) for n in reads if n in self.derived and n != name)
            if known and not _finite(self.derived[name]):
                at = tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])
                return Culprit("derived", name, at, float(value[at]), float("nan"))
        return Culprit("derived")


def _finite(values: Iterable[Any]) -> bool:
    return bool(np.all(np.isfinite(as_floats(np.asarray(values)))))


def _worst(ours: Array, true: Array) -> tuple[int, ...]:
    """The element that is off by most, beside the largest; by most of itself, if that is little."""
    with np.errstate(all="ignore"):
        off = np.abs(ours - true)
        off = np.where(np.isfinite(true) & ~np.isfinite(off), np.inf, np.where(np.isfinite(off), off, 0))
        scale = np.max(np.abs(true[np.isfinite(true)]), initial=0.0)
        if not np.max(off, initial=0.0) > BOUND * scale:
            off = np.where(true != 0, off / np.abs(np.where(true != 0, true, 1)), off)
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape)) if off.shape else ()
