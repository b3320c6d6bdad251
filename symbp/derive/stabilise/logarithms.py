"""Logarithms of what is made of exponentials, taken term by term.

Enters: a system. Leaves: the same values, where nothing overflows or underflows before its logarithm is
taken. Must not know: softmax, cross-entropy or any other op by name; only log, exp and sums.

A logarithm is expanded through the definitions of what it reads: log(exp(u)/s) → u − log s, and
log(1 − 1/(1 + exp(−z))) → −log(1 + exp(z)). Where a bracket excludes the whole, the logarithm is −∞. A sum
of two or more exponentials is divided by the largest: log(exp(a) + exp(b)) → m + log(exp(a − m) + exp(b −
m)); like the shift of a sum over an index, m counts as a constant. A mixture, Σ_e g[e]·p[e,k] of shares g and
p, is such a sum, too, over the index e. Each step leaves sums of fewer divisions, so it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sympy

from symbp.derive.definitions import inline
from symbp.derive.derivation import part
from symbp.derive.rules.algebra import tidy_sign
from symbp.derive.rules.rule import Change
from symbp.derive.stabilise.exponential_sums import (
    Term,
    logarithm,
    relative,
    safe_as_it_stands,
    terms_of,
    written_out,
)
from symbp.derive.stabilise.factors import bracket_of, exponential_factor, is_mask
from symbp.derive.stabilise.largest import Largest
from symbp.ir.build import where
from symbp.ir.expr import Access, Expr, Guard, Index, accesses, free_indices, parts_of, unused_name
from symbp.ir.system import Equation, Reduction, System


def expand_logarithms(system: System) -> tuple[System, list[Change]]:
    """The system with each logarithm of exponentials expanded, and what became of each."""
    changes: list[Change] = []
    largest = Largest(system)
    for equation in system.equations:
        expansion = _Expansion(system, equation, largest)
        body = expansion.expanded(equation.body, frozenset())
        for log, safe in expansion.found.items():
            changes.append(
                Change(
                    equation.target,
                    (part(log, equation),),
                    (part(safe, equation),),
                    tuple(sorted({a.name for a in accesses(log)} - {a.name for a in accesses(safe)})),
                )
            )
        if expansion.found:
            largest.replaced[equation.target] = equation.with_(body=tidy_sign(softplus_pairs(body)))
    return largest.system(), changes


def softplus_pairs(e: Expr) -> Expr:
    """`log(1 + exp(u)) − log(1 + exp(−u))` as u, in every sum."""
    if isinstance(e, (Access, Guard)) or not e.has(sympy.log):
        return e
    e = e.func(*[softplus_pairs(a) for a in e.args])
    if not e.is_Add:
        return e
    for term in e.args:
        factor, log = term.as_coeff_Mul()
        inside = log.args[0] - 1 if isinstance(log, sympy.log) else None
        if isinstance(inside, sympy.exp):
            u = inside.args[0]
            other = -factor * sympy.log(1 + sympy.exp(-u))
            if other in e.args:
                return softplus_pairs(e - term - other + factor * u)
    return e


@dataclass(frozen=True)
class _Log:
    """A logarithm where all `guards` hold; elsewhere it is that of 0."""

    value: Expr
    guards: tuple[Expr, ...] = ()

    def under(self, known: frozenset[Expr]) -> Expr:
        """Its value where the brackets `known` hold."""
        left = [guard for guard in self.guards if guard not in known]
        return where(sympy.Mul(*left), self.value, -sympy.oo) if left else self.value


@dataclass
class _Expansion:
    """The logarithms of one equation; `found` collects them."""

    system: System
    equation: Equation
    largest: Largest
    found: dict[Expr, Expr] = field(default_factory=dict)
    within: frozenset[str] = frozenset()  # sums that are being looked into

    def expanded(self, e: Expr, known: frozenset[Expr]) -> Expr:
        """`e` with its logarithms expanded, under the brackets `known` to hold."""
        if isinstance(e, (Access, Guard)) or not e.has(sympy.log):
            return e
        if isinstance(e, sympy.log):
            safe = self.log(e.args[0])
            value = None if safe is None else safe.under(known)
            if value is None or value == e:
                return e
            return self.found.setdefault(e, value)
        if e.is_Mul:
            known = known | {f for f in e.args if isinstance(f, Guard)}
        done = {a: self.expanded(a, known) for a in sorted(e.args, key=sympy.default_sort_key)}
        return e.func(*[done[a] for a in e.args])  # the base of a power stays its base

    def log(self, e: Expr) -> _Log | None:
        """log(e) without forming e, if e is made of exponentials. Reads are looked through: a map by its
        body, a sum of exponentials stays (it is shifted later)."""
        if isinstance(e, sympy.exp):
            return _Log(e.args[0])
        if isinstance(e, sympy.cosh):  # (exp(u) + exp(−u))/2
            u = e.args[0]
            return _Log(sympy.log(1 + sympy.exp(2 * u)) - u - sympy.log(2))
        if isinstance(e, Access):
            return self.of_access(e)
        if e.is_Pow and e.exp.is_number:
            inner = self.log(e.base)
            if inner is None or (inner.guards and not e.exp.is_positive):
                return None
            return _Log(e.exp * inner.value, inner.guards)
        if e.is_Mul:
            return self.of_product(e)
        return self.of_sum(e) if e.is_Add else None

    def of_access(self, access: Access) -> _Log | None:
        equation = self.system.defining.get(access.name)
        if equation is None or access.outside is not None or equation.where:
            return None
        if equation.op == "sum":
            mixture = self.of_mixture(equation, access)
            if mixture is not None or exponential_factor(equation.body, self.system) is None:
                return mixture
            return _Log(sympy.log(access))
        if equation.reduction is None:
            return self.log(inline(equation, access))
        return None

    def of_mixture(self, equation: Equation, access: Access) -> _Log | None:
        """log Σ_e g·p of products of exponentials and what they are divided by, as log Σ_e exp(log g + log
        p): all of the products may be too small for a number."""
        factors = [f for f in sympy.Mul.make_args(equation.body) if parts_of(f, Access)]
        if equation.target in self.within or len(factors) < 2:
            return None
        taken = {i.name for i in self.equation.all_indices}
        fresh: dict[Index, Index] = {}
        for index in equation.reduced:
            fresh[index] = Index(unused_name(index.name, taken))
            taken.add(fresh[index].name)
        ranges = {new: equation.extents[old] for old, new in fresh.items()}
        places = dict(zip(equation.indices, access.subscripts, strict=True))
        inner = _Expansion(
            self.system,
            self.equation,
            self.largest,
            within=self.within | {equation.target},
        )
        found = inner.log(equation.body.xreplace({**places, **fresh}))
        if found is None or found.guards or not free_indices(found.value) >= set(ranges):
            return None
        frame = self.equation.with_(
            ranges=(*self.equation.ranges, *ranges.values()),
            reduction=Reduction("sum", (*self.equation.reduced, *ranges)),
        )
        if not self.largest.anywhere(found.value, frame):
            return None
        reduced = tuple(fresh.values())
        return _Log(sympy.log(self.largest.exponentials(found.value, reduced, ranges, self.equation)))

    def of_product(self, e: Expr) -> _Log | None:
        """The logarithms of the factors; c·exp(u)/d by that of d·exp(−u)/c, where the two may cancel."""
        numerator, denominator = sympy.fraction(written_out(e, self.system))
        own, below = terms_of(numerator), terms_of(denominator) if denominator.is_Add else None
        if own is not None and below is not None and len(own) == 1 and own[0][0].is_positive:
            found = self.of_terms(list(zip_terms(relative(below, own[0]))))
            if found is not None:
                return _Log(-found)
        total: Expr = sympy.Integer(0)
        guards: dict[Expr, None] = {}
        made = False
        for factor in sympy.Mul.make_args(e):
            bracket = bracket_of(factor, self.system)
            if bracket is not None:
                guards[bracket] = None
                if not (factor == bracket or is_mask(factor, self.system)):
                    total += sympy.log(factor)
                continue
            if factor.is_positive and not factor.has(sympy.exp) and not parts_of(factor, Access):
                total += sympy.log(factor)
                continue
            part = self.log(factor)
            if part is None:
                return None
            made, total, guards = True, total + part.value, {**guards, **dict.fromkeys(part.guards)}
        return _Log(total, tuple(guards)) if made else None

    def of_sum(self, e: Expr) -> _Log | None:
        """A sum of exponentials, or a quotient of two such once its terms are over one denominator."""
        inlined = written_out(e, self.system)
        if not inlined.has(sympy.exp) or safe_as_it_stands(inlined):
            return None
        terms = terms_of(inlined)
        if terms is not None:
            found = self.of_terms(terms)
            return None if found is None else _Log(found)
        numerator, denominator = sympy.fraction(sympy.together(inlined))
        if not denominator.has(sympy.exp):
            return None
        parts = sympy.Mul.make_args(denominator)
        shift = sympy.Add(*[f.args[0] for f in parts if isinstance(f, sympy.exp)])
        above = terms_of(sympy.expand(numerator, power_exp=False))
        over = None if above is None else self.of_terms([(c, sympy.expand(u - shift)) for c, u in above])
        factors = [f.as_base_exp() for f in parts if not isinstance(f, sympy.exp)]
        logs = [(self._of_divisor(base), power) for base, power in factors]
        if over is None or any(log is None for log, _ in logs):
            return None
        return _Log(_difference(over, [(log, power) for log, power in logs if log is not None]))

    def _of_divisor(self, base: Expr) -> Expr | None:
        terms = terms_of(base)
        return None if terms is None else self.of_terms(terms)

    def of_terms(self, terms: Sequence[Term]) -> Expr | None:
        """log Σ c·exp(u), the largest exponent taken out where there are several."""
        found = logarithm(terms)
        if found is not None or any(number.is_negative for number, _ in terms):
            return found
        peak = self.largest.of([u for _, u in terms], self.equation)
        if peak is not None:
            return peak + sympy.log(sympy.Add(*[c * sympy.exp(u - peak) for c, u in terms]))
        return None


def zip_terms(e: Expr) -> Sequence[Term]:
    """The terms of a sum of exponentials that is one by its making."""
    return terms_of(e) or ()


def _difference(over: Expr, below: Sequence[tuple[Expr, Expr]]) -> Expr:
    """`u − k·log(1 + exp(u))` as `−log(1 + exp(−u)) − …`: what cancels is not formed."""
    total = over
    for log, power in below:
        if not (power.is_Integer and power.is_positive):
            total = total - power * log
            continue
        for _ in range(int(power)):
            inside = log.args[0] - 1 if isinstance(log, sympy.log) else None
            u = inside.args[0] if isinstance(inside, sympy.exp) else None
            if u is not None and len(sympy.Add.make_args(total - u)) < len(sympy.Add.make_args(total)):
                total = total - u - sympy.log(1 + sympy.exp(-u))
            else:
                total = total - log
    return total
