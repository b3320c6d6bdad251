"""The equations of an update as functions of whole arrays, for rules of more than one loop over entries.

Enters: a system over one generic parameter, its numbers. Leaves: `Piece`s, lines with their arguments.
Must not know: networks, which optimizers exist, targets' own layout.

What rests on other elements of itself, or reads others beside its own, runs in a loop along that axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbp.codegen import infer
from symbp.codegen.arrays import Frame, Variable, aligned, filled, right_hand_side
from symbp.codegen.arrays.bodies import length
from symbp.codegen.names import Names
from symbp.codegen.printer import text
from symbp.codegen.tree import Assign, Binary, Call, Choice, Constant, Expression, Node, Slice
from symbp.errors import LoweringError
from symbp.ir.expr import Index, free_indices
from symbp.ir.groups import groups
from symbp.ir.system import Equation, System

SIZES = {"R": "rows", "C": "columns", "P": "entries", "H": "history"}
TAKEN = ("np", "math", "DTYPE", "value", *SIZES.values())
PREFIX = "U"


@dataclass(frozen=True)
class Piece:
    """A function's `arguments`, by the names of tensors, and its lines, relative to its own indentation."""

    arguments: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Spelling:
    """How a target writes: zeros of a shape, as `np.zeros({}, DTYPE)`; `cast` whether numbers of double
    precision meet arrays of single precision; `means` whether it has a mean along an axis."""

    zeros: str = "np.zeros({})"
    cast: bool = False
    means: bool = True


def updating(
    system: System, numbers: Mapping[str, int], spelling: Spelling, without: Iterable[str] = ()
) -> Piece:
    """What gives the parameter and its moments their next values; tensors of `without` are given."""
    writer = _Writer(system, numbers, spelling, set(without))
    lines = writer.lines()
    for old, new in system.updates.items():
        rank = len(system.tensor(old).shape)
        lines.append(f"{writer.names[old]}[{':' if rank == 1 else '...'}] = {writer.names[new]}")
    return writer.piece(lines, tuple(system.updates))


def total(equation: Equation, system: System, number: int, spelling: Spelling) -> Piece:
    """The sum of an equation over what it is given."""
    one = system.with_(equations=(equation,), updates={})
    writer = _Writer(one, {equation.target: number}, spelling, set())
    value = writer.value(equation, {})
    return writer.piece([f"return {text(value)}{writer.note(equation.target)}"], ())


def scalars(equations: Sequence[Equation], system: System, numbers: Mapping[str, int]) -> list[str]:
    """The lines of numbers that are computed from numbers."""
    writer = _Writer(system, numbers, Spelling(), set(), renamed=False)
    return [line for equation in equations for line in writer.assigned(equation)]


