"""Round ticks along an axis, and where its values lie.

Enters: the values that an axis must hold. Leaves: a frozen scale. Must not know: pixels, SVG.

Steps between ticks are 1, 2 or 5 times a power of ten; along a logarithmic axis they are powers of ten, or
every second, third one where there are many.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

from symbp.explain.curves.chart import Axis

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`; `ticks` are values with what is written at them."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1 at the high one."""
        low, high, at = (log10(v) if self.log else v for v in (self.low, self.high, value))
        return (at - low) / (high - low)


def scale(axis: Axis, values: Iterable[float], most: int) -> Scale:
    """The scale of an axis with at most so many ticks, whose ends are ticks; from 0 to 1 without values."""
    known = [value for value in values if axis.has(value)]
    if axis.names:
        count = len(axis.names)
        return Scale(-0.5, count - 0.5, tuple((float(k), name) for k, name in enumerate(axis.names)))
    if axis.log:
        return _powers(known or [1.0, 10.0], most)
    return _round(known or [0.0, 1.0], most)


def _powers(values: list[float], most: int) -> Scale:
    low, high = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
    high = max(high, low + 1)
    step = ceil((high - low) / max(1, most - 1))
    high = low + step * ceil((high - low) / step)
    ticks = tuple((10.0**k, power(k)) for k in range(low, high + 1, step))
    return Scale(10.0**low, 10.0**high, ticks, log=True)


def power(exponent: int) -> str:
    """`0.01` to `100` as they are, else `10⁻³`."""
    if -2 <= exponent <= 2:
        return f"{10.0**exponent:g}"
    return f"10{str(exponent).translate(RAISED)}"


def _round(values: list[float], most: int) -> Scale:
    low, high = min(values), max(values)
    if low == high:  # a line across the middle
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    step = _step((high - low) / max(1, most - 1))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    digits = max(0, -floor(log10(step) + 1e-9))
    ticks = tuple((k * step, _decimal(k * step, digits, step)) for k in range(first, last + 1))
    return Scale(first * step, last * step, ticks)


def _step(least: float) -> float:
    """The smallest round step that isn't below another."""
    size = 10.0 ** floor(log10(least))
    return next(size * k for k in STEPS if size * k >= least * (1 - 1e-9))


def _decimal(value: float, digits: int, step: float) -> str:
    if abs(step) >= 1e6 or digits > 5:
        return f"{value:.6g}"
    return f"{0.0 if value == 0 else value:.{digits}f}".replace("-", "−")
