"""A setting from what a user gives: data or none, an optimizer, how long.

Enters: a derivation, an update rule, arrays. Leaves: a `Setting`. Must not know: files, commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import DataError, UsageError
from symbp.ir.expr import Size
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.system import Role, System
from symbp.ir.training import UpdateRule
from symbp.read.numbers.given import check_arrays, given_arrays, shown_sizes
from symbp.verify.health.drawn import drawn_data
from symbp.verify.health.setting import Array, Setting, batch_size_name

STEPS, BATCH_SIZE = 40, 32


def prepared(
    derivation: Derivation,
    rule: UpdateRule,
    data: Mapping[str, Any] | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    module: ModuleType | None = None,
    what: str = "",
) -> Setting:
    """The setting; without data, with the network's own example or random ones.

    Raises UsageError: no gradients of a loss, no parameters; DataError: arrays that don't fit.
    """
    system = derivation.declared
    if system.loss is None or not derivation.is_gradient or not system.parameters:
        raise UsageError(
            "only a network with a loss and parameters can be trained, and so diagnosed",
            help="declare them: bp.Network(name, loss=…), with bp.param(…)",
        )
    if data is None:
        arrays, chosen, what = drawn_data(system, derivation.example, sizes or {}, seed)
    else:
        needed = [t.name for t in system.with_role(Role.INPUT, Role.TARGET)]
        missing = [name for name in needed if name not in data]
        if missing:
            raise DataError(
                f"there is no array for {', '.join(missing)}",
                details=(f"the network reads: {', '.join(needed)}", f"given: {', '.join(data)}"),
                help="give one by that name, or no data at all for random ones",
            )
        arrays = given_arrays(system, {name: data[name] for name in needed})
        bound = {name: value for name, value in system.bound.items() if name in system.sizes}
        shown = shown_sizes(system, arrays, {**bound, **(sizes or {})})
        chosen = {**sample_sizes(system), **_counted(system, arrays), **system.bound, **shown}
        check_arrays(system, arrays, chosen)
    chosen = {name: value for name, value in chosen.items() if name in derivation.system.sizes}
    batch = batch_size_name(system, arrays)
    counted = len(next(iter(arrays.values()))) if batch and arrays else 1
    return Setting(
        derivation, rule, {name: np.asarray(array) for name, array in arrays.items()}, chosen, batch,
        min(batch_size, counted), steps, seed, dict(derivation.initial), what, module=module,
        given=data is not None,
    )  # fmt: skip


def _counted(system: System, arrays: Mapping[str, Array]) -> dict[str, int]:
    """Sizes that count classes, by the largest label that there is."""
    found: dict[str, int] = {}
    for name, array in arrays.items():
        for fact in system.tensor(name).facts:
            if fact.kind.startswith("below") and isinstance(fact.bound, Size) and array.size:
                found[fact.bound.name] = max(found.get(fact.bound.name, 0), int(array.max()) + 1)
    return found
