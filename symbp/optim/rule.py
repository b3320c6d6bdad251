"""How an update rule is written: the leaves of one generic parameter, and the next values of its moments.

Enters: hyperparameters, equations of one entry. Leaves: `symbp.ir.training.UpdateRule`.
Must not know: which optimizers exist, networks, derivatives.
The parameter is flat, `theta[i]` with i below P; `gradient[i]` is the loss's derivative by it. Moments have
its shape and start at zero; `step` counts from 1. Where parameters are told apart, k says which: `theta[k,i]`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypedDict

import sympy

from symbp.errors import UsageError
from symbp.ir.build import SystemBuilder, where
from symbp.ir.expr import Access, Expr, Guard, Index, Size, free_indices
from symbp.ir.system import Role
from symbp.ir.training import GRADIENT, STEP, THETA, UpdateRule
from symbp.optim.groups import read_groups
from symbp.optim.schedules import Schedule

K = Index("k")


class Options(TypedDict, total=False):
    """What every optimizer takes besides its own: a `schedule` of the learning rate; `clip_norm`, the
    largest Euclidean norm that all gradients together may have (Pascanu, Mikolov and Bengio 2013), and
    `clip_value`, the largest absolute value of one entry; the norm is clipped first. `groups` says which
    parameters have a rate or a weight decay of their own, or are frozen (`symbp.optim.groups`)."""

    schedule: Schedule | None
    clip_norm: float | None
    clip_value: float | None
    groups: Mapping[str, Any] | None


class Rule:
    """One update rule while it is written: its leaves, and the next values so far.

    `gradient` is the loss's gradient after clipping; `lr` follows the schedule. Weight decay λ adds λ·θ to
    the gradient, or, decoupled from it, makes `kept`, where the step starts, (1 − lr·λ)·θ instead of θ; `decay`
    is λ.
    """

    def __init__(
        self,
        name: str,
        hyper: Mapping[str, float],
        *moments: str,
        weight_decay: float = 0.0,
        decoupled: bool = False,
        schedule: Schedule | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        groups: Mapping[str, Any] | None = None,
        by_parameter: bool = False,
    ) -> None:
        not_negative(weight_decay=weight_decay)
        extra = {"weight_decay": weight_decay or None, "clip_norm": clip_norm, "clip_value": clip_value}
        chosen = {key: value for key, value in extra.items() if value is not None}
        positive(**chosen)
        self._name, self._hyper = name, {**hyper, **chosen}
        self.settings: dict[str, Any] = dict(self._hyper) | ({"schedule": schedule} if schedule else {})
        self.settings |= {"groups": groups} if groups else {}
        self._groups = read_groups(groups, self._hyper) if groups else ()
        which = (K,) if by_parameter or self._groups else ()  # one of the parameters
        self._builder, self._entry = SystemBuilder(), (*which, Index("i"))
        self._updates: dict[str, str] = {}
        shape, at = (*(Size("K") for _ in which), Size("P")), self._entry
        self.theta: Access = self._builder.leaf(THETA, *shape, role=Role.PARAMETER)(*at)
        self.gradient: Access = self._builder.leaf(GRADIENT, *shape)(*at)
        self._leaves = {m: self._builder.leaf(m, *shape, role=Role.BUFFER)(*at) for m in moments}
        self.step: Access = self._builder.leaf(STEP, integer=True)()
        self._leaves |= {h: self._builder.leaf(h, role=Role.HYPER)() for h in self._hyper}
        own = dict.fromkeys(name for group in self._groups for name in group.values)
        self._own = {name: self._builder.leaf(name, Size("K"))(K) for name in own}
        self.lr: Expr = self["lr"]
        if schedule is not None and schedule.factor(self.step) != 1:
            body = self["lr"] * schedule.factor(self.step)
            self.lr = self.scalar("rate", body, f"learning rate, {schedule.name}")
        self.lr = self.lr * self._own.get("lr_share", 1)
        if clip_norm is not None:
            self._clip_norm()
        if clip_value is not None:
            self._clip_value()
        self.kept: Expr = self.theta
        self.decay: Expr = sympy.S.Zero
        if weight_decay:
            self.decay = self["weight_decay"] * self._own.get("decay_share", 1)
        if weight_decay and decoupled:
            self.kept = (1 - self.lr * self.decay) * self.theta
        elif weight_decay:
            decayed = self.gradient + self.decay * self.theta
            self.gradient = self.entry("g_decayed", decayed, "weight decay")

    def _clip_norm(self) -> None:
        squares = self._builder.define("g_squares", [], self.gradient**2, "sum", self._entry, rule="‖g‖²")()
        norm = self.scalar("g_norm", sympy.sqrt(squares), "norm of all gradients")
        long = Guard("<", self["clip_norm"], norm)
        factor = long * self["clip_norm"] / norm + long.complement()
        scale = self.scalar("g_scale", factor, "at most clip_norm")
        self.gradient = self.entry("g_clipped", scale * self.gradient, "gradient, its norm clipped")

    def _clip_value(self) -> None:
        g, most = self.gradient, self["clip_value"]
        high, low = Guard("<", most, g), Guard("<", g, -most)
        inside = high.complement() * low.complement()
        bounded = high * most - low * most + inside * g
        self.gradient = self.entry("g_bounded", bounded, "gradient, its entries clipped")

    def __getitem__(self, name: str) -> Access:
        return self._leaves[name]

    def scalar(self, name: str, body: Expr, why: str) -> Access:
        """A number of this step, the same for all entries; for each parameter one where the body has."""
        which = [K] if K in free_indices(body) else []
        return self._builder.define(name, which, body, rule=why)(*which)

    def total(self, name: str, body: Expr, why: str) -> Access:
        """The sum over the entries of each parameter, of a rule that is written by parameter."""
        return self._builder.define(name, [K], body, "sum", self._entry[1:], rule=why)(K)

    def entry(self, name: str, body: Expr, why: str) -> Access:
        """A value of each entry that isn't kept."""
        return self._builder.define(name, self._entry, body, rule=why)(*self._entry)

    def next(self, name: str, body: Expr, why: str) -> Access:
        """States the next value of the parameter or of a moment."""
        target = self._updates[name] = f"{name}_next"
        return self._builder.define(target, self._entry, body, role=Role.NEXT, rule=why)(*self._entry)

    def finish(self, source: str) -> UpdateRule:
        system = self._builder.system(updates=self._updates)
        return UpdateRule(self._name, system, self._hyper, source, self.settings, self._groups)


def larger(a: Expr, b: Expr) -> Expr:
    """max(a, b)."""
    return where(Guard("<", a, b), b, a)


def sign(a: Expr) -> Expr:
    """1, 0 or −1."""
    return Guard("<", 0, a) - Guard("<", a, 0)


def magnitude(a: Expr) -> Expr:
    """|a|."""
    return where(Guard("<", a, 0), -a, a)


def not_negative(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value < 0:
            raise UsageError(f"{name} must not be negative, not {value!r}")


def positive(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value <= 0:
            raise UsageError(f"{name} must be a positive number, not {value!r}")


def fractions(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or not 0 <= value < 1:
            raise UsageError(f"{name} must be at least 0 and below 1, not {value!r}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
