"""Losses between a prediction and a real target of the same shape.

Enters: predictions and targets. Leaves: scalars, or with `reduction="none"` a value for each element.
Must not know: derivatives, stable forms. Kinks follow PyTorch's conventions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symbp.errors import DeclarationError, choose
from symbp.ir.build import where
from symbp.ir.expr import Expr, Guard
from symbp.language.axes import axes
from symbp.language.bodies import without_kinks
from symbp.language.naming.frames import here
from symbp.language.node import Hint
from symbp.language.tensor import Tensor, pointwise
from symbp.ops.functions import constant, option
from symbp.ops.losses.reduction import FAMILY, Reduction, elementwise_loss, reduced, same_axes
from symbp.ops.registry import example, op

PAIR = ("N H", "N H")
NO_KINK = "derivative 0 where prediction and target agree"


@op(FAMILY, example(*PAIR), example(*PAIR, reduction="sum"), example(*PAIR, reduction="none"))
def mse(prediction: Tensor, target: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Σ (prediction − target)²/n over all elements, their sum, or each."""
    return elementwise_loss(
        lambda p, y: (p - y) ** 2, prediction, target, reduction, "mean squared error", "mse"
    )


@op(FAMILY, example(*PAIR), example(*PAIR, reduction="sum"), analytic=False, kinks=NO_KINK)
def mae(prediction: Tensor, target: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Σ |prediction − target|/n over all elements, their sum, or each (PyTorch: l1_loss)."""
    return elementwise_loss(
        lambda p, y: without_kinks(sympy.Abs(p - y)),
        prediction, target, reduction, "mean absolute error", "mae",
    )  # fmt: skip


@op(
    FAMILY,
    example(*PAIR),
    example(*PAIR, delta=0.5, reduction="sum"),
    analytic=False,
    kinks="its second derivative jumps where |prediction − target| = delta",
)
def huber(prediction: Tensor, target: Tensor, delta: Any = 1.0, reduction: Reduction = "mean") -> Tensor:
    """d²/2 where |d| < δ, else δ·(|d| − δ/2), with d = prediction − target (Huber 1964)."""
    edge = constant(delta, "huber's delta")

    def body(p: Any, y: Any) -> Any:
        d = p - y
        near = Guard("<", d, edge) * Guard("<", -d, edge)
        return (
            near * d**2 / 2
            + Guard(">=", d, edge) * edge * (d - edge / 2)
            + Guard(">=", -d, edge) * edge * (-d - edge / 2)
        )

    return elementwise_loss(body, prediction, target, reduction, "Huber loss", "huber")


@op(
    FAMILY,
    example(*PAIR),
    example(*PAIR, beta=0.5),
    analytic=False,
    kinks="its second derivative jumps where |prediction − target| = beta",
)
def smooth_l1(prediction: Tensor, target: Tensor, beta: Any = 1.0, reduction: Reduction = "mean") -> Tensor:
    """d²/(2β) where |d| < β, else |d| − β/2, with d = prediction − target (Girshick 2015)."""
    edge = constant(beta, "smooth_l1's beta")

    def body(p: Any, y: Any) -> Any:
        d = p - y
        near = Guard("<", d, edge) * Guard("<", -d, edge)
        return (
            near * d**2 / (2 * edge)
            + Guard(">=", d, edge) * (d - edge / 2)
            + Guard(">=", -d, edge) * (-d - edge / 2)
        )

    return elementwise_loss(body, prediction, target, reduction, "smooth L1 loss", "smooth_l1")


@op(FAMILY, example(*PAIR), example(*PAIR, reduction="sum"))
def log_cosh(prediction: Tensor, target: Tensor, reduction: Reduction = "mean") -> Tensor:
    """log cosh(prediction − target), their mean, sum, or each."""
    return elementwise_loss(
        lambda p, y: sympy.log(sympy.cosh(p - y)), prediction, target, reduction, "log-cosh loss", "log_cosh"
    )


@op(
    FAMILY,
    example(*PAIR),
    example(*PAIR, q=0.9),
    analytic=False,
    kinks="derivative −q where prediction and target agree",
)
def pinball(prediction: Tensor, target: Tensor, q: Any = 0.5, reduction: Reduction = "mean") -> Tensor:
    """q·d where d ≥ 0, else (q − 1)·d, with d = target − prediction: its minimum is the q-th quantile
    (Koenker and Bassett 1978)."""
    quantile = constant(q, "pinball's q")
    return elementwise_loss(
        lambda p, y: where(Guard(">=", y - p, 0), quantile * (y - p), (quantile - 1) * (y - p)),
        prediction, target, reduction, "pinball loss", "pinball",
    )  # fmt: skip


@op(FAMILY, example("N H", "N H: positive"), example("N H: positive", "N H: positive", log_input=False))
def poisson_nll(
    prediction: Tensor, target: Tensor, log_input: bool = True, reduction: Reduction = "mean"
) -> Tensor:
    """−log Poisson(target; λ) without log target!: e^x − target·x of x = log λ, or λ − target·log λ."""
    return elementwise_loss(
        lambda x, y: sympy.exp(x) - y * x if log_input else x - y * sympy.log(x),
        prediction, target, reduction, "Poisson negative log-likelihood", "poisson_nll",
    )  # fmt: skip


@op(FAMILY, example("N H", "N H", "N H: positive"), example("N H", "N H", "N H: positive", full=True))
def gaussian_nll(
    mean: Tensor, target: Tensor, variance: Tensor, full: bool = False, reduction: Reduction = "mean"
) -> Tensor:
    """(log σ² + (target − μ)²/σ²)/2, with `full` also log(2π)/2 (Nix and Weigend 1994)."""
    same_axes(mean, target, "gaussian_nll")
    same_axes(mean, variance, "gaussian_nll")
    every = axes(mean.rank)
    v, d = variance.at(*every), target.at(*every) - mean.at(*every)
    body = (sympy.log(v) + d**2 / v) / 2 + (sympy.log(2 * sympy.pi) / 2 if full else 0)
    count = sympy.Mul(*mean.shape)
    rule = "Gaussian negative log-likelihood"
    return reduced(body, every, count, reduction, rule, name="gaussian_nll")


@op(FAMILY, example("N H", "N H"))
def kl_normal(mean: Tensor, log_variance: Tensor, reduction: Reduction = "mean") -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = (μ² + σ² − log σ² − 1)/2, summed over the last axis, averaged over the
    others (Kingma and Welling 2014, appendix B). Raises DeclarationError: a scalar."""
    same_axes(mean, log_variance, "kl_normal")
    if mean.rank == 0:
        raise DeclarationError("kl_normal sums over an axis of latent values", where=here())
    *every, last = axes(mean.rank)
    m, v = mean.at(*every, last), log_variance.at(*every, last)
    body = (m**2 + sympy.exp(v) - v - 1) / 2
    count = sympy.Mul(*mean.shape[:-1])
    return reduced(body, every, count, reduction, "divergence from the normal prior", name="kl", over=[last])


LIKELIHOODS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "bernoulli": lambda z, x: sympy.log(1 + sympy.exp(z)) - x * z,
    "gaussian": lambda mean, x: (x - mean) ** 2 / 2,
}


