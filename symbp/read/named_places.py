"""Axes whose places have names: the gates of a recurrence, which are one tensor.

Enters: the equations of a page. Leaves: for some axes of tensors the names of their places. Must not know:
symbols, formats, how places are counted.

i = σ(a[…,0,…]), f = σ(a[…,1,…]) and so on give each place along an axis of `a` a function and that a name of
its own: the place goes by it. So do the places along all axes with the same index, those of weights and of
derivatives. Where one axis would get names from two such tensors (weights that two recurrences share), the
numbers stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from symbp.ir.expr import Access, Expr, Index, accesses
from symbp.ir.system import Equation
from symbp.read.display import Reduced

Axis = tuple[str, int]  # a tensor and the position of one of its axes
Names = tuple[str, ...]  # of tensors, for the places along an axis in their order


@dataclass(frozen=True)
class NamedPlaces:
    """The names of the places along some axes, and of what an index stands for that runs along these only, by
    its letter."""

    axes: Mapping[Axis, Names] = field(default_factory=dict)
    letters: Mapping[str, Names] = field(default_factory=dict)

    def numbers(self, first: int) -> dict[str, dict[str, int]]:
        """The numbers of the places, counted from `first`, by tensor and by letter."""
        own = [(name, names) for (name, _), names in self.axes.items()]
        every = [*own, *self.letters.items()]
        return {key: {name: k + first for k, name in enumerate(names)} for key, names in every}


def gates(equations: Collection[Equation]) -> dict[Axis, Names]:
    """The axes along which each place has a function of its own, with what these define."""
    shapes = {e.target: e.shape for e in equations}
    found: dict[Axis, dict[int, str]] = {}
    for equation in equations:
        body = equation.body
        argument = body.args[0] if body.is_Function and len(body.args) == 1 else None
        for read in accesses(argument) if argument is not None and equation.op is None else ():
            for axis, subscript in enumerate(read.subscripts if read.name in shapes else ()):
                if subscript.is_Integer:
                    found.setdefault((read.name, axis), {})[int(subscript)] = equation.target
    return {
        axis: tuple(names[k] for k in sorted(names))
        for axis, names in found.items()
        if shapes[axis[0]][axis[1]].is_Integer
        and set(names) == set(range(int(shapes[axis[0]][axis[1]])))
        and len(set(names.values())) == len(names) > 1
    }


def named_places(equations: Collection[Equation], of: Mapping[str, str] | None = None) -> NamedPlaces:
    """The names of the places along all axes that are those of gates, or have an index with one of them, or
    belong to a derivative that has the axes `of` such a tensor."""
    told = gates(equations)
    found: dict[Axis, Names] = {}
    for together in _joined(equations, of or {}) if told else ():
        names = {told[axis] for axis in together if axis in told}
        if len(names) == 1:
            found |= dict.fromkeys(together, names.pop())
    mixed = {a[0] for a, own in found.items() for b, other in found.items() if a[0] == b[0] and own != other}
    axes = {axis: names for axis, names in found.items() if axis[0] not in mixed}  # a_{f} must say which
    return NamedPlaces(axes, _letters(equations, axes) if axes else {})


def _letters(equations: Collection[Equation], named: Mapping[Axis, Names]) -> dict[str, Names]:
    """The letters of indices that run along axes with the same names only."""
    found: dict[str, set[Names]] = {}
    for equation in equations:
        for index, axes in along(equation):
            found.setdefault(index.name, set()).update(named.get(axis, ()) for axis in axes)
    return {letter: names for letter, (names, *others) in found.items() if names and not others}


def along(equation: Equation) -> Iterator[tuple[Index, list[Axis]]]:
    """Each index, also those of sums within the body, with the axes at which it stands alone, the target's
    first."""
    whole = Access(equation.target, *equation.indices)
    for index in equation.all_indices:
        yield index, _standing(index, (whole, equation.body, *equation.where))
    for node in sorted(equation.body.atoms(Reduced), key=str):
        for index in node.indices:
            yield index, _standing(index, (node.body, *node.where))


def _standing(index: Index, parts: Iterable[Expr]) -> list[Axis]:
    reads = [read for part in parts for read in sorted(part.atoms(Access), key=str)]
    found = [(a.name, axis) for a in reads for axis, s in enumerate(a.subscripts) if s == index]
    return list(dict.fromkeys(found))


def _joined(equations: Collection[Equation], of: Mapping[str, str]) -> Iterator[list[Axis]]:
    """The axes of all tensors, those with a common index of an equation together."""
    group: dict[Axis, list[Axis]] = {}
    pairs = [axes for equation in equations for _, axes in along(equation)]
    pairs += [[axis, (of[axis[0]], axis[1])] for axes in tuple(pairs) for axis in axes if axis[0] in of]
    for axes in pairs:
        joined = list(dict.fromkeys(a for axis in axes for a in group.get(axis, [axis])))
        group |= dict.fromkeys(joined, joined)
    yield from {id(axes): axes for axes in group.values()}.values()
