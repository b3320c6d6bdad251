"""Values through which a declaration lets no gradient pass: while deriving, each is a leaf of its own.

Enters: a system with `constant` equations. Leaves: the same with these targets as inputs, and the way back.
Must not know: what is stopped (a target, a code, a step function), how gradients are found.

The gradient of L(x, c), c = x held constant, is that of the function of two variables at c = x. So nothing
may take c for x while there is anything left to differentiate or to compare: a second derivative would miss
x, a search by value would read c in place of x, and the logarithm of a stopped softmax would be looked
through. As a leaf, c has values of its own at every point, and no definition. Whatever holds for all values
of c holds at c = x, so its equation comes back at the end and nothing else changes.

What a stopped value is computed from is a tensor like any other, asked for by name, so it keeps its value
and is stabilised. A floor is stopped at the step itself: it keeps its equation, what it rounds is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from symbp.derive.definitions import fresh_name, inline
from symbp.derive.rules.same import canonical
from symbp.ir.expr import Access, Expr, JumpFunction, accesses, rename
from symbp.ir.groups import groups
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, Fact, Role, System, Tensor


@dataclass(frozen=True)
class Stopped:
    """`free` is the `declared` system with stopped values as inputs; `equations` are theirs, in order;
    `sources` maps the tensors from which they are computed, where the declaration has none, to them."""

    declared: System
    free: System
    equations: tuple[Equation, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    def needed(self, names: Iterable[str]) -> tuple[str, ...]:
        """The tensors that the stopped values rest on which these tensors need."""
        resting = self.declared.resting(names)
        read = [n for e in self.equations if e.target in resting for n in e.read_names]
        return tuple(n for n in dict.fromkeys(read) if n in self.free.defining)

    def restored(self, system: System) -> System:
        """A system with the stopped values' own equations in it, each before its first reader."""
        if not self.equations:
            return system
        pending = {e.target: e for e in self.equations}
        equations: list[Equation] = []

        def place(names: Iterable[str]) -> None:
            for name in names:
                if name in pending:
                    equation = pending.pop(name)
                    place(equation.read_names)
                    equations.append(equation)

        for equation in system.equations:
            place(equation.read_names)
            equations.append(equation)
        place(self.declared.asked)
        own = {t.name: t for t in self.declared.tensors if t.name not in pending}
        stopped = {e.target for e in self.equations}
        tensors = tuple(
            own[t.name] if t.name in stopped else t for t in system.tensors if t.name not in pending
        )
        whole = system.with_(
            tensors=tensors,
            equations=tuple(equations),
            outputs=tuple(n for n in system.outputs if n in self.declared.outputs),
            metrics=tuple(n for n in system.metrics if n in self.declared.metrics),
        )
        whole = self._without_sources(whole)
        return whole.with_(equations=tuple(e for group in groups(whole) for e in group.equations))

    def _without_sources(self, system: System) -> System:
        """Sources that are maps, and that nothing else reads, are written into what they are for."""
        readers: dict[str, list[str]] = {}
        for equation in system.equations:
            for name in equation.read_names:
                readers.setdefault(name, []).append(equation.target)
        gone: dict[str, Equation] = {}
        for source, target in self.sources.items():
            definition = system.defining.get(source)
            alone = readers.get(source) == [target]
            if definition is not None and definition.reduction is None and alone:
                gone[source] = definition
        equations = []
        for equation in system.equations:
            if equation.target in gone:
                continue
            reads = {a: inline(gone[a.name], a) for a in accesses(equation.body) if a.name in gone}
            equations.append(equation.with_(body=equation.body.xreplace(reads)) if reads else equation)
        tensors = tuple(t for t in system.tensors if t.name not in gone)
        return system.with_(tensors=tensors, equations=tuple(equations))


def freed(system: System) -> Stopped:
    """The system with its stopped values as inputs; itself, if it stops none."""
    if not any(equation.constant for equation in system.equations):
        return Stopped(system, system)
    twins = _twins(system)
    merged = _merged(system, twins)
    signs = Signs(merged, merged.equations)
    equations: list[Equation] = []
    stopped: list[Equation] = []
    sources: dict[str, str] = {}
    tensors = {t.name: t for t in merged.tensors}
    for equation in merged.equations:
        if not equation.constant:
            equations.append(equation)
            continue
        for core in _cores(equation):
            source = fresh_name(merged.with_(tensors=tuple(tensors.values())), f"{equation.target}_of")
            sources[source] = equation.target
            equations.append(equation.with_(target=source, body=core, constant=False))
            new = Tensor(source, equation.shape, origin=equation.origin)
            tensors = _inserted(tensors, equation.target, new)
            equation = equation.with_(body=_with(equation.body, core, Access(source, *equation.indices)))
        stopped.append(equation)
        tensors[equation.target] = _leaf(tensors[equation.target], equation, signs)
    free = merged.with_(tensors=tuple(tensors.values()), equations=tuple(equations))
    found = Stopped(merged, free, tuple(stopped), sources)
    trained = found.needed(
        [*merged.outputs, *([merged.loss] if merged.loss else []), *merged.updates.values()]
    )
    late = tuple(n for n in found.needed(merged.asked) if n not in trained)
    outputs = (*merged.outputs, *(n for n in trained if n not in merged.outputs))
    metrics = (*merged.metrics, *(n for n in late if n not in merged.metrics))
    return replace(found, free=free.with_(outputs=outputs, metrics=metrics))


def _cores(equation: Equation) -> list[Expr]:
    """What is to be computed before it is stopped: the body of a map, or what a step is of, unless that is a
    tensor."""
    if equation.reduction is not None:
        return []
    body = equation.body
    cores = list(dict.fromkeys(body.args)) if isinstance(body, JumpFunction) else [body]
    return [core for core in cores if not isinstance(core, Access) and not core.is_number]


def _with(body: Expr, core: Expr, read: Expr) -> Expr:
    """The body with a read in the place of what it is made of."""
    if isinstance(body, JumpFunction):
        return body.func(*[read if arg == core else arg for arg in body.args])
    return read


def _leaf(tensor: Tensor, equation: Equation, signs: Signs) -> Tensor:
    """The stopped value as an input, with the sign that it is known to have."""
    read = tensor.at(*equation.indices)
    facts = set(tensor.facts)
    if signs.positive(read):
        facts.add(Fact("positive"))
    elif signs.nonnegative(read):
        facts.add(Fact("nonnegative"))
    return replace(tensor, role=Role.INPUT, facts=frozenset(facts))


def _twins(system: System) -> dict[str, str]:
    """What is stopped twice alike: the second name, and the first."""
    first: dict[object, str] = {}
    found: dict[str, str] = {}
    asked = set(system.asked)
    for equation in system.equations:
        if equation.constant and equation.target not in asked:
            names = {n: found[n] for n in equation.read_names if n in found}
            key = canonical(equation.with_(body=rename(equation.body, names)))
            known = first.setdefault(key, equation.target)
            if known != equation.target:
                found[equation.target] = known
    return found


def _merged(system: System, twins: Mapping[str, str]) -> System:
    """The system with each of the twins once."""
    if not twins:
        return system
    return system.without(twins).renamed(twins)


def _inserted(tensors: Mapping[str, Tensor], before: str, new: Tensor) -> dict[str, Tensor]:
    """The tensors with a new one before another."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name == before:
            found[new.name] = new
        found[name] = tensor
    return found
