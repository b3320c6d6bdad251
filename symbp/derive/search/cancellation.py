"""Digits that a form can lose, or values that it lacks, where the form it comes from keeps them.

Enters: two forms of one value, signs that are proven. Leaves: whether the new one may be taken.
Must not know: which rewrite proposes, costs, systems.

A difference of near-equal values keeps its digits only while it is a difference of them: `w·(a − b)` is exact
to rounding where `w·a − w·b` has none left, and so has `a·Σ w − Σ w·b` beside `Σ w·(a − b)`. No value at a
sample shows it, so the form decides. Two terms of a sum are *opposed* unless their signs are proven equal or
their brackets exclude each other. A form is *as sharp* as another if

- each opposed pair of terms (t, u) in one of its sums stands in a sum of the other form as (k·t, k·u), with
  as many factors or more: a common factor may be taken out, not multiplied in, and nothing is subtracted that
  was not. Pairs of a nested sum count one by one: `x·(a − b) + x·c` has (x·a, x·c). Where a or b is a rounded
  value itself, a factor may be multiplied in: the difference has that rounding already. Not one that is a
  difference, too: (a − b)² is not a² − 2·a·b + b²;
- what it divides by, raises to a power other than a natural number, or takes the logarithm of is treated so
  in the other form, too, or is at least 1 by its form. `x^(y − 1)·y` has a value at 0, `x^y·y/x` has none.

What is subtracted by the chain rule itself is part of the form that a rewrite starts from: p − y, 1 − tanh²,
the means that a normalisation subtracts stay what they are. One new difference is allowed, `1 − σ` for a
value σ from 0 to 1 that is saved: beside the slope 1 that the function has elsewhere, its rounding is that
of σ (the published form; alone it is written 1/(1 + exp(u))).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy

from symbp.derive.rules.algebra import on_symbols
from symbp.derive.rules.brackets import under_guards
from symbp.derive.search.likeness import is_rational, value
from symbp.ir.expr import Access, Expr, Guard, Index, parts_of, value_accesses
from symbp.ir.signs import Signs

ANY = 10**6  # factors that may be multiplied in
MOST_PARTS = 24  # terms to which a nested sum is multiplied out to see its pairs


def as_sharp(new: Expr, old: Expr, signs: Signs) -> bool:
    """Whether `new` keeps the digits, and has the values, that `old` of the same value has."""
    return new == old or (not _opens(new, old, signs) and _divides_alike(new, old, signs))


def unopposed(terms: list[Expr], signs: Signs) -> bool:
    """Whether no two terms can cancel: their signs agree, or their brackets exclude each other."""
    return not any(opposed(a, b, signs) for a, b in itertools.combinations(terms, 2))


def opposed(a: Expr, b: Expr, signs: Signs) -> bool:
    """Whether two terms of a sum may have opposite signs at one point."""
    if (signs.nonnegative(a) and signs.nonnegative(b)) or (signs.nonnegative(-a) and signs.nonnegative(-b)):
        return False
    return not any(_exclude(g, h) for g in _brackets(a) for h in _brackets(b))


# --- differences
def _opens(new: Expr, old: Expr, signs: Signs) -> bool:
    """Whether a sum of `new` subtracts what no sum of `old` does."""
    known: tuple[_Pair, ...] | None = None
    for sum_ in _sums(new):
        for a, b in itertools.combinations(sum_.args, 2):
            if not opposed(a, b, signs) or _from_one(a, b, signs):
                continue
            known = _pairs(old, _rounded(old, signs)) if known is None else known
            if not _known(a, b, known):
                return True
    return False


@dataclass(frozen=True)
class _Pair:
    """Two terms of a sum: the value of their quotient, and the factors that the two have."""

    quotient: complex
    length: int

    def holds(self, other: _Pair) -> bool:
        """Whether the other pair is this one without some of its factors, but for positive numbers: terms
        that are alike were added up, which loses nothing."""
        return other.length <= self.length and is_rational(other.quotient, self.quotient)


@lru_cache(maxsize=65536)
def _pair(a: Expr, b: Expr) -> _Pair:
    """Two terms, with what equalities under the brackets of either say in place."""
    length = _length(a) + _length(b)
    for guard in dict.fromkeys([*_brackets(a), *_brackets(b)]):
        change = _equality(guard)
        if change is not None:
            a, b = (guard * (t / guard if t.has(guard) else t).xreplace(change) for t in (a, b))
    below = value(b)
    return _Pair(value(a) / below if below else 0j, length)


def _equality(guard: Guard) -> dict[Expr, Expr] | None:
    """`[k = y]` as k ↦ y."""
    for index, other in ((guard.lhs, guard.rhs), (guard.rhs, guard.lhs)):
        if guard.op == "=" and isinstance(index, Index) and index not in other.free_symbols:
            return {index: other}
    return None


def _known(a: Expr, b: Expr, known: tuple[_Pair, ...]) -> bool:
    """Whether a pair stands in the other form, itself or as the pairs of what it is made of."""

    def stands(x: Expr, y: Expr) -> bool:
        pair = _pair(x, y)
        return any(other.holds(pair) for other in known)

    if stands(a, b):
        return True
    parts = list(itertools.product(_parts(a), _parts(b)))
    return len(parts) > 1 and all(stands(x, y) for x, y in parts)


def _rounded(e: Expr, signs: Signs) -> frozenset[Expr]:
    """The terms of sums in a body that are rounded values already: what they are multiplied with is rounded
    no worse; not so where another difference multiplies theirs, since that may be small."""
    found: set[Expr] = set()
    for product in (e, *parts_of(e, sympy.Mul)):
        factors = [f.as_base_exp() for f in sympy.Mul.make_args(product)]
        sums = [(base, power) for base, power in factors if base.is_Add and not power.is_negative]
        if len(sums) == 1 and sums[0][1] == 1:
            found |= {t for t in sums[0][0].args if signs.rounded(t)}
    return frozenset(found)


@lru_cache(maxsize=4096)
def _pairs(e: Expr, rounded: frozenset[Expr]) -> tuple[_Pair, ...]:
    """The pairs of terms of each sum, and of what these terms multiply out to, both ways round; also with
    what equalities under brackets say in place."""
    found: dict[_Pair, None] = {}
    for sum_ in dict.fromkeys([*_sums(e), *_sums(under_guards(e))]):
        for a, b in itertools.combinations(sum_.args, 2):
            for x, y in ((a, b), *itertools.product(_parts(a), _parts(b))):
                for pair in (_pair(x, y), _pair(y, x)):
                    found[replace(pair, length=ANY) if {a, b} & rounded else pair] = None
    return tuple(found)


def _sums(e: Expr) -> Iterator[Expr]:
    """The sums in a body that add up values of tensors."""
    if isinstance(e, (Access, Guard)) or not e.args:
        return
    if e.is_Add and value_accesses(e):
        yield e
    for argument in e.args:
        yield from _sums(argument)


def _length(term: Expr) -> int:
    """The factors of a term, but for numbers."""
    total = 0
    for factor in sympy.Mul.make_args(term):
        if not factor.is_number:
            exponent = factor.as_base_exp()[1]
            total += max(1, abs(int(exponent))) if exponent.is_Rational else 1
    return total


@lru_cache(maxsize=16384)
def _parts(term: Expr) -> tuple[Expr, ...]:
    """The terms to which a product over sums multiplies out; itself where these are many."""
    found = [sympy.Integer(1)]
    for factor in _bases(term):
        inner = [part for a in sympy.Add.make_args(factor) for part in (_parts(a) if factor.is_Add else (a,))]
        found = [a * b for a in found for b in inner]
        if len(found) > MOST_PARTS:
            return (term,)
    return tuple(found)


def _bases(term: Expr) -> Iterator[Expr]:
    """The factors of a product, a square of a sum twice."""
    for factor in sympy.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if base.is_Add and exponent.is_Integer and exponent > 1:
            yield from [base] * int(exponent)
        else:
            yield factor


def _from_one(a: Expr, b: Expr, signs: Signs) -> bool:
    """1 − σ or σ − 1, with σ from 0 to 1 and from one saved value or one function."""
    one, other = (a, b) if a.is_number else (b, a)
    inside = -other / one if one.is_Integer and abs(one) == 1 else None
    if inside is None or not (isinstance(inside, Access) or inside.is_Pow):
        return False
    return signs.nonnegative(inside) and signs.at_most_one(inside)


# --- brackets
def _brackets(term: Expr) -> list[Guard]:
    return [f for f in sympy.Mul.make_args(term) if isinstance(f, Guard)]


def _exclude(g: Guard, h: Guard) -> bool:
    """Whether two brackets never hold at once."""
    if g.complement() == h:
        return True
    if g.op == h.op == "=":
        return any(
            a == c and b.is_number and d.is_number and b != d
            for a, b in ((g.lhs, g.rhs), (g.rhs, g.lhs))
            for c, d in ((h.lhs, h.rhs), (h.rhs, h.lhs))
        )
    if {g.op, h.op} <= {"<", "<="}:
        strict = "<" in (g.op, h.op)
        for first, second in ((g, h), (h, g)):
            low, high = first.rhs, second.lhs  # first.lhs ≤ low, high ≤ second.rhs
            if first.lhs == second.rhs and ((low == high and strict) or _below(low, high)):
                return True
    return False


def _below(low: Expr, high: Expr) -> bool:
    return bool(low.is_number and high.is_number and low < high)


# --- what must not be 0
def _divides_alike(new: Expr, old: Expr, signs: Signs) -> bool:
    """Whether `new` has a value wherever `old` has one, as far as divisors and logarithms tell."""
    extra = [b for b in divisors(new) - divisors(old) if not signs.at_least_one(b)]
    if not extra:
        return True
    known = [value(part) for base in divisors(old) for part in _factored(base)]
    return all(
        signs.at_least_one(part)
        or any(is_rational(value(part), v) or is_rational(-value(part), v) for v in known)
        for base in extra
        for part in _factored(base)
    )


@lru_cache(maxsize=16384)
def divisors(e: Expr) -> frozenset[Expr]:
    """What a form divides by, takes the logarithm of, or a power that is not a natural number."""
    if isinstance(e, (Access, Guard)) or not e.args:
        return frozenset()
    found: frozenset[Expr] = frozenset().union(*map(divisors, e.args))
    singular = None
    if isinstance(e, sympy.log):
        singular = e.args[0]
    elif e.is_Pow and not isinstance(e, sympy.exp) and not (e.exp.is_Integer and e.exp.is_positive):
        singular = e.base
    if singular is None:
        return found
    bases = [f.as_base_exp()[0] for f in sympy.Mul.make_args(singular)]
    return found.union(b for b in bases if b.atoms(Access, Index) and not isinstance(b, sympy.exp))


@lru_cache(maxsize=4096)
def _factored(base: Expr) -> tuple[Expr, ...]:
    """The factors of a divisor."""
    found = on_symbols(base, sympy.factor) if base.is_Add else base
    factors = sympy.Mul.make_args(base if found is None else found)
    return tuple(f.as_base_exp()[0] for f in factors if not f.is_number)
