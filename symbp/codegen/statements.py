"""Statements of equations: one line for each of a page, loops where values rest on those of another step.

Enters: a reading and names. Leaves: statements. Must not know: which functions they stand in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays import Frame, Value, Variable, aligned, filled, right_hand_side
from symbp.codegen.arrays.bodies import holds, length
from symbp.codegen.arrays.scatters import scattered
from symbp.codegen.names import Names, names_of
from symbp.codegen.tree import Assign, Effect, Expression, For, If, Node, Slice, Statement
from symbp.ir.expr import Expr, Guard, Index, Size
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, System, Tensor
from symbp.read.reading import Line, Reading


@dataclass(frozen=True)
class Sheet:
    """A reading with the identifiers of its tensors and sizes."""

    reading: Reading
    tensors: Mapping[str, str]
    sizes: Mapping[str, str]
    names: Names

    @property
    def system(self) -> System:
        return self.reading.derivation.system

    @cached_property
    def lines(self) -> dict[str, tuple[Line, ...]]:
        """The lines of the page by the tensors that they define, in the page's order."""
        found: dict[str, list[Line]] = {}
        for line in self.reading.lines:
            found.setdefault(line.target, []).append(line)
        return {name: tuple(lines) for name, lines in found.items()}

    @cached_property
    def frame(self) -> Frame:
        """In which every right-hand side is lowered."""
        formulas = {size: formula for formula, size in self.reading.lengths.items()}
        variables = {t.name: self._variable(t) for t in self.system.tensors}
        bound = {Size(n): sympy.Integer(value) for n, value in self.system.bound.items()}
        return Frame(variables, self.sizes, formulas=formulas, bound=bound)

    def shape(self, tensor: Tensor) -> tuple[Expr, ...]:
        """A shape with the names that the page has for long lengths."""
        lengths = dict(self.reading.lengths)
        return tuple(extent.xreplace(lengths) for extent in tensor.shape)

    def _variable(self, tensor: Tensor) -> Variable:
        below = tensor.fact("below")
        node = infer.name(
            self.tensors[tensor.name], self.shape(tensor), "integer" if tensor.integer else "real"
        )
        return Variable(node, below.bound if below else self._largest(tensor))

    def _largest(self, tensor: Tensor) -> Expr | None:
        """The length of the axis in which an argmax is a place."""
        equation = self.system.defining.get(tensor.name)
        if equation is None or equation.op != "argmax" or equation.where or not equation.reduction:
            return None
        component = equation.reduction.component
        return equation.extents[equation.reduced[component]] if component >= 0 else None


def sheet(reading: Reading, helpers: Iterable[str]) -> Sheet:
    """The reading with names for code; those of helpers are taken."""
    tensors, sizes, names = names_of(reading, helpers)
    return Sheet(reading, tensors, sizes, names)


def statements(sheet: Sheet, wanted: Sequence[str], given: Iterable[str] = ()) -> list[Statement]:
    """What computes the tensors that are wanted from those that are given, in the order of evaluation."""
    place = {name: lines[0].number for name, lines in sheet.lines.items()}
    left = [e for e in sheet.system.equations if e.target not in set(given)]
    system = sheet.system.with_(equations=tuple(sorted(left, key=lambda e: place[e.target])))
    found: list[Statement] = []
    for group in groups(system, wanted):
        found += _group(sheet, group, {})
    return found


Running = Mapping[str, Mapping[int, str]]
"""For each tensor the variables of the loops around, by the axes along which these run."""


def _group(sheet: Sheet, group: Group, running: Running) -> list[Statement]:
    if group.loop is None:
        equation = group.equations[0]
        return _equation(sheet, equation, running.get(equation.target, {}))
    made = [_made(sheet, e) for e in group.equations if e.target not in running]
    axis, first = group.loop.axis, group.equations[0]
    shown = sheet.reading.lettering.shown(first)
    variable = _loop_variable(sheet, shown.indices[axis[first.target]].name)
    inside = {n: {**running.get(n, {}), axis[n]: variable} for n in group.targets}
    body = [s for inner in group.inner for s in _group(sheet, inner, inside)]
    count = length(shown.shape[axis[first.target]], sheet.frame)
    over: Expression = infer.call("range", count, shape=(), dtype="object")
    if group.loop.step < 0:
        over = infer.call("reversed", over, shape=(), dtype="object")
    return [*made, For(infer.name(variable, (), "integer"), over, tuple(body))]


