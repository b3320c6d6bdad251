"""Optimizers: each is the update of one generic parameter, as equations.

Enters: hyperparameters. Leaves: `symbp.ir.training.UpdateRule`. Must not know: networks, derivatives.
The parameter is flat, `theta[i]` with i below P; `gradient[i]` is the loss's derivative by it. The equations
and their conventions are PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

import sympy

from symbp.errors import UsageError
from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Access, Expr, Guard, Index, Size
from symbp.ir.system import Role
from symbp.ir.training import GRADIENT, STEP, THETA, UpdateRule
from symbp.optim.schedules import Schedule


def SGD(lr: float = 1e-2, *, weight_decay: float = 0.0, **more: Unpack[Options]) -> UpdateRule:
    """θ ← θ − lr·g (Robbins and Monro 1951, on mini-batches); `weight_decay` λ adds λ·θ to the gradient.

    Raises UsageError: a learning rate that isn't a positive number, a negative weight decay.
    """
    _positive(lr=lr)
    rule = _Rule("SGD", {"lr": lr}, weight_decay=weight_decay, **more)
    rule.next(THETA, rule.theta - rule.lr * rule.gradient, "step against the gradient")
    return rule.finish("Robbins and Monro 1951, A stochastic approximation method")


def Momentum(
    lr: float = 1e-2,
    beta: float = 0.9,
    *,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """v ← beta·v + g, θ ← θ − lr·v (Polyak 1964; the velocity is in units of the gradient).

    With `nesterov` the step is lr·(g + beta·v) (Sutskever et al. 2013). Raises UsageError: lr not positive,
    beta outside [0, 1).
    """
    _positive(lr=lr)
    _fractions(beta=beta)
    rule = _Rule("Momentum", {"lr": lr, "beta": beta}, "v", weight_decay=weight_decay, **more)
    rule.settings |= {"nesterov": True} if nesterov else {}
    v = rule.next("v", rule["beta"] * rule["v"] + rule.gradient, "velocity")
    ahead = rule.gradient + rule["beta"] * v if nesterov else v
    rule.next(THETA, rule.theta - rule.lr * ahead, "step against the velocity")
    return rule.finish("Polyak 1964, Some methods of speeding up the convergence of iteration methods")


def RMSprop(
    lr: float = 1e-2,
    beta: float = 0.99,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """v ← β·v + (1 − β)·g², θ ← θ − lr·g/(√v + ε) (Tieleman and Hinton 2012)."""
    _positive(lr=lr, eps=eps)
    _fractions(beta=beta)
    rule = _Rule("RMSprop", {"lr": lr, "beta": beta, "eps": eps}, "v", weight_decay=weight_decay, **more)
    g = rule.gradient
    v = rule.next("v", rule["beta"] * rule["v"] + (1 - rule["beta"]) * g**2, "mean of squared gradients")
    rule.next(THETA, rule.theta - rule.lr * g / (sympy.sqrt(v) + rule["eps"]), "scaled step")
    return rule.finish("Tieleman and Hinton 2012, Lecture 6.5, Neural networks for machine learning")


def Adam(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², and with step t
    θ ← θ − lr·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ) (Kingma and Ba 2015, algorithm 1).

    `weight_decay` λ adds λ·θ to the gradient. Raises UsageError: lr or eps not positive, beta1 or beta2
    outside [0, 1).
    """
    rule = _adam("Adam", lr, beta1, beta2, eps, {}, weight_decay, more)
    rule.next(THETA, rule.theta - rule.lr * rule.scaled, "scaled step")
    return rule.finish("Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1")


def AdamW(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    **more: Unpack[Options],
) -> UpdateRule:
    """Adam, with θ shrunk by the factor 1 − lr·weight_decay beside its step: the decay is decoupled from the
    gradient, so its moments don't scale it (Loshchilov and Hutter 2019, algorithm 2). All parameters decay.

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), a negative weight decay.
    """
    _not_negative(weight_decay=weight_decay)
    rule = _adam("AdamW", lr, beta1, beta2, eps, {"weight_decay": weight_decay}, 0.0, more)
    kept = (1 - rule.lr * rule["weight_decay"]) * rule.theta
    rule.next(THETA, kept - rule.lr * rule.scaled, "scaled step from the decayed parameter")
    return rule.finish("Loshchilov and Hutter 2019, Decoupled weight decay regularization, algorithm 2")


