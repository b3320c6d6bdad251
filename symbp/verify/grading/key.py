"""The right values: each tensor of a page, and each derivative of the loss, at points of a derivation.

Enters: a derivation, points. Leaves: arrays of elements of a point's domain.
Must not know: answers, or how they are read.

The forward pass is evaluated as it was declared; what only the derivation has (derivatives, helpers), from
its own equations, given these values. A derivative that it hasn't is the tangent that dual numbers carry
through the declared forward pass, element by element. And whatever has been asked for as a gradient is
compared with that tangent along a random direction, so that no verdict rests on the rules that derived it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from symbp.derive.derivation import Derivation
from symbp.errors import DerivationError
from symbp.ir.evaluation.interpret import Interpreter
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read.reading import Reading
from symbp.verify.grading.values import Array, TooMuch
from symbp.verify.proofs.evaluation import Evaluation, Refused
from symbp.verify.proofs.points import Point
from symbp.verify.proofs.slopes import along_directions, one_by_one

MOST_TANGENTS = 200  # elements of a derivative that dual numbers are asked for one by one


@dataclass(frozen=True)
class Sheet:
    """A derivation with the page that a student sees; `system` is what was declared, with what only the page
    has, `adjoints` the tensors that hold derivatives of the loss, by what they are by."""

    derivation: Derivation
    reading: Reading

    @cached_property
    def system(self) -> System:
        declared, defined = self.derivation.declared, self.reading.defined
        new = {name: e for name, e in defined.items() if name not in declared.by_name}
        tensors = tuple(Tensor(name, e.shape, Role.HIDDEN) for name, e in new.items())
        return declared.with_(
            tensors=(*declared.tensors, *tensors), equations=(*declared.equations, *new.values())
        )

    @cached_property
    def adjoints(self) -> dict[str, str]:
        """By the page, where the derivative by a is that by x·W, too; then as they are computed."""
        found: dict[str, str] = {}
        for system in (self.derivation.system, self.reading.derivation.system):
            for tensor in system.tensors:
                what = tensor.differential
                if what is not None and what.of == system.loss and not what.part and what.along is None:
                    found[what.by] = tensor.name
        return found | dict(self.derivation.gradients)

    @cached_property
    def computed(self) -> tuple[Equation, ...]:
        """The equations of what only the derivation has."""
        known = {*self.system.by_name} - {*self.reading.computed.values()}
        return tuple(e for e in self.derivation.system.equations if e.target not in known)

    def shape(self, name: str) -> tuple[Any, ...]:
        name = name.removeprefix("∂")
        for system in (self.system, self.derivation.system):
            if name in system.by_name:
                return system.tensor(name).shape
        return self.reading.derivation.system.tensor(name).shape

    def differential(self, by: str) -> str:
        """The name of the derivative of the loss by a tensor: that of the tensor which holds it, if any."""
        return self.adjoints.get(by, f"∂{by}")


@dataclass(frozen=True)
class SheetAtPoint:
    """A sheet at a point; values are found when they are asked for, and kept."""

    sheet: Sheet
    point: Point
    kept: dict[str, Array] = field(default_factory=dict)
    trusted: set[str] = field(default_factory=set)

    @cached_property
    def declared(self) -> Evaluation:
        return Evaluation(self.sheet.system, self.point)

    @cached_property
    def computed(self) -> Evaluation:
        """The derivation's own equations, given the values of what was declared."""
        system = self.sheet.derivation.system
        values: dict[str, Any] = dict(self.point.values)
        left = {e.target for e in self.sheet.computed}
        for tensor in system.tensors:
            if tensor.name not in left and tensor.name in self.sheet.system.defining:
                values[tensor.name] = self.tensor(tensor.name)
        given = replace(self.point, values=values)
        return Evaluation(system.with_(equations=self.sheet.computed), given)

    def tensor(self, name: str) -> Array:
        """The value of a tensor, or of a derivative. Raises Refused where the point can't tell."""
        if name not in self.kept:
            self.kept[name] = self._tensor(name)
        return self.kept[name]

    def _tensor(self, name: str) -> Array:
        if name.startswith("∂"):
            return self.tangent(name[1:])
        if name in self.sheet.system.by_name:
            return self.declared.tensor(name)
        if name in self.sheet.derivation.system.by_name:
            return self.computed.tensor(name)
        raise Refused(f"{name} is only on the page")

    def tangent(self, by: str) -> Array:
        """The derivative of the loss by each element of a tensor, by dual numbers."""
        like, loss = self.tensor(by), self.sheet.system.loss
        assert loss is not None
        if like.size > MOST_TANGENTS:
            raise TooMuch(f"the derivative by {by} has too many elements")
        return one_by_one(self.point, self.sheet.system, loss, None, by, like)

    def trust(self, by: str) -> None:
        """Compares a derivative with the tangent along a random direction. Raises DerivationError where it
        isn't one: a mistake of symbp's."""
        name, loss = self.sheet.differential(by), self.sheet.system.loss
        if (
            loss is None
            or name.startswith("∂")
            or name in self.trusted
            or by not in self.sheet.system.by_name
        ):
            return
        wrong = along_directions(self.point, self.sheet.system, loss, None, {by: self.tensor(name)})
        if wrong is not None:
            raise DerivationError(f"the derivative by {by} isn't what it should be", details=(str(wrong),))
        self.trusted.add(name)

    def bound(self, name: str) -> int | None:
        """What labels are below."""
        known = self.sheet.system.by_name.get(name)
        fact = known and (known.fact("below") or known.fact("below or ignored"))
        if not fact or fact.bound is None:
            return None
        return self.number(fact.bound)

    def number(self, extent: Any) -> int:
        return int(Interpreter(self.sheet.system, {}, self.sizes, self.point.domain).extent(extent))

    @cached_property
    def sizes(self) -> dict[str, int]:
        return {**self.sheet.system.bound, **self.point.sizes}


def integer(sheet: Sheet, name: str) -> bool:
    """Whether a tensor holds whole numbers."""
    return name in sheet.system.by_name and sheet.system.tensor(name).integer
