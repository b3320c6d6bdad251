"""The chain rule over scalars: the derivative by each quantity from those of all that read it.

Enters: a system of scalars with a loss. Leaves: the system with an equation for the derivative by each
parameter and by whatever stands between it and the loss. Must not know: how the scalars came about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.errors import UsageError
from symbp.ir.expr import Access, Expr, unused_name
from symbp.ir.labels import Differential
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read.lecture.local import NoLocalDerivative, reads
from symbp.read.scalar.elements import Shares

Known = Mapping[str, Shares]


def with_derivatives(forward: System, known: Known) -> tuple[System, dict[str, str]]:
    """The joint system, and which derivative belongs to each parameter. `known` says for some quantities what
    their local derivatives are made of in terms of values that there are. Raises UsageError: an equation
    without a local derivative."""
    loss = forward.loss
    assert loss is not None
    readers: dict[str, list[Equation]] = {}
    for equation in forward.equations:
        for name in equation.read_names:
            readers.setdefault(name, []).append(equation)
    active = _active(forward)
    taken = set(forward.by_name)
    names: dict[str, str] = {}
    tensors, equations = list[Tensor](), list[Equation]()
    for name in _backwards(forward, readers):
        if name == loss or name not in active:
            continue
        terms = [
            _term(equation, name, loss, names, known)
            for equation in readers.get(name, [])
            if _counts(equation, active)
        ]
        names[name] = unused_name(f"d{name}", taken)
        taken.add(names[name])
        learned = forward.tensor(name).role is Role.PARAMETER
        role = Role.GRADIENT if learned else Role.ADJOINT
        tensors.append(Tensor(names[name], (), role, differential=Differential(loss, name)))
        equations.append(Equation(names[name], (), sympy.Add(*terms), rule="chain rule"))
    gradients = {t.name: names[t.name] for t in forward.parameters if t.name in names}
    return forward.extended(tensors, equations), gradients


def _counts(equation: Equation, active: frozenset[str]) -> bool:
    return equation.target in active and not equation.constant


def _term(equation: Equation, name: str, loss: str, names: Mapping[str, str], known: Known) -> Expr:
    """What a reader adds: its own derivative times the local one, in terms of its own value where that is
    shorter, 1 − o² for 1 − tanh(n)²."""
    try:
        local = sympy.Add(*[read.slope for read in reads(equation, name)])
    except NoLocalDerivative:
        raise UsageError(
            f"{equation.target} has no derivative by {name} in a formula", help="trace without --scalar"
        ) from None
    if equation.target in known:
        local = known[equation.target].within(local)
    local = sympy.factor_terms(local) if local.is_Add else local
    if equation.body.is_Function:
        local = local.xreplace({equation.body: Access(equation.target)})
    return local if equation.target == loss else Access(names[equation.target]) * local


def _backwards(forward: System, readers: Mapping[str, Sequence[Equation]]) -> list[str]:
    """All names, each after what reads it: by the longest way to the end, leaves first, then as they come
    forward."""
    far: dict[str, int] = {}
    leaves = [t.name for t in forward.leaves]
    computed = [e.target for e in forward.equations]
    for name in (*reversed(computed), *leaves):
        far[name] = 1 + max((far[e.target] for e in readers.get(name, ())), default=-1)
    place = {name: k for k, name in enumerate((*leaves, *computed))}
    return sorted(forward.by_name, key=lambda name: (far[name], place[name]))


def _active(forward: System) -> frozenset[str]:
    """What rests on a parameter, and on which the loss rests."""
    reached = {t.name for t in forward.parameters}
    for equation in forward.equations:
        if not equation.constant and reached & set(equation.read_names):
            reached.add(equation.target)
    assert forward.loss is not None
    return frozenset(reached & forward.ancestors(forward.loss))
