"""Hidden activations of a system, and the same system with another one in their place.

Enters: a system. Leaves: names of activations, changed systems. Must not know: what an author called.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symbp.ir.expr import Expr, Guard
from symbp.ir.system import Equation, System

ACTIVATIONS: dict[str, Callable[[Expr], Expr]] = {
    "tanh": sympy.tanh,
    "relu": lambda u: Guard("<", sympy.Integer(0), u) * u,
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
}


def activation_of(equation: Equation) -> tuple[str, Expr] | None:
    """The activation that an equation applies, alone or as a summand (a skip beside it), and to what."""
    if equation.reduction is not None:
        return None
    for term in sympy.Add.make_args(equation.body):
        if isinstance(term, sympy.tanh):
            return "tanh", term.args[0]
        if term.is_Mul and len(term.args) == 2:
            for guard, u in (term.args, term.args[::-1]):
                if isinstance(guard, Guard) and term == ACTIVATIONS["relu"](u):
                    return "relu", u
        if term.is_Pow and term.exp == -1 and term.base.is_Add and len(term.base.args) == 2:
            powers = [part for part in term.base.args if isinstance(part, sympy.exp)]
            if powers and term == ACTIVATIONS["sigmoid"](-powers[0].args[0]):
                return "sigmoid", -powers[0].args[0]
    return None


def applied(system: System, within: frozenset[str] | None = None) -> dict[str, tuple[str, Expr]]:
    """The activation of each tensor that has one, of those that count."""
    return {
        e.target: found
        for e in system.equations
        if (within is None or e.target in within) and (found := activation_of(e)) is not None
    }


def variants(system: System, within: frozenset[str] | None = None) -> dict[str, System]:
    """The system with each activation in the place of its hidden ones; itself alone, under the name of its
    own, where there are several kinds (gates) or none that is known. The last of a chain, the output's, stays
    as it is; `within` are the tensors that count."""
    found = applied(system, within)
    kinds = {name for name, _ in found.values()}
    if len(kinds) != 1:
        return {" and ".join(sorted(kinds)) or "as declared": system}
    (own,) = kinds
    return {name: _changed(system, found, own, name) for name in (own, *(n for n in ACTIVATIONS if n != own))}


def _changed(system: System, found: dict[str, tuple[str, Expr]], own: str, name: str) -> System:
    if name == own:
        return system
    equations = []
    for equation in system.equations:
        if equation.target in found:
            _, u = found[equation.target]
            body = equation.body.xreplace({ACTIVATIONS[own](u): ACTIVATIONS[name](u)})
            equation = equation.with_(body=body)
        equations.append(equation)
    return system.with_(equations=tuple(equations))
