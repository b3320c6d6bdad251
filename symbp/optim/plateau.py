"""A learning rate that falls where the loss does no more: equations of what is kept from epoch to epoch.

Enters: hyperparameters. Leaves: `symbp.ir.training.Follow`. Must not know: optimizers, targets.
"""

from __future__ import annotations

import sympy

from symbp.ir.build import SystemBuilder, where
from symbp.ir.expr import Guard
from symbp.ir.system import Role
from symbp.ir.training import Follow

SHARE = "plateau"
"""The hyperparameter that the learning rate is multiplied with."""


def plateau_equations(
    factor: sympy.Expr, patience: int, threshold: sympy.Expr, cooldown: int, final: sympy.Expr
) -> Follow:
    """The share of the learning rate, the smallest loss, how many epochs were no better, and how many must
    still pass before they count again; PyTorch's ReduceLROnPlateau, in its order."""
    b = SystemBuilder()
    loss = b.leaf("loss")()
    share, best, bad, rest = (b.leaf(n, role=Role.BUFFER)() for n in (SHARE, "best", "bad", "rest"))

    def next_(name: str, body: sympy.Expr, why: str) -> sympy.Expr:
        return b.define(f"{name}_next", [], body, role=Role.NEXT, rule=why)()

    better = Guard("<", loss, best * (1 - threshold))
    next_("best", where(better, loss, best), "smallest loss")
    resting = Guard("<", 0, rest)
    idle = b.define("idle", [], better.complement() * resting.complement() * (bad + 1), rule="no better")()
    low = Guard("<", patience, idle)
    smaller = b.define("smaller", [], share * factor, rule="the next rate")()
    least = where(Guard("<", smaller, final), final, smaller) if final else smaller
    next_(SHARE, where(low, least, share), "share of the learning rate")
    next_("rest", where(low, cooldown, resting * (rest - 1)), "epochs that don't count")
    next_("bad", low.complement() * idle, "epochs since the smallest loss")
    names = (SHARE, "best", "bad", "rest")
    system = b.system(updates={name: f"{name}_next" for name in names})
    return Follow(system, {SHARE: 1.0, "best": float("inf"), "bad": 0.0, "rest": 0.0}, (SHARE,))


__all__ = ["SHARE", "plateau_equations"]
