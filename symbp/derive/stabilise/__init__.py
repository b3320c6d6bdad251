"""Stabilisation by form: the forward system is rewritten so that no exponential overflows.

Enters: the declared system. Leaves: a system with the same values and safe shapes, and the steps.
Must not know: softmax, cross-entropy or any other op by name; only log, exp, roots and sums.

In this order: the logarithm of something made of exponentials is expanded through the definitions of what it
reads (`logarithms`); sums of exponentials are shifted by their maximum (`shifts`); quotients of exponentials
of a few exponents become logistic functions or are divided by the largest, and products and roots that have
no derivative at 0 get 0 there (`limits`); logarithms are read in two parts (`readers`).
"""

from __future__ import annotations

from symbp.derive.derivation import Ground, Step
from symbp.derive.stabilise.exclusion import Exclusion
from symbp.derive.stabilise.limits import settle_limits
from symbp.derive.stabilise.logarithms import expand_logarithms
from symbp.derive.stabilise.readers import in_two_parts, without_unread
from symbp.derive.stabilise.shifts import RULE, shift_exponentials
from symbp.ir.system import System


def stabilise(system: System) -> tuple[System, tuple[Step, ...], tuple[Ground, ...]]:
    """The system in safe shapes; values are unchanged in exact arithmetic, wherever they are finite. Also the
    steps to it, and the systems between them."""
    steps: list[Step] = []
    grounds: list[Ground] = []

    def noted(count: int, before: System, after: System) -> System:
        """The system after some steps, which it and the one before them give their meaning."""
        if len(steps) > count:
            moved = (n for s in steps[count:] if s.rule == RULE for n in s.rests_on if isinstance(n, str))
            grounds.append(Ground(count, before, after, frozenset(moved)))
        return after

    declared, system = system, noted(0, system, expand_logarithms(system, steps))
    excluded = Exclusion(system)
    for equation in system.equations:
        if equation.op == "sum":
            count = len(steps)
            system = noted(count, system, shift_exponentials(system, equation.target, excluded, steps))
    count = len(steps)
    system = noted(count, system, in_two_parts(system, steps))
    count = len(steps)
    system = noted(count, system, settle_limits(system, steps))
    return without_unread(system, declared), tuple(steps), tuple(grounds)
