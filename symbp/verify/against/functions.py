"""Any function with a gradient that somebody wrote for it: no declaration, numeric derivatives alone.

Enters: a function that gives one number, one that gives its gradients, arguments. Leaves: a report.
Must not know: what the function computes.

Small arrays are compared entry by entry, of large ones some entries; along random directions all elements
take part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symbp.errors import UsageError
from symbp.verify.against.answer import Answer, Array
from symbp.verify.against.given import Given, given
from symbp.verify.against.matching import misshapen
from symbp.verify.against.report import AgainstReport, TensorRow, Verdict
from symbp.verify.against.returned import answer, gradients_of
from symbp.verify.against.returned.arrays import as_mapping, number
from symbp.verify.against.running import Ran, ran, short
from symbp.verify.against.spelled import DERIVATIVE
from symbp.verify.ridders import derivative_along

ENTRIES, DIRECTIONS = 24, 3
TOLERANCES = {8: 1e-6, 4: 1e-3, 2: 5e-2}  # by bytes of a gradient's numbers, relative to its largest element
FLOOR = 1e-8
SURE = 1e-2  # a numeric derivative that may be off by more of its size says nothing


@dataclass(frozen=True)
class Slope:
    """A numeric derivative along one direction, and a bound on its error, infinite where nothing can be said;
    whether that is because of a kink."""

    value: float
    error: float
    kink: bool


@dataclass(frozen=True)
class Compared:
    """A gradient's value along one direction: of an entry, or of all elements at random."""

    element: tuple[int, ...] | None
    answered: float
    slope: Slope


def check_function(
    function: Callable[..., Any],
    gradient: Callable[..., Any],
    arguments: Mapping[str, Any] | Sequence[Any],
    *,
    entries: int = ENTRIES,
    directions: int = DIRECTIONS,
    seed: int = 0,
    wrt: Sequence[str] | str | None = None,
) -> AgainstReport:
    """The report on `gradient(…)`, which gives the gradients of `function(…)` by its real arguments, or by
    those that `wrt` names.

    Raises UsageError: a function that gives no single number, raises, or has no real arguments.
    """
    if not callable(gradient):
        raise UsageError(
            f"the gradient is {type(gradient).__name__}, no function", help="give one: lambda x: 2 * x"
        )
    case = _Case(function, gradient, given(function, arguments, wrt))
    problems, changed = list[str](), dict[str, None]()
    once, again = case.value(), case.value()
    if not _close(once, again, 1e-12):
        problems.append(f"{case.name} isn't the same twice at one point: {once:.6g} and {again:.6g}")
    steady = not problems
    first, second = case.gradients(changed), case.gradients(changed)
    unsteady = [name for name, a in first.gradients.items() if not _equal(a, second.gradients.get(name))]
    if unsteady:
        problems.append(f"not the same twice at one point: {', '.join(unsteady)}")
    if first.loss is not None and not _close(first.loss, once, 1e-6):
        problems.append(f"the gradient's own value is {first.loss:.6g}, that of {case.name} {once:.6g}")
    named, extra = case.matched(first.gradients)
    rng = np.random.default_rng(seed)
    rows = [case.row(name, named.get(name), entries if steady else 0, directions, rng) for name in case.real]
    problems += case.nothing(rows) if steady else []
    notes = [f"{name} is the gradient by no argument" for name in extra if name not in case.arguments]
    found = case._call(case.name, function, case.arguments)
    if np.asarray(found.value).dtype.kind in "iu":
        problems.append(f"{case.name} gives a whole number, {found.value}: it has no derivatives")
    written = found.changed
    notes += [f"{case.name} writes to its arguments: {', '.join(written)}"] if written else []
    notes += [f"it writes to its arguments: {', '.join(changed)}"] if changed else []
    wrong = next((row.tensor for row in rows if not row.ok), "")
    return AgainstReport(
        case.name, case.gradient_name, tuple(rows), wrong, tuple(problems), tuple(notes), {}, 1, seed,
        "numeric derivatives",
    )  # fmt: skip


