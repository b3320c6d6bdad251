"""A module's gradients, or other derivatives, against those of the derivation that it was made from.

Enters: a derivation, a compiled or generated module of it, sizes. Leaves: a row for each result.
Must not know: the target that computes; any module with the common interface will do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.evaluation.vector import run
from symbp.verify.blocks import blocks
from symbp.verify.points import Drawer, Point, Style, domains_of
from symbp.verify.report import FLOOR, Row, compare, failed
from symbp.verify.rounding import Evaluate, rounding

Array = np.ndarray[Any, Any]
TOLERANCES = {kind: 2.0**10 * float(np.finfo(kind).eps) for kind in ("float64", "float32")}
"""Ten bits may be lost before rounding is measured: 2e-13 and 1e-4."""
METHOD = "generated module"
STYLES = (Style(), Style(3.0, dealt=True), Style(0.1, dealt=True))
ILL = 1e-2  # of a result that rounding moves by so much of its size, nothing can be said


def module_rows(
    derivation: Derivation, module: ModuleType, *, sizes: Mapping[str, int], seed: int = 0
) -> list[Row]:
    """One row for each result, the worst of some random points that obey the leaves' facts; every entry is
    compared. A result that is missing, or has another shape, is wrong."""
    hyper = {name: float(value) for name, value in constants(module).items()}
    drawer = Drawer(derivation.declared, sorted({block.of for block in blocks(derivation)}), hyper)
    drawer.domains = domains_of(drawer, sizes, seed)
    drawn = [drawer.draw(sizes, seed + 31 * k, style) for k, style in enumerate(STYLES)]
    points = [point for point in drawn if point is not None] or [drawer.attempt(sizes, seed, far=False)]
    rows: dict[str, Row] = {}
    for point in points:
        for row in _rows(derivation, module, point, hyper):
            if row.parameter not in rows or (rows[row.parameter].ok and not row.ok):
                rows[row.parameter] = replace(
                    row, points=rows[row.parameter].points + 1 if row.parameter in rows else 0
                )
            elif rows[row.parameter].ok:
                rows[row.parameter] = replace(rows[row.parameter], points=rows[row.parameter].points + 1)
    return list(rows.values())


def _rows(derivation: Derivation, module: ModuleType, point: Point, hyper: Mapping[str, float]) -> list[Row]:
    dtype, sizes = np.dtype(module.DTYPE), point.sizes
    values = {n: a if a.dtype.kind in "iu" else a.astype(dtype) for n, a in point.values.items()}
    values |= {name: np.asarray(value) for name, value in hyper.items()}
    promised = derivation.gradients if hasattr(module, "derivatives") else module.PARAMETERS
    tensors = {name: tensor for name, tensor in derivation.gradients.items() if name in promised}
    expected = run(derivation.system, values, sizes, wanted=list(tensors.values()))
    found, again, rows = _results(module, values), _results(module, values), []
    for name, tensor in tensors.items():
        right = expected[tensor]
        reason = _unfit(found.get(name), again.get(name), right, TOLERANCES[str(dtype)])
        if reason:
            rows.append(failed(name, METHOD, reason, sizes, right.size))
            continue

        def evaluate(tensors: Evaluate, tensor: str = tensor) -> Any:
            return tensors(derivation.system, values, sizes, [tensor])[tensor]

        rows.append(_row(name, np.asarray(found[name]), right, evaluate, dtype, sizes))
    return rows


def _unfit(found: Any, again: Any, right: Array, tolerance: float) -> str:
    """Why an answer can't be compared; nothing, if it can."""
    if found is None:
        return "the module has no such result"
    if np.shape(found) != right.shape:
        return f"its shape is {np.shape(found)}, not {right.shape}"
    if not _same(found, again, tolerance):
        off = float(np.max(np.abs(np.asarray(found, float) - np.asarray(again, float)), initial=0.0))
        return f"it isn't deterministic: two calls with the same arguments differ by {off:.1e}"
    return ""


def _row(
    name: str,
    found: Array,
    right: Array,
    evaluate: Callable[[Evaluate], Array],
    dtype: np.dtype[Any],
    sizes: Mapping[str, int],
) -> Row:
    """An answer beside what is right; what is as uncertain in the module's own arithmetic passes."""
    row = compare(name, METHOD, found, right, TOLERANCES[str(dtype)], sizes=sizes, shape=right.shape)
    if row.ok:
        return row
    noise = rounding(evaluate, float(np.finfo(dtype).eps))
    blind = ~(noise <= ILL * max(float(np.max(np.abs(right), initial=0.0)), 1e-30))
    return compare(
        name, METHOD, found, right, row.tolerance, noise=noise, sizes=sizes, blind=blind, shape=right.shape
    )


def _same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two answers are one but for the order in which threads add up."""
    a, b = np.asarray(one, float), np.asarray(other, float)
    scale = max(float(np.max(np.abs(a), initial=0.0)), FLOOR)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0, atol=tolerance * scale, equal_nan=True))


def _results(module: ModuleType, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The derivatives of a module that computes these, the gradients of one that trains."""
    params = {name: values[name] for name in module.PARAMETERS}
    found: Mapping[str, Any]
    if hasattr(module, "derivatives"):
        found = module.derivatives(params, **{name: values[name] for name in module.DERIVATIVE_INPUTS})
    else:
        kept = {"buffers": _named(module, "BUFFERS", values), "masks": _named(module, "RANDOM", values)}
        more = {key: arrays for key, arrays in kept.items() if arrays}
        _, found = module.loss_and_gradients(params, **more, **_named(module, "INPUTS", values))
    return found


def _named(module: ModuleType, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of what a table of the module lists; nothing, if it has no such table."""
    return {name: values[name] for name in getattr(module, table, ())}


def constants(module: ModuleType) -> Mapping[str, float]:
    """The values that a module gives to the network's own constants."""
    found: Mapping[str, float] = getattr(module, "CONSTANTS", {})
    return found
