"""Numerical health of a network, put together: derivation, module and extreme points.

Enters: a `Network`. Leaves: what extremes found. Must not know: how points are made, or what loses digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
    target: str | None = None,
) -> Extremes:
    """Loss and gradients in float32 at points where digits get lost (data far off, nearly constant, tied or
    zero, units saturated, answers confidently right and wrong, targets near outputs) against 50 digits; the
    report names the equation that loses a gradient's though the loss keeps its own.

    The derived equations are computed in float32, or the code that is generated for a `target`. All sizes are
    small, also those bound in the declaration, but for those in `sizes`.

    Raises UsageError: a derivation of other derivatives than gradients.
    """
    import symbp as bp
    from symbp.verify.extremes import extremes, small_sizes

    derivation = derivation or bp.derive(net)
    chosen = small_sizes(derivation, sizes or {})
    module = None
    if target is not None:
        system = derivation.system.with_(bound={})
        module = bp.compile(
            net,
            optimizer=bp.optim.SGD(0.1),
            target=target,
            dtype="float32",
            sizes={name: chosen[name] for name in system.sizes},
            derivation=replace(derivation, system=system),
        )
    return extremes(derivation, module=module, sizes=chosen, seed=seed)
