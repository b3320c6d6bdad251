"""A module's gradients, or other derivatives, against those of the derivation that it was made from.

Enters: a derivation, a compiled or generated module of it, sizes. Leaves: a row for each result.
Must not know: the target that computes; any module with the common interface will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.evaluation.vector import run
from symbp.verify.blocks import blocks
from symbp.verify.points import Drawer, Point, Style, domains_of
from symbp.verify.report import Row, compare, failed
from symbp.verify.rounding import Evaluate, rounding

TOLERANCES = {"float64": 1e-12, "float32": 1e-4}
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
    found, rows = _results(module, values), []
    for name, tensor in tensors.items():
        right = expected[tensor]
        if name not in found:
            rows.append(failed(name, METHOD, "the module has no such result", sizes, right.size))
        elif np.shape(found[name]) != right.shape:
            reason = f"its shape is {np.shape(found[name])}, not {right.shape}"
            rows.append(failed(name, METHOD, reason, sizes, right.size))
        else:
            row = compare(name, METHOD, found[name], right, TOLERANCES[str(dtype)], sizes=sizes)
            if not row.ok:  # what is as uncertain as that in the module's own arithmetic passes

                def evaluate(tensors: Evaluate, tensor: str = tensor) -> Any:
                    return tensors(derivation.system, values, sizes, [tensor])[tensor]

                noise = rounding(evaluate, float(np.finfo(dtype).eps))
                blind = ~(noise <= ILL * max(float(np.max(np.abs(right), initial=0.0)), 1e-30))
                row = compare(
                    name, METHOD, found[name], right, row.tolerance, noise=noise, sizes=sizes, blind=blind
                )
            rows.append(row)
    return rows


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
