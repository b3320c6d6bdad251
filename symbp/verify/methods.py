"""The numeric methods of a check, for the entries of blocks of first and second derivatives.

Enters: a derivation, values, sizes. Leaves: single entries of its results, computed otherwise.
Must not know: closed forms, how a report shows what differs.

A first derivative is that of the declared function. A second one by central differences is that of the
complex step's first derivative of the declared function; by the complex step it is that of the derived
gradient, since an imaginary step cannot be taken twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

import numpy as np

from symbp.derive import Derivation, derive
from symbp.ir.vector import run, with_stopped
from symbp.verify.blocks import Block
from symbp.verify.numeric import STEP, Array, Evaluate, Values, central_differences, complex_step_along

Differentiate = Callable[[Evaluate, Values, Mapping[str, Array]], Array]


class Numeric:
    """Entries of blocks by each method, at one point."""

    methods = ("central differences", "complex step")

    def __init__(
        self, derivation: Derivation, values: Values, sizes: Mapping[str, int], step: float = STEP
    ) -> None:
        """`step` is that of central differences."""
        self.derivation, self.sizes = derivation, sizes
        self.values = with_stopped(derivation.declared, values, sizes)
        self.differences: Differentiate = partial(central_differences, step=step)
        self._scales: dict[str, float] = {}

    def entry(self, method: str, block: Block, entry: int) -> float:
        """One entry of a block."""
        differentiate = self.differences if method == "central differences" else complex_step_along
        row, directions = block.at(entry, self.values)
        declared = self._declared(block.of)
        if block.order == 1:
            return float(differentiate(declared, self.values, directions[0]).flat[row])
        if method == "complex step":
            place = int(np.flatnonzero(directions[0][block.by[0]])[0])
            slope = complex_step_along(self._gradient(block.by[0]), self.values, directions[1])
            return float(slope.flat[place])
        return float(
            self.differences(
                lambda at: complex_step_along(declared, at, directions[0]), self.values, directions[1]
            ).flat[row]
        )

    def scale(self, block: Block) -> float:
        """The size of what a block differentiates last, at least 1: rounding is relative to it."""
        key = block.of if block.order == 1 else block.by[0]
        if key not in self._scales:
            differentiated = self._declared(key) if block.order == 1 else self._gradient(key)
            self._scales[key] = float(np.max(np.abs(differentiated(self.values)), initial=1.0))
        return self._scales[key]

    def _declared(self, name: str) -> Evaluate:
        def evaluate(at: Values) -> Array:
            return run(self.derivation.declared, at, self.sizes, wanted=[name])[name]

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
            return run(self._first.system, at, self.sizes, wanted=[tensor])[tensor]

        return evaluate