def _loop_variable(sheet: Sheet, letter: str) -> str:
    """The letter of an index as a variable; one that is taken for another thing gets an underscore."""
    taken = {*sheet.tensors.values(), *sheet.sizes.values()}
    found = letter.replace("'", "_")
    while found in taken:
        found += "_"
    return found


def _made(sheet: Sheet, equation: Equation) -> Statement:
    """An array of zeros, to be filled in."""
    node = sheet.frame.variables[equation.target].node
    sizes = infer.sizes_of(length(e, sheet.frame) for e in node.shape)
    more = {"dtype": infer.number("int", "object")} if node.dtype == "integer" else {}
    return Assign(node, infer.call("np.zeros", sizes, shape=node.shape, dtype=node.dtype, more=more))


def _equation(sheet: Sheet, equation: Equation, running: Mapping[int, str]) -> list[Statement]:
    """The lines of one equation, at the steps of the loops around it."""
    lines = sheet.lines[equation.target]
    loops = {line.equation.indices[k] for line in lines for k in running}
    one = len(lines) == 1 and not lines[0].fixed and lines[0].condition is None
    if (
        not one
        and all(line.condition is None for line in lines)
        and not any(loops & set(x.fixed) for x in lines)
    ):
        made = [] if running else [_made(sheet, equation)]
        return [*made, *(_line(sheet, x.equation, running, x.fixed, (x.number,)) for x in lines)]
    at_end = next((line for line in lines if line.condition is None), None)
    if not one and at_end is not None and len(lines) == 2 and set(at_end.fixed) <= loops and running:
        return _two_cases(sheet, lines, running)
    shown = sheet.reading.lettering.shown(equation)
    numbers = tuple(line.number for line in lines)
    rest, additions = scattered(shown, _frame(sheet, shown, running))
    if not additions:
        return [_line(sheet, shown, running, {}, numbers)]
    first = _made(sheet, shown) if rest is None else _line(sheet, rest, running, {}, numbers)
    target = sheet.frame.variables[equation.target].node
    adding = (infer.call("np.add.at", target, a.place, a.values, shape=(), dtype="object") for a in additions)
    return [first, *(Effect(call, numbers) for call in adding)]


def _two_cases(sheet: Sheet, lines: Sequence[Line], running: Mapping[int, str]) -> list[Statement]:
    """One line at an end of a loop, the other one elsewhere."""
    first, other = (
        _line(sheet, line.equation, running, {}, (line.number,)) for line in sorted(lines, key=_is_general)
    )
    end = next(line for line in lines if line.condition is None)
    ((index, place),) = end.fixed.items()
    frame = _frame(sheet, end.equation, running)
    condition = holds(Guard("=", index, place), frame).node
    return [If(condition, (first,), (other,))]


def _is_general(line: Line) -> bool:
    return line.condition is not None


def _frame(sheet: Sheet, equation: Equation, running: Mapping[int, str]) -> Frame:
    loops = {equation.indices[k]: name for k, name in running.items()}
    return replace(sheet.frame.within(equation.extents), running=loops)


def _line(
    sheet: Sheet,
    equation: Equation,
    running: Mapping[int, str],
    fixed: Mapping[Index, Expr],
    numbers: tuple[int, ...],
) -> Assign:
    """`target = value`, or a part of the target by its subscripts."""
    frame = _frame(sheet, equation, running)
    variable = frame.variables[equation.target]
    value = right_hand_side(equation, frame, variable.node.dtype == "integer")
    axes = tuple(i for i in equation.indices if i not in frame.running and i not in fixed)
    if not running and not fixed:
        node = _whole(value, axes, frame)
        return Assign(variable.node, node, "", numbers)
    items: list[Node] = []
    for index in equation.indices:
        if index in frame.running:
            items.append(infer.name(frame.running[index], (), "integer"))
        else:
            items.append(length(fixed[index], frame) if index in fixed else Slice())
    while isinstance(items[-1], Slice):
        items.pop()
    return Assign(infer.subscript(variable.node, *items), aligned(value, axes), "", numbers)


def _whole(value: Value, axes: tuple[Index, ...], frame: Frame) -> Expression:
    """The array of a whole tensor."""
    return filled(value, axes, frame.extents, lambda e: length(e, frame))
