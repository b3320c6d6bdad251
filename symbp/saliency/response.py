"""How a unit responds to data: its activation and its derivative, by the derived equations.

Enters: a unit as a loss, values of parameters and buffers. Leaves: activations and gradients of arrays, and
the saliency of their entries. Must not know: training, pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from symbp.api import Derivation, derive
from symbp.api import compile as compiled
from symbp.errors import DataError
from symbp.ir.system import Role
from symbp.saliency.unit import Excited

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """A unit with the values that the network was trained to."""

    excited: Excited
    params: Mapping[str, Any]
    buffers: Mapping[str, Any]

    @cached_property
    def derivation(self) -> Derivation:
        """The derivative of the unit by the data, in closed form."""
        return derive(self.excited.network, wrt=[self.excited.by])

    @cached_property
    def _module(self) -> ModuleType:
        return compiled(self.derivation)

    @cached_property
    def _values(self) -> tuple[dict[str, Any], dict[str, Any]]:
        system = self.excited.network.system
        kinds = ((Role.PARAMETER, self.params), (Role.BUFFER, self.buffers))
        found = []
        for role, values in kinds:
            names = [tensor.name for tensor in system.with_role(role)]
            missing = [name for name in names if name not in values]
            if missing:
                raise DataError(
                    f"there are no values of {', '.join(missing)}",
                    details=(f"there are those of: {', '.join(values) or 'nothing'}",),
                    help="give what `symbp train --out` saved of this network",
                )
            found.append({name: values[name] for name in names})
        return found[0], found[1]

    def check_values(self) -> None:
        """Raises DataError, as all that uses the values does: some are missing."""
        _ = self._values

    def activation(self, x: Array) -> Array:
        """The unit's activation for each example."""
        params, buffers = self._values
        outputs = self._module.forward(params, **buffers, **{self.excited.by: x})
        return np.asarray(outputs[self.excited.activation], dtype=np.float64)

    def gradient(self, x: Array) -> Array:
        """∂ activation / ∂ x for each example, shaped as x."""
        params, buffers = self._values
        found = self._module.derivatives(params, **buffers, **{self.excited.by: x})
        return np.asarray(found[self.excited.by], dtype=np.float64)

    def saliency(self, x: Array) -> Array:
        """|∂ activation / ∂ x|: how much the unit hears of each entry (Simonyan et al. 2013, section 3)."""
        return np.abs(self.gradient(x))
