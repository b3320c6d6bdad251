"""The network as a graph: who reads whom, and beneath it the backward pass with its local Jacobians.

Enters: the reading of a derivation by a textbook. Leaves: a frozen graph. Must not know: places, colours,
formats, how a symbol is spelled.

A node is a tensor of the forward pass, an edge one of its reads. In the backward pass a node is an adjoint,
and an edge carries the factor that the chain rule multiplies the reader's adjoint with. The factor has values
of the forward pass in it, and no adjoint: so the backward pass is linear, and these values are its weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sympy

from symbp.derive.sweep.ranges import within_ranges
from symbp.explain.drawing.loops import Delays, delays
from symbp.ir.expr import Access, Expr, Guard, Index, accesses, free_indices
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read.lecture.jacobian import Jacobian, all_reads, jacobian
from symbp.read.lecture.local import NoLocalDerivative
from symbp.read.reading import Reading
from symbp.read.textbook.terms import zeros_outside

ADJOINT = "__adjoint"  # of a reader, as a factor


@dataclass(frozen=True)
class Node:
    """A tensor of the forward pass: the numbers of its equations, none of a leaf; `recurrent`, if it belongs
    to a recurrence. `step` says which of several copies it is."""

    name: str
    tensor: str
    role: Role
    shape: tuple[Expr, ...]
    numbers: tuple[int, ...] = ()
    recurrent: bool = False
    step: str = ""


@dataclass(frozen=True)
class Edge:
    """`reader` reads `read`; with a `delay`, `t - 1`, at another step."""

    read: str
    reader: str
    delay: Expr | None = None


@dataclass(frozen=True)
class Adjoint:
    """∂loss/∂ a node; `tensor` is what the page calls it, None where it has no equation of its own there."""

    node: str
    tensor: str | None
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Flow:
    """What the adjoint of `read` gets from that of `reader`: `jacobian` is the factor, None where that is no
    formula of one element by another; `saved` are the nodes whose values it has. With a `delay`, `t + 1`, it
    comes from another step."""

    reader: str
    read: str
    jacobian: Jacobian | None
    saved: tuple[str, ...] = ()
    delay: Expr | None = None


@dataclass(frozen=True)
class Graph:
    """`nodes` in the order of evaluation, `adjoints` and `flows` of the backward pass; `beside` are the
    numbers of the page's equations that aren't drawn: what measures, what differs at inference."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    adjoints: tuple[Adjoint, ...]
    flows: tuple[Flow, ...]
    beside: tuple[int, ...] = ()

    @property
    def by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}


def graph(reading: Reading, *, backward: bool = True) -> Graph:
    """The graph of a page; of one that isn't of gradients, or without `backward`, the forward pass alone."""
    drawn = forward_equations(reading)
    system = reading.derivation.system
    numbers: dict[str, list[int]] = {}
    for line in reading.lines:
        numbers.setdefault(line.target, []).append(line.number)
    steps = delays(system, drawn)
    read = {name for e in drawn.values() for name in e.read_names}
    nodes = [Node(t.name, t.name, t.role, t.shape) for t in system.leaves if t.name in read]
    for name in drawn:
        tensor = system.tensor(name)
        nodes.append(Node(name, name, tensor.role, tensor.shape, tuple(numbers[name]), name in steps.members))
    edges = tuple(edge for e in drawn.values() for edge in _edges(reading, e, steps))
    flows = _flows(reading, drawn, steps) if backward and reading.derivation.is_gradient else ()
    adjoints = _adjoints(reading, nodes, flows, numbers)
    shown = {k for node in nodes for k in node.numbers} | {k for a in adjoints for k in a.numbers}
    beside = tuple(line.number for line in reading.lines if line.number not in shown)
    return Graph(tuple(nodes), edges, adjoints, flows, beside)


def forward_equations(reading: Reading) -> dict[str, Equation]:
    """The equations that are drawn, by target in the order of the page: the forward pass, without what only
    measures or differs at inference."""
    system = reading.derivation.system
    asked = [name for name in (system.loss, *system.outputs) if name is not None]
    behind = [name for e in reading.derivation.backward for name in e.read_names]
    needed = system.resting([*asked, *behind])
    targets = [line.target for line in reading.lines]
    forward = {e.target: e for e in reading.derivation.forward if e.target in needed}
    return {name: forward[name] for name in dict.fromkeys(targets) if name in forward}


