"""One comparison of a gradient check, and where a derivation goes wrong first.

Enters: two arrays of the same entries. Leaves: frozen rows. Must not know: how a gradient was computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

FLOOR = 1e-8  # gradients below this norm are compared absolutely


@dataclass(frozen=True)
class Row:
    """One comparison; `parameter` is the key of the result, `"W1,W2"` for a second derivative.

    `max_abs_error` is the largest elementwise difference, at `element`, where the result is `value` and the
    other method has `expected`; `max_rel_error` is ‖a − b‖/max(‖a‖, ‖b‖, 1e-8). `entries` says how many of
    the `size` elements were compared, at `sizes`; at further `points` the result was compared along a random
    direction, where all elements take part. `kinks` counts the entries and directions along which the
    function has no derivative: they are left out. `note` says in words why a result is wrong, or what
    couldn't be compared. `errors` are those of the single entries, relative to the largest; `slope` is that
    of Taylor remainders, by step, of which `tolerance` is the least.
    """

    parameter: str
    method: str
    max_abs_error: float
    max_rel_error: float
    ok: bool
    tolerance: float
    entries: int
    size: int
    sizes: Mapping[str, int] = field(default_factory=dict)
    element: str = ""
    value: float = 0.0
    expected: float = 0.0
    points: int = 0
    note: str = ""
    kinks: int = 0
    shape: tuple[int, ...] | None = None
    slope: float | None = None
    errors: tuple[float, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was compared."""
        return self.size > 0 and not self.entries and not self.points

    @property
    def verdict(self) -> str:
        """`ok`, or what is wrong."""
        if self.is_empty:
            reason = self.note or f"{self.kinks} at a kink"
            return f"left out: {reason}" if self.ok else f"NOT COMPARED: {reason}"
        if self.ok:
            return f"ok ({self.note})" if self.note else "ok"
        beyond = f"above {self.tolerance:.0e}" if self.tolerance else "not equal"
        return f"WRONG: {self.note or beyond}"


@dataclass(frozen=True)
class Located:
    """The first wrong equation in the order of the backward pass: its `number`, the `tensor` that it defines,
    its text, the derivative that it should be, and the worst element: what the equation gives there where all
    that it reads is right, and the derivative. It is computed `through` the equations of these parts of it,
    one of which may be the wrong one. `further` are the tensors whose equations are wrong by themselves,
    too."""

    number: int
    tensor: str
    equation: str
    derivative: str
    element: str
    value: float
    expected: float
    sizes: Mapping[str, int]
    through: tuple[str, ...] = ()
    further: tuple[str, ...] = ()

    def __str__(self) -> str:
        at = f" at {sizes_text(self.sizes)}" if self.sizes else ""
        parts = f", computed with {', '.join(self.through)}" if self.through else ""
        more = f"; wrong by themselves, too: {', '.join(self.further)}" if self.further else ""
        return (
            f"the first wrong equation is ({self.number}) {self.equation}{parts}: "
            f"{self.tensor}{self.element} is {self.value:.6g} where all that it reads is right, "
            f"{self.derivative}{self.element} is {self.expected:.6g}{at}{more}"
        )


def compare(
    parameter: str,
    method: str,
    ours: ArrayLike,
    theirs: ArrayLike,
    tolerance: float,
    size: int | None = None,
    noise: ArrayLike = 0.0,
    *,
    sizes: Mapping[str, int] | None = None,
    elements: tuple[str, ...] = (),
    blind: ArrayLike = False,
    kinks: ArrayLike = False,
    shape: tuple[int, ...] | None = None,
) -> Row:
    """A row from two arrays of the same entries. Of a difference, `noise`, the rounding of the methods
    themselves, is taken off, so that a gradient that is exactly zero passes. Where the other method has no
    value, is `blind` or at one of the `kinks`, nothing is compared; where it has one, ours must."""
    a, b = np.asarray(ours, dtype=float).ravel(), np.asarray(theirs, dtype=float).ravel()
    bent = np.broadcast_to(np.asarray(kinks, bool).ravel(), b.shape)
    known = np.isfinite(b) & ~np.broadcast_to(np.asarray(blind, bool).ravel(), b.shape) & ~bent
    with np.errstate(invalid="ignore"):
        off = np.where(known, np.abs(a - b), 0.0)
    off = np.where(np.isnan(off), np.inf, off)
    scale = max(float(np.linalg.norm(part[known])) for part in (np.where(np.isfinite(a), a, 0.0), b))
    beyond = np.maximum(off - np.broadcast_to(np.asarray(noise, float).ravel(), off.shape), 0.0)
    at = int(np.argmax(beyond)) if np.any(beyond > 0) else int(np.argmax(off)) if off.size else -1
    largest = max(float(np.max(np.abs(part[known & np.isfinite(part)]), initial=FLOOR)) for part in (a, b))
    left = int(known.size - known.sum() - np.sum(bent))
    return Row(
        parameter,
        method,
        float(np.max(off, initial=0.0)),
        float(np.linalg.norm(off)) / max(scale, FLOOR),
        bool(np.linalg.norm(beyond) <= tolerance * max(scale, FLOOR)),
        tolerance,
        int(known.sum()),
        a.size if size is None else size,
        dict(sizes or {}),
        elements[at] if elements and at >= 0 else str(at) if at >= 0 else "",
        float(a[at]) if at >= 0 else 0.0,
        float(b[at]) if at >= 0 else 0.0,
        note=f"{left} without a value" if left else "",
        kinks=int(np.sum(bent)),
        shape=shape,
        errors=tuple((off[known] / largest).tolist()),
    )


def failed(parameter: str, method: str, reason: str, sizes: Mapping[str, int], size: int = 0) -> Row:
    """The row of a result that can't be compared because it isn't what it should be."""
    return Row(parameter, method, math.inf, math.inf, False, 0.0, 0, size, dict(sizes), points=1, note=reason)


def left_out(parameter: str, method: str, reason: str, sizes: Mapping[str, int], size: int) -> Row:
    """The row of a result with which a method can do nothing; it says nothing against the result."""
    return Row(parameter, method, 0.0, 0.0, True, 0.0, 0, size, dict(sizes), note=reason)


def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    """‖a − b‖/max(‖a‖, ‖b‖, 1e-8)."""
    x, y = np.asarray(a, dtype=float).ravel(), np.asarray(b, dtype=float).ravel()
    norms = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    return float(np.linalg.norm(x - y)) / max(*norms, FLOOR)


def sizes_text(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sizes.items())