@dataclass(frozen=True)
class _Case:
    """A function, its gradient, and their arguments."""

    function: Callable[..., Any]
    gradient: Callable[..., Any]
    given: Given

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.given.flat

    @property
    def real(self) -> tuple[str, ...]:
        return self.given.real

    @property
    def name(self) -> str:
        return short(self.function)

    @property
    def gradient_name(self) -> str:
        return short(self.gradient)

    def value(self, at: Mapping[str, Any] | None = None) -> float:
        """The function's one number."""
        found = self._call(self.name, self.function, at or self.arguments).value
        one = number(found)
        if one is None:
            what = f"an array of shape {np.shape(found)}" if np.shape(found) else repr(found)
            help = "take its real part" if np.iscomplexobj(found) else "take its sum, or its mean"
            raise UsageError(f"{self.name} gives {what}, not one real number", help=help)
        return one

    def nothing(self, rows: Sequence[TensorRow]) -> list[str]:
        """What is to be said if no row says anything."""
        if any(row.verdict != "not compared" for row in rows):
            return []
        sizes = [np.size(self.arguments[name]) for name in self.real]
        return ["nothing was compared: choose another point"] if any(sizes) else []

    def _call(self, name: str, function: Callable[..., Any], values: Mapping[str, Any]) -> Ran:
        copies = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in values.items()}
        watched = {n: v for n, v in copies.items() if isinstance(v, np.ndarray)}
        return ran(name, function, *self.given.call(copies), watched)

    def gradients(self, changed: dict[str, None]) -> Answer:
        """What the gradient function gives."""
        done = self._call(self.gradient_name, self.gradient, self.arguments)
        changed |= dict.fromkeys(done.changed)
        value, shapes = done.value, {name: np.shape(array) for name, array in self.arguments.items()}
        real, every = {name: shapes[name] for name in self.real}, shapes
        alone = not isinstance(value, (tuple, list)) and as_mapping(value) is None
        in_order = isinstance(value, (tuple, list)) and len(value) in (len(self.real), len(every))
        if alone or (in_order and not any(_holds_several(part) for part in value)):
            return Answer(None, gradients_of(self.gradient_name, value, real, every), {})
        return answer(self.gradient_name, value, real, every)

    def matched(self, found: Mapping[str, Array]) -> tuple[dict[str, Array], list[str]]:
        """Gradients by the arguments that they are by, and those by none."""
        named: dict[str, Array] = {}
        extra = []
        for name, array in found.items():
            ways = [name, *(m["by"] for p in DERIVATIVE if (m := re.fullmatch(p, name)) is not None)]
            by = next((way for way in ways if way in self.real), None)
            if by is None:
                extra.append(name)
            else:
                named.setdefault(by, array)
        return named, extra

    # --- one argument
    def row(
        self, name: str, found: Array | None, entries: int, directions: int, rng: np.random.Generator
    ) -> TensorRow:
        """The gradient by one argument beside numeric derivatives."""
        value, shown = np.asarray(self.arguments[name]), f"d{name}"
        text = str(value.shape)
        if found is None:
            why = f"{self.gradient_name} gives no gradient by {name}"
            return TensorRow(shown, "", "gradient", "missing", text, why=why)
        if found.shape != value.shape:
            why = misshapen(found.shape, value.shape)
            return TensorRow(shown, name, "gradient", "shape", text, why=why)
        if found.dtype.kind != "f" or found.dtype.itemsize < value.dtype.itemsize:
            why = f"its numbers are {found.dtype}, where {value.dtype} was given"
            return TensorRow(shown, name, "gradient", "dtype", text, why=why)
        lost = int(np.sum(~np.isfinite(found)))
        if lost:
            place = tuple(map(int, np.argwhere(~np.isfinite(found))[0])) if found.ndim else ()
            one = f"{shown}[{','.join(map(str, place))}]" if place else shown
            why = f"no finite numbers: {one}" + (f", and {lost - 1} more" if lost > 1 else "")
            return TensorRow(shown, name, "gradient", "no value", text, place, why=why)
        if not entries:
            why = f"{self.name} has no derivatives, as it isn't the same twice"
            return TensorRow(shown, name, "gradient", "not compared", text, why=why)
        return self._compared(name, found, self._sides(name, found, entries, directions, rng))

    def _sides(
        self, name: str, found: Array, entries: int, directions: int, rng: np.random.Generator
    ) -> list[Compared]:
        """The gradient along unit vectors, and along random directions where these don't reach all."""
        sides = []
        for flat in sorted(rng.permutation(found.size)[:entries].tolist()):
            unit = np.zeros(found.shape)
            unit.flat[flat] = 1.0
            place = tuple(map(int, np.unravel_index(flat, found.shape))) if found.ndim else ()
            sides.append(Compared(place, float(found.flat[flat]), self._along({name: unit})))
        if found.size > entries:
            for _ in range(directions):
                direction = rng.normal(size=found.shape) / np.sqrt(found.size)
                sides.append(Compared(None, float(np.sum(found * direction)), self._along({name: direction})))
        return sides

    @cached_property
    def at(self) -> dict[str, Any]:
        """The arguments in double precision, in which differences keep more digits."""
        return {n: v.astype(float) if n in self.real else v for n, v in self.arguments.items()}

    @cached_property
    def precision(self) -> Any:
        """The type of the numbers in which the function computes."""
        found = np.asarray(self._call(self.name, self.function, self.at).value)
        return found.dtype if found.dtype.kind == "f" else np.dtype(float)

    def floor(self, name: str) -> float:
        """The size below which a gradient counts as 0, beside what the function's own size makes of it."""
        length = float(np.max(np.abs(self.at[name]), initial=0.0)) or 1.0
        return (abs(self.value(self.at)) or length) * FLOOR / length

    def _along(self, direction: Mapping[str, Array]) -> Slope:
        def function(at: Mapping[str, Any]) -> Array:
            return np.asarray(self.value({**self.at, **at}), self.precision)

        found = derivative_along(function, {name: self.at[name] for name in direction}, direction)
        kink = bool(found.kink)
        return Slope(float(found.value), np.inf if kink else float(found.error), kink)

    def _compared(self, name: str, found: Array, sides: Sequence[Compared]) -> TensorRow:
        scale = max(
            [abs(side.slope.value) for side in sides if np.isfinite(side.slope.value)] + [self.floor(name)]
        )
        close = TOLERANCES.get(np.asarray(self.arguments[name]).dtype.itemsize, 1e-6)
        told = [side for side in sides if side.slope.error <= SURE * scale]
        kinks = sum(side.slope.kink for side in sides)
        off = [abs(s.answered - s.slope.value) - close * scale - 10 * s.slope.error for s in told]
        counted = _counted(found.size, sides)
        if not told:
            what = f"{'a kink' if kinks else 'no numeric derivative'} everywhere"
            why = f"{counted}: {what}" if counted else what if found.size else "it has no elements"
            return TensorRow(f"d{name}", name, "gradient", "not compared", str(found.shape), why=why)
        worst = told[int(np.argmax(off))]
        verdict: Verdict = "wrong" if max(off) > 0 else "right"
        absolute = abs(worst.answered - worst.slope.value)
        hints = [_hint(told)] if verdict == "wrong" else []
        hints += ["along a random direction"] if verdict == "wrong" and worst.element is None else []
        more = [f"{kinks} at a kink, not compared"] if kinks else []
        return TensorRow(
            f"d{name}", name, "gradient", verdict, str(found.shape), worst.element or (), worst.answered,
            worst.slope.value, absolute, absolute / scale, len(told),
            why="; ".join(part for part in (*hints, *more, counted) if part),
        )  # fmt: skip


