"""The canonical form of an extent: two extents that it shows to be equal are equal at all sizes.

Enters: integer expressions in sizes (sums, products, whole powers, `//` and `%` by what is positive).
Leaves: the same value in one form. Must not know: what a size is bound to, tensors.

What it decides, with u, v integer-valued, n and d > 0 whole numbers:

- sums and products are multiplied out and collected, u % v is u − v·(u // v);
- (n·u + v) // d gives up whole multiples: n is left between 0 and d − 1, and so is a number v;
- a common factor leaves: (n·u + c) // (n·d) = (u + c // n) // d, since u is whole;
- quotients of quotients are one: (u // n + v) // d = (u + n·v) // (n·d), where only one can be taken in;
- u·v // v = u, factor by factor in sizes; a quotient is 0 where 0 ≤ u ≤ v − 1 at all sizes.

Each is an identity of real numbers under a floor, so that the value never changes. The form isn't complete:
H // 2 + (H + 1) // 2 is H, and isn't seen to be. What it can't decide becomes a condition, never a wrong
size.
"""

from __future__ import annotations

from functools import lru_cache
from math import lcm

import sympy

from symbp.ir.bounds import never_negative
from symbp.ir.expr import Expr, FloorDiv, Mod


def with_divisions(body: Expr) -> Expr:
    """`i // 3` and `i % 3` of integers as this library's own: Python's operators give SymPy's functions."""
    if not body.has(sympy.floor, sympy.ceiling, sympy.Mod):
        return body

    def quotient(u: Expr) -> Expr:
        over, under = sympy.fraction(sympy.together(u))
        return FloorDiv(over, under) if over.is_integer and under.is_integer else sympy.floor(u)

    def remainder(a: Expr, b: Expr) -> Expr:
        return Mod(a, b) if a.is_integer and b.is_integer else sympy.Mod(a, b)

    body = body.replace(sympy.ceiling, lambda u: -sympy.floor(-u, evaluate=False))
    return body.replace(sympy.floor, quotient).replace(sympy.Mod, remainder)


@lru_cache(maxsize=65536)
def canonical(extent: Expr) -> Expr:
    """The extent in its one form, written with few terms: `H − 3 + 1` as `H − 2`, `(H − 2) // 2 + 1` as
    `H // 2`, `(H − K + 2) // 2` as `(H − K) // 2 + 1`."""
    e = normal(sympy.sympify(extent))
    several = sum(product.is_Mul or product.is_Pow for _, product in terms_of(e)) > 0 and e.is_Add
    if not several or not _whole_valued(terms_of(e)):
        return _written(e)
    number, factors = sympy.factor_list(e, *sorted(_atoms(e), key=sympy.default_sort_key))
    if sum(power for _, power in factors) < 2:
        return _written(e)
    signed = [(_written(f), power) for f, power in factors]
    turned = [(-f, power, -1) if _is_turned(f) else (f, power, 1) for f, power in signed]
    sign = sympy.Mul(*[s**power for _, power, s in turned])
    return sympy.Mul(number * sign, *[f**power for f, power, _ in turned])


def _atoms(e: Expr) -> set[Expr]:
    """The sizes and the quotients that a normal form is a polynomial in."""
    return {f.base if f.is_Pow else f for _, p in terms_of(e) for f in sympy.Mul.make_args(p) if f != 1}


def _is_turned(factor: Expr) -> bool:
    """Whether a factor is written with the other sign: most of its quotients, or else of its sizes, are
    subtracted."""
    terms = [(c, product) for c, product in terms_of(factor) if product != 1]
    quotients = [c for c, product in terms if product.has(FloorDiv)] or [c for c, _ in terms]
    total = sum(quotients)
    return bool(total < 0 or (total == 0 and factor.could_extract_minus_sign()))


def same_extent(one: Expr, other: Expr) -> bool:
    """Whether two extents are shown to be equal at all sizes (sound, not complete)."""
    return bool(one == other) or difference(one, other) == 0


def never_same(one: Expr, other: Expr) -> bool:
    """Whether two extents are shown to differ at all sizes (sound, not complete)."""
    gap = difference(one, other)
    return never_negative(gap - 1, {}) or never_negative(-gap - 1, {})


def difference(one: Expr, other: Expr) -> Expr:
    """The normal form of `one − other`: 0 where they are shown to be equal."""
    return normal(sympy.sympify(one) - sympy.sympify(other))


def solved_for(extent: Expr, size: Expr) -> tuple[Expr, Expr] | None:
    """(times, rest) of `extent = times·size + rest`, so that the extent's value says the size's; None where
    the size stands in a quotient or a power, too: V // 2 has one value for two sizes."""
    e = normal(extent)
    times = sympy.expand(e).coeff(size, 1)
    rest = sympy.expand(e - times * size)
    return None if times == 0 or rest.has(size) or times.has(size) else (times, rest)


@lru_cache(maxsize=65536)
def normal(e: Expr) -> Expr:
    """The form in which equal extents meet: a sum of products of sizes and quotients, in which a quotient's
    numerator has coefficients from 0 to its divisor."""
    if not e.args:
        return e
    if isinstance(e, (FloorDiv, Mod)):
        top, divisor = normal(e.args[0]), normal(e.args[1])
        quotient = _quotient(top, divisor)
        return quotient if isinstance(e, FloorDiv) else normal(top - divisor * quotient)
    if not (e.is_Add or e.is_Mul or e.is_Pow):
        return e
    return sympy.expand(e.func(*map(normal, e.args)))


