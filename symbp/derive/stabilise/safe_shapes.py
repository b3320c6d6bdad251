"""The rules of stabilisation in their order: the forward system, rewritten so that no exponential overflows.

Enters: the declared system. Leaves: a system with the same values and safe shapes, and the steps.
Must not know: softmax, cross-entropy or any other op by name; only log, exp, roots and sums.

In this order: the logarithm of something made of exponentials is expanded through the definitions of what it
reads (`logarithms`); sums of exponentials are shifted by their maximum (`shifts`); quotients of exponentials
of a few exponents become logistic functions or are divided by the largest, and products and roots that have
no derivative at 0 get 0 there (`limits`); logarithms are read in two parts (`readers`).
"""

from __future__ import annotations

from collections.abc import Sequence

from symbp.derive.derivation import Ground, Step
from symbp.derive.rules import registry
from symbp.derive.stabilise.exclusion import Exclusion
from symbp.derive.stabilise.limits import settle_limits
from symbp.derive.stabilise.readers import without_unread
from symbp.ir.system import System


def stabilise(system: System) -> tuple[System, tuple[Step, ...], tuple[Ground, ...]]:
    """The system in safe shapes; values are unchanged in exact arithmetic, wherever they are finite. Also the
    steps to it, and the systems between them."""
    steps: list[Step] = []
    grounds: list[Ground] = []

    def after(found: Sequence[Step], before: System, then: System) -> System:
        """The system after some steps, which it and the one before them give their meaning."""
        if found:
            shifted = registry.SHIFT.name
            moved = (n for s in found if s.rule == shifted for n in s.rests_on if isinstance(n, str))
            grounds.append(Ground(len(steps), before, then, frozenset(moved)))
            steps.extend(found)
        return then

    declared = system
    logarithms, changes = registry.LOGARITHM.apply(system)
    system = after([registry.LOGARITHM.told(c) for c in changes], system, logarithms)
    excluded = Exclusion(system)
    for equation in system.equations:
        if equation.op == "sum":
            shifted, shift, one = registry.SHIFT.apply(system, equation.target, excluded)
            found = [registry.SHIFT.told(shift)] if shift is not None else []
            found += [registry.EMPTY_SUM.told(one)] if one is not None else []
            system = after(found, system, shifted)
    parted, changes = registry.TWO_PARTS.apply(system)
    system = after([registry.TWO_PARTS.told(c) for c in changes], system, parted)
    settling: list[Step] = []
    settled = settle_limits(system, registry.LIMITS, settling)
    system = after(settling, system, settled)
    return without_unread(system, declared), tuple(steps), tuple(grounds)
