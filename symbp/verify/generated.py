"""A module's gradients against those of the derivation that it was made from.

Enters: a derivation, a compiled or generated module of it, sizes. Leaves: a row for each gradient.
Must not know: the target that computes; any module with the common interface will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.sampling import sample_point
from symbp.ir.system import Role
from symbp.ir.vector import run
from symbp.verify.report import Row, compare

TOLERANCES = {"float64": 1e-12, "float32": 1e-4}
METHOD = "generated module"


def module_rows(
    derivation: Derivation, module: ModuleType, *, sizes: Mapping[str, int], seed: int = 0
) -> list[Row]:
    """One row for each gradient, at a random point that obeys the leaves' facts; every entry is compared."""
    system = derivation.declared
    _, values = sample_point(system, seed, sizes=sizes)
    values |= {name: np.asarray(value) for name, value in constants(module).items()}
    dtype = module.init_params(seed, **_open(module, sizes)).flat.dtype
    values = {n: a if a.dtype.kind in "iu" else a.astype(dtype) for n, a in values.items()}
    expected = run(derivation.system, values, sizes, wanted=list(derivation.gradients.values()))
    named = {role: {t.name: values[t.name] for t in system.with_role(*role)} for role in (_PARAMETERS, _DATA)}
    _, gradients = module.loss_and_gradients(named[_PARAMETERS], **named[_DATA])
    return [
        compare(name, METHOD, expected[gradient], gradients[name], TOLERANCES[str(dtype)])
        for name, gradient in derivation.gradients.items()
        if name in gradients
    ]


def constants(module: ModuleType) -> Mapping[str, float]:
    """The values that a module gives to the network's own constants."""
    found: Mapping[str, float] = getattr(module, "CONSTANTS", {})
    return found


_PARAMETERS, _DATA = (Role.PARAMETER,), (Role.INPUT, Role.TARGET)


def _open(module: ModuleType, sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes that the module leaves open."""
    return {name: size for name, size in sizes.items() if name not in module.SIZES}
