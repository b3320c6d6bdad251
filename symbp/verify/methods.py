"""The numeric methods of a check, for the entries of blocks of first and second derivatives.

Enters: a derivation, values, sizes. Leaves: single entries of its results, computed otherwise.
Must not know: closed forms, how a report shows what differs.

A first derivative is that of the declared function. A second one by central differences is that of the
complex step's first derivative of the declared function; by the complex step it is that of the derived
gradient, since an imaginary step cannot be taken twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np

from symbp.derive import Derivation, derive
from symbp.ir.evaluation.vector import with_stopped
from symbp.verify.blocks import DerivativeBlock, Directions
from symbp.verify.numeric import (
    STEP,
    Array,
    Evaluate,
    Values,
    central_differences,
    complex_step_along,
)
from symbp.verify.ridders import Estimate, derivative_along
from symbp.verify.rounding import Evaluate as Tensors
from symbp.verify.rounding import exactly, rounding

Differentiate = Callable[[Evaluate, Values, Mapping[str, Array]], Array]
DIFFERENCES = ("central differences", "five-point differences")


class Numeric:
    """Derivatives of what blocks differentiate by each method, at one point."""

    methods = (*DIFFERENCES, "complex step")

    def __init__(
        self,
        derivation: Derivation,
        values: Values,
        sizes: Mapping[str, int],
        step: float = STEP,
        tensors: Tensors = exactly,
    ) -> None:
        """`step` is that of central differences; `tensors` evaluates systems."""
        self.derivation, self.sizes, self.step = derivation, sizes, step
        self.values = with_stopped(derivation.declared, values, sizes)
        self._tensors = tensors
        self._scales: dict[str, float] = {}
        self._roundings: dict[str, float] = {}
        self._known: dict[str, Array] = {}

    def entry(self, method: str, block: DerivativeBlock, entry: int) -> float:
        """One entry of a block."""
        row, directions = block.at(entry, self.values)
        return float(np.asarray(self.along(method, block, directions)).flat[row])

    def otherwise(self, tensors: Tensors) -> Numeric:
        """The same with systems evaluated otherwise."""
        return Numeric(self.derivation, self.values, self.sizes, self.step, tensors)

    def along(self, method: str, block: DerivativeBlock, directions: Directions) -> Array:
        """The derivative of what a block differentiates along its directions, an array of that shape."""
        at, declared = self.values, self._declared(block.of)
        if method in DIFFERENCES:
            return self._differences(block, directions, self.step)
        if block.order == 1:  # the logarithm of a negative number has an imaginary part of its own
            found = complex_step_along(declared, at, directions[0])
            return np.where(np.isfinite(self._value(block.of)), found, np.nan)
        slope = complex_step_along(self._gradient(block.by[0]), at, directions[1])
        return np.asarray(np.sum(slope * directions[0][block.by[0]]))

    def estimate(self, block: DerivativeBlock, directions: Directions) -> Estimate:
        """A central difference with as many steps as it takes, a bound on its error, and where the function
        has a kink."""
        evaluate, along = self.differenced(block, directions)
        return derivative_along(evaluate, self.values, along, noise=self.rounding(block))

    def _differences(self, block: DerivativeBlock, directions: Directions, step: float) -> Array:
        evaluate, along = self.differenced(block, directions)
        return central_differences(evaluate, self.values, along, step)

    def differenced(
        self, block: DerivativeBlock, directions: Directions
    ) -> tuple[Evaluate, Mapping[str, Array]]:
        """What central differences are formed of, and along which direction: the function itself, or its
        first derivative by the complex step."""
        declared = self._declared(block.of)
        if block.order == 1:
            return declared, directions[0]
        return (lambda at: complex_step_along(declared, at, directions[0])), directions[1]

    def rounding(self, block: DerivativeBlock) -> float:
        """A bound on the rounding of what central differences are formed of."""
        key = f"{block.of},{block.by[0]}" if block.order > 1 else block.of
        if key not in self._roundings:
            along = {name: np.ones(np.shape(self.values[name])) for name in block.by[:1]}

            def function(tensors: Tensors) -> Array:
                evaluate, _ = self.otherwise(tensors).differenced(block, (along, along))
                return evaluate(self.values)

            self._roundings[key] = float(np.max(rounding(function), initial=0.0))
        return self._roundings[key]

    def size(self, block: DerivativeBlock) -> float:
        """The size of what a block differentiates last, at least 1: rounding is relative to it."""
        key = block.of if block.order == 1 else block.by[0]
        if key not in self._scales:
            differentiated = self._declared(key) if block.order == 1 else self._gradient(key)
            self._scales[key] = float(np.max(np.abs(differentiated(self.values)), initial=1.0))
        return self._scales[key]

    def _value(self, name: str) -> Array:
        if name not in self._known:
            self._known[name] = self._declared(name)(self.values)
        return self._known[name]

    def _declared(self, name: str) -> Evaluate:
        def evaluate(at: Values) -> Array:
            return self._tensors(self.derivation.declared, at, self.sizes, [name])[name]

        return evaluate

    @cached_property
    def _first(self) -> Derivation:
        """A derivation that holds the gradients of which the results are derivatives."""
        names = [name for name in self.derivation.gradients if "," not in name]
        if not self.derivation.directions:
            return self.derivation
        return derive(self.derivation.declared, wrt=names)

    def _gradient(self, name: str) -> Evaluate:
        def evaluate(at: Values) -> Array:
            tensor = self._first.gradients[name]
            return self._tensors(self._first.system, at, self.sizes, [tensor])[tensor]

        return evaluate
