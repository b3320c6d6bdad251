"""What brackets allow: where one holds, its equality may be used, and its cases are settled.

Enters: an expression with guards. Leaves: another one of the same value. Must not know: costs, systems.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symbp.derive.rules.algebra import common_factor, expand
from symbp.ir.expr import Expr, Guard, Index, parts_of


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


def exclusive(e: Expr) -> dict[Expr, Expr] | None:
    """`[k = 0]·a + [k = 1]·b` as brackets, of one index and different numbers, with what each excludes from
    the others; None if there are no two of them, or other terms, too."""
    found: dict[Expr, Expr] = {}
    indices: set[Expr] = set()
    for term in sympy.Add.make_args(e):
        fixed = [f for f in sympy.Mul.make_args(term) if isinstance(f, Guard) and _fixes(f) is not None]
        if len(fixed) != 1:
            return None
        (bracket,) = fixed
        indices.add(_fixes(bracket))
        found[bracket] = found.get(bracket, sympy.Integer(0)) + term / bracket
    return found if len(indices) == 1 and len(found) > 1 else None


def _fixes(guard: Guard) -> Index | None:
    """The index that the bracket sets to a number."""
    sides = [(guard.lhs, guard.rhs), (guard.rhs, guard.lhs)] if guard.op == "=" else []
    return next((i for i, value in sides if isinstance(i, Index) and value.is_Integer), None)


def cases(e: Expr) -> Expr:
    """A bracket inside a function settled: `f([c]·a + [¬c]·b)` → `[c]·f(a) + [¬c]·f(b)`."""
    if e.has(sympy.oo, -sympy.oo):  # 0·∞ has no value, though a lazy bracket never forms it
        return e
    for guard in _inside_functions(e):
        other = guard.complement()
        if isinstance(other, Guard):
            holds = e.xreplace({guard: sympy.Integer(1), other: sympy.Integer(0)})
            fails = e.xreplace({guard: sympy.Integer(0), other: sympy.Integer(1)})
            return guard * cases(holds) + other * cases(fails)
    return e


def _inside_functions(e: Expr) -> list[Guard]:
    """The guards in the arguments of functions, or of powers of sums, in a stable order."""
    found = {g for f in e.atoms(sympy.Function, sympy.exp) for g in parts_of(f, Guard)}
    found = {g for g in found if not isinstance(g.lhs, Index) and not isinstance(g.rhs, Index)}
    return sorted(found, key=sympy.default_sort_key)


def by_cases(e: Expr, shorten: Callable[[Expr], Expr | None]) -> Expr:
    """The cases of `e`, each in a shorter form if there is one, joined where they agree."""
    found: dict[Expr, Expr] = {}
    for term in sympy.Add.make_args(cases(e)):
        bracket = sympy.Mul(*[f for f in sympy.Mul.make_args(term) if isinstance(f, Guard)])
        rest = term / bracket
        form = shorten(rest) or rest
        found[form] = found.get(form, sympy.Integer(0)) + bracket
    return sympy.Add(*[form * either(brackets) for form, brackets in found.items()])


def either(e: Expr) -> Expr:
    """`[c] + [¬c]` → 1."""
    terms = list(sympy.Add.make_args(e))
    for term in terms:
        if isinstance(term, Guard) and term.complement() in terms:
            rest = [t for t in terms if t not in (term, term.complement())]
            return sympy.Add(1, *rest)
    return e
