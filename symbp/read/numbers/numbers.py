"""Every number of a page, equation by equation.

Enters: a reading, a value for each leaf. Leaves: `Numbers`: what each equation of the page gives, by the
reference interpreter, and each derivative once more by central differences. Must not know: formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import DataError
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Index
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import System
from symbp.read.display import Along, Named, Reduced
from symbp.read.numbers.differences import affordable, by_loops, central_differences, vectorised
from symbp.read.numbers.example import example, handy_sizes
from symbp.read.numbers.given import check_arrays, given_arrays, missing_arrays, shown_sizes
from symbp.read.reading import Line, Reading, Style, reading

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Row:
    """One line of the page, with the value of what it defines: of an equation that holds for some subscripts
    only, the elements there. `difference` is the same derivative by central differences, if it is one."""

    line: Line
    value: Array
    difference: Array | None

    @property
    def number(self) -> int:
        return self.line.number

    @property
    def name(self) -> str:
        """The tensor's name, as in code."""
        return self.line.target


@dataclass(frozen=True)
class Numbers:
    """The value of every tensor of a page, its leaves included, by name: float64, int64 of integers.

    `sizes` go by the names that the page has for them. `differences` holds, for each derivative of the loss,
    central differences of the declared loss, of the same shape, not a number where they were left out (of
    very many elements). `drawn` are the leaves that nobody gave a value: an example's. `whole` are the
    numbers in tensors, where these are written out in scalars, and `elements` says which element each is.
    """

    reading: Reading
    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    differences: Mapping[str, Array]
    drawn: frozenset[str] = frozenset()
    whole: Numbers | None = None
    elements: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        """The value of a tensor, `numbers["W1"]`, or `numbers["dW1"]`."""
        return self.values[name]

    @property
    def name(self) -> str:
        """What the network is called."""
        return self.reading.derivation.name

    @property
    def loss(self) -> float:
        """The loss. Raises KeyError where the page has none."""
        return float(self.values[self.reading.derivation.system.loss or ""])

    @property
    def gradients(self) -> dict[str, Array]:
        """The gradient by each parameter, or by what was asked for."""
        return {name: self.values[tensor] for name, tensor in self.reading.derivation.gradients.items()}

    @property
    def declared_sizes(self) -> dict[str, int]:
        """The sizes by the names that they have in the declaration."""
        names = {letter: name for name, letter in self.reading.sizes.items()}
        return {names.get(name, name): extent for name, extent in self.sizes.items()}

    @property
    def leaves(self) -> dict[str, Array]:
        """What is given: inputs, targets, parameters, …"""
        return {t.name: self.values[t.name] for t in self.reading.derivation.system.leaves}

    @property
    def rows(self) -> tuple[Row, ...]:
        """The lines of the page in the order of their numbers, each with its value."""
        return tuple(self._row(line) for line in self.reading.lines)

    @property
    def places(self) -> dict[int, Array]:
        """Where the elements of each row lie in their tensor, in row-major order, by the row's number."""
        found = {}
        for line in self.reading.lines:
            array = self.values[line.target]
            flat = np.arange(array.size).reshape(array.shape)
            found[line.number] = _selected(line.plain or line, flat, self.sizes)
        return found

    @property
    def worst(self) -> float:
        """How far a derivative is from its central difference at most, measured by the larger of it and 1."""
        return max((_distance(self.values[n], other) for n, other in self.differences.items()), default=0.0)

    def _row(self, line: Line) -> Row:
        other, places = self.differences.get(line.target), line.plain or line
        value = _selected(places, self.values[line.target], self.sizes)
        return Row(line, value, None if other is None else _selected(places, other, self.sizes))


def numbers(
    of: Reading | Derivation, arrays: Mapping[str, Any], *, sizes: Mapping[str, int] | None = None
) -> Numbers:
    """The numbers of a page, of a textbook's for a derivation; `arrays` gives each leaf its value, and so the
    sizes their values, but for those that no shape shows.

    Raises DataError: an array is missing, has another shape than declared, holds an integer out of its range,
    or what is declared of its values isn't so. UsageError: a name that isn't there, or is computed.
    EvaluationError: a size that nothing tells.
    """
    read = of if isinstance(of, Reading) else reading(of, style="textbook")
    system = _given_system(read.derivation)
    own = given_arrays(system, arrays)
    missing = missing_arrays(system, own)
    if missing is not None:
        raise missing
    found = shown_sizes(system, own, dict(sizes or {}))
    found = handy_sizes(system, {**system.bound, **found})
    check_arrays(system, own, found)
    return evaluated(read, own, found, frozenset())


