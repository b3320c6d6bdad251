"""Algebraic forms of one scalar body: what else could be written for the same value?

Enters: a body. Leaves: the cheapest of a dozen candidate forms, found by named algebra on short symbols.
Must not know: systems, saved values (that is `derive.fold`).

SymPy's `simplify` is too slow and gives no reason; each candidate here has a name, and the cost picks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import sympy

from symbp.derive.algebra import collections_of, common_factor, expand, lowest_power, on_symbols, tidy_sign
from symbp.derive.brackets import by_cases, by_guards, under_guards
from symbp.derive.cost import Extents, body_cost, extent
from symbp.derive.exponentials import hyperbolic_form, logistic_form, merge_exponentials, overflows, tangents
from symbp.ir.expr import Access, Expr, Guard, Index

RATIONAL_LIMIT = 60  # operations above which SymPy's polynomial algebra is not tried


def best_form(body: Expr, extents: Extents) -> tuple[Expr, str]:
    """The cheapest candidate and the name of the algebra that gave it ("" if the body stays as it is).

    Memoised up to the names of tensors and indices: equal blocks cost no algebra, and the form depends
    neither on names nor on the order of declaration.
    """
    names = sorted({access.name for access in body.atoms(Access)}, key=_natural)
    short = {name: f"c{k}" for k, name in enumerate(names)}
    indices = [i for i in extents if i in body.free_symbols]
    plain = {index: Index(f"i{k}") for k, index in enumerate(indices)}
    canonical = _rename(body, short).xreplace(plain)
    nominal = tuple((plain[i], sympy.Integer(int(extent(extents[i])))) for i in indices)
    found, rule = _best_form(canonical, nominal)
    back = {v: k for k, v in plain.items()}
    return _rename(found.xreplace(back), {v: k for k, v in short.items()}), rule


def _natural(name: str) -> tuple[object, ...]:
    """`h10` after `h9`."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part
    )


@lru_cache(maxsize=16384)
def _best_form(body: Expr, nominal: tuple[tuple[Index, Expr], ...]) -> tuple[Expr, str]:
    extents = dict(nominal)
    best, rule, rank = body, "", (overflows(body), body_cost(body, extents))
    for name, candidate in candidates(body):
        if candidate == best:
            continue
        unsafe = overflows(candidate)
        if unsafe > rank[0]:
            continue
        cost = body_cost(candidate, extents)
        if unsafe < rank[0] or cost < rank[1] - 1e-9:
            best, rule, rank = candidate, name, (unsafe, cost)
    return tidy_sign(best), rule


def candidates(body: Expr) -> Iterator[tuple[str, Expr]]:
    """(name of the algebra, form) for forms equal to the body."""
    seeds = [("", body)]
    plain = body.replace(_is_log_of_reciprocal, lambda x: -sympy.log(1 / x.args[0]))
    if plain != body:
        seeds.append(("logarithm of a reciprocal", plain))
    merged = merge_exponentials(body)
    if merged != body:
        seeds.append(("exponentials merged", merged))
    logistic = logistic_form(body)
    if logistic is not None:
        seeds.append(("logistic function", logistic))
    quotients = tangents(body)
    if quotients != body:
        seeds.append(("hyperbolic tangent", quotients))
    settled = by_cases(body, hyperbolic_form)
    if settled != body:
        seeds.append(("hyperbolic tangent", settled))
    if body.atoms(Guard):
        multiplied = expand(body)
        for form in dict.fromkeys([body, multiplied]):
            seeds.append(("substitute under the bracket", under_guards(form)))
            seeds.append(("substitute under the bracket", under_guards(form, towards_index=True)))
        seeds.append(("terms under equal brackets", by_guards(body)))
    for name, seed in seeds:
        if name:
            yield name, seed
        if not seed.has(sympy.Add) or seed.is_Atom:
            continue
        expanded = expand(seed)
        yield name or "expand", expanded
        for collected in collections_of(expanded):
            yield name or "collect", collected
        yield name or "cancel", lowest_power(expanded)
        for whole in (expanded, seed):
            shared = common_factor(whole)
            yield name or "common factor", shared
            for inner in (f for f in sympy.Mul.make_args(shared) if f.is_Add and not f.atoms(Guard)):
                for collected in collections_of(inner):
                    yield name or "collect", shared / inner * collected
            yield name or "common factor", common_factor(whole, numbers=False)
        if sympy.count_ops(expanded) <= RATIONAL_LIMIT:
            for operation, label in ((sympy.cancel, "cancel"), (sympy.factor, "factor")):
                form = on_symbols(seed, operation)
                if form is not None:
                    yield name or label, form
                    yield name or label, common_factor(form)


def _is_log_of_reciprocal(e: Expr) -> bool:
    return isinstance(e, sympy.log) and e.args[0].is_Pow and e.args[0].exp == -1


def _rename(e: Expr, names: dict[str, str]) -> Expr:
    if isinstance(e, Access):
        outside = None if e.outside is None else _rename(e.outside, names)
        subs = [_rename(s, names) for s in e.subscripts]
        return type(e)(names.get(e.name, e.name), *subs, outside=outside)
    if not e.args or not e.atoms(Access):
        return e
    return e.func(*[_rename(a, names) for a in e.args])
