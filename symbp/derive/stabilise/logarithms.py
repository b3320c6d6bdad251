"""Logarithms of what is made of exponentials, taken term by term.

Enters: a system. Leaves: the same values, where nothing overflows or underflows before its logarithm is
taken. Must not know: softmax, cross-entropy or any other op by name; only log, exp and sums.

A logarithm is expanded through the definitions of what it reads: log(exp(u)/s) → u − log s, and
log(1 − 1/(1 + exp(−z))) → −log(1 + exp(z)). Where a bracket excludes the whole, the logarithm is −∞.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbp.derive.algebra import tidy_sign
from symbp.derive.definitions import inline, map_body
from symbp.derive.derivation import Step
from symbp.ir.build import where
from symbp.ir.expr import Access, Expr, Guard, accesses
from symbp.ir.printer import expression_text
from symbp.ir.system import System

REASON = "The logarithm is taken term by term, so that nothing overflows or underflows first."


def expand_logarithms(system: System, steps: list[Step]) -> System:
    """The system with each logarithm of exponentials expanded, and a step for each."""
    equations = []
    for equation in system.equations:
        found: dict[Expr, Expr] = {}
        body = _expanded(equation.body, frozenset(), system, found)
        for log, safe in found.items():
            steps.append(
                Step(
                    "logarithm of exponentials",
                    REASON,
                    equation.target,
                    expression_text(log, equation.all_indices),
                    expression_text(safe, equation.all_indices),
                    tuple(sorted({a.name for a in accesses(log)})),
                )
            )
        equations.append(equation.with_(body=tidy_sign(body)) if found else equation)
    return system.with_(equations=tuple(equations))


def _expanded(e: Expr, known: frozenset[Expr], system: System, found: dict[Expr, Expr]) -> Expr:
    """`e` with its logarithms expanded, under the brackets `known` to hold; `found` collects them."""
    if isinstance(e, (Access, Guard)) or not e.has(sympy.log):
        return e
    if isinstance(e, sympy.log):
        safe = _log(e.args[0], system)
        value = None if safe is None else safe.under(known)
        if value is None or value == e:
            return e
        return found.setdefault(e, value)
    if e.is_Mul:
        known = known | {f for f in e.args if isinstance(f, Guard)}
    return e.func(*[_expanded(a, known, system, found) for a in sorted(e.args, key=sympy.default_sort_key)])


def log_of(e: Expr, system: System) -> Expr | None:
    """log(e) without forming e, if e is made of exponentials; else None."""
    found = _log(e, system)
    return None if found is None else found.under(frozenset())


@dataclass(frozen=True)
class _Log:
    """A logarithm where all `guards` hold; elsewhere it is that of 0."""

    value: Expr
    guards: tuple[Expr, ...] = ()

    def under(self, known: frozenset[Expr]) -> Expr:
        """Its value where the brackets `known` hold."""
        left = [guard for guard in self.guards if guard not in known]
        return where(sympy.Mul(*left), self.value, -sympy.oo) if left else self.value


def _log(e: Expr, system: System) -> _Log | None:
    """Reads are looked through: a map by its body, a sum of exponentials stays (it is shifted later)."""
    if isinstance(e, sympy.exp):
        return _Log(e.args[0])
    if isinstance(e, sympy.cosh):  # (exp(u) + exp(−u))/2
        u = e.args[0]
        return _Log(sympy.log(1 + sympy.exp(2 * u)) - u - sympy.log(2))
    if isinstance(e, Access):
        return _log_of_access(e, system)
    if e.is_Pow and e.exp.is_number:
        inner = _log(e.base, system)
        if inner is None or (inner.guards and not e.exp.is_positive):
            return None
        return _Log(e.exp * inner.value, inner.guards)
    if e.is_Mul:
        return _log_of_product(e, system)
    if e.is_Add:
        return _log_of_sum(e, system)
    return None


def _log_of_access(access: Access, system: System) -> _Log | None:
    equation = system.defining.get(access.name)
    if equation is None or access.outside is not None or equation.where:
        return None
    if equation.op == "sum":
        held = exponential_factor(equation.body, system)
        return _Log(sympy.log(access)) if held is not None else None
    if equation.reduction is None:
        return _log(inline(equation, access), system)
    return None


def _log_of_product(e: Expr, system: System) -> _Log | None:
    numerator, denominator = sympy.fraction(e)
    if isinstance(numerator, sympy.exp) and denominator.is_Add:  # exp(u)/(1 + exp(u)) = 1/(1 + exp(−u))
        flipped = _log(sympy.expand(denominator / numerator, power_exp=False), system)
        if flipped is not None and not flipped.guards:
            return _Log(-flipped.value)
    total: Expr = sympy.Integer(0)
    guards: dict[Expr, None] = {}
    found = False
    for factor in sympy.Mul.make_args(e):
        bracket = bracket_of(factor, system)
        if bracket is not None:
            guards[bracket] = None
            if not (factor == bracket or is_mask(factor, system)):
                total += sympy.log(factor)
            continue
        if factor.is_positive and not factor.has(sympy.exp) and not factor.atoms(Access):
            total += sympy.log(factor)
            continue
        part = _log(factor, system)
        if part is None:
            return None
        found, total, guards = True, total + part.value, {**guards, **dict.fromkeys(part.guards)}
    return _Log(total, tuple(guards)) if found else None


def _log_of_sum(e: Expr, system: System) -> _Log | None:
    if len(e.args) == 2 and e.args[0] == 1 and isinstance(e.args[1], sympy.exp):
        return _Log(sympy.log(e))
    maps = {a: map_body(a, system) for a in accesses(e)}
    inlined = e.xreplace({a: b for a, b in maps.items() if b is not None and b.has(sympy.exp)})
    if not inlined.has(sympy.exp):
        return None
    together = sympy.together(inlined)
    numerator, denominator = sympy.fraction(together)
    if denominator == 1:
        return None
    return _log(sympy.expand(numerator) / denominator, system)


def exponential_factor(body: Expr, system: System) -> tuple[Expr, Access | None] | None:
    """(u, the map that holds exp(u), or None) if the body is exp(u) times something without exponentials;
    beside a map that holds it, only brackets and binary leaves."""
    factors = sympy.Mul.make_args(body)
    own = [f for f in factors if isinstance(f, sympy.exp)]
    if len(own) == 1 and not sympy.Mul(*[f for f in factors if f is not own[0]]).has(sympy.exp):
        return own[0].args[0], None
    rest = [f for f in factors if bracket_of(f, system) is None]
    if len(rest) == 1 and isinstance(rest[0], Access) and rest[0].outside is None:
        inner = map_body(rest[0], system)
        found = None if inner is None else exponential_factor(inner, system)
        if found is not None and found[1] is None:
            return found[0], rest[0]
    return None


def bracket_of(factor: Expr, system: System) -> Guard | None:
    """The bracket that says where a factor is not 0, if it is made of brackets and leaves of zeros and ones;
    else None."""
    if isinstance(factor, Guard):
        return factor
    if is_mask(factor, system):
        return Guard("=", factor, 1)  # type: ignore[no-any-return]
    reads = accesses(factor)
    chosen = bool(factor.atoms(Guard)) or any(is_mask(a, system) for a in reads)
    if factor.has(sympy.exp) or not chosen or not all(is_mask(a, system) or a.is_integer for a in reads):
        return None
    found = Guard("!=", factor, 0)
    return found if isinstance(found, Guard) else None


def is_mask(factor: Expr, system: System) -> bool:
    """A read of a leaf of zeros and ones."""
    if not isinstance(factor, Access) or factor.outside is not None:
        return False
    return system.tensor(factor.name).fact("binary") is not None
