"""Numerical health of a network, put together: derivation, extreme points, what computes there.

Enters: a `Network`. Leaves: what extremes found. Must not know: how points are made, or what loses digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from symbp.api.derivation import Derivation

if TYPE_CHECKING:
    from symbp.language import Network
    from symbp.verify.extremes import Extremes


def check_extremes(
    net: Network,
    *,
    derivation: Derivation | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    module: ModuleType | None = None,
) -> Extremes:
    """Loss and gradients in float32 at points where digits get lost (data far off, nearly constant, tied or
    zero, units saturated, answers confidently right and wrong, targets near outputs) against 50 digits; the
    report names the equation that loses a gradient's though the loss keeps its own.

    The derived equations are computed in float32, or a compiled `module` of that precision instead. All
    sizes are small, also those bound in the declaration, but for those in `sizes` and those of the module.

    Raises UsageError: a derivation of other derivatives than gradients; a module of another precision.
    """
    from symbp.api import derive
    from symbp.verify.extremes import extremes

    derivation = derivation or derive(net)
    own = {name: value for name, value in getattr(module, "SIZES", {}).items() if value is not None}
    return extremes(derivation, module=module, sizes={**own, **(sizes or {})}, seed=seed)
