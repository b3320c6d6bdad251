"""Stabilisation by form: the forward system is rewritten so that no exponential overflows.

Enters: the declared system. Leaves: a system with the same values and safe shapes, and the steps.
Must not know: softmax, cross-entropy or any other op by name; only log, exp, roots and sums.

In this order: the logarithm of something made of exponentials is expanded through the definitions of what it
reads (`logarithms`); sums of exponentials are shifted by their maximum (`shifts`); quotients of exponentials
of a few exponents become logistic functions or are divided by the largest, and products and roots that have
no derivative at 0 get 0 there (`limits`); logarithms are read in two parts (`readers`).
"""

from __future__ import annotations

from symbp.derive.derivation import Step
from symbp.derive.stabilise.exclusion import Exclusion
from symbp.derive.stabilise.limits import settle_limits
from symbp.derive.stabilise.logarithms import expand_logarithms
from symbp.derive.stabilise.readers import in_two_parts, without_unread
from symbp.derive.stabilise.shifts import shift_exponentials
from symbp.ir.system import System


def stabilise(system: System) -> tuple[System, tuple[Step, ...]]:
    """The system in safe shapes; values are unchanged in exact arithmetic, wherever they are finite."""
    steps: list[Step] = []
    declared, system = system, expand_logarithms(system, steps)
    excluded = Exclusion(system)
    for equation in system.equations:
        if equation.op == "sum":
            system = shift_exponentials(system, equation.target, excluded, steps)
    system = settle_limits(in_two_parts(system, steps), steps)
    return without_unread(system, declared), tuple(steps)