@op(
    FAMILY,
    example("N H", "N H: binary", "N D", "N D"),
    example("N H", "N H", "N D", "N D", likelihood="gaussian", beta=2),
)
def elbo(
    prediction: Tensor,
    target: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    likelihood: str = "bernoulli",
    beta: Any = 1,
) -> Tensor:
    """The negative evidence lower bound: −log p(x|z) + β·KL(N(μ, σ²) ‖ N(0, 1)), the mean over examples
    (Kingma and Welling 2014, equation 10; β: Higgins et al. 2017).

    Summed over all elements of an example, −log p(x|z) is log(1 + e^p) − x·p of logits p ("bernoulli") or
    (x − p)²/2 ("gaussian", without its constant). Raises ShapeError: different shapes; DeclarationError:
    another likelihood.
    """
    same_axes(prediction, target, "elbo")
    if likelihood not in LIKELIHOODS:
        raise DeclarationError(
            f"elbo knows no likelihood={likelihood!r}", where=here(), help=choose(likelihood, LIKELIHOODS)
        )
    first, *rest = axes(prediction.rank)
    each = LIKELIHOODS[likelihood](prediction.at(first, *rest), target.at(first, *rest))
    reconstruction = reduced(
        each, [first, *rest], prediction.shape[0], "mean", "reconstruction", name="reconstruction"
    )
    divergence = kl_normal(mean, log_variance)
    total: Tensor = pointwise(
        lambda loss, kl: loss + option(beta, "elbo's beta") * kl,
        reconstruction,
        divergence,
        rule="negative evidence lower bound",
        hint=Hint("elbo", "bare"),
        kept=True,
    )
    return total
