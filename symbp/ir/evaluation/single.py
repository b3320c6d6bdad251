"""float32, as a domain: what generated code computes with, for seeing where a formula loses its value in it.

Enters: nothing, or a system. Leaves: a domain; the system with log(1 + exp(u)) as the one function that it is
in every target, which doesn't overflow. Must not know: what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symbp.ir.evaluation.domains import Domain, Value, elementwise, float_power
from symbp.ir.expr import Expr, parts_of
from symbp.ir.system import System


class _Single(Domain):
    name, dtype = "float32", np.float32

    def rational(self, value: Fraction) -> Value:
        return np.float32(value.numerator / value.denominator)

    def constant(self, constant: Expr) -> Value:
        return np.float32(float(constant))

    def lift(self, value: Any) -> Value:
        return np.float32(value)

    def power(self, base: Value, exponent: Fraction) -> Value:
        if exponent.denominator == 1 and exponent < 0:
            return np.float32(1) / base ** int(-exponent)
        return np.float32(float_power(base, exponent))

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        if function is Softplus:
            return np.float32(np.logaddexp(np.float32(0), *arguments))
        return np.float32(elementwise(function.__name__, False)(*arguments))


class Softplus(sympy.Function):  # type: ignore[misc]
    """log(1 + exp(u)), as targets compute it."""


def with_softplus(system: System) -> System:
    """The system as targets compute it."""

    def told(body: Expr) -> Expr:
        pairs = {log: log.args[0] - 1 for log in parts_of(body, sympy.log)}
        return body.xreplace({a: Softplus(e.args[0]) for a, e in pairs.items() if isinstance(e, sympy.exp)})

    return system.with_(equations=tuple(e.with_(body=told(e.body)) for e in system.equations))


SINGLE = _Single()