def terms_of(e: Expr) -> list[tuple[Expr, Expr]]:
    """The terms of a sum as (rational coefficient, product), the number with the product 1."""
    return [term.as_coeff_Mul() for term in sympy.Add.make_args(e) if term != 0]


def _whole_valued(terms: list[tuple[Expr, Expr]]) -> bool:
    """Whether all coefficients are rational, and all products whole at all sizes."""
    return all(c.is_Rational and (m == 1 or m.is_integer) for c, m in terms)


def _quotient(top: Expr, divisor: Expr) -> Expr:
    """The normal form of ⌊top / divisor⌋, both in normal form."""
    terms = terms_of(top)
    if not _whole_valued(terms) or not divisor.is_integer:
        return FloorDiv(top, divisor)
    return _by_number(terms, divisor) if divisor.is_Integer else _by_sizes(terms, divisor)


def _by_number(terms: list[tuple[Expr, Expr]], divisor: Expr) -> Expr:
    """⌊Σ c·m / d⌋ for a number d: whole multiples leave, then what all coefficients have in common."""
    whole, parts, number = sympy.S.Zero, {}, sympy.S.Zero
    for coefficient, product in terms:
        ratio = coefficient / divisor
        multiple = sympy.floor(ratio)
        whole += multiple * product
        if product == 1:
            number = ratio - multiple
        elif ratio != multiple:
            parts[product] = ratio - multiple
    if not parts:
        return whole
    common = sympy.Integer(lcm(*[int(ratio.q) for ratio in parts.values()]))
    numerators = {product: ratio * common for product, ratio in parts.items()}
    number = sympy.floor(number * common)
    inner = [p for p, n in numerators.items() if isinstance(p, FloorDiv) and n == 1]
    if len(inner) == 1:
        (quotient,) = inner
        rest = sympy.Add(*[n * p for p, n in numerators.items() if p != quotient], number)
        top, below = quotient.args
        return sympy.expand(whole + normal(FloorDiv(sympy.expand(top + below * rest), below * common)))
    top = sympy.Add(*[n * p for p, n in numerators.items()], number)
    return sympy.expand(whole + FloorDiv(top, common))


def _by_sizes(terms: list[tuple[Expr, Expr]], divisor: Expr) -> Expr:
    """⌊Σ c·m / v⌋ for a divisor with sizes in it: terms that it divides leave, then factors in common."""
    top = sympy.Add(*[c * m for c, m in terms])
    exact = sympy.cancel(top / divisor)
    if _is_polynomial(exact):
        return sympy.expand(exact)
    whole = sympy.S.Zero
    if not divisor.is_Add:
        for term in sympy.Add.make_args(top):
            ratio = sympy.cancel(term / divisor)
            coefficient, product = ratio.as_coeff_Mul()
            if _is_polynomial(product):
                whole += sympy.floor(coefficient) * product
    rest = sympy.expand(top - whole * divisor)
    for more in (0, 1):  # u // v is 0 where 0 ≤ u < v, and −1 where −v ≤ u < 0
        left = sympy.expand(rest + more * divisor)
        if never_negative(left, {}) and never_negative(sympy.expand(divisor - 1 - left), {}):
            return whole - more
    shared = sympy.gcd_terms(rest).as_coeff_Mul()[1]
    factors = [f for f in sympy.Mul.make_args(shared) if f.is_Symbol or (f.is_Pow and f.base.is_Symbol)]
    common = sympy.gcd(sympy.Mul(*factors), divisor) if factors and not divisor.is_Add else sympy.S.One
    if common != 1 and not common.is_number:
        rest, divisor = sympy.expand(rest / common), sympy.cancel(divisor / common)
        return sympy.expand(whole + _quotient(rest, divisor))
    return sympy.expand(whole + FloorDiv(rest, divisor))


def _is_polynomial(e: Expr) -> bool:
    """Whether an expression is a sum of products with whole coefficients: whole at all sizes."""
    expanded = sympy.expand(e)
    return bool(expanded == 0) or all(
        c.is_Integer and (m == 1 or m.is_integer) for c, m in terms_of(expanded)
    )


def _written(e: Expr) -> Expr:
    """A normal form with the terms beside a quotient taken into it where that leaves fewer of them:
    `(H + K) // 2 − K` as `(H − K) // 2`. Only what the normal form says decides: there is still one form."""
    outer = {product: coefficient for coefficient, product in terms_of(e)}
    found = dict(outer)
    for quotient in sorted((p for p in outer if isinstance(p, FloorDiv)), key=sympy.default_sort_key):
        top, divisor = quotient.args
        if not divisor.is_Integer:
            continue
        times, taken = outer[quotient], sympy.S.Zero
        for _, product in terms_of(top):
            beside = found.get(product, sympy.S.Zero)
            if product != 1 and abs(beside + times) < abs(beside):
                found[product] = beside + times
                taken += product
        if taken != 0:
            del found[quotient]
            inside = FloorDiv(sympy.expand(top - divisor * taken), divisor)
            found[inside] = found.get(inside, sympy.S.Zero) + times
    return sympy.Add(*[c * m for m, c in found.items()])
