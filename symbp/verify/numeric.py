"""Numeric derivatives along a direction: central differences and the complex step.

Enters: a function of values, or the system as the user declared it. Leaves: derivatives.
Must not know: the derivation that is being checked, which shares no code with this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.ir.evaluation.vector import run
from symbp.ir.system import System

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]
Evaluate = Callable[[Values], Array]

STEP = 3e-4  # of the five-point stencil: rounding ε/h is near 1e-12, truncation h⁴ far below
LEAST_STEP = 1e-7  # rounding is near 1e-9
COMPLEX_STEP = 1e-30  # no difference is formed, so nothing cancels


def loss_at(system: System, values: Values, sizes: Mapping[str, int]) -> complex:
    """The loss of the system at one point."""
    assert system.loss is not None
    return complex(run(system, values, sizes, wanted=[system.loss])[system.loss])


def central_differences(
    evaluate: Evaluate, values: Values, direction: Mapping[str, Array], step: float = STEP
) -> Array:
    """The derivative of a function of the values along a direction,
    (f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h))/12h with h the step."""
    at = {s: evaluate(moved(values, direction, s * step)) for s in (-2, -1, 1, 2)}
    return np.asarray((at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * step))


def explained_by_a_kink(
    evaluate: Evaluate, values: Values, direction: Mapping[str, Array], step: float = STEP
) -> Array:
    """How far a central difference may be off because of a kink (a jump J of the slope) within its reach.

    With the kink at r steps, the stencil is off by J/2·|1 − 7r/6| for r < 1 and by J·(2 − r)/12 beyond. The
    slopes over one step and two then differ by J·r/4 and J·(2 − r)/4, and the differences of slopes to both
    sides, which double from one step to two where the function is smooth, miss that by J·|1 − 3r/2| and J·(1
    − r/2): together never less. Of a smooth function both are of the order of the step squared.
    """
    at = {s: evaluate(moved(values, direction, s * step)) for s in (-2, -1, 0, 1, 2)}
    slopes = np.abs((at[2] - at[-2]) / (4 * step) - (at[1] - at[-1]) / (2 * step))
    near, far = ((at[s] - 2 * at[0] + at[-s]) / (s * step) for s in (1, 2))
    return np.asarray(slopes + np.abs(far - 2 * near))


def complex_step_along(evaluate: Evaluate, values: Values, direction: Mapping[str, Array]) -> Array:
    """The derivative of an analytic function of the values along a direction, Im f(x + ih)/h (Squire and
    Trapp 1998); exact to rounding."""
    found = evaluate(moved(values, direction, COMPLEX_STEP * 1j))
    return np.asarray(np.imag(found) / COMPLEX_STEP)


def complex_step(
    system: System, values: Values, sizes: Mapping[str, int], name: str, entries: NDArray[np.intp]
) -> NDArray[np.float64]:
    """∂ loss / ∂ the chosen flat entries by the complex step."""
    result = np.empty(len(entries))
    for k, entry in enumerate(entries):
        unit = np.zeros(np.shape(values[name]))
        unit.flat[entry] = 1
        result[k] = complex_step_along(lambda at: np.array(loss_at(system, at, sizes)), values, {name: unit})
    return result


def moved(values: Values, direction: Mapping[str, Array], by: complex) -> dict[str, Array]:
    """The values, those of the direction moved along it."""
    return {**values, **{name: values[name] + by * part for name, part in direction.items()}}
