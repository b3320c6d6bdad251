"""Parameters as they start.

Enters: a seed, open sizes. Leaves: an arena. Must not know: the target that computes.
"""

from __future__ import annotations

import numpy as np

from symbp.runtime.common.arrays.arrays import Arena
from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.arrays.sizes_shown import _sizes_in
from symbp.runtime.network import DTYPE, INPUTS, PARAMETERS, SIZES, _initial


def init_params(seed: int = 0, **sizes: int) -> Arena:
    """Fresh parameters, drawn with `seed`; sizes that the module leaves open are arguments."""
    known = {**SIZES, **sizes}
    shown = _sizes_in({**PARAMETERS, **INPUTS})
    strange = [name for name in sizes if name not in shown and name not in SIZES]
    if strange:
        raise DataError(f"the network has no size {strange[0]!r}")
    wrong = [name for name in sizes if name in SIZES and sizes[name] != SIZES[name]]
    if wrong:
        raise DataError(f"{wrong[0]} is {SIZES[wrong[0]]} in this module")
    try:
        values = _initial(np.random.default_rng(seed), known)
    except KeyError as needed:
        name = needed.args[0]
        raise DataError(f"{name} is open in this module: call init_params(seed, {name}=…)") from None
    arena = Arena({name: np.shape(values[name]) for name in PARAMETERS}, DTYPE)
    for name, value in values.items():
        arena[name] = value
    return arena
