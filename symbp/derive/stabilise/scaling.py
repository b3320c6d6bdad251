"""What becomes of the readers when a sum of exponentials is shifted.

Enters: a system, tensors t that become t·exp(−m). Leaves: all equations in terms of these, if no factor
survives. Must not know: which sum was shifted, or why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sympy

from symbp.derive.rules.algebra import common_factor, tidy_sign
from symbp.derive.stabilise.exponential_sums import terms_of
from symbp.derive.stabilise.factors import bracket_of, is_mask
from symbp.ir.expr import Access, Expr, Guard, Index, accesses, free_indices, parts_of
from symbp.ir.system import Equation, System

MOST_SCALED = 32  # tensors that a shift may change


@dataclass(frozen=True)
class Scaled:
    """A tensor t that becomes t·exp(−shift), by its indices; brackets compare `raw` with 0 instead of t."""

    indices: tuple[Index, ...]
    by: Expr
    peak: Expr
    raw: str


@dataclass
class Readers:
    """All equations with each scaled tensor `t` replaced by `exp(m)·t`. What is exp(m) times something
    itself is scaled, too; `added` collects the exponents of what stands beside such a tensor in a sum."""

    added: dict[tuple[Expr, Expr], None] = field(default_factory=dict)

    def scaled(
        self, system: System, scaled: Mapping[str, Scaled], skip: Collection[str]
    ) -> list[Equation] | None:
        """The equations; None if a factor survives."""
        known = dict(scaled)
        while True:
            found = self._once(system, known, skip)
            if not isinstance(found, str):
                return found
            if found == "" or len(known) > MOST_SCALED:
                return None

    def _once(self, system: System, scaled: dict[str, Scaled], skip: Collection[str]) -> list[Equation] | str:
        """The equations; or the name of a tensor that is now among the scaled ones; or "" if a factor
        survives."""
        equations = []
        for equation in system.equations:
            if any(a.name in scaled for g in equation.where for a in accesses(g)):
                return ""
            reads = [a for a in accesses(equation.body) if a.name in scaled]
            if not reads or equation.target in skip:
                equations.append(equation)
                continue
            body, left = self._body(equation.body, reads, scaled, system)
            own = scaled.get(equation.target)
            if own is not None and left is not None and left == (own.by, own.peak):
                left = None
            elif left is not None and own is None and _may_scale(equation, left[0], system):
                scaled[equation.target] = Scaled(equation.indices, *left, equation.target)
                return equation.target
            if left is not None or body is None:
                return ""
            equations.append(equation.with_(body=tidy_sign(body)))
        return equations

    def _body(
        self, body: Expr, reads: list[Access], scaled: Mapping[str, Scaled], system: System
    ) -> tuple[Expr | None, tuple[Expr, Expr] | None]:
        """The body, and the shift (and maximum) whose exponential is a factor of it; no body if a factor
        survives otherwise."""
        growth: dict[tuple[Expr, Expr], Expr] = {}
        factor: dict[Access, Expr] = {}
        for access in reads:
            known = scaled[access.name]
            place = dict(zip(known.indices, access.subscripts, strict=True))
            key = (known.by.xreplace(place), known.peak.xreplace(place))
            growth.setdefault(key, sympy.Dummy("growth", positive=True))
            factor[access] = growth[key]
        signs = {g: sympy.Dummy("sign") for g in _signs(body, reads)}
        body = body.xreplace(signs).xreplace({a: f * a for a, f in factor.items()})
        for (by, _), g in growth.items():
            body = self._absorbed(body, g, by, system)
        body = body.replace(sympy.log, lambda arg: sympy.expand_log(sympy.log(arg), force=True))
        body = body.xreplace({sympy.log(g): peak for (_, peak), g in growth.items()})
        left = None
        for key, g in growth.items():
            rest = body / g
            if g in body.free_symbols and g not in rest.free_symbols and left is None:
                body, left = rest, key
        if any(g in body.free_symbols for g in growth.values()):
            return None, None
        raw = {a: a.with_(name=scaled[a.name].raw) for a in reads}
        return body.xreplace({mark: guard.xreplace(raw) for guard, mark in signs.items()}), left

    def _absorbed(self, e: Expr, g: Expr, by: Expr, system: System) -> Expr:
        """exp(u)/exp(m) as exp(u − m), a mask beside it as a bracket, and exp(m)·s + c·exp(u) as
        exp(m)·(s + c·exp(u − m))."""
        if isinstance(e, (Access, Guard)) or not e.args or g not in e.free_symbols:
            return e
        e = e.func(*[self._absorbed(a, g, by, system) for a in e.args])
        if e.is_Mul:
            power = e.as_powers_dict().get(g, sympy.Integer(0))
            own = next((f for f in e.args if isinstance(f, sympy.exp)), None)
            if own is not None and power.is_Integer and power < 0:
                # Not divided by exp(a + b): SymPy would keep it beside exp(−a − b).
                rest = [f for f in e.args if f is not own and f.as_base_exp()[0] != g]
                shifted = sympy.exp(less(own.args[0], -power * by))
                return as_brackets(sympy.Mul(*rest), system) * shifted
        if e.is_Add:
            alone = [t for t in e.args if g not in t.free_symbols]
            grown = [t / g for t in e.args if g in t.free_symbols]
            terms = terms_of(sympy.Add(*alone)) if alone else None
            if terms and all(c.is_positive for c, _ in terms) and not any(g in t.free_symbols for t in grown):
                self.added |= {(u, by): None for _, u in terms}
                return g * sympy.Add(*grown, *[c * sympy.exp(u - by) for c, u in terms])
        return e


def _may_scale(equation: Equation, by: Expr, system: System) -> bool:
    """Whether a tensor may become itself times exp(−shift): nobody asks for it, and the shift is one for
    each of its elements."""
    own = equation.op in (None, "sum") and free_indices(by) <= set(equation.indices)
    return own and equation.target not in system.asked


def _signs(body: Expr, reads: list[Access]) -> list[Guard]:
    """The brackets that compare one of the reads with 0: a positive factor doesn't change them."""
    found = [g for g in parts_of(body, Guard) if 0 in (g.lhs, g.rhs) and (g.lhs in reads or g.rhs in reads)]
    return sorted(found, key=sympy.default_sort_key)


def less(exponent: Expr, shift: Expr) -> Expr:
    """u − m with what scales both as one factor."""
    return common_factor(exponent - shift) if shift.is_Mul else exponent - shift


def as_brackets(body: Expr, system: System) -> Expr:
    """Masks beside an exponential as brackets, which are lazy: M·exp(u) → [M = 1]·exp(u); other factors that
    may exclude an element beside theirs."""
    factors: list[Expr] = []
    for factor in sympy.Mul.make_args(body):
        bracket = bracket_of(factor, system)
        factors += [factor] if bracket is None else [bracket]
        factors += [factor] if bracket is not None and not is_mask(factor, system) else []
    return sympy.Mul(*factors)
