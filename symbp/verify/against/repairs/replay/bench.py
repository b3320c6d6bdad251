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
from symbp.ir.evaluation.vector import Run
from symbp.ir.groups import groups
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.verify.against.repairs.replay.hoisting import Hoisted, hoisted
from symbp.verify.against.repairs.replay.stepping import Order, order, stepped
from symbp.verify.points import Point

Array = np.ndarray[Any, Any]
BACKWARD = (Role.ADJOINT, Role.GRADIENT)
DEEP = 120  # equations that may call one another


class _Replay(Run):
    """A few equations, given all that they rest on at a point that was run before: its sizes and whatever
    else doesn't change are taken from there."""

    def __init__(self, system: System, base: Run, known: Mapping[str, Array]) -> None:
        self.__dict__ |= base.__dict__
        self.system, self.base, self._arrays, self._groups = system, base, dict(known), None
        self.busy = set[str]()

    def _leaf(self, name: str) -> Array:
        return self.base.tensor(name)

    def _compute(self, name: str) -> None:
        """What isn't a recurrence needs no order but that of its reads."""
        if name in self.busy:
            raise _Recurrence
        if len(self.system.equations) > DEEP:
            super()._compute(name)
            return
        self.busy.add(name)
        try:
            equation = self.system.defining[name]
            for read in equation.read_names:
                self.tensor(read)
            self._arrays[name] = self._evaluate(equation, {})
        except _Recurrence:
            if len(self.busy) > 1:
                raise
            self.busy.clear()
            super()._compute(name)
        finally:
            self.busy.discard(name)


class _Recurrence(Exception):
    """A tensor rests on itself at another step."""


@dataclass(frozen=True)
class Bench:
    """One system with forward and backward pass, of which `target` is judged; `answered` are arrays for other
    adjoints, by point, which count instead of their equations."""

    system: System
    target: str
    points: tuple[Point, ...]
    answered: Mapping[str, tuple[Array, ...]]
    _bases: dict[int, Run] = field(default_factory=dict)
    _hoisted: dict[str, Hoisted | None] = field(default_factory=dict)
    _factors: dict[tuple[int, str], Array] = field(default_factory=dict)
    _known_orders: dict[Any, tuple[Order, ...]] = field(default_factory=dict)

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

    @cached_property
    def recurrent(self) -> frozenset[str]:
        """The adjoints that rest on themselves, at another step."""
        return frozenset(n for n in self.needed if n in self.resting(self.readers.get(n, [])))

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
        affected = (self.resting(new) & needed) | set(new)
        try:
            with np.errstate(all="ignore"):
                return self._replayed(k, affected, new, helpers, wanted)
        except (SymbpError, ArithmeticError, ValueError, IndexError, TypeError, KeyError):
            return None

    def _replayed(
        self,
        k: int,
        affected: set[str],
        new: Mapping[str, Equation],
        helpers: Sequence[Tensor],
        wanted: str,
    ) -> Array:
        """The wanted tensor, of all that is affected evaluated anew."""
        known: dict[str, Array] = {}
        kept, tensors = list[Equation](), list[Tensor](helpers)
        simple: dict[str, Hoisted] = {}
        for name in sorted(affected):
            equation = new.get(name) or self.backward[name]
            if name in self.backward:
                tensors.append(self.system.by_name[name])
                found = self._hoist(k, equation, name in new, known) if name in self.recurrent else None
                if found is not None and len(affected) > 1:
                    equation, simple[name] = found.equation, found
                    tensors += found.tensors
            kept.append(equation)
        system = System(tuple(tensors), tuple(kept))
        replay = _Replay(system, self.base(k), known)
        for found_order in self._orders(system, simple) if simple else ():
            equations = {name: simple[name].equation for name in found_order.targets}
            parts = {name: simple[name].parts(known) for name in found_order.targets}
            arrays = stepped(found_order, equations, parts, replay.extent, replay.tensor) or {}
            for name, array in arrays.items():
                replay.define(name, array)
        return replay.tensor(wanted)

    def _orders(self, system: System, simple: Mapping[str, Hoisted]) -> tuple[Order, ...]:
        """The recurrences of simple equations, in their order; the same wherever the same is read."""
        key = tuple(
            (e.target, *(simple[e.target].adjoints if e.target in simple else ())) for e in system.equations
        )
        if key not in self._known_orders:
            found = [order(group) for group in groups(system)]
            self._known_orders[key] = tuple(o for o in found if o and all(n in simple for n in o.targets))
        return self._known_orders[key]

    def _hoist(self, k: int, equation: Equation, is_new: bool, known: dict[str, Array]) -> Hoisted | None:
        """A recurrent equation with the factors of its adjoints as arrays, which come to what is `known`."""
        name = f"{equation.target} {'changed' if is_new else 'factor'}"
        if is_new or name not in self._hoisted:
            self._hoisted[name] = hoisted(equation, self.backward, name)
        found = self._hoisted[name]
        for part in found.equations if found is not None else ():
            if is_new or (k, part.target) not in self._factors:
                self._factors[k, part.target] = self.base(k).value(part)
            known[part.target] = self._factors[k, part.target]
        return found

    def _rests(self, name: str) -> set[str]:
        found, stack = set[str](), [name]
        while stack:
            at = stack.pop()
            if at not in found and at in self.backward:
                found.add(at)
                stack += self.backward[at].read_names
        return found


def holders(system: System) -> dict[str, str]:
    """The tensor that holds the derivative of the loss by each other one."""
    found = {}
    for tensor in system.tensors:
        what = tensor.differential
        if what is not None and not what.part and not what.whole and what.along is None:
            found[what.by] = tensor.name
    return found
