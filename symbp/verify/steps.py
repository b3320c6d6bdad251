"""How the error of a numeric derivative depends on its step: it falls with it, until rounding takes over.

Enters: a derivation, one of its gradients. Leaves: for each way to form a difference, errors by step.
Must not know: how the gradient was derived, or how errors are shown.

Of one-sided differences the error is of the order h + ε/h, of two-sided ones h² + ε/h, of the five-point
stencil h⁴ + ε/h; the complex step forms no difference, so it has no ε/h at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import UsageError, choose
from symbp.ir.evaluation.vector import with_stopped
from symbp.verify.blocks import blocks
from symbp.verify.entries import main_point, results
from symbp.verify.numeric import Array, Values, central_differences, loss_at, moved
from symbp.verify.points import Drawer, all_sizes, domains_of

STEPS = tuple(10.0**-k for k in range(1, 13))
Loss = Callable[[Values], Array]
Direction = Mapping[str, Array]


@dataclass(frozen=True)
class StepErrors:
    """The entry of a gradient that is looked at, its value, and relative errors by step for each method."""

    parameter: str
    element: str
    value: float
    errors: Mapping[str, tuple[tuple[float, float], ...]]


def step_errors(
    derivation: Derivation,
    parameter: str | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
) -> StepErrors:
    """The errors at the steps 10⁻¹ to 10⁻¹² for the largest entry of the gradient by a parameter (the first
    one, if none is named), at the point at which a check compares entries.

    Raises UsageError: not a gradient of the loss, or none by that parameter; every entry is 0.
    """
    if not derivation.is_gradient:
        raise UsageError(
            "only gradients of a loss have such a curve", help="leave --order, --hvp, --jacobian"
        )
    parameter = parameter or next(iter(derivation.gradients))
    if parameter not in derivation.gradients:
        help = choose(parameter, derivation.gradients)
        raise UsageError(f"no gradient by {parameter!r} was derived", help=help)
    system = derivation.declared
    drawer = Drawer(system, sorted({block.of for block in blocks(derivation)}), hyper or {})
    choices = all_sizes(system, sizes or {}, 1)
    drawer.domains = domains_of(drawer, choices[0], seed)
    point, _ = main_point(derivation, drawer, choices[0], seed)
    ours = results(derivation, point.values, point.sizes)
    if isinstance(ours, str):
        raise UsageError(f"the gradients have no value at the point: {ours}")
    gradient = np.asarray(ours[parameter], float)
    entry = int(np.argmax(np.abs(gradient)))
    value = float(gradient.flat[entry])
    if value == 0:
        raise UsageError(f"the gradient by {parameter} is 0 at the point", help="choose another parameter")
    values = with_stopped(system, point.values, point.sizes)
    unit = np.zeros(gradient.shape)
    unit.flat[entry] = 1.0

    def loss(at: Values) -> Array:
        return np.asarray(loss_at(system, at, point.sizes))

    errors = {name: _errors(way, loss, values, {parameter: unit}, value) for name, way in WAYS.items()}
    place = np.unravel_index(entry, gradient.shape) if gradient.shape else ()
    element = f"{parameter}[{', '.join(map(str, place))}]" if place else parameter
    return StepErrors(parameter, element, value, errors)


def _errors(
    way: Callable[[Loss, Values, Direction, float], Array],
    loss: Loss,
    values: Values,
    direction: Direction,
    right: float,
) -> tuple[tuple[float, float], ...]:
    with np.errstate(all="ignore"):
        found = [(step, float(np.real(way(loss, values, direction, step)))) for step in STEPS]
    return tuple((step, abs(value - right) / abs(right)) for step, value in found)


def _one_sided(loss: Loss, values: Values, direction: Direction, step: float) -> Array:
    return np.asarray((loss(moved(values, direction, step)) - loss(values)) / step)


def _two_sided(loss: Loss, values: Values, direction: Direction, step: float) -> Array:
    ahead, behind = (loss(moved(values, direction, s)) for s in (step, -step))
    return np.asarray((ahead - behind) / (2 * step))


def _complex(loss: Loss, values: Values, direction: Direction, step: float) -> Array:
    return np.asarray(np.imag(loss(moved(values, direction, step * 1j))) / step)


WAYS: dict[str, Callable[[Loss, Values, Direction, float], Array]] = {
    "one-sided": _one_sided,
    "central, two points": _two_sided,
    "central, five points": central_differences,
    "complex step": _complex,
}