def _hint(sides: Sequence[Compared]) -> str:
    """One factor by which all that was compared is off."""
    pairs = [(s.answered, s.slope.value) for s in sides]
    size = max(abs(b) for _, b in pairs)
    ratios = [a / b for a, b in pairs if abs(b) > 1e-3 * size]
    if not ratios or max(ratios) - min(ratios) > 1e-4 * abs(ratios[0]) or abs(ratios[0] - 1) < 1e-4:
        return ""
    if abs(ratios[0] + 1) < 1e-4:
        return "its sign is the other one"
    return f"it is {ratios[0]:.6g} times what it should be" if abs(ratios[0]) > 1e-9 else ""


def _counted(size: int, sides: Sequence[Compared]) -> str:
    entries = sum(side.element is not None for side in sides)
    if entries == size:
        return ""
    return f"{entries} of {size} entries and {len(sides) - entries} random directions"


def _holds_several(value: Any) -> bool:
    """Whether a part of what was returned holds gradients itself."""
    return isinstance(value, (tuple, list)) or as_mapping(value) is not None


def _close(a: float, b: float, within: float) -> bool:
    near = abs(a - b) <= within * max(abs(a), abs(b), 1e-300)
    return bool(a == b or near or (np.isnan(a) and np.isnan(b)))


def _equal(a: Array, b: Array | None) -> bool:
    if b is None or a.shape != b.shape:
        return False
    size = np.max(np.abs(a), initial=0.0, where=np.isfinite(a))
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12 * size, equal_nan=True))
