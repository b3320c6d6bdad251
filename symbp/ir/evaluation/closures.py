"""Compiles scalar expressions to Python closures over a domain, once, so that elements cost microseconds.

Enters: a scalar SymPy expression, a domain. Leaves: a function from the values of its symbols to an element.
Must not know: systems, or where the values of accesses come from (a subclass says that).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from operator import add, mul
from typing import Any, Protocol

import sympy

from symbp.errors import OutsideDomain
from symbp.ir.evaluation.domains import REFUSED, Domain, Value
from symbp.ir.expr import Expr, Guard

Env = Mapping[str, Any]  # the value of each free symbol, by name
Closure = Callable[[Env], Value]


class Evaluated(Protocol):
    """A node that another stage adds to expressions: it says itself how it is evaluated."""

    def closure(self, closures: Closures) -> Closure:
        """The value of the node over a domain, from the values of its free symbols."""
        ...


class Closures:
    """The arithmetic of every expression; subclasses add nodes in `other` and laziness in `product`."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def value(self, e: Expr) -> Closure:
        """The closure of an expression. Raises OutsideDomain for a node that the domain refuses."""
        if e.is_Rational:
            return _constant(self.domain.rational(Fraction(int(e.p), int(e.q))))
        if e.is_Float:
            return self.value(sympy.Rational(e))
        if e.is_Add:
            terms = [self.value(term) for term in e.args]
            return lambda env: reduce(add, [term(env) for term in terms])
        if e.is_Mul:
            return self.product(e)
        if e.is_Pow and e.exp.is_Rational:
            base, exponent, power = (
                self.value(e.base),
                Fraction(int(e.exp.p), int(e.exp.q)),
                self.domain.power,
            )
            return lambda env: power(base(env), exponent)
        if hasattr(e, "closure"):  # `Evaluated`, which is slow to be asked for
            return e.closure(self)  # type: ignore[no-any-return]
        if type(e).__name__ in REFUSED:
            raise OutsideDomain(
                f"{type(e).__name__} has no place in a body: {e}",
                help="write the branches with guards, where(x > 0, x, 0), and reductions as equations",
            )
        if e.is_Function or e.is_Pow:
            return self.function(e)
        if e.is_NumberSymbol or e.is_infinite:
            return self.constant(e)
        return self.other(e)

    def constant(self, e: Expr) -> Closure:
        """π, e, ∞; refused only where it is used, so that −∞ may stand in a branch that nobody takes."""
        try:
            return _constant(self.domain.constant(e))
        except OutsideDomain:
            return lambda env: self.domain.constant(e)  # noqa: ARG005

    def product(self, e: Expr) -> Closure:
        factors = [self.value(factor) for factor in e.args]
        return lambda env: reduce(mul, [factor(env) for factor in factors])

    def function(self, e: Expr) -> Closure:
        """An elementwise function; a domain that lacks it says so when the value is asked for."""
        function, apply = e.func, self.domain.apply
        arguments = [self.value(argument) for argument in e.args]
        return lambda env: apply(function, [argument(env) for argument in arguments])

    def extent(self, e: Expr) -> int:
        """How far an index runs, for nodes that have indices of their own."""
        raise OutsideDomain(f"nothing says how far an index runs to {e}")

    def guard(self, e: Guard) -> Callable[[Env], bool]:
        """Whether a relation holds, for nodes that have conditions."""
        raise OutsideDomain(f"{type(e).__name__} cannot be evaluated: {e}")

    def other(self, e: Expr) -> Closure:
        if e.is_Symbol:
            name = e.name
            return lambda env: env[name]
        raise OutsideDomain(f"{type(e).__name__} cannot be evaluated: {e}")


def _constant(value: Value) -> Closure:
    return lambda env: value  # noqa: ARG005
