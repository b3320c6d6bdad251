"""Optimizers: each is the update of one generic parameter, as equations.

Enters: hyperparameters. Leaves: `symbp.ir.training.UpdateRule`. Must not know: networks, derivatives.
The parameter is flat, `theta[i]` with i below P; `gradient[i]` is the loss's derivative by it. The equations
and their conventions are PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy

from symbp.errors import UsageError
from symbp.ir.build import SystemBuilder
from symbp.ir.expr import Access, Expr, Index, Size
from symbp.ir.system import Role
from symbp.ir.training import GRADIENT, STEP, THETA, UpdateRule


def SGD(lr: float = 1e-2) -> UpdateRule:
    """θ ← θ − lr·g (Robbins and Monro 1951, on mini-batches).

    Raises UsageError: a learning rate that isn't a positive number.
    """
    _positive(lr=lr)
    rule = _Rule("SGD", {"lr": lr})
    rule.next(THETA, rule.theta - rule["lr"] * rule.gradient, "step against the gradient")
    return rule.finish("Robbins and Monro 1951, A stochastic approximation method")


def Momentum(lr: float = 1e-2, beta: float = 0.9) -> UpdateRule:
    """v ← beta·v + g, θ ← θ − lr·v (Polyak 1964; the velocity is in units of the gradient).

    Raises UsageError: lr not positive, beta outside [0, 1).
    """
    _positive(lr=lr)
    _fractions(beta=beta)
    rule = _Rule("Momentum", {"lr": lr, "beta": beta}, "v")
    v = rule.next("v", rule["beta"] * rule["v"] + rule.gradient, "velocity")
    rule.next(THETA, rule.theta - rule["lr"] * v, "step against the velocity")
    return rule.finish("Polyak 1964, Some methods of speeding up the convergence of iteration methods")


def Adam(lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> UpdateRule:
    """m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², and with step t
    θ ← θ − lr·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ) (Kingma and Ba 2015, algorithm 1).

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1).
    """
    _positive(lr=lr, eps=eps)
    _fractions(beta1=beta1, beta2=beta2)
    rule = _Rule("Adam", {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}, "m", "v")
    rule.next(THETA, rule.theta - rule["lr"] * _scaled_mean(rule), "scaled step")
    return rule.finish("Kingma and Ba 2015, Adam: a method for stochastic optimization, algorithm 1")


def AdamW(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> UpdateRule:
    """Adam, with θ shrunk by the factor 1 − lr·weight_decay beside its step: the decay is decoupled from the
    gradient, so its moments don't scale it (Loshchilov and Hutter 2019, algorithm 2). All parameters decay.

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), weight_decay negative.
    """
    _positive(lr=lr, eps=eps)
    _fractions(beta1=beta1, beta2=beta2)
    _non_negative(weight_decay=weight_decay)
    hyper = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay}
    rule = _Rule("AdamW", hyper, "m", "v")
    kept = (1 - rule["lr"] * rule["weight_decay"]) * rule.theta
    rule.next(THETA, kept - rule["lr"] * _scaled_mean(rule), "scaled step from the decayed parameter")
    return rule.finish("Loshchilov and Hutter 2019, Decoupled weight decay regularization, algorithm 2")


def _scaled_mean(rule: _Rule) -> Expr:
    """m̂/(√v̂ + ε) of the next moments (Kingma and Ba 2015, algorithm 1)."""
    g, first, second = rule.gradient, rule["beta1"], rule["beta2"]
    m = rule.next("m", first * rule["m"] + (1 - first) * g, "mean of gradients")
    v = rule.next("v", second * rule["v"] + (1 - second) * g**2, "mean of squared gradients")
    return m / (1 - first**rule.step) / (sympy.sqrt(v / (1 - second**rule.step)) + rule["eps"])


class _Rule:
    """One update rule while it is written: its leaves, and the next values so far."""

    def __init__(self, name: str, hyper: Mapping[str, float], *moments: str) -> None:
        self._name, self._hyper = name, dict(hyper)
        self._builder, self._i, length = SystemBuilder(), Index("i"), Size("P")
        self._updates: dict[str, str] = {}
        i = self._i
        self.theta: Access = self._builder.leaf(THETA, length, role=Role.PARAMETER)(i)
        self.gradient: Access = self._builder.leaf(GRADIENT, length)(i)
        self._leaves = {m: self._builder.leaf(m, length, role=Role.BUFFER)(i) for m in moments}
        self.step: Access = self._builder.leaf(STEP, integer=True)()
        self._leaves |= {h: self._builder.leaf(h, role=Role.HYPER)() for h in hyper}

    def __getitem__(self, name: str) -> Access:
        return self._leaves[name]

    def next(self, name: str, body: Expr, why: str) -> Access:
        """States the next value of the parameter or of a moment."""
        target = self._updates[name] = f"{name}_next"
        return self._builder.define(target, [self._i], body, role=Role.NEXT, rule=why)(self._i)

    def finish(self, source: str) -> UpdateRule:
        return UpdateRule(self._name, self._builder.system(updates=self._updates), self._hyper, source)


def _positive(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value <= 0:
            raise UsageError(f"{name} must be a positive number, not {value!r}")


def _fractions(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or not 0 <= value < 1:
            raise UsageError(f"{name} must be at least 0 and below 1, not {value!r}")


def _non_negative(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value < 0:
            raise UsageError(f"{name} must not be negative, not {value!r}")


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
