"""A backward pass on the bench: its right values at points, and what comes of it when an equation changes.

Enters: systems of a derivation, points, what was answered for other tensors. Leaves: arrays.
Must not know: any kind of slip.

What is answered for an adjoint stands in its place: an equation that reads it is judged by what it made of
it. So a tensor that is wrong only because another one is wrong is no slip of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symbp.errors import SymbpError
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.ir.vector import Run
from symbp.verify.points import Point

Array = np.ndarray[Any, Any]
BACKWARD = (Role.ADJOINT, Role.GRADIENT)


class _Replay(Run):
    """A few equations, given all that they rest on at a point that was run before: its sizes and whatever else
    doesn't change are taken from there."""

    def __init__(self, system: System, base: Run) -> None:
        self.__dict__ |= base.__dict__
        self.system, self.base, self._arrays, self._groups = system, base, {}, None

    def _leaf(self, name: str) -> Array:
        return self.base.tensor(name)


@dataclass(frozen=True)
class Bench:
    """One system with forward and backward pass, of which `target` is judged; `answered` are arrays for other
    adjoints, by point, which count instead of their equations."""

    system: System
    target: str
    points: tuple[Point, ...]
    answered: Mapping[str, tuple[Array, ...]]
    _bases: dict[int, Run] = field(default_factory=dict)

    @cached_property
    def held(self) -> System:
        """The system with answers as leaves."""
        kept = [e for e in self.system.equations if e.target not in self.answered]
        return self.system.with_(equations=tuple(kept))

    def base(self, k: int) -> Run:
        """The right pass at a point."""
        if k not in self._bases:
            point = self.points[k]
            values = {**point.values, **{name: arrays[k] for name, arrays in self.answered.items()}}
            self._bases[k] = Run(self.held, values, point.sizes)
        return self._bases[k]

    def right(self, k: int, name: str | None = None) -> Array:
        """The value of the target, or of another tensor."""
        return self.base(k).tensor(name or self.target)

    # --- what lies between
    @cached_property
    def backward(self) -> dict[str, Equation]:
        """The equations of adjoints."""
        roles = {t.name: t.role for t in self.system.tensors}
        return {e.target: e for e in self.held.equations if roles[e.target] in BACKWARD}

    @cached_property
    def between(self) -> list[Equation]:
        """Those from the target back to the loss or to what was answered, the nearest first."""
        found: dict[str, None] = {self.target: None}
        queue = [self.target] if self.target in self.backward else []
        for name in queue:
            for read in self.backward[name].read_names:
                if read in self.backward and read not in found:
                    found[read] = None
                    queue.append(read)
        return [self.backward[name] for name in queue]

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """Who reads each adjoint."""
        found: dict[str, list[str]] = {}
        for equation in self.backward.values():
            for name in equation.read_names:
                found.setdefault(name, []).append(equation.target)
        return found

    def resting(self, names: Iterable[str]) -> set[str]:
        """Some adjoints and all that rest on them."""
        found, stack = set[str](), list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += self.readers.get(name, [])
        return found

    @cached_property
    def needed(self) -> set[str]:
        """What the target rests on."""
        return {e.target for e in self.between}

    def recurs(self, name: str) -> bool:
        """Whether an adjoint rests on itself, at another step."""
        return name in self.resting(self.readers.get(name, []))

    # --- what comes of a change
    def changed(
        self,
        k: int,
        equations: Sequence[Equation],
        helpers: Sequence[Tensor] = (),
        wanted: str | None = None,
    ) -> Array | None:
        """The target, or another tensor, where equations stand in the place of others; None where that has no
        value."""
        new = {e.target: e for e in equations}
        wanted = wanted or self.target
        needed = self.needed if wanted == self.target else self._rests(wanted)
        affected = (self.resting(new) & needed) | {t.name for t in helpers} | set(new)
        kept = [new.pop(e.target, e) for e in self.held.equations if e.target in affected]
        system = self.system.with_(
            tensors=(*self.system.tensors, *helpers), equations=(*new.values(), *kept)
        )
        try:
            with np.errstate(all="ignore"):
                return _Replay(system, self.base(k)).tensor(wanted)
        except (SymbpError, ArithmeticError, ValueError, IndexError, TypeError):
            return None

    def _rests(self, name: str) -> set[str]:
        found, stack = set[str](), [name]
        while stack:
            at = stack.pop()
            if at not in found and at in self.backward:
                found.add(at)
                stack += self.backward[at].read_names
        return found
