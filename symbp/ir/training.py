"""What a program needs besides equations to be trained: how parameters start and how they are updated.

Enters: systems over one generic parameter. Leaves: frozen types that `optim` makes and `emit` reads.
Must not know: which optimizers exist, or any target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sympy

from symbp.ir.expr import Expr
from symbp.ir.system import System

THETA, GRADIENT, STEP = "theta", "gradient", "step"


@dataclass(frozen=True)
class Initial:
    """How a parameter starts: `scale · u` with u drawn elementwise from `distribution`, plus `shift`.

    `normal` is N(0, 1), `uniform` is U(−1, 1), `constant` is 1. `mean` and `deviation` are those of the input
    `of` over the training data, one for each of its entries along `axis` if there is one. `scale` may contain
    the sizes of the parameter; `reason` is one sentence for the derivation ("keeps the variance of … (Glorot
    and Bengio 2010, equation 16)").
    """

    distribution: Literal["normal", "uniform", "constant", "mean", "deviation"]
    scale: Expr = sympy.S.Zero
    shift: Expr = sympy.S.Zero
    reason: str = ""
    of: str = ""
    axis: int | None = None


@dataclass(frozen=True)
class UpdateRule:
    """An optimizer as equations over one generic parameter, flat with index `i` below the size `P`.

    `system` has the leaves `theta` (parameter), `gradient` (input), the moments (buffers, all zero at the
    start), `step` (the count of updates, 1 at the first) and the hyperparameters (scalars);
    `system.updates` maps `theta` and each moment to the tensor that is its next value. `hyper` gives the
    hyperparameters' values; `source` names the paper; `settings` are the arguments that make the rule again.
    """

    name: str
    system: System
    hyper: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False)

    __hash__ = object.__hash__

    @property
    def moments(self) -> tuple[str, ...]:
        """The names of the state tensors that travel with each parameter."""
        return tuple(name for name in self.system.updates if name != THETA)
