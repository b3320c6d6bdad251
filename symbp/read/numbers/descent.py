"""Steps of gradient descent in numbers: the parameters after each is changed by its gradient.

Enters: numbers of a page, a learning rate, what gives the gradients. Leaves: parameters and losses.
Must not know: optimizers, how gradients are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from symbp.errors import UsageError
from symbp.ir.evaluation.vector import run
from symbp.read.numbers.numbers import Array, Numbers

FIRST = 10  # losses that are kept one by one; then at 20, 50, 100, …
MOST_STEPS = 1_000_000

Gradients = Callable[[Mapping[str, Array]], Mapping[str, Array]]


@dataclass(frozen=True)
class Descent:
    """`steps` steps θ ← θ − rate·∂loss/∂θ: parameters before and after them, and after some of them, by
    their number, 0 for the start, the loss and each output that is one number, by name."""

    rate: float
    steps: int
    before: Mapping[str, Array]
    after: Mapping[str, Array]
    measured: Mapping[int, Mapping[str, float]]
    loss: str

    @property
    def losses(self) -> dict[int, float]:
        """The loss after some of the steps."""
        return {step: known[self.loss] for step, known in self.measured.items()}


def descend(start: Numbers, gradients: Gradients, *, rate: float, steps: int = 1) -> Descent:
    """The steps from the parameters of a page, the data being the same in each.

    Raises UsageError: no gradients of a loss, a rate that is no positive number, no or too many steps.
    """
    if start.whole is not None:
        return _written_out(start, descend(start.whole, gradients, rate=rate, steps=steps))
    derivation = start.reading.derivation
    if derivation.system.loss is None or not derivation.is_gradient:
        raise UsageError("steps of descent need the gradients of a loss", help="derive them: bp.derive(net)")
    if not 0 < rate < float("inf"):
        raise UsageError(f"a learning rate is a positive number, not {rate!r}")
    if not 1 <= steps <= MOST_STEPS:
        raise UsageError(f"{steps} steps can't be taken", help=f"from 1 to {MOST_STEPS:,} can")
    before = {name: np.asarray(start[name], float) for name in derivation.gradients}
    current, measured = dict(before), {0: _measured(start, before)}
    for step in range(1, steps + 1):
        slopes = gradients(current)
        current = {name: array - rate * slopes[name] for name, array in current.items()}
        if _is_kept(step, steps):
            measured[step] = _measured(start, current)
    return Descent(rate, steps, before, current, measured, derivation.system.loss)


def _written_out(start: Numbers, whole: Descent) -> Descent:
    """The same, parameters by their elements."""
    learned = {name: place for name, place in start.elements.items() if place[0] in whole.after}
    before, after = (
        {name: np.asarray(arrays[tensor][at]) for name, (tensor, at) in learned.items()}
        for arrays in (whole.before, whole.after)
    )
    return replace(whole, before=before, after=after)


def _is_kept(step: int, steps: int) -> bool:
    round_number = step == 10 ** (len(str(step)) - 1) * int(str(step)[0]) and str(step)[0] in "125"
    return step <= FIRST or step == steps or round_number


def _measured(start: Numbers, parameters: Mapping[str, Array]) -> dict[str, float]:
    declared = start.reading.derivation.declared
    shown = [name for name in declared.outputs if not declared.tensor(name).shape]
    wanted = list(dict.fromkeys([*([declared.loss] if declared.loss else []), *shown]))
    found = run(declared, {**start.leaves, **parameters}, start.declared_sizes, wanted=wanted)
    return {name: float(found[name]) for name in wanted}
