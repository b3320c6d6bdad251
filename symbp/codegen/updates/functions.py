"""The equations of an update as functions of whole arrays, for rules of more than one loop over entries.

Enters: a system over one generic parameter, its numbers. Leaves: `Piece`s, code with its arguments.
Must not know: networks, which optimizers exist, targets' own layout.

What rests on other elements of itself, or reads others beside its own, runs in a loop along that axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from symbp.codegen import infer, tree
from symbp.codegen.arrays import Frame, Variable, aligned, filled, right_hand_side
from symbp.codegen.arrays.bodies import length
from symbp.codegen.names import Names
from symbp.errors import LoweringError
from symbp.ir.expr import Index, free_indices
from symbp.ir.groups import groups
from symbp.ir.system import Equation, System

SIZES = {"R": "rows", "C": "columns", "P": "entries", "H": "history"}
TAKEN = ("np", "math", "DTYPE", "value", *SIZES.values())


@dataclass(frozen=True)
class Piece:
    """A function's `arguments`, by the names of tensors, and its body."""

    arguments: tuple[str, ...]
    body: tuple[tree.Statement, ...]


@dataclass(frozen=True)
class Spelling:
    """How a target writes: `typed` whether zeros have the module's dtype; `cast` whether numbers of double
    precision meet arrays of single precision; `means` whether it has a mean along an axis."""

    typed: bool = False
    cast: bool = False
    means: bool = True


def updating(
    system: System, numbers: Mapping[str, int], spelling: Spelling, without: Iterable[str] = ()
) -> Piece:
    """What gives the parameter and its moments their next values; tensors of `without` are given."""
    writer = _Writer(system, numbers, spelling, set(without))
    body = writer.body()
    for old, new in system.updates.items():
        target, value = (writer.frame.variables[name].node for name in (old, new))
        whole: tree.Node = tree.Slice() if len(target.shape) == 1 else tree.Rest()
        body.append(tree.Assign(infer.sliced(target, [whole], target.shape), value))
    return writer.piece(body, tuple(system.updates))


def total(equation: Equation, system: System, number: int, spelling: Spelling) -> Piece:
    """The sum of an equation over what it is given."""
    one = system.with_(equations=(equation,), updates={})
    writer = _Writer(one, {equation.target: number}, spelling, set())
    value = writer.value(equation, {})
    return writer.piece([tree.Return(value, (number,))], ())


def scalars(equations: Sequence[Equation], system: System, numbers: Mapping[str, int]) -> list[tree.Assign]:
    """The code of numbers that are computed from numbers."""
    writer = _Writer(system, numbers, Spelling(), set(), renamed=False)
    return [writer.assigned(equation) for equation in equations]


class _Writer:
    """Code of equations; each tensor has an identifier."""

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

    def piece(self, body: Sequence[tree.Statement], changed: Iterable[str]) -> Piece:
        """The body, behind what finds the sizes it mentions; the arguments that it reads."""
        words = {n.id for s in body for n in s.walk() if isinstance(n, tree.Name)}
        defined = {e.target for e in self.system.equations}
        leaves = [t for t in self.system.tensors if t.name not in defined]
        read = {*changed} | {name for e in self.system.equations for name in e.read_names}
        head, known = list[tree.Statement](), set[str]()
        for tensor in leaves:
            for axis, extent in enumerate(tensor.shape):
                size = SIZES[str(extent)]
                if size in words and size not in known and tensor.name in read:
                    known.add(size)
                    shape = tree.Attribute((), "object", self.frame.variables[tensor.name].node, "shape")
                    extent_ = tree.Subscript((), "integer", shape, (infer.number(axis),))
                    head.append(tree.Assign(infer.integer(size), extent_))
        return Piece(tuple(t.name for t in leaves if t.name in read), (*head, *body))

    def body(self) -> list[tree.Statement]:
        found: list[tree.Statement] = []
        for group in groups(self.system):
            if group.loop is not None:
                along = {e.target: group.loop_index(e) for e in group.equations}
                found += self._loop(group.equations, along, down=group.loop.step < 0)
                continue
            (equation,) = group.equations
            moved = _moved(equation)
            if moved is None:
                found.append(self.assigned(equation))
            else:
                found += self._loop([equation], {equation.target: moved}, down=False)
        return found

    def assigned(self, equation: Equation) -> tree.Assign:
        """`target = value`."""
        target = self.frame.variables[equation.target].node
        return tree.Assign(target, self.value(equation, {}), "", (self.numbers[equation.target],))

    def value(self, equation: Equation, running: Mapping[Index, str]) -> tree.Expression:
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

    def _loop(
        self, equations: Sequence[Equation], along: Mapping[str, Index], *, down: bool
    ) -> list[tree.Statement]:
        """Arrays of zeros, filled in along an axis."""
        made, body = list[tree.Statement](), list[tree.Statement]()
        variable, count = infer.integer("at"), cast("tree.Expression", infer.number(0))
        for equation in equations:
            index = along[equation.target]
            variable = infer.integer("at" if index.name in self.names.values() else index.name)
            target = self.frame.variables[equation.target].node
            shape = infer.sizes_of(length(e, self.frame) for e in target.shape)
            kind = [infer.word("DTYPE")] if self.spelling.typed else []
            made.append(tree.Assign(target, infer.call("np.zeros", shape, *kind, shape=target.shape)))
            count = length(equation.extents[index], self.frame)
            items: list[tree.Node] = [variable if i == index else tree.Slice() for i in equation.indices]
            while isinstance(items[-1], tree.Slice):
                items.pop()
            value = self.value(equation, {index: variable.id})
            numbers = (self.numbers[equation.target],)
            body.append(tree.Assign(infer.subscript(target, *items), value, "", numbers))
        one = infer.python_number("-1")
        ends = [infer.binary("-", count, infer.number(1)), one, one] if down else [count]
        return [*made, tree.For(variable, infer.called("range", *ends), tuple(body))]


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
    if isinstance(node, tree.Choice):
        parts = node.condition, node.then, node.otherwise
    elif isinstance(node, tree.Call) and node.name == "np.where":
        parts = node.arguments  # type: ignore[assignment]
    else:
        return None
    zero = isinstance(parts[1], tree.Constant) and parts[1].text == "0"
    return (parts[0], parts[2]) if zero else None


def _either(node: Any) -> Any:
    """A sum of two values, of which one counts where a condition holds and the other one where it doesn't, as
    one choice: no number here is a NaN, for which neither would."""
    node = node.rebuilt(_either)
    if not (isinstance(node, tree.Binary) and node.op == "+"):
        return node
    one, other = _branches(node.left), _branches(node.right)
    if one is None or other is None:
        return node
    (first, value), (second, instead) = one, other
    comparisons = isinstance(first, tree.Binary) and isinstance(second, tree.Binary)
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
    if isinstance(node, tree.Call) and node.name == "np.where" and node.arguments[0].shape == ():
        condition, then, otherwise = node.arguments
        if then.shape == otherwise.shape == node.shape:
            return infer.choice(then, condition, otherwise)
    return node


def _without_means(node: Any) -> Any:
    """Means along an axis as sums over its length, which compilers know."""
    node = node.rebuilt(_without_means)
    if isinstance(node, tree.Call) and node.name == ".mean" and len(node.arguments) > 1:
        value = node.arguments[0]
        total = replace(node, name=".sum")
        (gone,) = [e for e in value.shape if e not in node.shape] or [value.shape[-1]]
        return infer.binary("/", total, infer.name(SIZES[str(gone)], (), "integer"))
    return node


__all__ = ["Piece", "Spelling", "scalars", "total", "updating"]
