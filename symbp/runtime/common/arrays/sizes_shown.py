"""Open sizes, where each is the length of some axis.

Enters: arrays and their shapes. Leaves: the sizes that they show. Must not know: how anything is computed.
`sizes_solved` stands for it where sizes stand in formulas only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.shapes import _fit_shape
from symbp.runtime.network import INPUTS, PARAMETERS, SIZES, Array


def _settle(
    arrays: Mapping[str, Array], shapes: Mapping[str, tuple[Any, ...]], sizes: dict[str, int]
) -> None:
    """Checks the shapes of arrays; `sizes` gains the open sizes that they show."""
    for name, array in arrays.items():
        _fit_shape(name, array, shapes[name], sizes)


def _sizes_in(shapes: Mapping[str, tuple[Any, ...]]) -> list[str]:
    """The sizes that arrays of these shapes show."""
    return [extent for shape in shapes.values() for extent in shape if isinstance(extent, str)]


def _sample_sizes() -> dict[str, int]:
    """Open sizes at which gradients are checked where no data are given."""
    return {size: 5 for size in _sizes_in({**INPUTS, **PARAMETERS}) if size not in SIZES}
