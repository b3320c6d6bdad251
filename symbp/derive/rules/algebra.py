"""Algebra on one scalar expression, each operation by name: multiply out, take out what is common, collect.

Enters: an expression. Leaves: another one of the same value. Must not know: costs, systems, saved values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import lru_cache

import sympy

from symbp.ir.expr import Access, Expr, Guard, parts_of

RATIONAL_LIMIT = 60  # operations above which SymPy's polynomial algebra is not tried
MOST_ATOMS = 12  # tensors and functions above which it isn't tried either
MOST_MONOMIALS = 1024  # that a numerator may have by its degrees: the work of factoring it grows with them
MOST_PRODUCTS = 200  # terms above which nothing is multiplied out: what is so long wins nowhere
MOST_TERMS = 6  # above which no factor is collected from some of the terms


def expand(e: Expr) -> Expr:
    """Products over sums multiplied out, where that makes no more than `MOST_PRODUCTS` terms; exponentials
    and logarithms stay whole."""
    return e if products_of(e) > MOST_PRODUCTS else multiplied_out(e)


@lru_cache(maxsize=16384)
def multiplied_out(e: Expr) -> Expr:
    """Products over sums multiplied out, however long that gets."""
    if _is_multiplied_out(e):
        return e
    if e.is_Add:  # each term is looked at once, whatever it is added to
        return sympy.Add(*map(multiplied_out, e.args))
    return sympy.expand(e, power_exp=False, power_base=False, log=False, func=False, trig=False)


@lru_cache(maxsize=65536)
def _is_multiplied_out(e: Expr) -> bool:
    """Whether it is seen at once that SymPy, which looks through all of it several times, changes nothing."""
    if not e.args:
        return True
    if e.is_Mul:
        sums = [f for f in e.args if f.is_Add or (f.is_Pow and f.base.is_Add)]
        if any(f.is_Add for f in sums) or (sums and not all(map(_is_above_line, set(e.args) - {*sums[:1]}))):
            return False
    if e.is_Pow and not isinstance(e, sympy.exp):
        if e.base.is_Add and not (e.exp.is_Rational and abs(e.exp.p) <= e.exp.q):
            return False
        if e.exp.is_Add or e.base.is_Mul:
            return False
    return all(map(_is_multiplied_out, e.args))


def _is_above_line(factor: Expr) -> bool:
    """Whether a factor has no part below the line of a quotient, as SymPy takes it apart."""
    if factor.is_Pow or isinstance(factor, sympy.exp):
        return bool(factor.exp.is_Integer and factor.exp.is_positive and not factor.base.is_Add)
    return not factor.is_Rational or bool(factor.is_Integer)


@lru_cache(maxsize=16384)
def products_of(e: Expr) -> int:
    """How many terms multiplying out makes, before what is alike is added up; at most a little more than
    `MOST_PRODUCTS`. What is multiplied out below a line or inside a function counts, too."""
    if not e.args or isinstance(e, (Access, Guard)):
        return 1
    counts = [min(products_of(a), MOST_PRODUCTS + 1) for a in e.args]
    if e.is_Add:
        return sum(counts)
    if e.is_Mul:
        return min(math.prod(counts), MOST_PRODUCTS + 1)
    if e.is_Pow and e.exp.is_Integer:
        power = min(abs(int(e.exp)), MOST_PRODUCTS)
        return min(math.comb(counts[0] + power - 1, power), MOST_PRODUCTS + 1)
    return 1 if max(counts) <= MOST_PRODUCTS else MOST_PRODUCTS + 1


@lru_cache(maxsize=16384)
def common_factor(e: Expr, *, numbers: bool = True) -> Expr:
    """The monomial that divides every term, taken out: `p/N − y/N` → `(p − y)/N`; with the greatest common
    divisor of the coefficients, if asked to."""
    terms = sympy.Add.make_args(e)
    if len(terms) < 2:
        return e
    powers = [term.as_coeff_Mul()[1].as_powers_dict() for term in terms]
    common = sympy.Integer(1)
    for base in sorted(powers[0], key=sympy.default_sort_key):
        exponents = [p.get(base, sympy.Integer(0)) for p in powers]
        if not all(x.is_number for x in exponents):
            continue
        if all(x.is_positive for x in exponents):
            common *= base ** min(exponents)
        elif all(x.is_negative for x in exponents):
            common *= base ** max(exponents)
    number = sympy.gcd_list([abs(term.as_coeff_Mul()[0]) for term in terms]) if numbers else sympy.Integer(1)
    number = number if number.is_Rational and number != 0 else sympy.Integer(1)
    if common == 1 and number == 1:
        return e
    inner = sympy.Add(*[term / common / number for term in terms])  # 2·(a + b) at once would be 2·a + 2·b
    if inner.could_extract_minus_sign() and common.could_extract_minus_sign():
        inner, common = -inner, -common
    return sympy.Mul(number, common, inner)


@lru_cache(maxsize=16384)
def lowest_power(e: Expr) -> Expr:
    """`1/√b − x²/√b³` → `(b − x²)/√b³`, multiplied out: the lowest power of a sum b that terms divide by;
    where b holds x², the difference cancels on paper and not in rounding."""
    terms = sympy.Add.make_args(e)
    divisors = {p.base for t in terms for p in sympy.Mul.make_args(t) if p.is_Pow and p.base.is_Add}
    for base in sorted(divisors, key=sympy.default_sort_key):
        exponents = [t.as_powers_dict().get(base, sympy.Integer(0)) for t in terms]
        if not all(x.is_Rational for x in exponents) or len(set(exponents)) < 2:
            continue
        lowest = min(exponents)
        if lowest < 0 and all((x - lowest).is_Integer for x in exponents):
            return base**lowest * expand(sympy.Add(*[expand(t / base**lowest) for t in terms]))
    return e


def collections_of(e: Expr) -> Iterator[Expr]:
    """The sum with one factor collected from the terms that have it, for each factor of two or more."""
    terms = sympy.Add.make_args(e)
    if not 2 < len(terms) <= MOST_TERMS:
        return
    owners: dict[Expr, list[Expr]] = {}
    for term in terms:
        for factor in sympy.Mul.make_args(term):
            base = factor.as_base_exp()[0]
            if not base.is_number:
                owners.setdefault(base, []).append(term)
    for base in sorted(owners, key=sympy.default_sort_key):
        mine = owners[base]
        if 1 < len(mine) < len(terms):
            rest = sympy.Add(*[t for t in terms if t not in mine])
            yield common_factor(sympy.Add(*mine)) + common_factor(rest)


def on_symbols(e: Expr, operation: Callable[[Expr], Expr]) -> Expr | None:
    """`operation` applied with tensors, guards and functions as plain symbols; None unless rational, or where
    it would take long."""
    atoms = sorted(opaque(e), key=sympy.default_sort_key)
    there = {atom: sympy.Symbol(f"g{k}") for k, atom in enumerate(atoms)}
    short = e.xreplace(there)
    if any(not power.exp.is_Integer for power in parts_of(short, sympy.Pow)):
        return None
    changed = _changed(short, operation)
    return None if changed is None else changed.xreplace({symbol: atom for atom, symbol in there.items()})


@lru_cache(maxsize=16384)
def _changed(e: Expr, operation: Callable[[Expr], Expr]) -> Expr | None:
    numerator = sympy.fraction(sympy.together(e))[0] if operation is sympy.factor else e
    if math.prod(_degree(numerator, symbol) + 1 for symbol in e.free_symbols) > MOST_MONOMIALS:
        return None
    return operation(e)


def _degree(e: Expr, symbol: Expr) -> int:
    """The degree of a polynomial in a symbol, or more where terms cancel; 0 below the line."""
    if e == symbol:
        return 1
    if e.is_Add:
        return max(_degree(a, symbol) for a in e.args)
    if e.is_Mul:
        return sum(_degree(a, symbol) for a in e.args)
    if e.is_Pow and e.exp.is_Integer and e.exp.is_positive:
        return int(e.exp) * _degree(e.base, symbol)
    return 0


def is_short(e: Expr) -> bool:
    """Whether polynomial algebra on the whole expression takes no more than a moment."""
    return operations(e) <= RATIONAL_LIMIT and len(opaque(e)) <= MOST_ATOMS


@lru_cache(maxsize=16384)
def operations(e: Expr) -> int:
    """How many operations an expression writes."""
    return int(sympy.count_ops(e))


def opaque(e: Expr) -> set[Expr]:
    """The outermost subexpressions that polynomial algebra must not look into."""
    if isinstance(e, (Access, Guard)) or e.is_Function or isinstance(e, sympy.exp):
        return {e}
    if e.is_Pow and not e.exp.is_Integer:
        return {e}
    found: set[Expr] = set()
    for argument in e.args:
        found |= opaque(argument)
    return found


def conjugates(e: Expr) -> Expr:
    """`(1 + h)·(1 − h)` → `1 − h²`, in a product."""
    factors = list(sympy.Mul.make_args(e))
    for a, b in itertools.combinations([f for f in factors if f.is_Add and len(f.args) == 2], 2):
        for sign in (1, -1):
            half, other = (a + sign * b) / 2, (a - sign * b) / 2
            if not half.is_Add and not other.is_Add:
                rest = sympy.Mul(*[f for f in factors if f not in (a, b)])
                return conjugates(sympy.Mul(sign * (half**2 - other**2), rest))
    return e


def tidy_sign(e: Expr) -> Expr:
    """`−(h − 1)·h` → `(1 − h)·h`: the minus sign of a product goes into a sum, a negative constant first."""
    if not (e.is_Mul and e.as_coeff_Mul()[0].is_negative):
        return e
    sums = [f for f in e.args if f.is_Add and any(t.could_extract_minus_sign() for t in f.args)]
    if not sums:
        return e
    chosen = min(sums, key=lambda f: (not f.as_coeff_Add()[0].is_negative, sympy.default_sort_key(f)))
    return sympy.Mul(-chosen, -e / chosen)
