"""A module's gradients, or other derivatives, against those of the derivation that it was made from.

Enters: a derivation, a compiled or generated module of it, sizes. Leaves: a row for each result.
Must not know: the target that computes; any module with the common interface will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.sampling import sample_point
from symbp.ir.vector import run
from symbp.verify.report import Row, compare

TOLERANCES = {"float64": 1e-12, "float32": 1e-4}
METHOD = "generated module"


def module_rows(
    derivation: Derivation, module: ModuleType, *, sizes: Mapping[str, int], seed: int = 0
) -> list[Row]:
    """One row for each result, at a random point that obeys the leaves' facts; every entry is compared."""
    system = derivation.declared
    _, values = sample_point(system, seed, sizes=sizes)
    values |= {name: np.asarray(value) for name, value in constants(module).items()}
    dtype = np.dtype(module.DTYPE)
    values = {n: a if a.dtype.kind in "iu" else a.astype(dtype) for n, a in values.items()}
    expected = run(derivation.system, values, sizes, wanted=list(derivation.gradients.values()))
    found = _results(module, values)
    return [
        compare(name, METHOD, expected[tensor], found[name], TOLERANCES[str(dtype)])
        for name, tensor in derivation.gradients.items()
        if name in found
    ]


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
