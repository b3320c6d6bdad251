"""How far a float32 module is from 50 digits at one point: the error of each gradient, against its largest
entry.

The reference is the chain rule on the stabilised system, evaluated at the same float32 inputs: no closed
form is in it. A point counts where the loss itself has lost less than 1e-4; what isn't a number never does.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import symbp as bp
from symbp.derive.declared.derivatives import eliminated
from symbp.derive.stabilise import stabilise
from symbp.derive.sweep.reverse import adjoints
from symbp.ir.evaluation.domains import HIGH
from symbp.ir.evaluation.interpret import evaluate

LARGEST, LEAST = 1e37, 1e-30  # what float32 holds, and what products of two may still hold
BOUND, LOSS_BOUND = 1e-3, 1e-4


@dataclass(frozen=True)
class Judged:
    """The worst error of a gradient (infinite if one isn't a number), and that of the loss."""

    error: float
    loss: float

    @property
    def failed(self) -> bool:
        return not self.error <= BOUND and (self.loss < LOSS_BOUND or not np.isfinite(self.error))


class Judge:
    """One network, compiled once for float32, with its reference."""

    def __init__(self, network: Any, sizes: Mapping[str, int] | None = None) -> None:
        self.derivation = bp.derive(network)
        self.module = bp.compile(network, dtype="float32", optimizer=bp.optim.SGD(0.1), sizes=sizes)
        safe, *_ = stabilise(eliminated(self.derivation.declared)[0])
        assert safe.loss is not None
        self.loss, self.parameters = safe.loss, tuple(self.derivation.gradients)
        swept = adjoints(safe, safe.loss, self.parameters)
        self.system, self.gradients = swept.system, swept.gradients

    def at(self, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Judged:
        """The errors at one point."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            wanted = [self.loss, *self.gradients.values()]
            constants = self.derivation.constants  # the module holds their values
            values = {**values, **{name: np.float64(value) for name, value in constants.items()}}
            exact = evaluate(self.system, values, sizes, HIGH, wanted=wanted)
            given = {
                k: v if np.issubdtype(v.dtype, np.integer) else v.astype("f4")
                for k, v in values.items()
                if k not in constants
            }
            parameters = {name: given.pop(name) for name in self.parameters}
            drawn = {t.name: given.pop(t.name) for t in self.derivation.declared.random}
            if drawn:
                given["masks"] = drawn
            loss, found = self.module.loss_and_gradients(parameters, **given)
        true = float(np.ravel(exact[self.loss])[0])
        lost = abs(float(loss) - true) / abs(true) if true else abs(float(loss))
        if not abs(true) < LARGEST:
            return Judged(0.0, np.inf)
        worst = 0.0
        for name in self.parameters:
            right = np.array([float(x) for x in np.ravel(exact[self.gradients[name]])])
            ours = np.ravel(np.asarray(found[name], dtype=float))
            known = np.isfinite(right) & (np.abs(right) < LARGEST)
            worst = max(worst, _error(ours[known], right[known]))
        return Judged(worst, lost)


def _error(ours: Any, right: Any) -> float:
    if not right.size:
        return 0.0
    if not np.all(np.isfinite(ours)):
        return float("inf")
    largest = float(np.max(np.abs(right)))
    error = float(np.max(np.abs(ours - right)))
    return error / largest if largest > LEAST else error