def _edges(reading: Reading, equation: Equation, steps: Delays) -> Iterable[Edge]:
    found: dict[Edge, None] = {}
    for access in equation.reads:
        found.setdefault(Edge(access.name, equation.target, _delay(reading, equation, access, steps, 1)))
    return sorted(found, key=lambda e: (equation.read_names.index(e.read), str(e.delay)))


def _delay(reading: Reading, equation: Equation, access: Access, steps: Delays, sign: int) -> Expr | None:
    """The step that a read goes to, `t - 1`, in the page's letters; backwards, with the sign −1, `t + 1`."""
    moved = steps.of(equation, access)
    if moved is None:
        return None
    index, shift = moved
    return reading.lettering.of(equation).get(index, index) + sign * shift


def _flows(reading: Reading, drawn: Mapping[str, Equation], steps: Delays) -> tuple[Flow, ...]:
    """The flows of the backward pass on the way from the loss to what is asked for, from the loss on."""
    system = reading.derivation.system
    found: dict[Flow, None] = {}
    for equation in reversed(list(drawn.values())):
        for read in equation.read_names:
            for flow in _from(reading, equation, read, drawn, steps):
                found.setdefault(flow)
    into: dict[str, list[str]] = {}
    out: dict[str, list[str]] = {}
    for flow in found:
        into.setdefault(flow.read, []).append(flow.reader)
        out.setdefault(flow.reader, []).append(flow.read)
    asked = reading.derivation.gradients
    on_the_way = _closure([system.loss] if system.loss else [], out) & _closure(asked, into)
    return tuple(f for f in found if {f.read, f.reader} <= on_the_way)


