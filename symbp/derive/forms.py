"""Algebraic forms of one scalar body: what else could be written for the same value?

Enters: a body. Leaves: the cheapest of a dozen candidate forms, found by named algebra on short symbols.
Must not know: systems, saved values (that is `derive.fold`).

SymPy's `simplify` is too slow and gives no reason; each candidate here has a name, and the cost picks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import sympy

from symbp.derive.cost import Extents, body_cost, extent
from symbp.ir.expr import Access, Expr, Guard, Index

MOST_TERMS = 6  # above which no factor is collected from some of the terms
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


def overflows(e: Expr) -> int:
    """How many exponentials of `e` can overflow into a quotient of infinities; fingerprints can't see that.

    Safe are exp(u) with u ≤ 0 by its form, and exp(u) inside 1/(1 + exp(u)) or log(1 + exp(u)).
    """
    if isinstance(e, sympy.exp):
        return (0 if _never_positive(e.args[0]) else 1) + overflows(e.args[0])
    protected = isinstance(e, sympy.log) or (e.is_Pow and e.exp.is_Integer and e.exp.is_negative)
    inner = e.args[0] if protected else None
    if inner is not None and inner.is_Add and len(inner.args) == 2 and inner.args[0] == 1:
        other = inner.args[1]
        if isinstance(other, sympy.exp):
            return overflows(other.args[0])
    return sum(overflows(a) for a in e.args)


def _never_positive(u: Expr) -> bool:
    """Minus an even power, times positive numbers."""
    coefficient, rest = u.as_coeff_Mul()
    if not coefficient.is_negative:
        return False
    return all(f.is_Pow and f.exp.is_even for f in sympy.Mul.make_args(rest))


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
        for whole in (expanded, seed):
            yield name or "common factor", common_factor(whole)
            yield name or "common factor", common_factor(whole, numbers=False)
        if sympy.count_ops(expanded) <= RATIONAL_LIMIT:
            for operation, label in ((sympy.cancel, "cancel"), (sympy.factor, "factor")):
                form = on_symbols(seed, operation)
                if form is not None:
                    yield name or label, form
                    yield name or label, common_factor(form)


def _is_log_of_reciprocal(e: Expr) -> bool:
    return isinstance(e, sympy.log) and e.args[0].is_Pow and e.args[0].exp == -1


def merge_exponentials(e: Expr) -> Expr:
    """`exp(a)·exp(b)` → `exp(a + b)`, in every product."""
    if not e.args or isinstance(e, (Access, Guard)):
        return e
    e = e.func(*[merge_exponentials(a) for a in e.args])
    if not e.is_Mul:
        return e
    exponents = [f.args[0] for f in e.args if isinstance(f, sympy.exp)]
    if len(exponents) < 2:
        return e
    rest = [f for f in e.args if not isinstance(f, sympy.exp)]
    return sympy.Mul(*rest, sympy.exp(expand(sympy.Add(*exponents))))


def expand(e: Expr) -> Expr:
    """Products over sums multiplied out; exponentials and logarithms stay whole."""
    return sympy.expand(e, power_exp=False, power_base=False, log=False, func=False, trig=False)


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
    if numbers:
        number = sympy.gcd_list([abs(term.as_coeff_Mul()[0]) for term in terms])
        common = common * number if number.is_Rational and number != 0 else common
    if common == 1:
        return e
    inner = sympy.Add(*[term / common for term in terms])
    if inner.could_extract_minus_sign() and common.could_extract_minus_sign():
        inner, common = -inner, -common
    return sympy.Mul(common, inner)


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
    """`operation` applied with tensors, guards and functions as plain symbols; None unless rational."""
    atoms = sorted(_opaque(e), key=sympy.default_sort_key)
    there = {atom: sympy.Symbol(f"g{k}") for k, atom in enumerate(atoms)}
    short = e.xreplace(there)
    if any(not power.exp.is_Integer for power in short.atoms(sympy.Pow)):
        return None
    return operation(short).xreplace({symbol: atom for atom, symbol in there.items()})


def _opaque(e: Expr) -> set[Expr]:
    """The outermost subexpressions that polynomial algebra must not look into."""
    if isinstance(e, (Access, Guard)) or e.is_Function or isinstance(e, sympy.exp):
        return {e}
    if e.is_Pow and not e.exp.is_Integer:
        return {e}
    found: set[Expr] = set()
    for argument in e.args:
        found |= _opaque(argument)
    return found


def under_guards(e: Expr, *, towards_index: bool = False) -> Expr:
    """`[k = y] f(k)` → `[k = y] f(y)`, or back: an equality of an index holds wherever its bracket is 1."""
    terms = []
    for term in sympy.Add.make_args(e):
        for factor in sorted(sympy.Mul.make_args(term), key=sympy.default_sort_key):
            if isinstance(factor, Guard) and factor.op == "=":
                sides = [(factor.lhs, factor.rhs), (factor.rhs, factor.lhs)]
                for index, value in sides:
                    if isinstance(index, Index) and index not in value.free_symbols:
                        change = {value: index} if towards_index else {index: value}
                        term = factor * (term / factor).xreplace(change)
                        break
        terms.append(term)
    return sympy.Add(*terms)


def by_guards(e: Expr) -> Expr:
    """Terms under the same brackets written as one, each with its own shortest cofactor."""
    groups: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(expand(e)):
        guards = [f for f in sympy.Mul.make_args(term) if isinstance(f, Guard)]
        bracket = sympy.Mul(*guards)
        rest = sympy.Mul(*[f for f in sympy.Mul.make_args(term) if not isinstance(f, Guard)])
        groups[bracket] = groups.get(bracket, sympy.Integer(0)) + rest
    shared: dict[Expr, Expr] = {}
    for bracket, rest in groups.items():
        cofactor = common_factor(rest)
        sign = -1 if -cofactor in shared else 1
        shared[sign * cofactor] = shared.get(sign * cofactor, sympy.Integer(0)) + sign * bracket
    return sympy.Add(*[cofactor * brackets for cofactor, brackets in shared.items()])


def logistic_form(e: Expr) -> Expr | None:
    """A rational function of exp(u) over powers of 1 + exp(u), as a polynomial in σ = 1/(1 + exp(−u)).

    exp(u) = σ/(1 − σ) and 1 + exp(u) = 1/(1 − σ): nothing overflows any more. None where it doesn't apply.
    """
    for exponential in sorted(e.atoms(sympy.exp), key=sympy.default_sort_key):
        u = exponential.args[0]
        u = -u if u.could_extract_minus_sign() else u
        if any(_is_one_plus_exp(power, u) for power in e.atoms(sympy.Pow)):
            form = _in_sigma(e, u)
            if form is not None:
                return form
    return None


def _in_sigma(e: Expr, u: Expr) -> Expr | None:
    """`e` as a polynomial in σ(u), factored; None if it isn't one."""
    sigma = sympy.Symbol("sigma")
    powers = {x: _multiple(x.args[0], u) for x in e.atoms(sympy.exp)}
    marked = e.xreplace({x: (sigma / (1 - sigma)) ** k for x, k in powers.items() if k})
    form = on_symbols(marked, sympy.cancel)
    if form is None or sigma in sympy.fraction(form)[1].free_symbols:
        return None
    factored = on_symbols(form, sympy.factor)
    chosen = form if factored is None else factored
    return tidy_sign(chosen).xreplace({sigma: 1 / (1 + sympy.exp(-u))})


