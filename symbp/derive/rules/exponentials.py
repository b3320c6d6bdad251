"""Exponentials in quotients: merged, or written as functions that cannot overflow.

Enters: an expression with exponentials. Leaves: another one of the same value. Must not know: costs, systems.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sympy

from symbp.derive.rules.algebra import expand, is_short, on_symbols, opaque, tidy_sign
from symbp.ir.expr import Access, Expr, Guard, accesses, parts_of


@lru_cache(maxsize=65536)
def overflows(e: Expr) -> int:
    """How many exponentials of `e` can overflow into a quotient of infinities; fingerprints can't see that.

    Safe are exp(u) with u ≤ 0 by its form, exp(u) inside 1/(1 + exp(u)) or log(1 + exp(u)), and 1/cosh(u).
    """
    if isinstance(e, (sympy.sinh, sympy.cosh)):
        return 1 + overflows(e.args[0])
    if e.is_Pow and isinstance(e.base, sympy.cosh) and e.exp.is_negative:
        return overflows(e.base.args[0])
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


def logistic_form(e: Expr) -> Expr | None:
    """The first of `logistic_forms`, the polynomial in σ; None if there is none."""
    return next(iter(logistic_forms(e)), None)


@lru_cache(maxsize=16384)
def logistic_forms(e: Expr) -> tuple[Expr, ...]:
    """A rational function of exp(u) over powers of 1 + exp(u), as polynomials in σ = 1/(1 + exp(−u)) and in
    1 − σ = 1/(1 + exp(u)).

    exp(u) = σ/(1 − σ) and 1 + exp(u) = 1/(1 − σ): nothing overflows any more. Empty where it doesn't apply.
    """
    for exponential in sorted(parts_of(e, sympy.exp), key=sympy.default_sort_key):
        u = exponential.args[0]
        u = -u if u.could_extract_minus_sign() else u
        if any(_is_one_plus_exp(power, u) for power in parts_of(e, sympy.Pow)):
            ways = (_where_it_stands(e, v, _in_sigma) for v in (u, -u))
            found = tuple(form for form in ways if form is not None)
            if found:
                return found
    return ()


def _where_it_stands(e: Expr, u: Expr, form: Callable[[Expr, Expr], Expr | None]) -> Expr | None:
    """`e` in another form; of a long one only the sums and products that hold exp(±u), exp(±2u), and numbers:
    polynomial algebra finds nothing in the rest, and its work grows fast with the terms."""
    if is_short(e) or not (e.is_Add or e.is_Mul):
        return form(e, u)
    touched = [a for a in e.args if any(_multiple(x.args[0], u) for x in parts_of(a, sympy.exp))]
    numbers = [a for a in e.args if a.is_number and e.is_Add]
    rest = [a for a in e.args if a not in touched and a not in numbers]
    part = e.func(*touched, *numbers)
    changed = form(part, u) if part == e else _where_it_stands(part, u, form)
    return None if changed is None else e.func(changed, *rest)


def _in_sigma(e: Expr, u: Expr) -> Expr | None:
    """`e` as a polynomial in σ(u), factored; None if it isn't one. Other functions keep their exponentials:
    log(1 + exp(u)) is safe as it stands; sums without any stay whole, so that factors stay factors."""
    sigma = sympy.Symbol("sigma")
    functions = {f for f in parts_of(e, sympy.Function) if f.has(sympy.exp) and not isinstance(f, sympy.exp)}
    functions |= _plain_sums(e)
    kept = {f: sympy.Dummy("f") for f in sorted(functions, key=sympy.default_sort_key)}
    e = e.xreplace(kept)
    powers = {x: _multiple(x.args[0], u) for x in parts_of(e, sympy.exp)}
    marked = e.xreplace({x: (sigma / (1 - sigma)) ** k for x, k in powers.items() if k})
    form = on_symbols(marked, sympy.cancel)
    if form is None or sigma in sympy.fraction(form)[1].free_symbols:
        return None
    factored = on_symbols(form, sympy.factor)
    chosen = form if factored is None else factored
    chosen = tidy_sign(chosen).xreplace({sigma: 1 / (1 + sympy.exp(-u))})
    return chosen.xreplace({mark: f for f, mark in kept.items()})


def flipped(e: Expr) -> Expr:
    """`exp(−u)/(1 + exp(−u))` → `1/(1 + exp(u))`, in every product: the one overflows, the other doesn't."""
    if isinstance(e, (Access, Guard)) or not e.args or not e.has(sympy.exp):
        return e
    e = e.func(*[flipped(a) for a in e.args])
    if not e.is_Mul:
        return e
    for factor in e.args:
        base, power = factor.as_base_exp()
        grown = base - 1 if base.is_Add and power.is_Integer and power.is_negative else None
        if isinstance(grown, sympy.exp) and any(grown == f for f in e.args):
            return flipped(e / grown * base / (1 + sympy.exp(-grown.args[0])))
    return e