def _closure(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    stack = list(start)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += edges.get(name, ())
    return found


def _from(
    reading: Reading, equation: Equation, read: str, drawn: Mapping[str, Equation], steps: Delays
) -> list[Flow]:
    """The flows from one reader to one tensor that it reads."""
    system = reading.derivation.system
    if not _passes_on(system, equation, read):
        return []
    try:
        reads = all_reads(system, equation, read)
        locals_ = [jacobian(system, equation, one, _plain(reading, read)) for one in reads]
    except NoLocalDerivative:
        return _without_formula(reading, equation, read, drawn, steps)
    found: dict[tuple[Expr, ...], tuple[Jacobian, Expr | None]] = {}
    for one, local in zip(reads, locals_, strict=True):
        delay = _delay(reading, equation, one.access, steps, -1)
        place = (local.of, local.by, *local.left)
        if place in found:  # the same element in several terms
            local = replace(local, slope=local.slope + found[place][0].slope)
        found[place] = local, delay
    return [
        Flow(equation.target, read, local, _read_names(local.slope), delay)
        for local, delay in found.values()
        if local.slope != 0
    ]


def _without_formula(
    reading: Reading, equation: Equation, read: str, drawn: Mapping[str, Equation], steps: Delays
) -> list[Flow]:
    """The flows of a reader whose local derivative is no formula, one for each step that it reads from."""
    saved = _places(equation, drawn)
    delays = (_delay(reading, equation, a, steps, -1) for a in equation.reads if a.name == read)
    return [Flow(equation.target, read, None, saved, delay) for delay in dict.fromkeys(delays)]


def _read_names(e: Expr) -> tuple[str, ...]:
    return tuple(dict.fromkeys(access.name for access in accesses(e)))


def _places(equation: Equation, drawn: Mapping[str, Equation]) -> tuple[str, ...]:
    """The tensors that say where the maximum lies, if the equation is one."""
    if equation.op != "max":
        return ()
    names = set(equation.read_names)
    return tuple(n for n, e in drawn.items() if e.op == "argmax" and names == set(e.read_names))


def _passes_on(system: System, equation: Equation, read: str) -> bool:
    """Whether the equation's value can depend on the tensor differentiably."""
    if equation.constant or equation.op in ("argmax", "argsort"):
        return False
    return not any(system.tensor(name).integer for name in (equation.target, read))


def _plain(reading: Reading, name: str) -> tuple[Index, ...]:
    """The indices of an adjoint: those of its equation, or of the tensor's, or new ones."""
    system = reading.derivation.system
    shape = system.tensor(name).shape
    for known in (system.defining.get(_page_names(reading).get(name, "")), system.defining.get(name)):
        if known is not None and len(known.indices) == len(shape):
            return known.indices
    return tuple(Index(f"a{k}") for k in range(len(shape)))


def _page_names(reading: Reading) -> dict[str, str]:
    """What the page calls the derivative of the loss by each tensor."""
    system = reading.derivation.system
    return {
        what.by: e.target
        for e in system.equations
        if (what := system.tensor(e.target).differential) and not what.part and what.of == system.loss
    } | dict(reading.derivation.gradients)


def _adjoints(
    reading: Reading, nodes: Iterable[Node], flows: Iterable[Flow], numbers: Mapping[str, list[int]]
) -> tuple[Adjoint, ...]:
    """The adjoints that flows lead to. What the backward pass computes on its way, under no adjoint's name,
    goes with the first that needs it."""
    system = reading.derivation.system
    names, reached = _page_names(reading), {n for f in flows for n in (f.read, f.reader)}
    called = {name: names.get(name) for name in (n.name for n in nodes) if name in reached}
    owners = {name: node for node, name in called.items() if name is not None}
    own: dict[str, list[int]] = {node: list(numbers.get(name or "", ())) for node, name in called.items()}
    for equation in reading.derivation.backward:
        if equation.target in owners or equation.target not in numbers:
            continue
        reader = _first_owner(system, equation.target, owners)
        if reader is not None:
            own[reader] += numbers[equation.target]
    return tuple(Adjoint(node, name, tuple(sorted(own[node]))) for node, name in called.items())


def _first_owner(system: System, name: str, owners: Mapping[str, str]) -> str | None:
    """The first adjoint, in the order of evaluation, that rests on a helper directly or through others."""
    resting = {name}
    for equation in system.equations:
        if equation.target not in resting and resting & set(equation.read_names):
            if equation.target in owners:
                return owners[equation.target]
            resting.add(equation.target)
    return None


def lettered(reading: Reading, local: Jacobian) -> Jacobian:
    """A Jacobian with the letters of the page, without the brackets that only keep `of` in its range."""
    system = reading.derivation.system
    slope = _in_range(local, system.by_name)
    used = {i for i in local.extents if any(i in free_indices(e) for e in (slope, local.of, local.by))}
    own = list(local.by.subscripts)
    indices = tuple(sorted(used, key=lambda i: (own.index(i) if i in own else len(own), i.name)))
    frame = Equation("", indices, slope, ranges=tuple(local.extents[i] for i in indices))
    renamed = reading.lettering.of(frame)
    apart = {old: Index(f"{old.name}__apart") for old in renamed}
    back = {apart[old]: new for old, new in renamed.items()}

    def shown(e: Expr) -> Expr:
        return e.xreplace(apart).xreplace(back).xreplace(dict(reading.lengths))

    origin = reading.origin
    return Jacobian(
        origin.access(shown(local.of)),
        origin.access(shown(local.by)),
        origin.value(shown(slope)),
        tuple(renamed.get(i, i) for i in local.left if i in used),
        {renamed.get(i, i): local.extents[i] for i in indices},
    )


def _in_range(local: Jacobian, tensors: Mapping[str, Tensor]) -> Expr:
    """The slope without the brackets that hold wherever the element of the reader is there."""
    outer = Access(ADJOINT, *local.of.subscripts)
    shape = replace(tensors[local.of.name], name=ADJOINT)
    product = zeros_outside(sympy.Mul(outer, local.slope), {**tensors, ADJOINT: shape})
    rest = [f for f in sympy.Mul.make_args(product) if not (isinstance(f, Access) and f.name == ADJOINT)]
    slope = within_ranges(sympy.Mul(*rest), lambda name: tensors[name].shape, local.extents)
    return slope.xreplace({g: _at_start(g) for g in slope.atoms(Guard)})


def _at_start(guard: Guard) -> Expr:
    """[t = 0] for [t ≤ 0]."""
    at_start = guard.op == "<=" and isinstance(guard.lhs, Index) and guard.rhs == 0
    return Guard("=", guard.lhs, 0) if at_start else guard
