"""Adam and its kin: a mean of gradients over the size of the gradients, both corrected for their start at 0.

Enters: hyperparameters. Leaves: `symbp.ir.training.UpdateRule`. Must not know: networks, derivatives.
The equations and their conventions are PyTorch's.
"""

from __future__ import annotations

from typing import Any, Unpack

import sympy

from symbp.ir.expr import Access, Expr, Guard
from symbp.ir.training import THETA, UpdateRule
from symbp.optim.rule import Options, Rule, fractions, larger, magnitude, not_negative, positive

KINGMA_BA = "Kingma and Ba 2015, Adam: a method for stochastic optimization"


def Adam(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    *,
    amsgrad: bool = False,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², and with step t
    θ ← θ − lr·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ) (Kingma and Ba 2015, algorithm 1).

    `weight_decay` λ adds λ·θ to the gradient; `amsgrad` is `AMSGrad`. Raises UsageError: lr or eps not
    positive, beta1 or beta2 outside [0, 1), a negative weight decay.
    """
    rule = _Adam("Adam", lr, beta1, beta2, eps, more, weight_decay, moments=("v_max",) * amsgrad)
    rule.settings |= {"amsgrad": True} if amsgrad else {}
    rule.next(THETA, rule.theta - rule.lr * rule.scaled, "scaled step")
    return rule.finish(f"{KINGMA_BA}, algorithm 1")


def AMSGrad(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """Adam with the largest v so far, v_max ← max(v_max, v), in place of v, so that no entry's rate rises
    (Reddi, Kale and Kumar 2018, algorithm 2; with Adam's corrections, as PyTorch's Adam with `amsgrad`).

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), a negative weight decay.
    """
    rule = _Adam("AMSGrad", lr, beta1, beta2, eps, more, weight_decay, moments=("v_max",))
    rule.next(THETA, rule.theta - rule.lr * rule.scaled, "scaled step")
    return rule.finish("Reddi, Kale and Kumar 2018, On the convergence of Adam and beyond, algorithm 2")


def AdamW(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    *,
    amsgrad: bool = False,
    **more: Unpack[Options],
) -> UpdateRule:
    """Adam, with θ shrunk by the factor 1 − lr·weight_decay beside its step: the decay is decoupled from the
    gradient, so its moments don't scale it (Loshchilov and Hutter 2019, algorithm 2). All parameters decay.

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), a negative weight decay.
    """
    moments = ("v_max",) * amsgrad
    rule = _Adam("AdamW", lr, beta1, beta2, eps, more, weight_decay, decoupled=True, moments=moments)
    rule.settings |= {"weight_decay": weight_decay, **({"amsgrad": True} if amsgrad else {})}
    rule.next(THETA, rule.kept - rule.lr * rule.scaled, "scaled step from the decayed parameter")
    return rule.finish("Loshchilov and Hutter 2019, Decoupled weight decay regularization, algorithm 2")


def Adamax(
    lr: float = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """m ← β₁·m + (1 − β₁)·g, u ← max(β₂·u, |g| + ε), θ ← θ − lr·m̂/u with m̂ = m/(1 − β₁ᵗ): Adam by the
    largest gradient instead of the mean of squares (Kingma and Ba 2015, algorithm 2).

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), a negative weight decay.
    """
    rule = _Adam("Adamax", lr, beta1, beta2, eps, more, weight_decay, squares=False)
    size = rule.entry("size", magnitude(rule.gradient) + rule["eps"], "size of the gradient")
    u = rule.next("u", larger(rule["beta2"] * rule["u"], size), "largest gradient, fading")
    rule.next(THETA, rule.theta - rule.lr * rule.m_hat / u, "scaled step")
    return rule.finish(f"{KINGMA_BA}, algorithm 2")


def NAdam(
    lr: float = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    momentum_decay: float = 4e-3,
    *,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    **more: Unpack[Options],
) -> UpdateRule:
    """Adam with Nesterov's step ahead: with μₜ = β₁·(1 − 0.96^(t·ψ)/2), ψ the `momentum_decay`,
    θ ← θ − lr·((1 − μₜ)·g/(1 − μ₁⋯μₜ) + μₜ₊₁·m/(1 − μ₁⋯μₜ₊₁))/(√v̂ + ε) (Dozat 2016, algorithm 2).

    The moment s is 1 − μ₁⋯μₜ, which is the same for all entries. `decoupled_weight_decay` decays as AdamW.
    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), a negative momentum_decay or
    weight decay.
    """
    not_negative(momentum_decay=momentum_decay)
    rule = _Adam(
        "NAdam", lr, beta1, beta2, eps, more, weight_decay,
        decoupled=decoupled_weight_decay, moments=("s",), hyper={"momentum_decay": momentum_decay},
    )  # fmt: skip
    rule.settings |= {"decoupled_weight_decay": True} if decoupled_weight_decay else {}

    def share(step: Expr) -> Expr:
        fading = sympy.Rational(24, 25) ** (step * rule["momentum_decay"])
        return rule["beta1"] * (1 - fading / 2)

    now = rule.scalar("mu", share(rule.step), "share of the past in this step")
    after = rule.scalar("mu_after", share(rule.step + 1), "and in the one after")
    s = rule.next("s", now * rule["s"] + (1 - now), "what the shares of gradients add up to")
    ahead = (1 - now) / s * rule.gradient + after / (1 - after + after * s) * rule.m
    rule.next(THETA, rule.kept - rule.lr * ahead / rule.root, "scaled step, one ahead")
    return rule.finish("Dozat 2016, Incorporating Nesterov momentum into Adam, algorithm 2")


def RAdam(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    **more: Unpack[Options],
) -> UpdateRule:
    """Adam that doesn't divide by √v before it is known well enough: with ρ∞ = 2/(1 − β₂) − 1 and
    ρ = ρ∞ − 2·t·β₂ᵗ/(1 − β₂ᵗ), θ ← θ − lr·m̂·r·√(1 − β₂ᵗ)/(√v + ε) where ρ > 5, with
    r² = (ρ − 4)·(ρ − 2)·ρ∞/((ρ∞ − 4)·(ρ∞ − 2)·ρ), else θ ← θ − lr·m̂ (Liu et al. 2020, algorithm 2).

    `decoupled_weight_decay` decays as AdamW. Raises UsageError: lr or eps not positive, beta1 or beta2
    outside [0, 1), a negative weight decay.
    """
    rule = _Adam("RAdam", lr, beta1, beta2, eps, more, weight_decay, decoupled=decoupled_weight_decay)
    rule.settings |= {"decoupled_weight_decay": True} if decoupled_weight_decay else {}
    power = rule["beta2"] ** rule.step
    most = rule.scalar("rho_most", 2 / (1 - rule["beta2"]) - 1, "length of the mean of squares in the end")
    rho = rule.scalar("rho", most - 2 * rule.step * power / (1 - power), "its length so far")
    known = Guard("<", 5, rho)
    ratio = (rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)
    scale = rule.scalar(
        "scale", known * sympy.sqrt(ratio * (1 - power)), "rectification, once it is long enough"
    )
    plain = rule.scalar("plain", known.complement(), "no scaling before")
    scaled = rule.m_hat * scale / (sympy.sqrt(rule.v) + rule["eps"])
    step = rule.lr * scaled + rule.lr * rule.m_hat * plain  # two terms: scale may be 0, so no factor of both
    rule.next(THETA, rule.kept - step, "step, scaled once that is safe")
    return rule.finish(
        "Liu et al. 2020, On the variance of the adaptive learning rate and beyond, algorithm 2"
    )


def LAMB(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float = 1e-2,
    **more: Unpack[Options],
) -> UpdateRule:
    """Adam whose step for each parameter is as long as a share of that parameter: with u = m̂/(√v̂ + ε) + λ·θ,
    θ ← θ − lr·‖θ‖/‖u‖·u (You et al. 2020, algorithm 2, φ the identity), for large batches. Where a norm is 0,
    as an offset's is at its start, their ratio counts as 1.

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), a negative weight decay.
    """
    rule = _Adam("LAMB", lr, beta1, beta2, eps, more, weight_decay, decoupled=True, by_parameter=True)
    rule.settings |= {"weight_decay": weight_decay}
    u = rule.entry("u", rule.scaled + rule.decay * rule.theta, "direction")
    squares, u_squares = rule.total("squares", rule.theta**2, "‖θ‖²"), rule.total("u_squares", u**2, "‖u‖²")
    size = rule.scalar("size", sympy.sqrt(squares), "norm of the parameter")
    long = rule.scalar("length", sympy.sqrt(u_squares), "norm of the direction")
    both = Guard("<", 0, size * long)
    trust = rule.scalar("trust", both * size / long + both.complement(), "how far it may go")
    rule.next(THETA, rule.theta - rule.lr * trust * u, "step in proportion to the parameter")
    return rule.finish("You et al. 2020, Large batch optimization for deep learning, algorithm 2")


def SparseAdam(
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """Adam for tables: rows that a step didn't look up keep their values and their moments, which would fade
    otherwise. θ ← θ − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε), where ε isn't corrected; PyTorch's SparseAdam. All
    else takes the same steps, each time; groups may say otherwise. A row counts as looked up where its
    gradient isn't 0.

    Raises UsageError: lr or eps not positive, beta1 or beta2 outside [0, 1), a negative weight decay.
    """
    groups = {"table": "sparse", **(more.pop("groups", None) or {})}
    rule = _Adam("SparseAdam", lr, beta1, beta2, eps, {**more, "groups": groups}, weight_decay)
    step = sympy.sqrt(1 - rule["beta2"] ** rule.step) / (1 - rule["beta1"] ** rule.step)
    scaled = rule.m / (sympy.sqrt(rule.v) + rule["eps"])
    rule.next(THETA, rule.theta - rule.lr * step * scaled, "scaled step")
    return rule.finish(f"{KINGMA_BA}, section 2, with steps for the rows that are looked up")


class _Adam(Rule):
    """The moments of Adam. `m` and `v` are their next values, `m_hat` is corrected, `root` is √v̂ + ε, and
    `scaled` m̂/(√v̂ + ε); a moment named `v_max` keeps the largest v, which `root` then takes."""

    m: Access
    v: Access

    def __init__(
        self,
        name: str,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        more: Options,
        weight_decay: float,
        *,
        decoupled: bool = False,
        squares: bool = True,
        moments: tuple[str, ...] = (),
        hyper: dict[str, float] | None = None,
        by_parameter: bool = False,
    ) -> None:
        positive(lr=lr, eps=eps)
        fractions(beta1=beta1, beta2=beta2)
        known = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, **(hyper or {})}
        kept = ("m", "v" if squares else "u", *moments)
        own: Any = {"weight_decay": weight_decay, "decoupled": decoupled, "by_parameter": by_parameter}
        super().__init__(name, known, *kept, **own, **more)
        g, first, second = self.gradient, self["beta1"], self["beta2"]
        self.m = self.next("m", first * self["m"] + (1 - first) * g, "mean of gradients")
        self.m_hat: Expr = self.m / (1 - first**self.step)
        if not squares:
            return
        self.v = self.next("v", second * self["v"] + (1 - second) * g**2, "mean of squared gradients")
        size = self.v
        if "v_max" in moments:
            size = self.next("v_max", larger(self["v_max"], self.v), "largest mean of squared gradients")
        self.root: Expr = sympy.sqrt(size / (1 - second**self.step)) + self["eps"]
        self.scaled: Expr = self.m_hat / self.root


__all__ = ["LAMB", "AMSGrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "SparseAdam"]