def _multiple(e: Expr, u: Expr) -> int:
    """k with e = k·u, 0 if there is none among ±1, ±2."""
    return next((k for k in (1, -1, 2, -2) if sympy.expand(e - k * u) == 0), 0)


def _is_one_plus_exp(power: Expr, u: Expr) -> bool:
    if not (power.exp.is_Integer and power.exp.is_negative and power.base.is_Add):
        return False
    return power.base in (1 + sympy.exp(u), 1 + sympy.exp(-u))


def tidy_sign(e: Expr) -> Expr:
    """`−(h − 1)·h` → `(1 − h)·h`: the minus sign of a product goes into a sum, a negative constant first."""
    if not (e.is_Mul and e.as_coeff_Mul()[0].is_negative):
        return e
    sums = [f for f in e.args if f.is_Add and any(t.could_extract_minus_sign() for t in f.args)]
    if not sums:
        return e
    chosen = min(sums, key=lambda f: (not f.as_coeff_Add()[0].is_negative, sympy.default_sort_key(f)))
    return sympy.Mul(-chosen, -e / chosen)


def _rename(e: Expr, names: dict[str, str]) -> Expr:
    if isinstance(e, Access):
        outside = None if e.outside is None else _rename(e.outside, names)
        subs = [_rename(s, names) for s in e.subscripts]
        return type(e)(names.get(e.name, e.name), *subs, outside=outside)
    if not e.args or not e.atoms(Access):
        return e
    return e.func(*[_rename(a, names) for a in e.args])