def _plain_sums(e: Expr) -> set[Expr]:
    """The sums outside exponents that have no exponentials."""
    if e.is_Add and accesses(e) and not e.has(sympy.exp):
        return {e}
    if isinstance(e, (Access, Guard, sympy.exp)) or not e.args:
        return set()
    return set().union(*map(_plain_sums, e.args))


def complement_form(e: Expr) -> Expr:
    """`1 − 1/(1 + exp(−u))` as `1/(1 + exp(u))`, which keeps its digits where the other is 1 − 1; only where
    1/(1 + exp(−u)) is not needed beside it."""
    for logistic in sorted(parts_of(e, sympy.Pow), key=sympy.default_sort_key):
        one_more = logistic.exp == -1 and logistic.base.is_Add and logistic.base - 1
        if isinstance(one_more, sympy.exp):
            sigma, rho = sympy.Dummy("sigma"), sympy.Dummy("rho")
            changed = e.xreplace({1 - logistic: rho, logistic - 1: -rho, logistic: sigma})
            other = 1 / (1 + sympy.exp(-one_more.args[0]))
            if sigma not in changed.free_symbols and rho in changed.free_symbols:
                return complement_form(changed.xreplace({rho: other}))
    return e


def _multiple(e: Expr, u: Expr) -> int:
    """k with e = k·u, 0 if there is none among ±1, ±2."""
    return next((k for k in (1, -1, 2, -2) if sympy.expand(e - k * u) == 0), 0)


def _is_one_plus_exp(power: Expr, u: Expr) -> bool:
    if not (power.exp.is_Integer and power.exp.is_negative and power.base.is_Add):
        return False
    return power.base in (1 + sympy.exp(u), 1 + sympy.exp(-u))


@lru_cache(maxsize=16384)
def tangents(e: Expr) -> Expr:
    """`sinh(u)/cosh(u)` → `tanh(u)`, in every product."""
    if not e.has(sympy.sinh) or isinstance(e, (Access, Guard)) or not e.args:
        return e
    e = e.func(*[tangents(a) for a in e.args])
    if not e.is_Mul:
        return e
    powers = e.as_powers_dict()
    for base in sorted(powers, key=sympy.default_sort_key):
        if isinstance(base, sympy.sinh):
            u, times = base.args[0], powers[base]
            below = -powers.get(sympy.cosh(u), sympy.Integer(0))
            if times.is_Integer and times > 0 and below.is_Integer and below >= times:
                e = e / base**times * sympy.cosh(u) ** times * sympy.tanh(u) ** times
    return e


@lru_cache(maxsize=16384)
def hyperbolic_form(e: Expr) -> Expr | None:
    """A quotient of sums of exponentials that is a multiple of tanh(u), as that: exp(2u) = (1 + τ)/(1 − τ).

    `(exp(u) − exp(−u))/(exp(u) + exp(−u))` and `1 − 2/(1 + exp(2u))`; None where it doesn't apply.
    """
    if not any(p.exp.is_Integer and p.exp.is_negative and p.base.is_Add for p in parts_of(e, sympy.Pow)):
        return None
    for exponential in sorted(parts_of(e, sympy.exp), key=sympy.default_sort_key):
        u = exponential.args[0]
        u = -u if u.could_extract_minus_sign() else u
        for argument in (u, u / 2):
            form = _where_it_stands(e, argument, _in_tau)
            if form is not None:
                return form
    return None


def _in_tau(e: Expr, u: Expr) -> Expr | None:
    """`e` as a multiple of a power of tanh(u); None if it isn't one."""
    raised, tau = sympy.Symbol("E"), sympy.Symbol("tau")
    powers = {x: _multiple(x.args[0], u) for x in parts_of(e, sympy.exp)}
    marked = e.xreplace({x: raised**k for x, k in powers.items() if k})
    form = (
        on_symbols(marked, sympy.cancel) if _may_vanish(marked.xreplace({raised: sympy.Integer(1)})) else None
    )
    if form is None:
        return None
    sides = [sympy.Poly(side, raised) for side in sympy.fraction(form) if side.is_polynomial(raised)]
    if len(sides) < 2 or any(exponent % 2 for side in sides for (exponent,) in side.monoms()):
        return None
    over, under = (sum(c * ((1 + tau) / (1 - tau)) ** (k // 2) for (k,), c in side.terms()) for side in sides)
    found = on_symbols(over / under, sympy.factor)
    if found is None:
        return None
    power = found.as_independent(tau, as_Add=False)[1]
    multiple = power == tau or (power.is_Pow and power.base == tau and power.exp.is_positive)
    return found.xreplace({tau: sympy.tanh(u)}) if multiple else None


def _may_vanish(e: Expr) -> bool:
    """Whether an expression may be 0, as a multiple of tanh(u) is at u = 0: not if it has another value where
    all that it holds are numbers of no relation."""
    atoms = sorted(opaque(e) | e.free_symbols, key=sympy.default_sort_key)
    value = e.xreplace({atom: sympy.Rational(2 * k + 3, 3 * k + 5) for k, atom in enumerate(atoms)})
    return not (value.is_Rational and value != 0)
