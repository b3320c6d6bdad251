"""Keeps what one nest alone uses in variables and rows, instead of arrays over all of its loops.

Enters: a program, and the buffers that are read when it is done. Leaves: the program in which a buffer of one
nest has no axis along which all that define and read it run together: none left, it is a variable.
Must not know: targets, what a buffer is for.

A layer norm reads each row three times. What it makes of the row on the way, `centred[n, j]`, is needed for
that n only: a row `centred[j]` stays in the cache, where the matrix would go through memory twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbp.ir.expr import Access, Expr, Index, rename, unused_name
from symbp.ir.system import Equation
from symbp.lower.program import (
    Begin,
    ElementStep,
    EquationKernel,
    Kernel,
    KernelGroup,
    Loop,
    Nest,
    Node,
    Program,
    Scan,
    leaf_kernels,
)
from symbp.lower.schedule.fusion import nest_cost

Turn = tuple[int, Index]  # a loop: its number in the nest, 0 for one around it, and its index


def in_rows(program: Program, kept: Collection[str], taken: Collection[str] = ()) -> Program:
    """The program with rows and variables for what neither `kept` nor another kernel has; rows are called
    after the buffers that they stand for, by names that are not `taken`."""
    leaves = list(leaf_kernels(program.kernels))
    users: dict[str, int] = {}
    for kernel in leaves:
        for name in {*kernel.reads, *kernel.targets}:
            users[name] = users.get(name, 0) + 1
    nests = [k for k in leaves if isinstance(k, Nest)]
    alone = {t for k in nests for t in k.targets if users[t] == 1 and t not in kept}
    axes = {name: found for k in nests for name, found in _axes(k, alone).items()}
    axes = {n: found for n, found in axes.items() if len(found) < len(program.tensors[n].shape) or not found}
    others = {*program.tensors, *taken}
    names = {name: unused_name(f"{name}_row", others) for name, found in axes.items() if found}
    kernels = _renamed_kernels(program.kernels, names, axes, {})
    return replace(
        program,
        buffers=tuple(replace(t, name=names.get(t.name, t.name)) for t in program.buffers),
        kernels=kernels,
        axes={names.get(name, name): found for name, found in axes.items()},
    )


# --- which axes remain
@dataclass
class _Uses:
    """The loops in which each element of some buffers is met: for each axis one, where it is the same
    everywhere; None where it is not. What is met in a way that no axis may be left out is `whole`: what may
    be read outside of its range, and what another turn of a loop around the nest may read."""

    nest: Nest
    wanted: Collection[str]
    loops: dict[str, list[Turn | None]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    count: int = 0

    def walk(self, nodes: Sequence[Node], around: Mapping[Index, Turn]) -> None:
        for node in nodes:
            if isinstance(node, Loop):
                self.count += 1
                self.walk(node.body, {**around, node.index: (self.count, node.index)})
            elif isinstance(node, Begin):
                self.defined(node.statement, node.fixed, around)
            else:
                self.defined(node.statement, node.names, around)
                if isinstance(node, ElementStep):
                    for access in node.statement.reads:
                        self.read(access, node.names, around)

    def defined(
        self, statement: EquationKernel, names: Mapping[Index, Index], around: Mapping[Index, Turn]
    ) -> None:
        if statement.scaling or statement.at:
            self.whole.add(statement.target)
        self.met(statement.target, [self.loop(i, names, around) for i in statement.equation.indices])

    def read(self, access: Access, names: Mapping[Index, Index], around: Mapping[Index, Turn]) -> None:
        if access.outside is not None:
            self.whole.add(access.name)
        self.met(access.name, [self.loop(s, names, around) for s in access.subscripts])

    def loop(
        self, subscript: Expr, names: Mapping[Index, Index], around: Mapping[Index, Turn]
    ) -> Turn | None:
        """The loop that gives a subscript, if one does."""
        if not isinstance(subscript, Index) or subscript not in names:
            return None
        return around.get(names[subscript], (0, names[subscript]))

    def met(self, name: str, loops: list[Turn | None]) -> None:
        if name in self.wanted:
            before = self.loops.setdefault(name, loops)
            pairs = list(zip(before, loops, strict=True))
            if any(a != b and 0 in (turn[0] for turn in (a, b) if turn) for a, b in pairs):
                self.whole.add(name)
            self.loops[name] = [a if a == b else None for a, b in pairs]


def _axes(nest: Nest, wanted: Collection[str]) -> dict[str, tuple[int, ...]]:
    """The axes that remain of each of the nest's buffers that are wanted."""
    uses = _Uses(nest, {t for t in nest.targets if t in wanted})
    uses.walk(nest.body, {})
    return {
        name: tuple(axis for axis, loop in enumerate(loops) if loop is None)
        for name, loops in uses.loops.items()
        if name not in uses.whole
    }


# --- the program with other names
def _renamed_kernels(
    kernels: Sequence[Kernel],
    names: Mapping[str, str],
    axes: Mapping[str, tuple[int, ...]],
    fixed: Mapping[Index, Expr],
) -> tuple[Kernel, ...]:
    found: list[Kernel] = []
    for kernel in kernels:
        if isinstance(kernel, KernelGroup):
            inside = {**fixed, kernel.index: kernel.extent} if isinstance(kernel, Scan) else fixed
            found.append(replace(kernel, body=_renamed_kernels(kernel.body, names, axes, inside)))
        elif isinstance(kernel, Nest) and not axes.keys().isdisjoint(kernel.targets):
            found.append(_renamed_nest(kernel, names, axes, fixed))
        else:
            found.append(kernel)
    return tuple(found)


def _renamed_nest(
    nest: Nest,
    names: Mapping[str, str],
    axes: Mapping[str, tuple[int, ...]],
    fixed: Mapping[Index, Expr],
) -> Nest:
    new = {id(s): _renamed(s, names) for s in nest.statements}
    body = tuple(_renamed_nodes(nest.body, new, names))
    local = {names.get(name, name) for name in axes}
    statements = tuple(new[id(s)] for s in nest.statements)
    return Nest(statements, body, nest_cost(statements, fixed, local))


def _renamed_nodes(
    nodes: Sequence[Node], new: dict[int, EquationKernel], names: Mapping[str, str]
) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node, Loop):
            yield Loop(node.index, node.extent, tuple(_renamed_nodes(node.body, new, names)))
        else:
            old = node.statement
            yield replace(node, statement=new[id(old)] if id(old) in new else _renamed(old, names))


def _renamed(statement: EquationKernel, names: Mapping[str, str]) -> EquationKernel:
    """The statement with its target and what it reads under their new names."""
    if not names.keys() & {statement.target, *(a.name for a in statement.reads)}:
        return statement
    best = statement.best
    return replace(
        statement,
        equation=_renamed_equation(statement.equation, names),
        at=tuple((index, rename(place, names)) for index, place in statement.at),
        best=None if best is None else best.with_(name=names.get(best.name, best.name)),
    )


def _renamed_equation(equation: Equation, names: Mapping[str, str]) -> Equation:
    return equation.with_(
        target=names.get(equation.target, equation.target),
        body=rename(equation.body, names),
        where=tuple(rename(guard, names) for guard in equation.where),
    )
