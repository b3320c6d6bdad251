"""Slips inside slopes that are written out: a factor that the chain rule or the product rule leaves, a
constant, an exponent.

Enters: a shop. Leaves: mutants. Must not know: functions by their names.

The slope of u·(1 + tanh(c·(u + k·u³)))/2 is a sum of products of inner slopes. Who derives it by hand loses
one of these, its constant, or the 3 of 3·k·u²; no slope of another function explains that.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.expr import Expr, accesses
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, inside, with_body
from symbp.verify.against.repairs.slopes import groups_in

Change = tuple[Slip, str, Expr]
"""The slip, what is wrong, what stands in the place of the part."""


def inner_factors(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """A slope with one of its parts changed."""
    for whole, group in groups_in(shop, equation):
        if not any(part.is_Add for part in inside(group)):
            continue  # a product: its factors are tried as they are
        text = expression_text(group)
        for part in dict.fromkeys(inside(group)):
            for slip, hint, new in _changes(part):
                body = equation.body.xreplace({whole: whole / group * group.xreplace({part: new})})
                if accesses(new) and body != equation.body:
                    told = f"{shop.of(equation)}{hint}: the slope is {text}"
                    yield Mutant(slip, told, (with_body(equation, body),), 2)


def _changes(part: Expr) -> Iterator[Change]:
    if part.is_Mul:
        yield from _factors(part)
    if part.is_Add:
        yield from _exponents_of(part)
    if part.is_Pow and part.exp.is_Integer and part.exp > 1:
        base = part.base ** (part.exp - 1)
        hint = f"{expression_text(base)} stands where {expression_text(part)} belongs"
        yield "wrong slope", hint, base


def _factors(product: Expr) -> Iterator[Change]:
    """A product without one of its factors, or without a constant."""
    for factor in product.args:
        if accesses(factor):
            yield "missing slope", f"the factor {expression_text(factor)} is missing", product / factor
    numbers = sympy.Mul(*(factor for factor in product.args if factor.is_number))
    plain, _ = numbers.as_coeff_Mul()
    for number in dict.fromkeys([plain, numbers / plain, numbers]):
        if abs(number) != 1:
            yield "factor", f"the factor {expression_text(number)} is missing", product / number


def _exponents_of(total: Expr) -> Iterator[Change]:
    """A sum in which the exponent of a power didn't come down as a factor."""
    for term in total.args:
        for power in (2, 3, 4):
            if any((f.is_Pow and f.exp == power - 1) or (power == 2 and not f.is_Pow) for f in term.args):
                hint = f"the exponent {power} is missing as a factor of {expression_text(term)}"
                yield "factor", hint, total - term + term / power
