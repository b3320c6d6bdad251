"""A changed backward pass: what code might compute that has one slip.

Enters: nothing (types only). Leaves: frozen values. Must not know: how mutants are made or judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbp.ir.system import Equation, Tensor
from symbp.verify.against.answer import Slip


@dataclass(frozen=True)
class Mutant:
    """Equations in the place of those of their targets, helpers that they need, what kind of slip that is,
    and what its author is told."""

    slip: Slip
    hint: str
    changed: tuple[Equation, ...]
    effort: int = 1
    helpers: tuple[Tensor, ...] = ()

    @property
    def target(self) -> str:
        """The tensor whose equation is changed."""
        return self.changed[0].target
