"""The loss of a system as a function of arrays that nothing is ever written to.

Enters: a system as it was declared. Leaves: a definition, in NumPy's words. Must not know: frameworks.

Where values rest on those of another step, a tensor of the loop is a list with an array for each step,
stacked behind it; one that nobody reads at another step is this step's array alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symbp.codegen import infer
from symbp.codegen.arguments import KEPT, sizes_of, unpacked, used_names, variable
from symbp.codegen.arrays import Frame, Variable, filled, right_hand_side
from symbp.codegen.arrays.bodies import length
from symbp.codegen.arrays.frame import Steps
from symbp.codegen.names import Names
from symbp.codegen.passes import in_bodies, named_repeats
from symbp.codegen.tree import Assign, Define, Expression, For, If, Name, Return, Statement
from symbp.ir.expr import Access, Size
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, Role, System, Tensor

FUNCTION = "loss"
Running = Mapping[str, tuple[Steps, ...]]
"""The tensors that the loops around are filling in, with their lists."""


@dataclass(frozen=True)
class Page:
    """A system with the identifiers of its tensors and sizes; `wanted` are the tensors asked for."""

    system: System
    tensors: Mapping[str, str]
    sizes: Mapping[str, str]
    names: Names
    wanted: tuple[str, ...]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """What is wanted rests on these, in the order of evaluation."""
        return groups(self.system, self.wanted)

    @cached_property
    def readers(self) -> dict[str, list[tuple[str, Access]]]:
        """Who reads each tensor, and how."""
        found: dict[str, list[tuple[str, Access]]] = {}
        for equation in (e for group in self.groups for e in group.equations):
            for access in equation.reads:
                found.setdefault(access.name, []).append((equation.target, access))
        return found

    @cached_property
    def frame(self) -> Frame:
        """In which every right-hand side is lowered."""
        variables = {t.name: self._variable(t) for t in self.system.tensors}
        bound = {Size(n): sympy.Integer(value) for n, value in self.system.bound.items()}
        return Frame(variables, self.sizes, bound=bound, differentiated=True)

    def _variable(self, tensor: Tensor) -> Variable:
        below = tensor.fact("below")
        kind = "integer" if tensor.integer else "real"
        node = infer.name(self.tensors[tensor.name], tensor.shape, kind)  # type: ignore[arg-type]
        return Variable(node, below.bound if below else None)


def page(system: System, taken: Iterable[str], wanted: Iterable[str] | None = None) -> Page:
    """The system with names for code; those taken are for others. Without `wanted`, the loss is."""
    names = Names(taken)
    tensors = {t.name: names.give(t.name) for t in system.leaves}
    sizes = {n: names.give(n, f"size_{n}") for n in dict.fromkeys((*system.sizes, *system.bound))}
    tensors |= {t.name: names.give(t.name) for t in system.tensors if t.name not in tensors}
    return Page(system, tensors, sizes, names, tuple([system.loss or ""] if wanted is None else wanted))


def statements(page: Page) -> list[Statement]:
    """What computes all that is wanted, of the variables of leaves and sizes."""
    return [s for group in page.groups for s in _group(page, group, {})]


def loss_function(page: Page) -> Define:
    """The loss of parameters and data."""
    system = page.system
    assert system.loss is not None
    result = variable(page, system.tensor(system.loss))
    body = statements(page)
    used = used_names([*body, Return(result)])
    read = [t for t in system.leaves if t.role is not Role.HYPER and page.tensors[t.name] in used]
    head = [*unpacked(page, read), *sizes_of(page, used, read)]
    tables = [word for role, word in KEPT.items() if any(t.role is role for t in read)]
    arguments = [infer.word(word) for word in tables]
    given = [t for t in read if t.role not in KEPT]
    arguments += [variable(page, t) for t in sorted(given, key=lambda t: t.role is Role.RANDOM)]
    made = Define(FUNCTION, tuple(arguments), ("The loss.",), (*head, *body, Return(result)))
    named = in_bodies(made, lambda some: named_repeats(some, page.names.give, masks=True))
    assert isinstance(named, Define)
    return named


def _group(page: Page, group: Group, running: Running) -> list[Statement]:
    if group.loop is None:
        return [_line(page, group.equations[0], running)]
    axis, first = group.loop.axis, group.equations[0]
    counter = _loop_variable(page, first.indices[axis[first.target]].name)
    extents = {e.target: e.ranges[axis[e.target]] for e in group.equations}
    counts = {name: length(extent, page.frame) for name, extent in extents.items()}
    steps = {e.target: _steps(page, group, e, counter.id, running) for e in group.equations}
    inside = {n: (*running.get(n, ()), steps[n]) for n in group.targets}
    nothing = infer.list_of(infer.number("None", "object"))
    kept = [e for e in group.equations if not steps[e.target].alone]
    made = [Assign(steps[e.target].node, infer.binary("*", nothing, counts[e.target])) for e in kept]
    body: list[Statement] = []
    longest, several = counts[first.target], len(set(extents.values())) > 1
    if several:
        longest = infer.call("max", *dict.fromkeys(counts.values()), shape=(), dtype="integer")
    for inner in group.inner:
        statements = _group(page, inner, {**running, **inside})
        if several:
            statements = [If(infer.binary("<", counter, counts[inner.targets[0]]), tuple(statements))]
        body += statements
    over: Expression = infer.called("range", longest)
    if group.loop.step < 0:
        over = infer.called("reversed", over)
    later = [e for e in kept if _is_read_later(page, group, e.target)]
    stacked = [_stacked(page, e, steps[e.target], running) for e in later]
    return [*made, For(counter, over, tuple(body)), *stacked]


def _loop_variable(page: Page, letter: str) -> Name:
    """The letter of an index as a variable; one that is taken for another thing gets an underscore."""
    taken = {*page.tensors.values(), *page.sizes.values()}
    while letter in taken:
        letter += "_"
    return infer.integer(letter)


def _steps(page: Page, group: Group, equation: Equation, at: str, running: Running) -> Steps:
    """The list of a tensor's steps, under its own name or, within another loop whose list has that, under
    another one; or one step's array."""
    assert group.loop is not None
    name, axis = equation.target, group.loop.axis
    index = {e.target: group.loop_index(e) for e in group.equations}
    here = [(reader, a) for reader, a in page.readers.get(name, ()) if reader in axis]
    alone = not _is_read_later(page, group, name) and all(
        a.subscripts[axis[name]] == index[reader] for reader, a in here
    )
    node, before = variable(page, page.system.tensor(name)), running.get(name, ())
    identifier = node.id
    if any(not step.alone for step in before):
        identifier = page.names.give(f"{node.id}_row", f"{node.id}_steps")
    gone = {axis[name], *(step.axis for step in before)}
    shape = tuple(e for k, e in enumerate(node.shape) if k not in gone)
    array = infer.name(identifier, shape, node.dtype)
    return Steps(axis[name], array if alone else infer.word(identifier), at, alone)


