"""Sums of exponentials written out in one body: `exp(a) + exp(b)`, `1 + exp(u)`, `3·exp(a) − exp(b)`.

Enters: a sum, the definitions behind what it reads. Leaves: its terms as (number, exponent), and forms of it
or of its logarithm that nothing overflows in. Must not know: softmax or any other op by name.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.derive.definitions import map_body
from symbp.derive.rules.exponentials import overflows
from symbp.ir.build import where
from symbp.ir.expr import Access, Expr, Guard, Index, accesses
from symbp.ir.system import System

Term = tuple[Expr, Expr]
"""(c, u) for c·exp(u), with a number or a positive constant c."""
DEPTH = 8  # maps behind maps that are looked through


def written_out(e: Expr, system: System, *, unsafe: bool = False, depth: int = DEPTH) -> Expr:
    """`e` with each map that is made of exponentials, itself or by what it reads, in place of its reads; with
    `unsafe` only those that may overflow."""
    found = {}
    for access in accesses(e):
        body = map_body(access, system) if depth else None
        if body is not None:
            body = written_out(body, system, unsafe=unsafe, depth=depth - 1)
            if body.has(sympy.exp) and (overflows(body) or not unsafe):
                found[access] = body
    return e.xreplace(found)


def terms_of(e: Expr) -> list[Term] | None:
    """The sum as terms c·exp(u), equal exponents added up, a constant as exp(0); None if it isn't one."""
    found: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(e):
        exponents = [f for f in sympy.Mul.make_args(term) if isinstance(f, sympy.exp)]
        number = sympy.Mul(*[f for f in sympy.Mul.make_args(term) if not isinstance(f, sympy.exp)])
        if number.atoms(Access, Guard, Index, sympy.exp) or not (number.is_positive or number.is_negative):
            return None
        exponent = sympy.Add(*[f.args[0] for f in exponents])
        found[exponent] = found.get(exponent, sympy.Integer(0)) + number
    return [(number, exponent) for exponent, number in found.items() if number != 0]


def logarithm(terms: Sequence[Term]) -> Expr | None:
    """log Σ c·exp(u) of one term, of 1 + exp(u) up to a number, of exp(u) + exp(k·u) with a number k, or of a
    difference of two; None for others, whose largest exponent must be known first."""
    ordered = sorted(terms, key=lambda t: (t[1] != 0, sympy.default_sort_key(t[1])))
    if any(number.is_negative for number, _ in ordered):
        return _logarithm_of_difference(ordered)
    (number, exponent), *rest = ordered
    if not rest:
        return sympy.log(number) + exponent
    if len(rest) == 1 and exponent == 0 and rest[0][0] == number:
        return sympy.log(number) + sympy.log(1 + sympy.exp(rest[0][1]))
    if (
        len(rest) == 1
        and rest[0][0] == number
        and exponent != 0
        and sympy.cancel(rest[0][1] / exponent).is_Rational
    ):
        return sympy.log(number) + exponent + sympy.log(1 + sympy.exp(sympy.expand(rest[0][1] - exponent)))
    return None  # c·exp(u) beside 1: SymPy makes that of exp(u + log(c))


def _logarithm_of_difference(terms: Sequence[Term]) -> Expr | None:
    """log(c·exp(u) − d·exp(v)), defined where it is above 0: u + log c + log(1 − d/c·exp(v − u))."""
    if len(terms) != 2:
        return None
    (c, u), (d, v) = sorted(terms, key=lambda t: bool(t[0].is_negative))
    if not (c.is_positive and d.is_negative):
        return None
    return u + sympy.log(c) + sympy.log(1 + d / c * sympy.exp(sympy.expand(v - u)))


def relative(terms: Sequence[Term], to: Term) -> Expr:
    """Σ c·exp(u) / (d·exp(v)) for to = (d, v): 1 + exp(u − v) + …"""
    d, v = to
    return sympy.Add(*[c / d * sympy.exp(sympy.expand(u - v)) for c, u in terms])


def two_terms(e: Expr) -> Expr | None:
    """`c·exp(a)/(exp(a) + exp(b))` as c/(1 + exp(b − a)), a factor of a product; None if there is none."""
    for power in e.args if e.is_Mul else ():
        base, exponent = power.as_base_exp()
        terms = terms_of(base) if exponent == -1 and base.is_Add else None
        if terms is None or len(terms) != 2:
            continue
        for own, other in (terms, terms[::-1]):
            (c, u), (d, v) = own, other
            if sympy.exp(u) in e.args and c == d:
                rest = [f for f in e.args if f not in (power, sympy.exp(u))]
                return sympy.Mul(*rest) / c / (1 + sympy.exp(sympy.expand(v - u)))
    return None


def safe_as_it_stands(e: Expr) -> bool:
    """A positive number, and terms that are positive by their form and can't overflow: its logarithm needs
    nothing."""
    constant, rest = e.as_coeff_Add()
    return (
        bool(constant.is_positive) and not overflows(rest) and all(map(_positive, sympy.Add.make_args(rest)))
    )


def _positive(e: Expr) -> bool:
    if isinstance(e, sympy.exp):
        return True
    if isinstance(e, sympy.log):
        constant, rest = e.args[0].as_coeff_Add()
        return bool(constant >= 1) and all(map(_positive, sympy.Add.make_args(rest)))
    if e.is_Add or e.is_Mul:
        return all(map(_positive, e.args))
    if e.is_Pow:
        return _positive(e.base)
    return bool(e.is_positive)


def largest(first: Expr, second: Expr) -> Expr:
    """The larger of two exponents, as cases."""
    return where(Guard("<", first, second), second, first)
