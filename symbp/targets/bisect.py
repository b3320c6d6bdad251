"""Which pass of a target changes a value: the state after each is executed at a point drawn at random.

Enters: a target, an order. Leaves: a line for each pass, and the name of the first that changes a value.
Must not know: any target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.ir.evaluation.vector import Run
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.points.sampling import sample_point
from symbp.targets.target import Order, Target

TOLERANCE = 1e-10  # of the largest entry of an array
OF_TEXT = {"float32": 1e-4}  # of what a module's text computes in fewer digits


@dataclass(frozen=True)
class Difference:
    """How far a state is from the system's own values, relative to the largest entry of the array that is
    farthest; None where the state can't be executed."""

    after: str
    error: float | None = None
    where: str = ""
    tolerance: float = TOLERANCE

    @property
    def wrong(self) -> bool:
        return self.error is not None and not self.error <= self.tolerance

    def __str__(self) -> str:
        if self.error is None:
            return f"{self.after}: can't be executed"
        far = f" in {self.where}" if self.where and self.wrong else ""
        return f"{self.after}: {'changes a value' if self.wrong else 'agrees'}, {self.error:.1e}{far}"


def bisect(target: Target, order: Order, seed: int = 0) -> list[Difference]:
    """The difference after each pass, up to the first that changes a value."""
    derivation = order.derivation
    system = derivation.system
    fixed = {**sample_sizes(system), **system.bound, **order.sizes}
    sizes, values = sample_point(system, seed, sizes=fixed)
    values |= {name: np.asarray(value) for name, value in order.constants.items()}
    point = Run(system, values, sizes)
    expected = {key: point.tensor(name) for key, name in derivation.gradients.items()}
    if system.loss is not None and order.update is not None:
        expected[""] = point.tensor(system.loss)
    found: list[Difference] = []
    for step, state in target.states(order):
        try:
            computed = target.gradients(state, values, sizes)
        except ImportError:  # what the target runs on isn't installed
            raise
        except Exception as failure:
            found.append(Difference(step.name, np.inf, f"it fails, {type(failure).__name__}: {failure}"))
            break
        one = _difference(step.name, computed, expected)
        found.append(replace(one, tolerance=OF_TEXT.get(order.dtype, TOLERANCE)))
        if found[-1].wrong:
            break
    return found


def suspects(found: list[Difference]) -> tuple[str, ...]:
    """The passes of which one changes a value: the first after which a value differs, and those directly
    before it whose states can't be executed; none where all values agree."""
    wrong = next((k for k, difference in enumerate(found) if difference.wrong), None)
    if wrong is None:
        return ()
    first = wrong
    while first > 0 and found[first - 1].error is None:
        first -= 1
    return tuple(difference.after for difference in found[first : wrong + 1])


def _difference(after: str, computed: Mapping[str, Any] | None, expected: Mapping[str, Any]) -> Difference:
    if computed is None:
        return Difference(after)
    errors = {key: relative_error(computed.get(key), value) for key, value in expected.items()}
    worst = max(errors, key=lambda key: (np.isnan(errors[key]), errors[key]))
    return Difference(after, errors[worst], f"the gradient by {worst}" if worst else "the loss")


def relative_error(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest finite entry or 1; infinite where shapes or what isn't
    finite differ."""
    expected = np.asarray(expected, float)
    if found is None or np.shape(found) != expected.shape:
        return np.inf
    found = np.asarray(found, float)
    finite = np.isfinite(expected)
    if not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return np.inf
    scale = max(1.0, float(np.abs(expected[finite]).max(initial=0.0)))
    return float(np.abs(found[finite] - expected[finite]).max(initial=0.0) / scale)