def _is_read_later(page: Page, group: Group, name: str) -> bool:
    """Whether anything behind a loop rests on one of its tensors."""
    outside = any(reader not in group.targets for reader, _ in page.readers.get(name, ()))
    return outside or name in page.wanted


def _stacked(page: Page, equation: Equation, steps: Steps, running: Running) -> Assign:
    """All steps as one array."""
    place = steps.axis - sum(step.axis < steps.axis for step in running.get(equation.target, ()))
    target = _target(page, equation, running)
    more = {"axis": infer.number(place)}
    call = infer.call("np.stack", steps.node, shape=target.shape, dtype=target.dtype, more=more)
    return Assign(target, call)


def _target(page: Page, equation: Equation, running: Running) -> Expression:
    """The variable of a tensor, or in a loop its place in the list."""
    node = variable(page, page.system.tensor(equation.target))
    steps = running.get(equation.target, ())
    if not steps:
        return node
    if steps[-1].alone:
        return steps[-1].node
    gone = {step.axis for step in steps}
    shape = tuple(e for k, e in enumerate(node.shape) if k not in gone)
    at = infer.integer(steps[-1].at)
    return replace(infer.sliced(steps[-1].node, [at], shape), dtype=node.dtype)


def _line(page: Page, equation: Equation, running: Running) -> Assign:
    """`target = value`, of a whole array or of one step."""
    loops = {equation.indices[step.axis]: step.at for step in running.get(equation.target, ())}
    variables = dict(page.frame.variables)
    for name, steps in running.items():
        variables[name] = replace(variables[name], steps=steps)
    frame = replace(page.frame, variables=variables, running=loops).within(equation.extents)
    target = _target(page, equation, running)
    value = right_hand_side(equation, frame, target.dtype == "integer")
    axes = tuple(i for i in equation.indices if i not in loops)
    node = filled(value, axes, frame.extents, lambda e: length(e, frame))
    if equation.constant and target.dtype == "real":
        node = infer.call("stop_gradient", node, shape=node.shape)
    return Assign(target, node)
