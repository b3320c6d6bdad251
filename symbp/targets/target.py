"""What a target is: an ordered list of named passes, and what its modules need.

Enters: nothing (types only). Leaves: `Target`, and the states that its passes lead through. Must not know:
any target.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from symbp.derive.derivation import Derivation
from symbp.errors import UsageError, choose
from symbp.ir.training import Initial, UpdateRule
from symbp.targets.pieces import ALL, BARE


@dataclass(frozen=True)
class Order:
    """What a module is asked for: a network's derivation, its update, starting values, sizes with values, the
    network's constants, the dtype, and pieces beside the essential. Without an update it computes what the
    derivation holds, and doesn't train."""

    derivation: Derivation
    update: UpdateRule | None
    initial: Mapping[str, Initial] = field(default_factory=dict)
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


def _anything(state: Any, before: Any) -> None:
    """No rule."""


@dataclass(frozen=True)
class Target:
    """A kind of module. Its `passes` lead from an order to the text of a module that trains, those
    `of_derivatives` to one that only computes, where there are any. `shown` is the text of a state;
    `validate` raises where a state breaks a rule of its level (what it shares with the state before has been
    judged already); `gradients` are the loss (under "") and the
    gradients that a state gives at a point, None of a state that can't be executed. Of its `pieces`, a module
    has the `usual` ones where nothing is said; `nothing` and `all` can be asked of every target.

    `engine` is what its modules run on, as it is written, `needs` the packages that they import, `memory`
    whether arrays lie where a plan says; `runtime` names the folder of the runtime of which they take whole
    files, if they do: then they have a command line of their own, and `footprint` tells what a step takes."""

    name: str
    engine: str
    needs: tuple[str, ...]
    dtypes: tuple[str, ...]
    memory: Literal["allocated anew", "planned"]
    pieces: tuple[str, ...]
    passes: tuple[Pass, ...]
    shown: Callable[[Any], str]
    gradients: Callable[[Any, Mapping[str, Any], Mapping[str, int]], dict[str, Any] | None]
    validate: Callable[[Any, Any], None] = _anything
    usual: tuple[str, ...] = ()
    runtime: str | None = None
    of_derivatives: tuple[Pass, ...] = ()
    footprint: Callable[[Target, Order], Any] | None = None

    def states(self, order: Order, *, validate: bool | None = None) -> Iterator[tuple[Pass, Any]]:
        """Each pass with the state after it; `validate` says whether each state is held against the rules of
        its level, which is also done where the environment has SYMBP_VALIDATE.

        Raises UsageError: a dtype or a piece that the target hasn't, a derivation in place of a network.
        """
        self._refuse("dtype", [order.dtype], self.dtypes)
        self._refuse("piece", order.pieces, (*self.pieces, BARE, ALL))
        held = bool(os.environ.get("SYMBP_VALIDATE")) if validate is None else validate
        state: Any = order
        for step in self.passes_for(order):
            before, state = state, step.apply(state)
            if held:
                self.validate(state, before)
            yield step, state

    def passes_for(self, order: Order) -> tuple[Pass, ...]:
        """The passes of a module that trains or, of an order without an update, of derivatives. Raises
        UsageError: the target has none for these."""
        if order.update is not None:
            return self.passes
        if not self.of_derivatives:
            raise UsageError(
                f"the target {self.name} writes modules that train: they need a network and an optimizer",
                help="give both, optimizer=bp.optim.Adam(1e-3), or choose another target",
            )
        return self.of_derivatives

    def after(self, name: str, order: Order) -> Any:
        """The state after the pass of that name. Raises UsageError: there is none."""
        self._refuse("pass", [name], [step.name for step in self.passes_for(order)])
        return next(state for step, state in self.states(order) if step.name == name)

    def source(self, order: Order) -> str:
        """The text of a module."""
        *_, (_, text) = self.states(order)
        return str(text)

    def plan(self, order: Order) -> Any:
        """What a step of the module takes, its `Footprint`; the size of the batch stays open, and a value for
        it is one at which formulas are evaluated. Raises UsageError: the target plans no memory."""
        if self.footprint is None:
            raise UsageError(f"the target {self.name} has no plan: its arrays are allocated anew")
        return self.footprint(self, order)

    def dump(self, order: Order, name: str | None = None) -> str:
        """The state after the pass of that name, or after each. Raises UsageError: there is none."""
        if name is not None:
            self._refuse("pass", [name], [step.name for step in self.passes_for(order)])
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
