"""What is right: every tensor of a network and every derivative of its loss, and what follows from answers.

Enters: a derivation, points, answers. Leaves: arrays, which tensor is whose derivative, and their order.
Must not know: how code was read, or what its names are.

An equation of a source says what a tensor is where what it reads is as answered: so it shows whether an
answer is wrong by itself or only follows from a wrong one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symbp.derive import derive
from symbp.derive.derivation import Derivation
from symbp.errors import UsageError
from symbp.ir.evaluation.vector import Run
from symbp.ir.groups import groups
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import System
from symbp.read.reading import reading
from symbp.verify.against.chain import Chain
from symbp.verify.against.sources import Source, Sources, called_by, derivative
from symbp.verify.grading.key import Sheet
from symbp.verify.points import Point
from symbp.verify.rounding import Evaluate, rounding

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Reference:
    """The right values of a derivation of gradients."""

    derivation: Derivation
    _runs: dict[tuple[int, int], tuple[Point, Run]] = field(default_factory=dict)
    _freed: dict[tuple[int, frozenset[str]], System] = field(default_factory=dict)

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
    def sources(self) -> Sources:
        return Sources(self.derivation, self.forward)

    @cached_property
    def _like(self) -> dict[str, str]:
        """What only the page has, by the tensor that has the same derivative: x·W + b, by x·W."""
        holders, known = self.derivation.system.by_name, self.sources.declared.called
        found = {}
        for name, holder in self.sheet.adjoints.items():
            what = holders[holder].differential if holder in holders else None
            if derivative(name) not in known and what is not None and derivative(what.by) in known:
                found[name] = what.by
        return found

    def adjoint(self, of: str) -> str | None:
        """The derivative of the loss by a tensor; None where it has none."""
        found = derivative(self._like.get(of, of))
        return found if found in self.sources.declared.called else None

    def by(self, tensor: str) -> str:
        """What a derivative is by; nothing for another tensor."""
        return tensor[1:] if tensor.startswith("∂") else ""

    def is_parameter(self, tensor: str) -> bool:
        return self.by(tensor) in self.derivation.gradients

    def is_leaf(self, tensor: str) -> bool:
        """Whether no equation of the forward pass defines a tensor."""
        return tensor not in self.forward.defining

    @cached_property
    def differentiable(self) -> list[str]:
        """What the forward pass computes and the loss rests on, in its order."""
        known = self.sources.declared.called
        return [e.target for e in self.forward.equations if derivative(e.target) in known]

    @cached_property
    def between(self) -> list[str]:
        """The tensors between leaves and loss, and the derivatives by these, in their order."""
        values = [t for t in self.differentiable if t != self.loss]
        return [*values, *dict.fromkeys(a for t in reversed(values) if (a := self.adjoint(t)))]

    # --- values
    def right(self, point: Point, tensor: str) -> Array:
        """The value of a tensor at a point: of a gradient, by the closed form; of another derivative by the
        sweep, or where that has none by the safe forms."""
        tried = []
        for source in self.ranked(tensor):
            tried.append(self._run(point, source).tensor(source.called[tensor]))
            if np.isfinite(tried[-1]).all():
                return tried[-1]
        return tried[0]

    def ranked(self, tensor: str) -> Iterator[Source]:
        """The sources that have a tensor, in the order in which they count."""
        if not self.by(tensor):
            yield self.sources.declared
            return
        names = (
            ("closed", "declared", "safe") if self.is_parameter(tensor) else ("declared", "closed", "safe")
        )
        for name in names:
            source: Source = getattr(self.sources, name)
            if tensor in source.called:
                yield source

    def _run(self, point: Point, source: Source) -> Run:
        """A source at a point; what was evaluated there is kept."""
        key = id(point), id(source)
        if key not in self._runs:
            self._runs[key] = point, Run(source.system, point.values, point.sizes)
        return self._runs[key][1]

    def noise(self, point: Point, tensors: Sequence[str], epsilon: float) -> dict[str, Array]:
        """A bound on the rounding of each element, infinite where it is unknown."""
        found = dict[str, Array]()
        for name in ("closed", "declared", "safe"):
            left = [t for t in tensors if t not in found or not np.isfinite(found[t]).all()]
            source: Source = getattr(self.sources, name)
            held = [t for t in left if t in source.called]
            if held:
                found |= self._noise(point, source, held, epsilon)
        return found

    def _noise(
        self, point: Point, source: Source, tensors: Sequence[str], epsilon: float
    ) -> dict[str, Array]:
        called = [source.called[tensor] for tensor in tensors]

        def function(evaluate: Evaluate) -> Array:
            arrays = evaluate(source.system, point.values, point.sizes, called)
            return np.concatenate([np.asarray(arrays[name], float).ravel() for name in called])

        flat, found = rounding(function, epsilon), {}
        for tensor in tensors:
            shape = self.right(point, tensor).shape
            count = int(np.prod(shape))
            found[tensor], flat = flat[:count].reshape(shape), flat[count:]
        return {tensor: np.where(np.isnan(array), np.inf, array) for tensor, array in found.items()}

    def chain(self, point: Point, answered: Mapping[str, Array]) -> Chain:
        """The chain rule at a point where some tensors are as answered."""
        return Chain(self, point, answered)

    def without(self, source: Source, given: frozenset[str]) -> System:
        """A source's system in which some tensors are leaves; one object for the same ones, so that what is
        found of it once is kept."""
        key = id(source), given
        if key not in self._freed:
            left = tuple(e for e in source.system.equations if e.target not in given)
            self._freed[key] = source.system.with_(equations=left)
        return self._freed[key]

    # --- the page
    def shown(self, tensor: str) -> str:
        """What the page calls a tensor."""
        own = self.sources.closed.called.get(tensor) or self.sources.declared.called.get(tensor, tensor)
        symbols = self.sheet.reading.symbols.text
        by = self.by(tensor)
        if own not in symbols and by in symbols:
            return f"d{symbols[by]}"
        return str(symbols.get(own, own))

    def equation(self, tensor: str) -> str:
        """What the page has for a tensor, with the number of the equation; nothing where it isn't there."""
        own = self.sources.closed.called.get(tensor, tensor)
        symbols = {name: word for name, word in self.sheet.reading.symbols.text.items() if name != word}
        lines = [line for line in self.sheet.reading.lines if line.target == own]
        if len(lines) != 1:
            return ""
        return f"({lines[0].number}) {equation_text(lines[0].equation.renamed(symbols))}"

    def axes(self, tensor: str) -> str:
        """The shape of a tensor in sizes: (N, H)."""
        name = self.by(tensor) or tensor
        shape = [expression_text(extent) for extent in self.forward.tensor(name).shape]
        return f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"

    # --- order
    @cached_property
    def _places(self) -> dict[str, int]:
        source = self.sources.declared
        order = [name for group in groups(source.system) for name in group.targets]
        return {source.meant[name]: k for k, name in enumerate(order) if name in source.meant}

    @cached_property
    def _loops(self) -> dict[str, tuple[int, int, int]]:
        """Of what a loop computes: the number of the loop, the tensor's axis along it, its direction."""
        source, found = self.sources.declared, {}
        for number, group in enumerate(groups(source.system)):
            loop = group.loop
            for name in group.targets if loop else ():
                if loop and name in source.meant:
                    found[source.meant[name]] = number, loop.axis[name], loop.step
        return found

    def moment(self, tensor: str, wrong: Array) -> tuple[int, int, int]:
        """When the backward pass first computes something wrong of a tensor: its place, but in a loop the
        loop's place, then the step, then its own place."""
        place = self.place(tensor)
        if tensor not in self._loops:
            return place, 0, place
        number, axis, step = self._loops[tensor]
        first = min(self.place(t) for t, loop in self._loops.items() if loop[0] == number)
        steps = np.flatnonzero(wrong.any(axis=tuple(k for k in range(wrong.ndim) if k != axis)))
        if not steps.size:
            return first, wrong.shape[axis], place
        return first, int(steps[0] if step > 0 else wrong.shape[axis] - 1 - steps[-1]), place

    def place(self, tensor: str) -> int:
        """Where a tensor comes, forward and then backward."""
        return self._places.get(tensor, -1)

    def readers(self, tensor: str, among: Collection[str]) -> list[str]:
        """Those of some tensors that rest on one, though on none of the others between."""
        found: dict[str, None] = {}
        for source, reads in self._readers:
            stack = [source.called[tensor]] if tensor in source.called else []
            seen = set(stack)
            while stack:
                for name in reads.get(stack.pop(), ()):
                    if name not in seen:
                        seen.add(name)
                        if source.meant.get(name) in among:
                            found[source.meant[name]] = None
                        else:
                            stack.append(name)
        return [*found]

    def rests(self, tensor: str, on: str) -> bool:
        """Whether a tensor is computed from another, in any of the ways."""
        for source, reads in self._readers:
            stack = [source.called[on]] if on in source.called else []
            seen = set(stack)
            while stack:
                new = [name for name in reads.get(stack.pop(), ()) if name not in seen]
                seen.update(new)
                stack += new
            if tensor != on and source.called.get(tensor) in seen:
                return True
        return False

    @cached_property
    def _readers(self) -> list[tuple[Source, dict[str, list[str]]]]:
        """Who reads each tensor, in each source."""
        found = []
        for source in (self.sources.declared, self.sources.closed):
            reads: dict[str, list[str]] = {}
            for equation in source.system.equations:
                for name in equation.read_names:
                    reads.setdefault(name, []).append(equation.target)
            found.append((source, reads))
        return found

    # --- the derivation, for what searches it
    def holding(self, tensor: str) -> tuple[Derivation, dict[str, str]]:
        """A derivation that has a tensor, and what it calls the tensors that it has."""
        if tensor in self.sources.closed.called or not self.by(tensor):
            return self.derivation, dict(self.sources.closed.called)
        wrt = [*self.derivation.gradients, self.by(tensor)]
        found = derive(self.derivation.declared, name=self.derivation.name, wrt=wrt)
        return found, called_by(found, self.forward)
