"""Where a formula has a limit and its floating-point value has none.

Enters: a forward system. Leaves: the same values in shapes that exist everywhere, and a step for each.
Must not know: activations, entropies, norms or any other op by name; only exp, log, roots, sums of squares.

Four forms. A quotient of exponentials of one exponent is written with 1/(1 + exp(−u)) or tanh, which can't
become ∞/∞. `x·log x` is 0 at x = 0, its limit, by a bracket. A root of a sum of squares keeps its value at 0
and gets the derivative 0 there, the subgradient of least norm: its own would be 0/0. A difference whose sides
may both be −∞ is −∞ where the first is: log p of an excluded element of an excluded row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy

from symbp.derive.definitions import map_body
from symbp.derive.derivation import Step
from symbp.derive.rules.algebra import on_symbols
from symbp.derive.rules.exponentials import hyperbolic_form, logistic_form, overflows
from symbp.derive.rules.rule import Rule
from symbp.derive.stabilise.exclusion import Exclusion
from symbp.derive.stabilise.exponential_sums import terms_of, two_terms, written_out
from symbp.derive.stabilise.largest import Largest
from symbp.ir.build import where
from symbp.ir.expr import Access, Expr, Guard, Index, accesses, parts_of
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, System

HALF = sympy.Rational(1, 2)
Limit = Callable[["Settling", Equation], Expr]


def settle_limits(system: System, rules: Sequence[Rule[Limit]], steps: list[Step]) -> System:
    """The system with values and derivatives at all of these places, each equation by one rule after the
    other."""
    settling = Settling(system)
    for equation in system.equations:
        if equation.op in (None, "sum"):
            for rule in rules:
                after = equation.with_(body=rule.apply(settling, equation))
                if after != equation:
                    steps.append(rule.between(equation, after))
                    equation = after
        settling.largest.replaced[equation.target] = equation
    return settling.largest.system()


class Settling:
    """Forms with a value everywhere; each rule gives the body of an equation in its form, or as it is."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.signs = Signs(system, system.equations)
        self.excluded = Exclusion(system)
        self.largest = Largest(system)
        self.divisors = {
            power.base.name
            for equation in system.equations
            for power in parts_of(equation.body, sympy.Pow)
            if isinstance(power.base, Access) and power.exp.is_negative
        }

    def entropy(self, equation: Equation) -> Expr:
        """The body with each x·log(x) under a bracket."""
        return self.entropies(equation.body)

    def difference(self, equation: Equation) -> Expr:
        """The body with each difference that may be −∞ − (−∞) under a bracket."""
        return self.differences(equation.body, equation.extents)

    def root(self, equation: Equation) -> Expr:
        """The body with each root of a sum of squares under a bracket, unless something is divided by it."""
        return equation.body if equation.target in self.divisors else self.roots(equation.body)

    # --- quotients of exponentials
    def quotient(self, equation: Equation) -> Expr:
        """The body without ∞/∞, if it is a rational function of one exponential, or a quotient of sums of a
        few; also of those that maps hold."""
        body = equation.body
        written = written_out(body, self.system, unsafe=True)
        for start in dict.fromkeys([body, written]):
            divisors = [p.base for p in parts_of(start, sympy.Pow) if p.exp.is_number and p.exp.is_negative]
            if not any(d.is_Add and d.has(sympy.exp) for d in divisors):
                continue
            if not overflows(start):
                return start
            for form in (hyperbolic_form(start), logistic_form(start), two_terms(start)):
                if form is not None and overflows(form) < overflows(start):
                    return form
            lowered = self.lowered(start, divisors, equation)
            if lowered is not None:
                return lowered
        return body

    def lowered(self, e: Expr, divisors: Sequence[Expr], equation: Equation) -> Expr | None:
        """A quotient of sums of exponentials with the largest exponent taken out of all, if that leaves no
        factor."""
        sums = [terms for d in divisors for terms in [terms_of(d)] if terms is not None and len(terms) > 1]
        if len(sums) != 1 or any(c.is_negative for c, _ in sums[0]):
            return None
        peak, growth = sympy.Dummy("peak"), sympy.Dummy("growth", positive=True)
        raised = e.xreplace({x: growth * sympy.exp(x.args[0] - peak) for x in outer_exponentials(e)})
        constants = sympy.Add(*[c for c, u in sums[0] if u == 0])
        if constants != 0:
            (divisor,) = (d for d in divisors if terms_of(d) == sums[0])
            grown = divisor.xreplace(
                {x: growth * sympy.exp(x.args[0] - peak) for x in outer_exponentials(divisor)}
            )
            raised = raised.xreplace({grown: grown + constants * (growth * sympy.exp(-peak) - 1)})
        settled = on_symbols(raised, sympy.factor)
        if settled is None:
            return None
        power = settled.as_powers_dict().get(growth, sympy.Integer(0))
        settled = settled / growth**power * sympy.exp(power * peak)
        if growth in settled.free_symbols or power > 0:
            return None
        largest = self.largest.of([u for _, u in sums[0]], equation)
        return None if largest is None else settled.xreplace({peak: largest})

    # --- x log x
    def entropies(self, e: Expr) -> Expr:
        """Each product that has x·log(x) as a part, under the bracket [x ≠ 0] unless x > 0 by its form."""
        if isinstance(e, (Access, Guard)) or not e.args or not accesses(e):
            return e
        if not e.is_Mul:
            return e.func(*[self.entropies(a) for a in e.args])
        factors = [self._written_out(f, e) for f in e.args]
        for x in sorted(self._logarithms(factors), key=sympy.default_sort_key):
            if _power_of(x, factors) and not self.signs.positive(x):
                bracket = Guard("!=", x, 0)
                return e if bracket in factors else sympy.Mul(bracket, *factors)
        return e

    def _written_out(self, factor: Expr, product: Expr) -> Expr:
        """A map that is log(x), beside x, is written out: its own derivative at 0 would be 1/0."""
        body = map_body(factor, self.system) if isinstance(factor, Access) else None
        return body if isinstance(body, sympy.log) and _power_of(body.args[0], product.args) else factor

    def _logarithms(self, factors: list[Expr]) -> set[Expr]:
        """The arguments of logarithms that are factors, or terms of factors."""
        terms = [t for f in factors for t in sympy.Add.make_args(f)]
        return {f.args[0] for t in terms for f in sympy.Mul.make_args(t) if isinstance(f, sympy.log)}

    # --- differences
    def differences(self, e: Expr, extents: Mapping[Index, Expr]) -> Expr:
        """Sums of terms that may be −∞ and terms that may be ∞, under the bracket that the former are not."""
        if isinstance(e, (Access, Guard)) or not e.args or not accesses(e):
            return e
        e = e.func(*[self.differences(a, extents) for a in e.args])
        if not e.is_Add:
            return e
        parts = [(t, t.as_coeff_Mul()[0].is_negative) for t in e.args if self.excluded.lowest(t, extents)]
        low = [t for t, negative in parts if not negative]
        if not low or len(low) == len(parts):
            return e
        return where(sympy.Mul(*[Guard("<", -sympy.oo, t) for t in low]), e, -sympy.oo)

    # --- roots
    def roots(self, e: Expr) -> Expr:
        """Each root of a sum of squares under the bracket that the sum is not 0. Roots that something is
        divided by are left: where they are 0, that has no value anyway."""
        if isinstance(e, (Access, Guard)) or not e.args or not accesses(e):
            return e
        if e.is_Pow and e.exp == HALF and self._squares(e.base) and not self.signs.positive(e.base):
            return Guard("!=", e.base, 0) * e  # a NaN is no 0, and stays
        return e.func(*[self.roots(a) for a in e.args])

    def _squares(self, e: Expr) -> bool:
        """Whether e is a sum of squares, over indices or written out."""
        if isinstance(e, Access):
            equation = self.system.defining.get(e.name)
            if equation is None or e.outside is not None or equation.op not in (None, "sum"):
                return False
            return self._squares(equation.body)
        if e.is_Add:
            return all(self._squares(a) for a in e.args)
        if e.is_Mul:
            rest = [f for f in e.args if not (isinstance(f, Guard) or self.signs.positive(f))]
            rest = [f for f in rest if accesses(f)]  # sizes only scale
            return len(rest) == 1 and self._squares(rest[0])
        return bool(e.is_Pow and e.exp.is_Integer and e.exp.is_even and e.exp.is_positive)


def outer_exponentials(e: Expr) -> list[Expr]:
    """The exponentials of a body that are not inside others, or inside other functions."""
    if isinstance(e, sympy.exp):
        return [e]
    if isinstance(e, (Access, Guard)) or e.is_Function or not e.args:
        return []
    return list(dict.fromkeys(x for a in e.args for x in outer_exponentials(a)))


def _power_of(x: Expr, factors: Sequence[Expr]) -> bool:
    """Whether x to a positive power is among the factors."""
    return any(f == x or (f.is_Pow and f.base == x and f.exp.is_positive) for f in factors)
