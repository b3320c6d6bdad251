"""A unit of a network as something to differentiate.

Enters: a network, the name of a unit such as `h[3]` or `z[3,2,2]`. Leaves: a network whose loss is the unit's
activation, summed over examples, as the network computes it at inference. Must not know: values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy

from symbp.errors import FormulaError, UsageError, choose
from symbp.ir.expr import Access, Index, Size
from symbp.ir.labels import Label
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.language import Network
from symbp.read.grammar import parse_formula
from symbp.read.grammar.syntax import Name, Number, Read

ACTIVATION, TOTAL = "unit", "total"  # what the two tensors that are added are called
FORM = "name it with its place in one example, as in h[3], or z[3,2,2] of images"


@dataclass(frozen=True)
class Unit:
    """An element of a tensor in each example: the name of the tensor, and the subscripts behind that of the
    example."""

    tensor: str
    place: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.tensor}[{','.join(map(str, self.place))}]" if self.place else self.tensor


@dataclass(frozen=True)
class Excited:
    """A unit, the network whose loss is its activation, and the input by which it is differentiated."""

    unit: Unit
    network: Network
    by: str
    activation: str


def read_unit(text: str) -> Unit:
    """`h[3]` as a unit. Raises FormulaError, UsageError: another form."""
    tree = parse_formula(text)
    if isinstance(tree, Name):
        return Unit(tree.name, ())
    if isinstance(tree, Read) and isinstance(tree.tensor, Name) and tree.outside is None:
        numbers = [s.value for s in tree.subscripts if isinstance(s, Number) and s.value.denominator == 1]
        if len(numbers) == len(tree.subscripts):
            return Unit(tree.tensor.name, tuple(map(int, numbers)))
    raise FormulaError(f"{text!r} is no unit", help=FORM)


def excited(net: Network, unit: Unit, by: str | None = None) -> Excited:
    """The unit as a loss. Raises UsageError: no such tensor or place, an input that isn't real, a unit that
    isn't one of each example, or that rests on more than the input and what is trained."""
    system = net.system
    name = _at_inference(system, unit)
    source = _input(system, name, by)
    _check_place(system, system.tensor(name), unit, source)
    needed = system.ancestors(name)
    for tensor in system.leaves:
        given = tensor.role in (Role.INPUT, Role.TARGET, Role.RANDOM)
        if tensor.name in needed and given and tensor.name != source.name:
            raise UsageError(f"{unit} rests on {tensor.name}, too, and not on {source.name} alone")
    reduced = _total(system.without(set(system.by_name) - needed), name, unit)
    found = object.__new__(Network)
    values = {**vars(net), "system": reduced, "name": f"{net.name}_{unit.tensor}", "initial": {}}
    for key, value in values.items():
        object.__setattr__(found, key, value)
    return Excited(unit, found, source.name, reduced.outputs[0])


def _at_inference(system: System, unit: Unit) -> str:
    if unit.tensor not in system.defining:
        computed = [e.target for e in system.equations if system.tensor(e.target).shape]
        raise UsageError(f"the network computes no {unit.tensor!r}", help=choose(unit.tensor, computed))
    stands = {t.label.stands_for: t.name for t in system.tensors if t.label and t.label.stands_for}
    return system.inference.get(unit.tensor) or stands.get(unit.tensor) or unit.tensor


def _input(system: System, name: str, by: str | None) -> Tensor:
    """The real input that the tensor rests on."""
    needed = system.ancestors(name)
    real = [t for t in system.with_role(Role.INPUT) if t.name in needed and not t.integer]
    chosen = [t for t in real if by in (None, t.name)]
    if len(chosen) == 1:
        return chosen[0]
    if not real:
        raise UsageError(f"{name} rests on no real input: there is nothing to differentiate it by")
    names = [t.name for t in real]
    if by is not None:
        raise UsageError(f"{name} rests on no real input {by!r}", help=choose(by, names))
    help = f"choose one: {', '.join(names)}"
    raise UsageError(f"{name} rests on {len(real)} real inputs, and none is chosen", help=help)


def _check_place(system: System, tensor: Tensor, unit: Unit, source: Tensor) -> None:
    shown = ", ".join(map(str, tensor.shape))
    if not tensor.shape or not source.shape or tensor.shape[0] != source.shape[0] or tensor.integer:
        raise UsageError(f"{unit.tensor} has no value for each example", details=(f"its shape: ({shown})",))
    if len(unit.place) != len(tensor.shape) - 1:
        told = f"its shape: ({shown}), the first axis that of the examples"
        raise UsageError(f"{unit} has {len(unit.place)} subscripts", details=(told,), help=FORM)
    bound = {Size(size): sympy.Integer(value) for size, value in system.bound.items()}
    for position, extent in zip(unit.place, tensor.shape[1:], strict=True):
        value = sympy.sympify(extent).xreplace(bound)
        if value.is_number and position >= int(value):
            raise UsageError(f"{unit} lies outside", details=(f"the shape of {unit.tensor}: ({shown})",))


def _total(system: System, name: str, unit: Unit) -> System:
    """The system with the unit of each example as output, and their sum as loss."""
    taken = {*system.by_name, *system.sizes, *(i.name for e in system.equations for i in e.all_indices)}
    index = Index(_fresh({*system.by_name, *system.sizes}, "n"))
    activation, total = (_fresh(taken, word) for word in (ACTIVATION, TOTAL))
    batch = system.tensor(name).shape[0]
    body = Access(name, index, *map(sympy.Integer, unit.place))
    one = Equation(activation, (index,), body, ranges=(batch,), rule="unit")
    all_of_them = Equation(
        total, (), Access(activation, index), Reduction("sum", (index,)), ranges=(batch,), rule="sum"
    )
    tensors = [replace(t, role=Role.HIDDEN) if t.role in _ASKED else t for t in system.tensors]
    added = (
        Tensor(activation, (batch,), Role.OUTPUT, label=Label(activation, given=True)),
        Tensor(total, (), Role.LOSS, label=Label(total, given=True)),
    )
    found = system.with_(
        tensors=(*tensors, *added),
        equations=(*system.equations, one, all_of_them),
        loss=total,
        outputs=(activation,),
        metrics=(),
        updates={},
        inference={},
    )
    left = {size: value for size, value in system.bound.items() if size in found.sizes}
    return found.with_(bound=left, unnamed=system.unnamed & set(found.sizes))


_ASKED = (Role.OUTPUT, Role.LOSS, Role.METRIC)


def _fresh(taken: set[str], word: str) -> str:
    name, count = word, 0
    while name in taken:
        count += 1
        name = f"{word}{count}"
    return name
