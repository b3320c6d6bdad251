"""Derivatives inside a declaration: the equations that stand for them, against the complex step.

Enters: a system with declared derivatives, the same with equations for them, points. Leaves: a row for each.
Must not know: how the equations were found.

The loss of a declaration with derivatives in it is only as right as these equations: both sides of every
other comparison rest on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbp.errors import SymbpError
from symbp.ir.evaluation.vector import run, with_stopped
from symbp.ir.system import System
from symbp.verify.numeric import Values, complex_step_along
from symbp.verify.points import Point
from symbp.verify.report import FLOOR, Row
from symbp.verify.rounding import Evaluate as Tensors
from symbp.verify.rounding import exactly, rounding

Array = np.ndarray[Any, Any]
METHOD, TOLERANCE, NOISE, ILL = "complex step", 1e-9, 1e-14, 1e-6


def inner_rows(declared: System | None, system: System, points: Sequence[Point]) -> list[Row]:
    """A row for each derivative of `declared`, the worst of all points; along a random direction each."""
    rows = []
    for name, (of, by) in (declared.derivatives if declared is not None else {}).items():
        if not {name, of, by} <= system.by_name.keys():
            continue
        found = [row for point in points if (row := _row(system, name, of, by, point)) is not None]
        if found:
            worst = max(found, key=lambda row: (not row.ok, row.max_rel_error))
            rows.append(replace(worst, points=len(found)))
    return rows


def _row(system: System, name: str, of: str, by: str, point: Point) -> Row | None:
    """One derivative at one point; None where nothing can be said."""
    free = system.with_(equations=tuple(e for e in system.equations if e.target != by))
    try:
        with np.errstate(all="ignore"):
            values = {**point.values, **run(system, point.values, point.sizes, wanted=[by])}
            values = with_stopped(free, values, point.sizes)
            size = float(np.max(np.abs(run(free, values, point.sizes, wanted=[of])[of]), initial=1.0))
            direction = {by: np.random.default_rng(point.seed).normal(size=np.shape(values[by]))}

            def along(tensors: Tensors) -> Array:
                def evaluate(at: Values) -> Array:
                    return tensors(free, at, point.sizes, [of])[of]

                return np.asarray(np.sum(complex_step_along(evaluate, values, direction)))

            def own(tensors: Tensors) -> Array:
                found = tensors(system, point.values, point.sizes, [name])[name]
                return np.asarray(np.sum(found * direction[by]))

            mine, theirs = float(own(exactly)), float(along(exactly))
            whole = run(system, point.values, point.sizes, wanted=[name])[name]
            if not np.isfinite(theirs):
                return None
            scale = max(abs(mine), abs(theirs), float(np.linalg.norm(whole * direction[by])), FLOOR)
            off = abs(mine - theirs)
            ok = off <= TOLERANCE * scale + NOISE * size
            if not ok:
                noise = float(rounding(own)) + float(rounding(along))
                ok = off <= TOLERANCE * scale + NOISE * size + noise
                if not ok and not noise <= ILL * scale:
                    return None
    except SymbpError:
        return None
    return Row(
        name, METHOD, off, off / scale, bool(ok), TOLERANCE, 0, whole.size, dict(point.sizes),
        "along a random direction", mine, theirs,
        note="" if ok else f"it isn't the derivative of {of} by {by}",
    )  # fmt: skip
