"""What is right at a point: the loss and its gradients in 50 digits, with no closed form in them.

Enters: a derivation, a point. Leaves: numbers. Must not know: float32, what is compared with them.

The gradients are those of the chain rule as it stands, on the forward system in its safe shapes. Where a
value needs more than 50 digits for one of them to be left, log(1 − σ(150)) say, it has 200.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symbp.derive.declared.derivatives import eliminated
from symbp.derive.derivation import Derivation
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.derive.sweep.reverse import AdjointSystem, adjoints
from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.domains import HIGH, HIGHER, Domain
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.system import System
from symbp.verify.extremes.points import Extreme
from symbp.verify.extremes.runs import valued
from symbp.verify.extremes.single import in_float32

Array = np.ndarray[Any, Any]
AGREED = 1e-9  # by so much two evaluations of one value may differ


@dataclass(frozen=True)
class Right:
    """The loss and the gradient by each parameter, as float64."""

    loss: float
    gradients: Mapping[str, Array]


@dataclass(frozen=True)
class Truth:
    """The reference of one derivation of gradients."""

    derivation: Derivation
    last: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def swept(self) -> AdjointSystem:
        """The chain rule on the forward system in its safe shapes."""
        safe, *_ = stabilise(eliminated(self.derivation.declared)[0])
        assert safe.loss is not None
        return adjoints(safe, safe.loss, tuple(self.derivation.gradients))

    def at(self, point: Extreme, domain: Domain = HIGH) -> Right:
        """Loss and gradients at a point."""
        swept = self.swept
        loss = swept.system.loss
        assert loss is not None
        found = self._evaluated(swept.system, point, [loss, *swept.gradients.values()], domain)
        gradients = {name: as_floats(found[tensor]) for name, tensor in swept.gradients.items()}
        return Right(float(np.ravel(found[loss])[0]), gradients)

    def in_single(self, point: Extreme) -> dict[str, Array]:
        """What the chain rule as it stands makes of float32: no rewrite has lost anything there."""
        swept, gradients = self.swept.system, self.swept.gradients
        found = in_float32(swept, valued(self.derivation, point), point.sizes, gradients.values())
        return {name: found[tensor] for name, tensor in gradients.items()}

    def derived(self, point: Extreme, wanted: Iterable[str], gradient: str, right: Array) -> dict[str, Array]:
        """Tensors of the derived equations, each element a number of 50 digits; of 200, if the `gradient`
        isn't `right` by 50."""
        names = list(wanted)
        for domain in (HIGH, HIGHER):
            try:
                every = self._every(point, domain)
                found = {name: every[name] for name in names}
            except (EvaluationError, OutsideDomain):  # what another gradient rests on has no value
                found = self._evaluated(self.derivation.system, point, names, domain)
            off = np.abs(as_floats(found[gradient]) - right)
            if np.all(off <= AGREED * np.max(np.abs(right), initial=0.0)):
                break
        return found

    def _every(self, point: Extreme, domain: Domain) -> dict[str, Array]:
        """All tensors behind gradients, of the last point that was asked for."""
        if self.last.get("point") is not point:
            self.last.clear()
            self.last["point"] = point
        if domain not in self.last:
            system = self.derivation.system
            resting = system.resting([*self.derivation.gradients.values()])
            names = [e.target for e in system.equations if e.target in resting]
            self.last[domain] = self._evaluated(system, point, names, domain)
        found: dict[str, Array] = self.last[domain]
        return found

    def _evaluated(
        self, system: System, point: Extreme, wanted: list[str], domain: Domain
    ) -> dict[str, Array]:
        values = valued(self.derivation, point)
        return evaluate(system, values, point.sizes, domain, wanted=wanted)


def as_floats(values: Array) -> Array:
    """Numbers of many digits as float64; what is no real number is NaN."""

    def real(value: Any) -> float:
        return float(value) if not getattr(value, "imag", 0) else float("nan")

    flat = [real(value) for value in np.ravel(values)]
    return np.asarray(flat, float).reshape(np.shape(values))