def worked_example(
    derivation: Derivation,
    arrays: Mapping[str, Any] | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    style: Style = "textbook",
    small: bool = False,
    differences: bool = True,
) -> Numbers:
    """The numbers of a derivation's page. What `arrays` leaves out has the value that the network's own
    example has, where it fits the others, or is drawn; the same errors, but for missing arrays. Central
    `differences` may be left out."""
    read = reading(derivation, style=style)
    system = _given_system(derivation)
    own = given_arrays(system, dict(arrays or {}))
    known = shown_sizes(system, own, dict(sizes or {}))
    own |= _fitting(system, given_arrays(system, derivation.example), own, known)
    known = shown_sizes(system, own, known)
    chosen = handy_sizes(system, known, small=small)
    check_arrays(system, own, chosen)
    _, values = example(
        derivation.system,
        seed,
        sizes=chosen,
        arrays=own,
        constants=derivation.constants,
        initial=derivation.initial,
    )
    leaves = {t.name for t in system.leaves}
    values = {name: array for name, array in values.items() if name in leaves}
    drawn = frozenset(leaves - set(own) - set(derivation.constants))
    return evaluated(read, values, chosen, drawn, differences=differences)


def _fitting(
    system: System, example: Mapping[str, Array], own: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array]:
    """The network's own example, without what is given otherwise, or has another size than what is."""
    found, known = dict[str, Array](), dict(sizes)
    for name, array in example.items():
        if name in own:
            continue
        try:
            known = shown_sizes(system, {name: array}, known)
        except DataError:
            continue
        found[name] = array
    return found


def _given_system(derivation: Derivation) -> System:
    """What wants values: the declaration and, of products with a Hessian, directions."""
    return derivation.declared


def evaluated(
    read: Reading,
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    drawn: frozenset[str],
    *,
    differences: bool = True,
) -> Numbers:
    """The numbers of a page at values that fit, sizes by their names in the declaration."""
    shown = {read.sizes.get(name, name): extent for name, extent in sizes.items()}
    found = evaluate(read.computable.derivation.system, values, shown)
    others = _differences(read, found, values, sizes, shown) if differences else {}
    return Numbers(read, shown, found, others, drawn)


def _differences(
    read: Reading,
    found: Mapping[str, Array],
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    shown: Mapping[str, int],
) -> dict[str, Array]:
    """Each derivative of the loss on the page by central differences of the loss as it was declared; by what
    only the page has, of the loss as the page has it."""
    page, declared = read.computable.derivation.system, read.derivation.declared
    loss = declared.loss
    if loss is None or read.derivation.of is not None:
        return {}
    by: dict[str, str] = {}
    for equation in page.equations:
        what = page.tensor(equation.target).differential
        if what is not None and what.of == loss and not (what.part or what.whole or what.along):
            by[equation.target] = what.by
    has_own = not any(e.body.has(Named, Reduced, Along) for e in declared.equations)
    own = [name for name in dict.fromkeys(by.values()) if name in declared.by_name and has_own]
    others = [name for name in dict.fromkeys(by.values()) if name not in own]
    point = Run(declared, values, sizes).everything() if own else {}
    differences = central_differences(declared, loss, point, sizes, own, vectorised)
    most = affordable(page, shown)
    differences |= central_differences(page, loss, found, shown, others, by_loops, most)
    return {target: differences[name] for target, name in by.items() if name in differences}


def _selected(line: Line, array: Array, sizes: Mapping[str, int]) -> Array:
    """The elements that a line defines: those at its fixed subscripts, or where its condition holds."""
    axes = {index: k for k, index in enumerate(line.equation.indices)}
    chosen: list[Any] = [slice(None)] * len(axes)
    for index, place in line.fixed.items():
        chosen[axes[index]] = evaluate_size(place, sizes)
    if line.condition is not None:
        (index,) = [i for i in line.condition.free_symbols if isinstance(i, Index) and i in axes]
        asked = range(array.shape[axes[index]])
        chosen[axes[index]] = [k for k in asked if _holds(line, index, k, sizes)]
    return np.asarray(array[tuple(chosen)])


def _holds(line: Line, index: Index, place: int, sizes: Mapping[str, int]) -> bool:
    assert line.condition is not None
    there = line.condition.xreplace({index: index.func(index.name) * 0 + place})
    return evaluate_size(there, sizes) == 1


def _distance(one: Array, other: Array) -> float:
    known = np.isfinite(other)
    if not known.any():
        return 0.0
    return float(np.max(np.abs(one - other)[known] / np.maximum(1, np.abs(one[known])), initial=0.0))
