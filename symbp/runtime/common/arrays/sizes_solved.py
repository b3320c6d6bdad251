"""Open sizes, where some stand in formulas only, or must obey a condition.

Enters: arrays and their shapes. Leaves: the sizes that they show. Must not know: how anything is computed.
It stands for `sizes_shown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError, _extent, _fit_shape
from symbp.runtime.network import CONDITIONS, PARAMETERS, SAMPLE, SOLVED, Array


def _settle(
    arrays: Mapping[str, Array], shapes: Mapping[str, tuple[Any, ...]], sizes: dict[str, int]
) -> None:
    """Checks the shapes of arrays, finds the sizes that stand in formulas only, and checks what sizes must
    obey; `sizes` gains the open sizes that the arrays show."""
    for name, array in arrays.items():
        _fit_shape(name, array, shapes[name], sizes)
    for size, (name, axis, found) in SOLVED.items():
        if size not in sizes and name in arrays:
            try:
                sizes[size] = max(found(arrays[name].shape[axis], sizes), 1)
            except KeyError:  # of a size that these arrays don't show
                continue
    for name, array in arrays.items():
        _fit_shape(name, array, shapes[name], sizes)
    _settle_parameters(arrays if shapes is PARAMETERS else {}, sizes)
    for text, holds in CONDITIONS.items():
        try:
            kept = holds(sizes)
        except KeyError:
            continue
        if not kept:
            shown = ", ".join(f"{size} = {value}" for size, value in sizes.items() if size in text)
            raise DataError(f"the network needs sizes with {text}, and these have {shown}")


def _settle_parameters(parameters: Mapping[str, Array], sizes: dict[str, int]) -> None:
    """Checks the axes of parameters whose length is a formula; what they have is kept under `W1[0]` until the
    data show how much it must be."""
    for name, shape in PARAMETERS.items():
        for axis, extent in enumerate(shape):
            place, needed = f"{name}[{axis}]", _extent(extent, sizes)
            if needed is None and name in parameters:
                sizes[place] = parameters[name].shape[axis]
            elif needed is not None and sizes.get(place, needed) != needed:
                raise DataError(f"axis {axis} of {name} has {sizes[place]} elements, the data need {needed}")


def _sizes_in(shapes: Mapping[str, tuple[Any, ...]]) -> list[str]:
    """The sizes that arrays of these shapes show, by their axes or by a formula."""
    shown = [extent for shape in shapes.values() for extent in shape if isinstance(extent, str)]
    return [*shown, *(size for size, (name, _, _) in SOLVED.items() if name in shapes)]


def _sample_sizes() -> dict[str, int]:
    """Open sizes at which gradients are checked where no data are given."""
    return dict(SAMPLE)
