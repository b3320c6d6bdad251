"""Algebraic forms of one scalar body: what else could be written for the same value?

Enters: a body. Leaves: the cheapest of a dozen candidate forms, found by named algebra on short symbols.
Must not know: systems, saved values (that is `derive.rules.fold`).

SymPy's `simplify` is too slow and gives no reason; each candidate here has a name, and the cost picks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import sympy

from symbp.derive.rules.algebra import RATIONAL_LIMIT, expand, operations, tidy_sign
from symbp.derive.rules.exponentials import flipped, overflows
from symbp.derive.rules.registry import ALGEBRA, POLYNOMIALS, SPELLINGS
from symbp.derive.search.cancellation import as_sharp
from symbp.derive.search.cost import Extents, body_cost, extent
from symbp.ir.expr import Access, Expr, Index, parts_of
from symbp.ir.signs import Signs


def best_form(
    body: Expr, extents: Extents, signs: Signs | None = None, *, last: bool = False
) -> tuple[Expr, str]:
    """The cheapest candidate that keeps the digits, and the name of the algebra that gave it ("" if the body
    stays as it is). The `last` time, saved values have been read back already: forms in which none would be
    found may come.

    Memoised up to the names of tensors and indices: equal blocks cost no algebra, and the form depends
    neither on names nor on the order of declaration.
    """
    names = sorted({access.name for access in parts_of(body, Access)}, key=_natural)
    short = {name: f"c{k}" for k, name in enumerate(names)}
    indices = [i for i in extents if i in body.free_symbols]
    plain = {index: Index(f"i{k}") for k, index in enumerate(indices)}
    canonical = _rename(body, short).xreplace(plain)
    nominal = tuple((plain[i], sympy.Integer(int(extent(extents[i])))) for i in indices)
    flags = () if signs is None else tuple((short[name], signs.flags(name)) for name in names)
    found, rule = _best_form(canonical, nominal, flags, last and canonical.has(sympy.exp))
    back = {v: k for k, v in plain.items()}
    return _rename(found.xreplace(back), {v: k for k, v in short.items()}), rule


def _natural(name: str) -> tuple[object, ...]:
    """`h10` after `h9`."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part
    )


@lru_cache(maxsize=16384)
def _best_form(
    body: Expr, nominal: tuple[tuple[Index, Expr], ...], flags: tuple[tuple[str, str], ...], last: bool
) -> tuple[Expr, str]:
    extents, signs = dict(nominal), Signs.told(flags)

    def rank(e: Expr) -> tuple[int, float, int]:
        """Safe before cheap; of equal cost, without powers."""
        powers = sum(1 for p in parts_of(e, sympy.Pow) if p.exp.is_Integer and p.exp > 1)
        return overflows(e), round(body_cost(e, extents), 6), powers

    best, rule, least = body, "", rank(body)

    def choose(proposed: Iterable[tuple[str, Expr]]) -> None:
        nonlocal best, rule, least
        for name, candidate in proposed:
            if candidate == best or overflows(candidate) > least[0] or rank(candidate) >= least:
                continue
            if as_sharp(candidate, body, signs):
                best, rule, least = candidate, name, rank(candidate)

    choose(candidates(body, last=last))
    if least[0]:  # the polynomials in σ subtract, or there are none: each exponential in its own product
        choose([("logistic function", flipped(best))])
        choose([(rule, candidate) for _, candidate in candidates(best)])
    return tidy_sign(best), rule


def candidates(body: Expr, *, last: bool = False) -> Iterator[tuple[str, Expr]]:
    """(name of the rule, form) for forms equal to the body; of a form in another spelling, the rule that
    spelled it."""
    seeds = {body: ""}
    for spelling in SPELLINGS:
        for form in spelling.apply(body, last):
            seeds.setdefault(form, spelling.name)
    known: set[Expr] = set()  # polynomial algebra sees the value of a seed only, and that once
    for seed, name in seeds.items():
        if name:
            yield name, seed
        if not seed.has(sympy.Add) or seed.is_Atom:
            continue
        expanded = expand(seed)
        for rule in ALGEBRA:
            for form in rule.apply(seed, expanded):
                yield name or rule.name, form
        if expanded not in known and operations(expanded) <= RATIONAL_LIMIT:
            known.add(expanded)
            for polynomial in POLYNOMIALS:
                for form in polynomial.apply(seed):
                    yield name or polynomial.name, form


def _rename(e: Expr, names: dict[str, str]) -> Expr:
    if isinstance(e, Access):
        outside = None if e.outside is None else _rename(e.outside, names)
        subs = [_rename(s, names) for s in e.subscripts]
        return type(e)(names.get(e.name, e.name), *subs, outside=outside)
    if not e.args or not parts_of(e, Access):
        return e
    return e.func(*[_rename(a, names) for a in e.args])
