"""What readers of a stabilised value see: a logarithm in its two parts, and nothing that is no longer needed.

Enters: the system after its sums were shifted. Leaves: the same values. Must not know: what was shifted, or
why.

`z − l` with `l = m + log s` is `(z − m) − log s`: at equal logits of 10⁶, l has lost what log s says. A map
that only unsafe shapes read is dropped, so that no later rewrite finds its value and brings the shape back.
"""

from __future__ import annotations

import sympy

from symbp.derive.definitions import inline
from symbp.derive.rules.exponentials import overflows
from symbp.derive.rules.rule import Change
from symbp.derive.stabilise.exponential_sums import written_out
from symbp.ir.expr import Access, Expr, Guard, parts_of
from symbp.ir.system import Equation, System


def in_two_parts(system: System) -> tuple[System, list[Change]]:
    """The system with `m + log s` written out wherever it is added to something."""
    changes: list[Change] = []
    constant = {e.target for e in system.equations if e.constant}
    sums = {e.target: e for e in system.equations if _peak_and_logarithm(e, constant)}
    equations = []
    for equation in system.equations:
        body = _written(equation.body, sums)
        if body != equation.body:
            after = equation.with_(body=body)
            looked = tuple(n for n in equation.read_names if n not in after.read_names)
            changes.append(Change(equation.target, (equation,), (after,), looked))
            equation = after
        equations.append(equation)
    return system.with_(equations=tuple(equations)), changes


def _peak_and_logarithm(equation: Equation, constant: set[str]) -> bool:
    if equation.reduction is not None or not equation.body.is_Add:
        return False
    peaks = [t for t in equation.body.args if isinstance(t, Access) and t.name in constant]
    rest = [t for t in equation.body.args if t not in peaks]
    return len(peaks) == 1 and all(isinstance(t, sympy.log) for t in rest)


def _written(e: Expr, sums: dict[str, Equation]) -> Expr:
    if isinstance(e, (Access, Guard, sympy.exp)) or not e.args:
        return e
    e = e.func(*[_written(a, sums) for a in e.args])
    if not e.is_Add:
        return e
    found = {}
    for term in e.args:
        access = term.as_coeff_Mul()[1]
        if isinstance(access, Access) and access.name in sums and access.outside is None:
            found[access] = inline(sums[access.name], access)
    return e.xreplace(found)


def without_unread(system: System, before: System) -> System:
    """The system without the maps of exponentials that may overflow, were read before and aren't any more."""
    read_before = {name for e in before.equations for name in e.read_names}
    while True:
        read = {name for e in system.equations for name in e.read_names} | {*system.asked}
        read |= {name for pair in system.derivatives.values() for name in pair}
        idle = [e for e in system.equations if e.target in read_before - read and e.reduction is None]
        gone = {e.target for e in idle if exposed(e.body, system)}
        if not gone:
            return system
        system = system.without(gone)


def exposed(body: Expr, system: System) -> bool:
    """Whether an exponential in a body, or in the maps that it reads, may overflow: none that is shifted by a
    maximum does."""
    written = written_out(body, system)
    constant = {e.target for e in system.equations if e.constant}
    shifted = {
        x: sympy.Dummy("shifted", positive=True)
        for x in parts_of(written, sympy.exp)
        if any(
            -t in parts_of(written, Access) and (-t).name in constant for t in sympy.Add.make_args(x.args[0])
        )
    }
    return overflows(written.xreplace(shifted)) > 0
