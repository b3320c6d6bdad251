"""Formulas under the names that a textbook gives them: softmax, logsumexp, σ, relu, softplus.

Enters: expressions with nested sums. Leaves: the same values, with named functions. Must not know: tensors'
names, equations, what an author called.

Each rule is an identity. A function along an index is one of all values along it: it has a name only where
the index runs as far as the sum did. For any c without k, softmax_k(u + c) = softmax_k(u) and
logsumexp_k(u + c) = logsumexp_k(u) + c, so a shift that keeps a computation from overflowing is no part of
what is read.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, free_indices
from symbp.ir.system import Equation
from symbp.read.display import (
    Along,
    Reduced,
    abs,
    gelu,
    gelu_slope,
    gelu_tanh,
    gelu_tanh_slope,
    relu,
    sigmoid,
    softplus,
)


def _gelu(u: Expr) -> Expr:
    return u * (1 + sympy.erf(u / sympy.sqrt(2))) / 2


def _gelu_tanh(u: Expr) -> Expr:
    inner = u + sympy.Rational(44715, 1000000) * u**3
    return u * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * inner)) / 2


DEFINITIONS = {gelu: _gelu, gelu_tanh: _gelu_tanh}
ACTIVATIONS = ((gelu, gelu_slope, _gelu), (gelu_tanh, gelu_tanh_slope, _gelu_tanh))


def activation(body: Expr) -> Expr:
    """The body of an equation as an activation that has a name, or as the slope of one times the rest."""
    if not body.has(sympy.erf, sympy.tanh):
        return body
    arguments = sorted(body.atoms(Access), key=sympy.default_sort_key)
    for function, slope, definition in ACTIVATIONS:
        for u in arguments:
            if sympy.expand(body - definition(u)) == 0:
                return function(u)
            for factor in sympy.Mul.make_args(body):
                if factor.is_Add and factor.atoms(Access) == {u}:
                    v = sympy.Dummy("v", real=True)
                    derivative = sympy.diff(definition(v), v).xreplace({v: u})
                    if sympy.expand(factor - derivative) == 0:
                        return sympy.Mul(slope(u), *[f for f in sympy.Mul.make_args(body) if f != factor])
    return body


def named(e: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """The expression with named functions wherever their definitions stand; `extents` are those of all its
    indices."""
    if not e.args or e.is_Symbol:
        return e
    args = [named(a, extents) if isinstance(a, sympy.Expr) else a for a in e.args]
    found = e if all(a is b for a, b in zip(args, e.args, strict=True)) else e.func(*args)
    if found.is_Mul:
        return _softmax(_rectified(_logistic(found)), extents)
    if found.is_Pow and found.exp == -1:
        return _logistic(found)
    if isinstance(found, sympy.log):
        return _logarithm(found)
    return log_softmax(_absolute(found), extents) if found.is_Add else found


def _absolute(e: Expr) -> Expr:
    """[u > 0]·u − [u < 0]·u, of which the first is relu(u), is |u|."""
    for term in e.args:
        for u in (f.args[0] for f in sympy.Mul.make_args(term) if isinstance(f, relu)):
            other = -term.xreplace({relu(u): Guard("<", u, sympy.Integer(0)) * u})
            if other in e.args:
                return e - term - other + term.xreplace({relu(u): abs(u)})
    return e


def log_softmax(e: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """u − logsumexp_k(u) is log_softmax_k(u), for a u with k."""
    totals = [-t for t in sympy.Add.make_args(e) if isinstance(-t, Reduced) and (-t).op == "logsumexp"]
    for total in totals:
        (k,) = total.indices
        scores = e + total
        for index in sorted(free_indices(scores) - free_indices(total), key=lambda i: i.name):
            whole = not total.where and extents.get(index) == total.extents[k]
            if whole and total.body.xreplace({k: index}) == scores:
                return Along("log_softmax", scores, index, total.extents[k])
    return e


def _logistic(e: Expr) -> Expr:
    """1/(1 + exp(u)) is σ(−u), exp(u)/(1 + exp(u)) is σ(u)."""
    factors = list(sympy.Mul.make_args(e))
    for k, factor in enumerate(factors):
        u = _one_plus_exp(factor.base) if factor.is_Pow and factor.exp == -1 else None
        if u is None:
            continue
        rest = factors[:k] + factors[k + 1 :]
        if sympy.exp(u) in rest:
            rest.remove(sympy.exp(u))
            return sympy.Mul(sigmoid(u), *rest)
        return sympy.Mul(sigmoid(-u), *rest)
    return e


def _one_plus_exp(e: Expr) -> Expr | None:
    """u of 1 + exp(u)."""
    if not e.is_Add or len(e.args) != 2 or 1 not in e.args:
        return None
    other = next(a for a in e.args if a != 1)
    return other.args[0] if isinstance(other, sympy.exp) else None


def _rectified(e: Expr) -> Expr:
    """u·[u > 0] is relu(u)."""
    factors = list(sympy.Mul.make_args(e))
    for guard in (f for f in factors if isinstance(f, Guard) and f.op == "<" and f.lhs == 0):
        if guard.rhs in factors:
            factors.remove(guard)
            factors.remove(guard.rhs)
            return sympy.Mul(relu(guard.rhs), *factors)
    return e


def _logarithm(e: Expr) -> Expr:
    """log(1 + exp(u)) is softplus(u), log Σ_k exp(u) is logsumexp_k(u)."""
    u = _one_plus_exp(e.args[0])
    if u is not None:
        return softplus(u)
    total = e.args[0]
    if isinstance(total, Reduced) and total.op == "sum" and len(total.indices) == 1:
        split = exponential(total.body)
        if split is not None:
            inner, guards = split
            (index,) = total.indices
            constant, rest = _apart(inner, index)
            return constant + Reduced("logsumexp", rest, total.indices, total.extents.values(), guards)
    return e


def exponential(body: Expr) -> tuple[Expr, tuple[Expr, ...]] | None:
    """u and the conditions of [conditions]·exp(u)."""
    factors = sympy.Mul.make_args(body)
    guards = tuple(f for f in factors if isinstance(f, Guard))
    rest = [f for f in factors if not isinstance(f, Guard)]
    if len(rest) == 1 and isinstance(rest[0], sympy.exp):
        return rest[0].args[0], guards
    return None


def _apart(u: Expr, index: Index) -> tuple[Expr, Expr]:
    """The terms without an index, and the others."""
    constant = [t for t in sympy.Add.make_args(u) if index not in free_indices(t)]
    rest = [t for t in sympy.Add.make_args(u) if index in free_indices(t)]
    return sympy.Add(*constant), sympy.Add(*rest)


def _safe_total(e: Expr) -> Reduced | None:
    """The sum s of s, or of s + [s = 0]: divided by that, a row in which nothing is left is 0."""
    if e.is_Add and len(e.args) == 2:
        for total, guard in (e.args, e.args[::-1]):
            if isinstance(guard, Guard) and guard == Guard("=", total, sympy.Integer(0)):
                return _safe_total(total)
    return e if isinstance(e, Reduced) else None


def _softmax(e: Expr, extents: Mapping[Index, Expr]) -> Expr:
    """[conditions]·exp(u) over its sum along k is softmax_k(u), 0 where the conditions don't hold."""
    factors = list(sympy.Mul.make_args(e))
    for below in factors:
        total = _safe_total(below.base) if below.is_Pow and below.exp == -1 else None
        if total is None or total.op != "sum" or len(total.indices) != 1:
            continue
        split = exponential(total.body)
        above = next((f for f in factors if isinstance(f, sympy.exp)), None)
        if split is None or above is None:
            continue
        inner, guards = split
        (k,) = total.indices
        for index in sorted(free_indices(above) - free_indices(total), key=lambda i: i.name):
            here = {k: index}
            conditions = [g.xreplace(here) for g in guards]
            if extents.get(index) != total.extents[k]:
                continue
            if inner.xreplace(here) == above.args[0] and all(g in factors for g in conditions):
                rest = [f for f in factors if f not in (below, above, *conditions)]
                _, scores = _apart(above.args[0], index)
                return sympy.Mul(Along("softmax", scores, index, total.extents[k], conditions), *rest)
    return e


def place_of(saved: Equation, node: Along) -> tuple[Expr, ...] | None:
    """The subscripts at which the equation's right-hand side is the node."""
    for mine in sorted(saved.body.body.atoms(Access), key=sympy.default_sort_key):
        for other in sorted(node.body.atoms(Access), key=sympy.default_sort_key):
            if mine.name == other.name and set(saved.indices) <= set(mine.subscripts):
                there = dict(zip(mine.subscripts, other.subscripts, strict=True))
                if all(isinstance(there[i], Index) for i in saved.indices) and _at(saved, there) == node:
                    return tuple(there[i] for i in saved.indices)
    return None


def _at(saved: Equation, there: dict[Expr, Expr]) -> Expr:
    apart = {i: Index(f"{i.name}__") for i in saved.indices}
    return saved.body.xreplace(apart).xreplace({apart[i]: there[i] for i in saved.indices})
