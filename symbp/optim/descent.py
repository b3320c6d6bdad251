"""Optimizers that step along the gradient, a velocity or a sign, all entries at one rate.

Enters: hyperparameters. Leaves: `symbp.ir.training.UpdateRule`. Must not know: networks, derivatives.
The equations and their conventions are PyTorch's, Lion's those of its paper.
"""

from __future__ import annotations

from typing import Unpack

from symbp.ir.training import THETA, UpdateRule
from symbp.optim.rule import Options, Rule, fractions, positive, sign

POLYAK = "Polyak 1964, Some methods of speeding up the convergence of iteration methods"
SUTSKEVER = (
    "Sutskever et al. 2013, On the importance of initialization and momentum in deep learning, section 2"
)


def SGD(lr: float = 1e-2, *, weight_decay: float = 0.0, **more: Unpack[Options]) -> UpdateRule:
    """θ ← θ − lr·g (Robbins and Monro 1951, on mini-batches); `weight_decay` λ adds λ·θ to the gradient.

    Raises UsageError: a learning rate that isn't a positive number, a negative weight decay.
    """
    positive(lr=lr)
    rule = Rule("SGD", {"lr": lr}, weight_decay=weight_decay, **more)
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
    beta outside [0, 1), a negative weight decay.
    """
    rule = _momentum("Momentum", lr, beta, nesterov, weight_decay, more)
    rule.settings |= {"nesterov": True} if nesterov else {}
    return rule.finish(POLYAK)


def Nesterov(
    lr: float = 1e-2, beta: float = 0.9, *, weight_decay: float = 0.0, **more: Unpack[Options]
) -> UpdateRule:
    """v ← beta·v + g, θ ← θ − lr·(g + beta·v): momentum with the gradient taken ahead (Nesterov 1983; in
    this form Sutskever et al. 2013, section 2, of the point ahead); PyTorch's SGD with `nesterov`.

    Raises UsageError: lr not positive, beta outside [0, 1), a negative weight decay.
    """
    return _momentum("Nesterov", lr, beta, True, weight_decay, more).finish(SUTSKEVER)


def _momentum(name: str, lr: float, beta: float, ahead: bool, weight_decay: float, more: Options) -> Rule:
    positive(lr=lr)
    fractions(beta=beta)
    rule = Rule(name, {"lr": lr, "beta": beta}, "v", weight_decay=weight_decay, **more)
    v = rule.next("v", rule["beta"] * rule["v"] + rule.gradient, "velocity")
    along = rule.gradient + rule["beta"] * v if ahead else v
    rule.next(THETA, rule.theta - rule.lr * along, "step against the velocity")
    return rule


def Lion(
    lr: float = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """c = β₁·m + (1 − β₁)·g, θ ← θ − lr·(sign(c) + λ·θ), m ← β₂·m + (1 − β₂)·g (Chen et al. 2023,
    algorithm 2): every entry moves by lr or not at all, so lr is three to ten times smaller than Adam's.

    `weight_decay` λ is decoupled from the gradient. Raises UsageError: lr not positive, beta1 or beta2
    outside [0, 1), a negative weight decay.
    """
    positive(lr=lr)
    fractions(beta1=beta1, beta2=beta2)
    hyper = {"lr": lr, "beta1": beta1, "beta2": beta2}
    rule = Rule("Lion", hyper, "m", weight_decay=weight_decay, decoupled=True, **more)
    g, m, first, second = rule.gradient, rule["m"], rule["beta1"], rule["beta2"]
    c = rule.entry("c", first * m + (1 - first) * g, "direction")
    rule.next("m", second * m + (1 - second) * g, "mean of gradients")
    rule.next(THETA, rule.kept - rule.lr * sign(c), "step against the direction's sign")
    return rule.finish("Chen et al. 2023, Symbolic discovery of optimization algorithms, algorithm 2")


__all__ = ["SGD", "Lion", "Momentum", "Nesterov"]
