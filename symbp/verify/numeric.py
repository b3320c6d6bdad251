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

EPSILON = float(np.finfo(float).eps)
STEP = 0.4 * EPSILON**0.2
"""Of the five-point stencil: rounding is 18/12·ε|f|/h at most, truncation h⁴|f⁽⁵⁾|/30, their sum least at
h = (11.25·ε)^⅕·L for a function that changes over lengths L; this is the step for L = ¼, 3e-4."""
LEAST_STEP = 1e-7  # rounding is near 1e-9
COMPLEX_STEP = 1e-30  # no difference is formed, so nothing cancels


LOST = 2.0**12
"""Twelve bits may be lost where a problem is well conditioned; what is lost beyond is measured."""
TOLERANCES = {  # of what the method leaves when all is well: rounding, and truncation where it is the same
    "central differences": LOST * EPSILON**0.8,
    "five-point differences": LOST * EPSILON**0.8,
    "complex step": LOST * EPSILON,
}


def rounding_of(method: str, step: float = STEP) -> float:
    """How much of a function's size is rounding in its derivative: 18/12·ε/h in a stencil, four units in the
    last place where no difference is formed."""
    return 4 * EPSILON if method == "complex step" else 1.5 * EPSILON / step


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