def _adam(
    name: str,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    hyper: Mapping[str, float],
    weight_decay: float,
    more: Options,
) -> _Rule:
    """The moments of Adam, and its scaled step m̂/(√v̂ + ε)."""
    _positive(lr=lr, eps=eps)
    _fractions(beta1=beta1, beta2=beta2)
    known = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, **hyper}
    rule = _Rule(name, known, "m", "v", weight_decay=weight_decay, **more)
    g, first, second = rule.gradient, rule["beta1"], rule["beta2"]
    m = rule.next("m", first * rule["m"] + (1 - first) * g, "mean of gradients")
    v = rule.next("v", second * rule["v"] + (1 - second) * g**2, "mean of squared gradients")
    m_hat, v_hat = m / (1 - first**rule.step), v / (1 - second**rule.step)
    rule.scaled = m_hat / (sympy.sqrt(v_hat) + rule["eps"])
    return rule


class Options(TypedDict, total=False):
    """What every optimizer takes besides its own: a `schedule` of the learning rate; `clip_norm`, the
    largest Euclidean norm that all gradients together may have (Pascanu, Mikolov and Bengio 2013), and
    `clip_value`, the largest absolute value of one entry; the norm is clipped first."""

    schedule: Schedule | None
    clip_norm: float | None
    clip_value: float | None


class _Rule:
    """One update rule while it is written: its leaves, and the next values so far.

    `gradient` is the loss's gradient after clipping and, coupled, weight decay; `lr` follows the schedule.
    """

    def __init__(
        self,
        name: str,
        hyper: Mapping[str, float],
        *moments: str,
        weight_decay: float = 0.0,
        schedule: Schedule | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        _not_negative(weight_decay=weight_decay)
        extra = {"weight_decay": weight_decay or None, "clip_norm": clip_norm, "clip_value": clip_value}
        chosen = {key: value for key, value in extra.items() if value is not None}
        _positive(**chosen)
        self._name, self._hyper = name, {**hyper, **chosen}
        self.settings: dict[str, Any] = dict(self._hyper) | ({"schedule": schedule} if schedule else {})
        self._builder, self._i, length = SystemBuilder(), Index("i"), Size("P")
        self._updates: dict[str, str] = {}
        i = self._i
        self.theta: Access = self._builder.leaf(THETA, length, role=Role.PARAMETER)(i)
        self.gradient: Access = self._builder.leaf(GRADIENT, length)(i)
        self._leaves = {m: self._builder.leaf(m, length, role=Role.BUFFER)(i) for m in moments}
        self.step: Access = self._builder.leaf(STEP, integer=True)()
        self._leaves |= {h: self._builder.leaf(h, role=Role.HYPER)() for h in self._hyper}
        self.lr: Expr = self["lr"]
        self.scaled: Expr = sympy.S.Zero
        if schedule is not None and schedule.factor(self.step) != 1:
            body = self["lr"] * schedule.factor(self.step)
            self.lr = self._builder.define("rate", [], body, rule=f"learning rate, {schedule.name}")()
        if clip_norm is not None:
            self._clip_norm()
        if clip_value is not None:
            self._clip_value()
        if weight_decay:
            self._gradient("g_decayed", self.gradient + self["weight_decay"] * self.theta, "weight decay")

    def _clip_norm(self) -> None:
        squares = self._builder.define("g_squares", [], self.gradient**2, "sum", [self._i], rule="‖g‖²")()
        norm = self._builder.define("g_norm", [], sympy.sqrt(squares), rule="norm of all gradients")()
        long = Guard("<", self["clip_norm"], norm)
        factor = long * self["clip_norm"] / norm + long.complement()
        scale = self._builder.define("g_scale", [], factor, rule="at most clip_norm")()
        self._gradient("g_clipped", scale * self.gradient, "gradient, its norm clipped")

    def _clip_value(self) -> None:
        g, most = self.gradient, self["clip_value"]
        high, low = Guard("<", most, g), Guard("<", g, -most)
        inside = high.complement() * low.complement()
        self._gradient("g_bounded", high * most - low * most + inside * g, "gradient, its entries clipped")

    def _gradient(self, name: str, body: Expr, why: str) -> None:
        self.gradient = self._builder.define(name, [self._i], body, rule=why)(self._i)

    def __getitem__(self, name: str) -> Access:
        return self._leaves[name]

    def next(self, name: str, body: Expr, why: str) -> Access:
        """States the next value of the parameter or of a moment."""
        target = self._updates[name] = f"{name}_next"
        return self._builder.define(target, [self._i], body, role=Role.NEXT, rule=why)(self._i)

    def finish(self, source: str) -> UpdateRule:
        system = self._builder.system(updates=self._updates)
        return UpdateRule(self._name, system, self._hyper, source, self.settings)


def _not_negative(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value < 0:
            raise UsageError(f"{name} must not be negative, not {value!r}")


def _positive(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value <= 0:
            raise UsageError(f"{name} must be a positive number, not {value!r}")


def _fractions(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or not 0 <= value < 1:
            raise UsageError(f"{name} must be at least 0 and below 1, not {value!r}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
