"""Derivatives inside a declaration: each is replaced by the equations that compute it, before all else.

Enters: a system with declared derivatives, ∂(Σ of)/∂by. Leaves: the same with equations in closed form.
Must not know: what the derivatives are for (a penalty, a residual, a force), or how they were written.

They are eliminated in order, so that a derivative of a derivative finds the inner one computed already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbp.derive.declared.stopped import freed
from symbp.derive.derivation import DECLARED, Ground, Step
from symbp.derive.proof.confirm import close_confirmed, warn_of
from symbp.derive.sweep.reverse import adjoints
from symbp.ir.expr import Access
from symbp.ir.labels import Differential
from symbp.ir.system import Equation, Role, System, Tensor


def eliminate(system: System) -> System:
    """The system with an equation for every declared derivative; itself, if it declares none.

    Raises InvalidSystem for a tensor that isn't there.
    """
    stopped = freed(system)
    return stopped.restored(eliminated(stopped.free)[0])


def eliminated(system: System) -> tuple[System, tuple[Step, ...], tuple[Ground, ...], tuple[str, ...]]:
    """The same of a system without stopped values, the steps that led to each closed form, what they stand
    on, and sentences about forms that may be longer than they have to be."""
    steps: list[Step] = []
    grounds: list[Ground] = []
    doubts: list[str] = []
    declared, short = dict(system.derivatives), dict[str, str]()
    while system.derivatives:
        name, (of, by) = next(iter(system.derivatives.items()))
        lead = f"d{_differentiated(system, of, declared)}"
        added, found, ground, doubtful = _derivative(system, name, of, by, lead, short)
        last = max(
            (k for k, e in enumerate(system.equations) if e.target in system.ancestors(of)), default=-1
        )
        equations = (*system.equations[: last + 1], *added.equations, *system.equations[last + 1 :])
        rest = {key: pair for key, pair in system.derivatives.items() if key != name}
        helpers = tuple(t for t in added.tensors if t.name != name)
        place = [t.name for t in system.tensors].index(name)
        tensors = (*system.tensors[:place], *helpers, *system.tensors[place:])
        system = system.with_(tensors=tensors, equations=equations, derivatives=rest)
        grounds.append(Ground(len(steps), ground, ground))
        steps += found
        doubts += warn_of(doubtful)
    return system, tuple(steps), tuple(grounds), tuple(doubts)


def _derivative(
    system: System, name: str, of: str, by: str, lead: str, short: dict[str, str]
) -> tuple[System, tuple[Step, ...], System, tuple[str, ...]]:
    """The equations of one derivative, and the tensors that they define beside it; see `_names`. Also the
    steps to them, what these stand on, and which of the tensors are in doubt."""
    part = _resting_on(system, of, by)
    sweep = adjoints(part, of, [by], ones=True)
    found = close_confirmed(sweep.system.with_(loss=None), [sweep.gradients[by]])
    closed = found.system
    own = {t.name for t in part.tensors}
    names = _names(system, closed, own, {sweep.gradients[by]: name}, lead, short)
    renamed = closed.renamed(names)
    first = Step(
        DECLARED,
        f"{{{name}}} stands for the derivative of the sum of {{{of}}} by {{{by}}}; "
        "the chain rule gives it equations.",
        name,
        (),
        tuple(e for e in renamed.equations if e.target not in own),
        differential=Differential(of, by),
    )
    declared = system.tensor(name)
    tensors = tuple(
        replace(t, role=Role.HIDDEN) if t.name != name else declared
        for t in renamed.tensors
        if t.name not in own
    )
    equations = tuple(_told(e, name, of, by) for e in renamed.equations if e.target not in own)
    assert found.ground is not None
    steps = (first, *(step.renamed(names) for step in found.steps))
    doubtful = tuple(names.get(tensor, tensor) for tensor in found.doubtful)
    return System(tensors, equations), steps, found.ground.renamed(names), doubtful


def _resting_on(system: System, of: str, by: str) -> System:
    """The equations that `of` rests on, with `by` beside them."""
    needed = system.ancestors(of) | system.ancestors(by)
    tensors = tuple(_plain(t) for t in system.tensors if t.name in needed)
    equations = tuple(e for e in system.equations if e.target in needed)
    return System(tensors, equations, system.bound, outputs=(of,), conditions=system.conditions)


def _plain(tensor: Tensor) -> Tensor:
    """Inside, a loss, an output or a metric is a tensor like any other."""
    special = tensor.role in (Role.LOSS, Role.OUTPUT, Role.METRIC)
    return replace(tensor, role=Role.HIDDEN) if special else tensor


def _differentiated(system: System, of: str, declared: Mapping[str, tuple[str, str]]) -> str:
    """What a derivative is of, as it is written: `u`; `2u` where it is one of ∂(Σ u)/∂x or of its sum."""
    order = 1
    while True:
        equation = system.defining.get(of)
        source = of
        if of not in declared and equation is not None and isinstance(equation.body, Access):
            source = equation.body.name
        if source not in declared:
            return of if order == 1 else f"{order}{of}"
        of, order = declared[source][0], order + 1


def _names(
    system: System, closed: System, own: set[str], names: dict[str, str], lead: str, short: dict[str, str]
) -> dict[str, str]:
    """Names for what a derivative rests on, beside its own in `names`: `du_dh` for ∂(Σ u)/∂h, `d2u_dh` in a
    derivative of a derivative. `short` says for each, and is told, what stands behind its `du_`."""
    taken, names = set(system.by_name), dict(names)
    for tensor in closed.tensors:
        if tensor.name in own or tensor.name in names:
            continue
        stem = tensor.name
        if stem.startswith("d"):
            adjoint_of = max((t for t in own if stem.startswith(f"d{t}")), key=len, default="")
            stem = f"d{short.get(adjoint_of, adjoint_of)}{stem[1 + len(adjoint_of) :]}"
        named = f"{lead}_{stem}" if stem.startswith("d") else stem
        candidate, count = named, 1
        while candidate in taken:
            count += 1
            candidate = f"{named}_{count}"
        taken.add(candidate)
        names[tensor.name], short[candidate] = candidate, stem
    return names


def _told(equation: Equation, name: str, of: str, by: str) -> Equation:
    """The equation says what it is for."""
    if equation.target != name:
        return equation
    return equation.with_(rule=f"derivative of {of} by {by}; {equation.rule}")
