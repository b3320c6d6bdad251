"""What is right: every tensor of a network and every derivative of its loss, and what follows from answers.

Enters: a derivation, points, answers. Leaves: arrays, which tensor is whose derivative, and their order.
Must not know: how code was read, or what its names are.

Derivatives are those of the raw sweep over the declared system, which has one for each tensor of the
forward pass, not only those that a closed form needs. Its equations are the chain rule, one step each: with
answers in place of what they read, they say whether an answer is wrong by itself or only follows from a
wrong one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symbp.derive import derive
from symbp.derive.derivation import Derivation
from symbp.derive.sweep import AdjointSystem, adjoints
from symbp.errors import UsageError
from symbp.ir.groups import groups
from symbp.ir.printer import equation_text
from symbp.ir.system import System
from symbp.ir.vector import Run
from symbp.read.reading import reading
from symbp.verify.grading.key import Sheet
from symbp.verify.points import Point
from symbp.verify.rounding import Evaluate, rounding

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Reference:
    """The right values of a derivation of gradients."""

    derivation: Derivation

    def __post_init__(self) -> None:
        if not self.derivation.is_gradient or self.derivation.declared.loss is None:
            raise UsageError(
                "only gradients of a loss are compared with code", help="give the network itself"
            )

    __hash__ = object.__hash__

    @property
    def loss(self) -> str:
        assert self.derivation.declared.loss is not None
        return self.derivation.declared.loss

    @cached_property
    def sheet(self) -> Sheet:
        return Sheet(self.derivation, reading(self.derivation, None, "textbook").computable)

    @property
    def forward(self) -> System:
        """What was declared, with what only the page has."""
        return self.sheet.system

    @cached_property
    def swept(self) -> AdjointSystem:
        needed = self.forward.ancestors(self.loss)
        real = [t.name for t in self.forward.tensors if t.name in needed and not t.integer]
        known = {name for name in self.derivation.gradients if name in self.forward.by_name}
        return adjoints(self.forward, self.loss, [*real, *sorted(known - set(real))])

    @property
    def system(self) -> System:
        """Forward and backward pass."""
        return self.swept.system

    @cached_property
    def _like(self) -> dict[str, str]:
        """What only the page has, by the tensor that has the same derivative: x·W + b, by x·W."""
        holders, found = self.derivation.system.by_name, {}
        for name, holder in self.sheet.adjoints.items():
            what = holders[holder].differential if holder in holders else None
            if name not in self.swept.gradients and what is not None and what.by in self.swept.gradients:
                found[name] = what.by
        return found

    def adjoint(self, of: str) -> str | None:
        """The tensor of the system that holds the derivative of the loss by another; None without one."""
        return self.swept.gradients.get(self._like.get(of, of))

    @cached_property
    def by(self) -> dict[str, str]:
        """What each derivative of the system is by."""
        return {tensor: by for by, tensor in self.swept.gradients.items()}

    def is_parameter(self, tensor: str) -> bool:
        return self.by.get(tensor, "") in self.derivation.gradients

    # --- values
    def right(self, point: Point, names: Sequence[str]) -> dict[str, Array]:
        run = Run(self.system, point.values, point.sizes)
        return {name: run.tensor(name) for name in names}

    def noise(self, point: Point, names: Sequence[str], epsilon: float) -> dict[str, Array]:
        """A bound on the rounding of each element, infinite where it is unknown."""
        shapes = {name: np.shape(array) for name, array in self.right(point, names).items()}

        def function(tensors: Evaluate) -> Array:
            found = tensors(self.system, point.values, point.sizes, names)
            return np.concatenate([np.asarray(found[name], float).ravel() for name in names])

        flat, found = rounding(function, epsilon), {}
        for name, shape in shapes.items():
            count = int(np.prod(shape))
            found[name], flat = flat[:count].reshape(shape), flat[count:]
        return found

    def steps(self, point: Point, tensor: str, answered: Mapping[str, Array]) -> list[Array]:
        """What the chain rule makes of a tensor where others, and its own other steps, are as answered: by
        the sweep's equation, and by that of the closed form, which may read others."""
        called = {t: self._own_names[t] for t in answered if t in self._own_names}
        closed = {name: answered[t] for t, name in called.items()}
        found = [self._step(self.system, point, tensor, answered)]
        if tensor in called and called[tensor] in self.derivation.system.defining:
            found.append(self._step(self.derivation.system, point, called[tensor], closed))
        return found

    def _step(self, system: System, point: Point, tensor: str, answered: Mapping[str, Array]) -> Array:
        left = tuple(e for e in system.equations if e.target not in answered)
        run = Run(system.with_(equations=left), {**point.values, **answered}, point.sizes)
        return run.value(system.defining[tensor])

    # --- the page
    def shown(self, tensor: str) -> str:
        """What the page calls a tensor of the system."""
        own = self._own_names.get(tensor, tensor)
        return str(self.sheet.reading.symbols.text.get(own, tensor))

    def equation(self, tensor: str) -> str:
        """What the page has for a tensor, with the number of the equation; nothing where it isn't there."""
        own = self._own_names.get(tensor, tensor)
        symbols = {name: word for name, word in self.sheet.reading.symbols.text.items() if name != word}
        lines = [line for line in self.sheet.reading.lines if line.target == own]
        if len(lines) != 1:
            return ""
        return f"({lines[0].number}) {equation_text(lines[0].equation.renamed(symbols))}"

    # --- order
    @cached_property
    def _places(self) -> dict[str, int]:
        order = [name for group in groups(self.system) for name in group.targets]
        return {name: k for k, name in enumerate(order)}

    def place(self, tensor: str) -> int:
        """Where a tensor comes, forward and then backward."""
        return self._places.get(tensor, -1)

    def readers(self, tensor: str, among: Collection[str]) -> list[str]:
        """Those of some tensors that rest on one, though on none of the others between."""
        found: list[str] = []
        stack, seen = [tensor], {tensor}
        while stack:
            for name in self._readers.get(stack.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    (found if name in among else stack).append(name)
        return found

    def rests(self, tensor: str, on: str) -> bool:
        """Whether a tensor is computed from another, in either way."""
        stack, seen = [on], {on}
        while stack:
            new = [name for name in self._readers.get(stack.pop(), ()) if name not in seen]
            seen.update(new)
            stack += new
        return tensor in seen and tensor != on

    @cached_property
    def _readers(self) -> dict[str, list[str]]:
        """Who reads each tensor, in the sweep's equations and in those of the closed form."""
        found: dict[str, list[str]] = {}
        back = {name: tensor for tensor, name in self._own_names.items()}
        for system, called in ((self.system, {}), (self.derivation.system, back)):
            for equation in system.equations:
                for name in equation.read_names:
                    target = called.get(equation.target, equation.target)
                    found.setdefault(called.get(name, name), []).append(target)
        return found

    # --- the derivation, for what searches it
    def holding(self, tensors: Sequence[str]) -> tuple[Derivation, dict[str, str]]:
        """A derivation that has these tensors, and what it calls them."""
        own = self._own_names
        missing = [t for t in tensors if t in self.by and t not in own]
        if not missing:
            return self.derivation, own
        wrt = [*self.derivation.gradients, *(self.by[t] for t in missing)]
        found = derive(self.derivation.declared, name=self.derivation.name, wrt=wrt)
        return found, self._called(found)

    @cached_property
    def _own_names(self) -> dict[str, str]:
        return self._called(self.derivation)

    def _called(self, derivation: Derivation) -> dict[str, str]:
        """What a derivation calls the derivatives of the system, those that it has, and the other tensors."""
        found = {t.name: t.name for t in self.forward.tensors}
        for tensor in derivation.system.tensors:
            what = tensor.differential
            if what and what.of == self.loss and not what.part and what.along is None:
                of = self.swept.gradients.get(what.by)
                if of is not None:
                    found[of] = tensor.name
        for by, tensor_name in derivation.gradients.items():
            found[self.swept.gradients[by]] = tensor_name
        return found
