"""Systems that hold derivatives of one loss: the closed form, and sweeps with one for each tensor.

Enters: a derivation, its forward pass as a page has it. Leaves: systems, each with what it calls a
derivative. Must not know: answers.

The sweep over the declared system has the derivative by every tensor, but no value where a log of 0 is met on
the way; that over the safe forms of the derivation has. Both are the chain rule, one step an equation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from symbp.derive.derivation import Derivation
from symbp.derive.sweep.reverse import adjoints
from symbp.ir.system import System


@dataclass(frozen=True)
class Source:
    """A system, and what it calls each tensor that it has: those of the forward pass by their own names,
    derivatives by `d` and what they are by."""

    system: System
    called: Mapping[str, str]

    __hash__ = object.__hash__

    @cached_property
    def meant(self) -> dict[str, str]:
        """The tensor that each of its own is."""
        return {own: tensor for tensor, own in self.called.items()}


@dataclass(frozen=True)
class Sources:
    """The sources of a derivation; `forward` is its declared system with what only a page has."""

    derivation: Derivation
    forward: System

    __hash__ = object.__hash__

    @property
    def loss(self) -> str:
        assert self.forward.loss is not None
        return self.forward.loss

    @cached_property
    def declared(self) -> Source:
        """The sweep over what was declared."""
        needed = self.forward.ancestors(self.loss)
        needed -= {self.loss}
        real = [t.name for t in self.forward.tensors if t.name in needed and not t.integer]
        real += [name for name in self.derivation.gradients if name in self.forward.by_name]
        swept = adjoints(self.forward, self.loss, [*dict.fromkeys(real)])
        called = {t.name: t.name for t in self.forward.tensors}
        return Source(swept.system, called | {derivative(by): own for by, own in swept.gradients.items()})

    @cached_property
    def closed(self) -> Source:
        """The closed form."""
        return Source(self.derivation.system, called_by(self.derivation, self.forward))

    @cached_property
    def safe(self) -> Source:
        """The sweep over the forward pass in which nothing overflows."""
        own = self.derivation.system
        backward = {e.target for e in self.derivation.backward}
        system = own.with_(
            tensors=tuple(t for t in own.tensors if t.name not in backward),
            equations=tuple(e for e in own.equations if e.target not in backward),
        )
        needed = system.ancestors(self.loss) if self.loss in system.by_name else frozenset[str]()
        kept = [name for name in self.forward.by_name if name in needed and name not in self.moved]
        real = [name for name in kept if not system.tensor(name).integer and name != self.loss]
        swept = adjoints(system, self.loss, real)
        called = {name: name for name in kept}
        return Source(swept.system, called | {derivative(by): name for by, name in swept.gradients.items()})

    @cached_property
    def moved(self) -> frozenset[str]:
        """Tensors that have another value in the safe forms."""
        return frozenset[str]().union(*(ground.moved for ground in self.derivation.grounds))


def derivative(by: str) -> str:
    """What the derivative of the loss by a tensor is called here."""
    return f"∂{by}"


def called_by(derivation: Derivation, forward: System) -> dict[str, str]:
    """What a derivation calls the tensors of its forward pass, and the derivatives that it has."""
    moved = frozenset[str]().union(*(ground.moved for ground in derivation.grounds))
    system, loss = derivation.system, derivation.declared.loss
    found = {n: n for n in forward.by_name if n in system.by_name and n not in moved}
    for tensor in system.tensors:
        what = tensor.differential
        if what and what.of == loss and not what.part and what.along is None and not what.whole:
            found.setdefault(derivative(what.by), tensor.name)
    return found | {derivative(by): name for by, name in derivation.gradients.items()}
