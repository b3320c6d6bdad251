"""What a target is: an ordered list of named passes, and what its modules need.

Enters: nothing (types only). Leaves: `Target`, and the states that its passes lead through. Must not know:
any target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from symbp.derive.derivation import Derivation
from symbp.errors import UsageError, choose
from symbp.ir.training import Initial, UpdateRule


@dataclass(frozen=True)
class Order:
    """What a module is asked for: a network's derivation, its update, starting values, sizes with values, the
    network's constants, the dtype, and pieces beside the essential."""

    derivation: Derivation
    update: UpdateRule
    initial: Mapping[str, Initial]
    sizes: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    dtype: str = "float64"
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pass:
    """One step from a state to the next: an order at first, then whatever the target's levels are, a text at
    last."""

    name: str
    does: str
    apply: Callable[[Any], Any]


@dataclass(frozen=True)
class Target:
    """A kind of module. `shown` is the text of a state; `gradients` the loss (under "") and the gradients
    that a state gives at a point, None of a state that can't be executed."""

    name: str
    engine: str
    needs: tuple[str, ...]
    dtypes: tuple[str, ...]
    memory: Literal["allocated anew", "planned"]
    pieces: tuple[str, ...]
    passes: tuple[Pass, ...]
    shown: Callable[[Any], str]
    gradients: Callable[[Any, Mapping[str, Any], Mapping[str, int]], dict[str, Any] | None]

    def states(self, order: Order) -> Iterator[tuple[Pass, Any]]:
        """Each pass with the state after it.

        Raises UsageError: a dtype or a piece that the target hasn't.
        """
        self._refuse("dtype", [order.dtype], self.dtypes)
        self._refuse("piece", order.pieces, self.pieces)
        state: Any = order
        for step in self.passes:
            state = step.apply(state)
            yield step, state

    def source(self, order: Order) -> str:
        """The text of a module."""
        *_, (_, text) = self.states(order)
        return str(text)

    def dump(self, order: Order, name: str | None = None) -> str:
        """The state after the pass of that name, or after each. Raises UsageError: there is none."""
        if name is not None:
            self._refuse("pass", [name], [step.name for step in self.passes])
        shown = [
            f"--- {step.name}: {step.does}\n{self.shown(state)}"
            for step, state in self.states(order)
            if name in (None, step.name)
        ]
        return "\n".join(shown)

    def _refuse(self, what: str, asked: Any, known: Any) -> None:
        for one in asked:
            if one not in known:
                raise UsageError(f"the target {self.name} has no {what} {one!r}", help=choose(one, known))