class _Writer:
    """Lines of equations; each tensor has an identifier."""

    def __init__(
        self,
        system: System,
        numbers: Mapping[str, int],
        spelling: Spelling,
        without: set[str],
        renamed: bool = True,
    ) -> None:
        left = tuple(e for e in system.equations if e.target not in without)
        self.system, self.numbers, self.spelling = system.with_(equations=left), numbers, spelling
        given = Names(TAKEN if renamed else ())
        self.names = {t.name: given.give(t.name) if renamed else t.name for t in system.tensors}
        variables = {
            t.name: Variable(infer.name(self.names[t.name], t.shape, "integer" if t.integer else "real"))
            for t in system.tensors
        }
        self.frame = Frame(variables, SIZES)

    def piece(self, lines: Sequence[str], changed: Iterable[str]) -> Piece:
        """The lines, behind those that find the sizes they mention; the arguments that they read."""
        words = " ".join(lines)
        defined = {e.target for e in self.system.equations}
        leaves = [t for t in self.system.tensors if t.name not in defined]
        read = {*changed} | {name for e in self.system.equations for name in e.read_names}
        head, known = [], set[str]()
        for tensor in leaves:
            for axis, extent in enumerate(tensor.shape):
                size = SIZES[str(extent)]
                if size in words and size not in known and tensor.name in read:
                    known.add(size)
                    head.append(f"{size} = {self.names[tensor.name]}.shape[{axis}]")
        return Piece(tuple(t.name for t in leaves if t.name in read), (*head, *lines))

    def lines(self) -> list[str]:
        found: list[str] = []
        for group in groups(self.system):
            if group.loop is not None:
                along = {e.target: group.loop_index(e) for e in group.equations}
                found += self._loop(group.equations, along, down=group.loop.step < 0)
                continue
            (equation,) = group.equations
            moved = _moved(equation)
            if moved is None:
                found += self.assigned(equation)
            else:
                found += self._loop([equation], {equation.target: moved}, down=False)
        return found

    def note(self, target: str) -> str:
        return f"  # ({PREFIX}{self.numbers[target]})"

    def assigned(self, equation: Equation) -> list[str]:
        """`target = value`."""
        value = self.value(equation, {})
        node = Assign(self.frame.variables[equation.target].node, value)
        return self._noted(text(node).splitlines(), equation.target)

    def value(self, equation: Equation, running: Mapping[Index, str]) -> Expression:
        frame = replace(self.frame.within(equation.extents), running=running)
        found = right_hand_side(equation, frame, False)
        axes = tuple(i for i in equation.indices if i not in running)
        if running:
            node = aligned(found, axes)
        else:
            node = filled(found, axes, frame.extents, lambda e: length(e, frame))
        node = _chosen(_either(node if self.spelling.means else _without_means(node)))
        strange = {name for name in node.calls() if not name.startswith(("np.", "."))}
        if strange:
            raise LoweringError(f"an update cannot call {', '.join(sorted(strange))}")
        if self.spelling.cast and axes:
            kind = infer.name("DTYPE", (), "object")
            node = infer.call(".astype", node, kind, shape=node.shape, dtype=node.dtype)
        return node

    def _loop(self, equations: Sequence[Equation], along: Mapping[str, Index], *, down: bool) -> list[str]:
        """Arrays of zeros, filled in along an axis."""
        made, body = [], list[str]()
        count = ""
        for equation in equations:
            index = along[equation.target]
            variable = "at" if index.name in self.names.values() else index.name
            target = self.frame.variables[equation.target].node
            sizes = [text(length(e, self.frame)) for e in target.shape]
            shape = f"({', '.join(sizes)})" if len(sizes) > 1 else sizes[0]
            made.append(f"{self.names[equation.target]} = {self.spelling.zeros.format(shape)}")
            count = text(length(equation.extents[index], self.frame))
            items: list[Node] = [
                infer.name(variable, (), "integer") if i == index else Slice() for i in equation.indices
            ]
            while isinstance(items[-1], Slice):
                items.pop()
            node = Assign(infer.subscript(target, *items), self.value(equation, {index: variable}))
            body += self._noted(text(node).splitlines(), equation.target)
        over = f"range({count} - 1, -1, -1)" if down else f"range({count})"
        return [*made, f"for {variable} in {over}:", *(f"    {line}" for line in body)]

    def _noted(self, lines: list[str], target: str) -> list[str]:
        return [*lines[:-1], lines[-1] + self.note(target)]


def _moved(equation: Equation) -> Index | None:
    """The index along which an equation reads other elements than its own."""
    for access in equation.reads:
        for subscript in access.subscripts:
            for index in equation.indices:
                if subscript != index and index in free_indices(subscript):
                    return index
    return None


AGAINST = {"<": "<=", "<=": "<"}
"""With its sides exchanged, what a comparison of numbers is the contrary of."""


def _branches(node: Any) -> tuple[Any, Any] | None:
    """(condition, value) of what is 0 where the condition holds, and else the value."""
    if isinstance(node, Choice):
        parts = node.condition, node.then, node.otherwise
    elif isinstance(node, Call) and node.name == "np.where":
        parts = node.arguments  # type: ignore[assignment]
    else:
        return None
    zero = isinstance(parts[1], Constant) and parts[1].text == "0"
    return (parts[0], parts[2]) if zero else None


def _either(node: Any) -> Any:
    """A sum of two values, of which one counts where a condition holds and the other one where it doesn't, as
    one choice: no number here is a NaN, for which neither would."""
    node = node.rebuilt(_either)
    if not (isinstance(node, Binary) and node.op == "+"):
        return node
    one, other = _branches(node.left), _branches(node.right)
    if one is None or other is None:
        return node
    (first, value), (second, instead) = one, other
    comparisons = isinstance(first, Binary) and isinstance(second, Binary)
    if not comparisons or AGAINST.get(first.op) != second.op:
        return node
    if (first.left, first.right) != (second.right, second.left):
        return node
    if first.shape == ():
        return infer.choice(instead, first, value)
    return infer.call("np.where", first, instead, value, shape=node.shape, dtype=node.dtype)


def _chosen(node: Any) -> Any:
    """`np.where` by a number as a choice, of which one side is evaluated."""
    node = node.rebuilt(_chosen)
    if isinstance(node, Call) and node.name == "np.where" and node.arguments[0].shape == ():
        condition, then, otherwise = node.arguments
        if then.shape == otherwise.shape == node.shape:
            return infer.choice(then, condition, otherwise)
    return node


def _without_means(node: Any) -> Any:
    """Means along an axis as sums over its length, which compilers know."""
    node = node.rebuilt(_without_means)
    if isinstance(node, Call) and node.name == ".mean" and len(node.arguments) > 1:
        value = node.arguments[0]
        total = replace(node, name=".sum")
        (gone,) = [e for e in value.shape if e not in node.shape] or [value.shape[-1]]
        return infer.binary("/", total, infer.name(SIZES[str(gone)], (), "integer"))
    return node


__all__ = ["Piece", "Spelling", "scalars", "total", "updating"]
