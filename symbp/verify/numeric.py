"""Numeric derivatives of a declared loss: central differences and the complex step.

Enters: the system as the user declared it, values, sizes. Leaves: derivatives of chosen entries.
Must not know: the derivation that is being checked, which shares no code with this module.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from symbp.ir.expr import Guard
from symbp.ir.system import Equation, System
from symbp.ir.vector import Run, run

Values = Mapping[str, NDArray[np.generic]]

STEP = 1e-3  # of the five-point stencil: truncation h⁴ and rounding ε/h are then both near 1e-12
COMPLEX_STEP = 1e-30  # no difference is formed, so nothing cancels


def loss_at(system: System, values: Values, sizes: Mapping[str, int]) -> complex:
    """The loss of the system at one point."""
    assert system.loss is not None
    return complex(run(system, values, sizes, wanted=[system.loss])[system.loss])


def central_differences(
    system: System, values: Values, sizes: Mapping[str, int], name: str, entries: NDArray[np.intp]
) -> NDArray[np.float64]:
    """∂ loss / ∂ the chosen flat entries, (f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h))/12h."""
    result = np.empty(len(entries))
    for k, entry in enumerate(entries):
        at = {s: loss_at(system, _moved(values, name, entry, s * STEP), sizes).real for s in (-2, -1, 1, 2)}
        result[k] = (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * STEP)
    return result


def complex_step(
    system: System, values: Values, sizes: Mapping[str, int], name: str, entries: NDArray[np.intp]
) -> NDArray[np.float64]:
    """∂ loss / ∂ the chosen flat entries, Im f(x + ih)/h (Squire and Trapp 1998); exact to rounding."""
    result = np.empty(len(entries))
    for k, entry in enumerate(entries):
        moved = _moved(values, name, entry, COMPLEX_STEP * 1j)
        result[k] = loss_at(system, moved, sizes).imag / COMPLEX_STEP
    return result


def _moved(values: Values, name: str, entry: int, by: complex) -> dict[str, NDArray[np.generic]]:
    array = np.array(values[name], dtype=complex if isinstance(by, complex) else float)
    array.flat[entry] += by
    return {**values, name: array}


def kink_margin(system: System, values: Values, sizes: Mapping[str, int]) -> float:
    """The smallest distance of any real guard from its kink, and of any maximum from a tie; ∞ if none."""
    point = Run(system, values, sizes)
    margin = np.inf
    for equation in system.equations:
        for guard in sorted(equation.body.atoms(Guard), key=str):
            if not (guard.lhs.is_integer and guard.rhs.is_integer):
                distance = Equation(
                    "_", equation.all_indices, guard.lhs - guard.rhs, None, (), equation.ranges
                )
                margin = min(margin, float(np.min(np.abs(np.real(point.value(distance))), initial=np.inf)))
        if equation.op == "max" and not equation.constant:
            margin = min(margin, _gap(point, equation))
    return margin


def _gap(point: Run, equation: Equation) -> float:
    """The smallest distance between the largest and the second largest element of a maximum."""
    whole = Equation("_", equation.all_indices, equation.body, None, (), equation.ranges)
    value = np.real(point.value(whole))
    flat = value.reshape(*value.shape[: len(equation.indices)], -1)
    if flat.shape[-1] < 2:
        return np.inf
    ordered = np.sort(flat, axis=-1)
    return float(np.min(ordered[..., -1] - ordered[..., -2]))
