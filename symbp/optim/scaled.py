"""Optimizers that divide each entry's step by the size of its gradients so far, without a mean of gradients.

Enters: hyperparameters. Leaves: `symbp.ir.training.UpdateRule`. Must not know: networks, derivatives.
The equations and their conventions are PyTorch's.
"""

from __future__ import annotations

from typing import Unpack

import sympy

from symbp.ir.expr import Expr
from symbp.ir.training import THETA, UpdateRule
from symbp.optim.rule import Options, Rule, fractions, not_negative, positive


def Adagrad(
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    eps: float = 1e-10,
    *,
    initial_accumulator_value: float = 0.0,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """v ← v + g², θ ← θ − lr·g/(√v + ε) (Duchi, Hazan and Singer 2011, figure 1, diagonal). With `lr_decay` κ
    the rate at step t is lr/(1 + (t − 1)·κ); `initial_accumulator_value` is what v counts from.

    Raises UsageError: lr or eps not positive, a negative lr_decay, initial value or weight decay.
    """
    positive(lr=lr, eps=eps)
    not_negative(lr_decay=lr_decay, initial_accumulator_value=initial_accumulator_value)
    options = {"lr_decay": lr_decay, "initial_accumulator_value": initial_accumulator_value}
    chosen = {name: value for name, value in options.items() if value}
    rule = Rule("Adagrad", {"lr": lr, **chosen, "eps": eps}, "v", weight_decay=weight_decay, **more)
    rate, start = rule.lr, rule["initial_accumulator_value"] if initial_accumulator_value else 0
    if lr_decay:
        falling = rule.lr / (1 + (rule.step - 1) * rule["lr_decay"])
        rate = rule.scalar("rate_decayed", falling, "learning rate, falling with the steps")
    v = rule.next("v", rule["v"] + rule.gradient**2, "sum of squared gradients")
    scaled = rule.gradient / (sympy.sqrt(v + start) + rule["eps"])
    rule.next(THETA, rule.theta - rate * scaled, "scaled step")
    return rule.finish("Duchi, Hazan and Singer 2011, Adaptive subgradient methods, figure 1")


def Adadelta(
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """v ← ρ·v + (1 − ρ)·g², Δ = √(u + ε)/√(v + ε)·g, u ← ρ·u + (1 − ρ)·Δ², θ ← θ − lr·Δ (Zeiler 2012,
    algorithm 1, whose lr is 1): Δ is in units of the parameter.

    Raises UsageError: lr or eps not positive, rho outside [0, 1), a negative weight decay.
    """
    positive(lr=lr, eps=eps)
    fractions(rho=rho)
    hyper = {"lr": lr, "rho": rho, "eps": eps}
    rule = Rule("Adadelta", hyper, "v", "u", weight_decay=weight_decay, **more)
    v = rule.next("v", _mean(rule, "rho", "v", rule.gradient**2), "mean of squared gradients")
    ratio = sympy.sqrt(rule["u"] + rule["eps"]) / sympy.sqrt(v + rule["eps"])
    change = rule.entry("change", ratio * rule.gradient, "change in units of the parameter")
    rule.next("u", _mean(rule, "rho", "u", change**2), "mean of squared changes")
    rule.next(THETA, rule.theta - rule.lr * change, "step")
    return rule.finish("Zeiler 2012, Adadelta: an adaptive learning rate method, algorithm 1")


def RMSprop(
    lr: float = 1e-2,
    beta: float = 0.99,
    eps: float = 1e-8,
    *,
    momentum: float = 0.0,
    centered: bool = False,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """v ← β·v + (1 − β)·g², θ ← θ − lr·g/(√v + ε) (Tieleman and Hinton 2012); β is PyTorch's alpha.

    `centered` divides by the deviation of the gradients instead: v ← β·(v + (1 − β)·(g − m)²), then
    m ← β·m + (1 − β)·g (Graves 2013, equations 38 to 40; v is their n − m², which in this form is never
    negative). `momentum` μ steps by a velocity b ← μ·b + g/(√v + ε).

    Raises UsageError: lr or eps not positive, beta or momentum outside [0, 1), a negative weight decay.
    """
    positive(lr=lr, eps=eps)
    fractions(beta=beta, momentum=momentum)
    hyper = {"lr": lr, "beta": beta, "eps": eps, **({"momentum": momentum} if momentum else {})}
    moments = ["v", *["m"] * centered, *["b"] * bool(momentum)]
    rule = Rule("RMSprop", hyper, *moments, weight_decay=weight_decay, **more)
    rule.settings |= {"centered": True} if centered else {}
    g, beta_ = rule.gradient, rule["beta"]
    if centered:
        variance = beta_ * (rule["v"] + (1 - beta_) * (g - rule["m"]) ** 2)
        v = rule.next("v", variance, "variance of gradients")
        rule.next("m", _mean(rule, "beta", "m", g), "mean of gradients")
    else:
        v = rule.next("v", _mean(rule, "beta", "v", g**2), "mean of squared gradients")
    along: Expr = g / (sympy.sqrt(v) + rule["eps"])
    if momentum:
        along = rule.next("b", rule["momentum"] * rule["b"] + along, "velocity")
    rule.next(THETA, rule.theta - rule.lr * along, "step" if momentum else "scaled step")
    return rule.finish("Tieleman and Hinton 2012, Lecture 6.5, Neural networks for machine learning")


def _mean(rule: Rule, share: str, moment: str, value: Expr) -> Expr:
    """The moment's own share and the rest of the value."""
    return rule[share] * rule[moment] + (1 - rule[share]) * value


__all__ = ["Adadelta", "Adagrad", "RMSprop"]
