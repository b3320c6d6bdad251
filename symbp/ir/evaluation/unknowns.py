"""Residues modulo a prime in which every function that isn't rational is an unknown.

Enters: a prime, a number that chooses the unknowns. Leaves: a domain.
Must not know: systems, conditions.

exp(u), log(u), √u and π have no value modulo a prime. Here each is a random element, one for each value of
its argument: where two arguments are equal as formulas, so are their values, and so is what stands for the
function. What is equal here is equal as a rational function of its variables and of these unknowns, hence
equal whatever the functions are. The other way round doesn't hold: of what functions obey, only this is kept:

    exp(−u) = 1/exp(u)    log(1/u) = −log(u)    √(1/u) = 1/√u    f(−u) = −f(u) or f(u) where f is odd or even

and the values at 0 and 1. So exp(a)·exp(b) and exp(a + b) differ, and who compares them needs another domain.

Two formulas that differ as rational functions agree at a random point of a prime p with a probability of at
most d/p, where d is the degree of their difference (Schwartz 1980, Zippel 1979). With p near 2⁶¹, d may be a
million, and still the chance is below 1e-12 for one prime, 1e-24 for two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import sympy

from symbp.errors import EvaluationError, OutsideDomain
from symbp.ir.evaluation.domains import Domain, Residue, Value
from symbp.ir.expr import Expr
from symbp.ir.functions import ELEMENTARY

PARITY = {f.name: f.parity for f in ELEMENTARY.values() if f.parity}
AT_ZERO = {f.name: f.at_zero for f in ELEMENTARY.values() if f.at_zero is not None}


@dataclass(frozen=True)
class Lowest(Residue):
    """−∞, the value of an empty maximum and of log 0: it stays what it is whatever is added."""

    def __add__(self, other: Residue) -> Residue:
        return self

    __radd__ = __add__

    def __mul__(self, other: Residue) -> Residue:
        if isinstance(other, Lowest) or other.value != 1:
            raise OutsideDomain("whether a multiple of −∞ is ∞ or −∞ can't be told modulo a prime")
        return self

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Residue:
        raise OutsideDomain("a power of −∞ can't be told modulo a prime")

    def __str__(self) -> str:
        return "-∞"


@dataclass(frozen=True)
class _Unknowns(Domain):
    """Conditions and maxima are up to who evaluates: the domain has no order of its own."""

    prime: int
    salt: int

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"unknowns modulo {self.prime}"

    def rational(self, value: Fraction) -> Value:
        top, below = value.numerator % self.prime, value.denominator
        return Residue(top if below == 1 else top * pow(below, -1, self.prime) % self.prime, self.prime)

    def lift(self, value: Any) -> Value:
        if isinstance(value, float) and value == -math.inf:  # what a mask excludes
            return Lowest(0, self.prime)
        return value if isinstance(value, Residue) else super().lift(value)

    def constant(self, constant: Expr) -> Value:
        if constant is -sympy.oo:
            return Lowest(0, self.prime)
        if constant.is_infinite:
            raise OutsideDomain(f"{constant} cannot be represented in the domain {self.name}")
        return self.unknown(str(constant))

    def power(self, base: Value, exponent: Fraction) -> Value:
        if isinstance(base, Lowest):
            raise OutsideDomain("a power of −∞ can't be told modulo a prime")
        whole, root = exponent.numerator, exponent.denominator
        value = base.value if root == 1 else self.reciprocal(f"root {root}", base.value)
        if value == 0 and whole < 0:
            raise EvaluationError(f"division by zero in the domain {self.name}")
        return Residue(pow(value, whole, self.prime), self.prime)

    def order(self, value: Value) -> Any:
        """The residue, None for −∞, for who draws conditions; an elimination takes any but 0 for a pivot."""
        return None if isinstance(value, Lowest) else value.value

    def apply(self, function: Any, arguments: Sequence[Value]) -> Value:
        name, values = function.__name__, [a.value for a in arguments]
        if any(isinstance(a, Lowest) for a in arguments):
            if name != "exp":
                raise OutsideDomain(f"{name} of −∞ cannot be represented in the domain {self.name}")
            return Residue(0, self.prime)
        if function is sympy.Pow:
            return self.unknown(name, *values)
        if name in AT_ZERO and values == [0]:
            return Residue(AT_ZERO[name], self.prime)
        if name == "log":
            return self.logarithm(values[0])
        if len(values) > 1 or name not in PARITY:
            return self.unknown(name, *values)
        turned = self.prime - values[0]
        found = self.unknown(name, min(values[0], turned))
        if values[0] < turned or PARITY[name] == "even":
            return found
        inverse = PARITY[name] == "reciprocal"
        value = pow(found.value, -1, self.prime) if inverse else self.prime - found.value
        return Residue(value, self.prime)

    def logarithm(self, value: int) -> Value:
        if value == 0:
            return Lowest(0, self.prime)
        if value == 1:
            return Residue(0, self.prime)
        turned = pow(value, -1, self.prime)
        found = self.unknown("log", min(value, turned))
        return found if value <= turned else Residue(self.prime - found.value, self.prime)

    def reciprocal(self, name: str, value: int) -> int:
        """An unknown function of which f(1/u) = 1/f(u), and 0 and 1 are fixed points."""
        if value in (0, 1):
            return value
        turned = pow(value, -1, self.prime)
        found = self.unknown(name, min(value, turned)).value
        return found if value <= turned else pow(found, -1, self.prime)

    def unknown(self, name: str, *arguments: int) -> Residue:
        """A random element other than 0, the same for the same name and arguments."""
        digest = blake2b(f"{self.salt} {name} {arguments}".encode(), digest_size=16).digest()
        return Residue(1 + int.from_bytes(digest, "big") % (self.prime - 1), self.prime)


def UNKNOWNS(prime: int, salt: int = 0) -> Domain:
    """The integers modulo a prime, with unknowns for what isn't rational."""
    return _Unknowns(prime, salt)
