"""Stabilisation by form: the forward system is rewritten so that no exponential overflows.

Enters: the declared system. Leaves: a system with the same values and safe shapes, and the steps.
Must not know: softmax, cross-entropy or any other op by name; only log, exp and sums.

Two rewrites. The logarithm of something made of exponentials is expanded through the definitions of what
it reads (log(exp(u)/s) → u − log s, log(1 − 1/(1 + exp(−z))) → −log(1 + exp(z))). A sum of exponentials is
shifted by its maximum where every reader is invariant under the shift; the shift then counts as a constant
in differentiation, because the value does not depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from symbp.derive.algebra import tidy_sign
from symbp.derive.derivation import Step
from symbp.ir.expr import Access, Expr, Guard, Index, accesses, free_indices
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Reduction, System, Tensor


def stabilise(system: System) -> tuple[System, tuple[Step, ...]]:
    """The system in safe shapes; values are unchanged in exact arithmetic."""
    steps: list[Step] = []
    system = _expand_logarithms(system, steps)
    for equation in system.equations:
        if equation.op == "sum":
            system = _shift_exponentials(system, equation.target, steps)
    return system, tuple(steps)


# --- logarithms of exponentials


def _expand_logarithms(system: System, steps: list[Step]) -> System:
    equations = []
    for equation in system.equations:
        body = equation.body
        logarithms = sorted(body.atoms(sympy.log), key=sympy.default_sort_key)
        replaced = {log: safe for log in logarithms if (safe := log_of(log.args[0], system)) is not None}
        replaced = {log: safe for log, safe in replaced.items() if log != safe}
        if replaced:
            changed = equation.with_(body=tidy_sign(body.xreplace(replaced)))
            for log, safe in replaced.items():
                steps.append(
                    Step(
                        "logarithm of exponentials",
                        "The logarithm is taken term by term, so that nothing overflows or underflows first.",
                        equation.target,
                        expression_text(log, equation.all_indices),
                        expression_text(safe, equation.all_indices),
                        tuple(sorted({a.name for a in accesses(log)})),
                    )
                )
            equation = changed
        equations.append(equation)
    return system.with_(equations=tuple(equations))


def log_of(e: Expr, system: System) -> Expr | None:
    """log(e) without forming e, if e is made of exponentials; else None.

    Reads are looked through: a map by its body, a sum of exponentials stays (it is shifted later).
    """
    if isinstance(e, sympy.exp):
        return e.args[0]
    if isinstance(e, Access):
        return _log_of_access(e, system)
    if e.is_Pow and e.exp.is_number:
        inner = log_of(e.base, system)
        return None if inner is None else e.exp * inner
    if e.is_Mul:
        return _log_of_product(e, system)
    if e.is_Add:
        return _log_of_sum(e, system)
    return None


def _log_of_access(access: Access, system: System) -> Expr | None:
    equation = system.defining.get(access.name)
    if equation is None or access.outside is not None or equation.where:
        return None
    if equation.op == "sum":
        return sympy.log(access) if _exponential_factor(equation.body, system) is not None else None
    if equation.reduction is None:
        return log_of(inline(equation, access), system)
    return None


def _log_of_product(e: Expr, system: System) -> Expr | None:
    numerator, denominator = sympy.fraction(e)
    if isinstance(numerator, sympy.exp) and denominator.is_Add:  # exp(u)/(1 + exp(u)) = 1/(1 + exp(−u))
        flipped = log_of(sympy.expand(denominator / numerator, power_exp=False), system)
        if flipped is not None:
            return -flipped
    total: Expr = sympy.Integer(0)
    found = False
    for factor in sympy.Mul.make_args(e):
        if factor.is_positive and not factor.has(sympy.exp) and not factor.atoms(Access):
            total += sympy.log(factor)
            continue
        part = log_of(factor, system)
        if part is None:
            return None
        found, total = True, total + part
    return total if found else None


def _log_of_sum(e: Expr, system: System) -> Expr | None:
    if len(e.args) == 2 and e.args[0] == 1 and isinstance(e.args[1], sympy.exp):
        return sympy.log(e)
    maps = {a: _map_body(a, system) for a in accesses(e)}
    inlined = e.xreplace({a: b for a, b in maps.items() if b is not None and b.has(sympy.exp)})
    if not inlined.has(sympy.exp):
        return None
    together = sympy.together(inlined)
    numerator, denominator = sympy.fraction(together)
    if denominator == 1:
        return None
    return log_of(sympy.expand(numerator) / denominator, system)


def _map_body(access: Access, system: System) -> Expr | None:
    equation = system.defining.get(access.name)
    if equation is None or equation.reduction is not None or access.outside is not None:
        return None
    return inline(equation, access)


def inline(equation: Equation, access: Access) -> Expr:
    """The body of a map at the subscripts of a read."""
    return equation.body.xreplace(dict(zip(equation.indices, access.subscripts, strict=True)))


# --- sums of exponentials


def _exponential_factor(body: Expr, system: System) -> tuple[Expr, Access | None] | None:
    """(u, the map that holds exp(u), or None) if the body is exp(u) times something without exponentials."""
    factors = sympy.Mul.make_args(body)
    own = [f for f in factors if isinstance(f, sympy.exp)]
    if len(own) == 1 and not sympy.Mul(*[f for f in factors if f is not own[0]]).has(sympy.exp):
        return own[0].args[0], None
    rest = [f for f in factors if not isinstance(f, Guard)]
    if len(rest) == 1 and isinstance(rest[0], Access) and rest[0].outside is None:
        inner = _map_body(rest[0], system)
        found = None if inner is None else _exponential_factor(inner, system)
        if found is not None and found[1] is None:
            return found[0], rest[0]
    return None


@dataclass(frozen=True)
class _Exponentials:
    """A sum `s = Σ c·exp(u)` that may be shifted: its equation, u, and the map that holds c·exp(u), if one
    does and its own indices tell the shift."""

    total: Equation
    exponent: Expr
    held: Access | None


def _shiftable(system: System, name: str) -> _Exponentials | None:
    """The sum of that name, if it is one of exponentials that vary along what is summed."""
    total = system.defining[name]
    found = _exponential_factor(total.body, system)
    fixed = set(system.asked)
    if found is None or name in fixed or not free_indices(found[0]) & set(total.reduced):
        return None
    exponent, held = found
    if held is None:
        return _Exponentials(total, exponent, None)
    plain = all(isinstance(s, Index) for s in held.subscripts)
    if held.name in fixed or not (plain and set(total.indices) <= set(held.subscripts)):
        # the map is asked for as it is, or the shift is no function of its indices: the sum gets its own
        total = total.with_(body=total.body.xreplace({held: _map_body(held, system)}))
        return _Exponentials(total, exponent, None)
    return _Exponentials(total, exponent, held)


def _shift_exponentials(system: System, name: str, steps: list[Step]) -> System:
    """`s[n] = Σ_k exp(u)` becomes `m[n] = max_k u`, `s[n] = Σ_k exp(u − m)`, if all readers allow it."""
    found = _shiftable(system, name)
    if found is None:
        return system
    total, held = found.total, found.held
    shift = Tensor(_shift_name(found.exponent, name, system), total.shape)
    at_shift = shift.at(*total.indices)
    scaled = {name: (total.indices, at_shift)}
    lowered = {name: total.with_(body=_lower(total.body, at_shift))}
    if held is not None:
        scaled[held.name] = _in_terms_of(held, system, at_shift)
        inner = system.defining[held.name]
        lowered = {name: total, held.name: inner.with_(body=_lower(inner.body, scaled[held.name][1]))}
    rewritten = _scale_readers(system, scaled, skip=(name,))
    if rewritten is None:
        return system
    peak = _peak(found, shift.name, system)
    first = next(e.target for e in rewritten if e.target in lowered)
    equations: list[Equation] = []
    for equation in rewritten:
        equations += [peak] if equation.target == first else []
        equations.append(lowered.get(equation.target, equation))
    after = lowered[held.name if held is not None else name]
    steps.append(
        Step(
            "shift of a sum of exponentials",
            f"Every reader of {name} is unchanged when the same constant is subtracted from all exponents; "
            "with their maximum nothing overflows. The shift counts as a constant: no value depends on it.",
            name,
            equation_text(total),
            f"{equation_text(peak)}; {equation_text(after)}",
            tuple(scaled),
        )
    )
    return system.with_(tensors=(*system.tensors, shift), equations=tuple(equations))


def _peak(found: _Exponentials, name: str, system: System) -> Equation:
    """The maximum of the exponents where nothing is excluded."""
    total, body = found.total, found.total.body
    if found.held is not None:
        body = body.xreplace({found.held: _map_body(found.held, system)})
    guards = tuple(f for f in sympy.Mul.make_args(body) if isinstance(f, Guard))
    return Equation(
        name,
        total.indices,
        found.exponent,
        Reduction("max", total.reduced),
        guards,
        total.ranges,
        constant=True,
        rule="shift of a sum of exponentials",
    )


def _shift_name(exponent: Expr, total: str, system: System) -> str:
    base = f"m_{exponent.name}" if isinstance(exponent, Access) else f"m_{total}"
    name, count = base, 1
    while name in system.by_name:
        count += 1
        name = f"{base}{count}"
    return name


def _in_terms_of(held: Access, system: System, at_shift: Access) -> tuple[tuple[Index, ...], Access]:
    """The shift as a function of the indices of the map that holds the exponential."""
    inner = system.defining[held.name]
    back = dict(zip(held.subscripts, inner.indices, strict=True))
    return inner.indices, at_shift.xreplace(back)


def _lower(body: Expr, shift: Expr) -> Expr:
    """The body with its one exponential factor shifted."""
    factors = sympy.Mul.make_args(body)
    return sympy.Mul(*[sympy.exp(f.args[0] - shift) if isinstance(f, sympy.exp) else f for f in factors])


def _scale_readers(
    system: System, scaled: Mapping[str, tuple[tuple[Index, ...], Access]], skip: tuple[str, ...]
) -> list[Equation] | None:
    """All equations with each scaled tensor `t` replaced by `exp(m)·t`; None if a factor survives."""
    equations = []
    for equation in system.equations:
        reads = [a for a in accesses(equation.body) if a.name in scaled]
        if not reads or equation.target in skip:
            equations.append(equation)
            continue
        factors = {}
        for access in reads:
            indices, shift = scaled[access.name]
            factors[access] = shift.xreplace(dict(zip(indices, access.subscripts, strict=True)))
        growth = {a: sympy.Dummy("growth", positive=True) for a in dict.fromkeys(factors.values())}
        body = equation.body.xreplace({a: growth[m] * a for a, m in factors.items()})
        body = body.replace(sympy.log, lambda arg: sympy.expand_log(sympy.log(arg), force=True))
        body = body.xreplace({sympy.log(g): m for m, g in growth.items()})
        if any(g in body.free_symbols for g in growth.values()):
            return None
        equations.append(equation.with_(body=tidy_sign(body)))
    return equations
