"""Optimizers that see a matrix as a matrix: by its rows and columns, or by its singular values.

Enters: hyperparameters. Leaves: `symbp.ir.training.UpdateRule`. Must not know: networks, derivatives.
The equations and their conventions are PyTorch's. What is no matrix is updated by equations of entries, and
of a stack of matrices each by itself.
"""

from __future__ import annotations

from typing import Any, Literal, Unpack

import sympy

from symbp.errors import UsageError, choose
from symbp.ir.build import where
from symbp.ir.expr import Access, Expr, Guard, Index, Size
from symbp.ir.training import THETA, UpdateRule
from symbp.optim.forms import COLUMN, ROW, C, R
from symbp.optim.rule import Options, Rule, fractions, larger, positive

EPS = 2.0**-23  # the step from 1 to the next number in single precision


def Adafactor(
    lr: float = 1e-2,
    beta2_decay: float = -0.8,
    eps1: float = EPS,
    eps2: float = 1e-3,
    d: float = 1.0,
    *,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """Of a matrix a mean of squared gradients for each row, ρ, and each column, κ, in place of one for each
    entry: v = ρ·κᵀ/mean(ρ), u = g/√v, θ ← θ − α·u/max(1, rms(u)/d), α = max(ε₂, rms(θ))·min(lr, 1/√t); the
    means keep 1 − t^beta2_decay of themselves (Shazeer and Stern 2018, algorithms 4 and 5).

    ε₁ is the least mean(ρ), its square the least v. `weight_decay` λ is decoupled, θ·(1 − lr·λ). Raises
    UsageError: lr, an ε or d not positive, a beta2_decay that isn't negative, a negative weight decay.
    """
    positive(lr=lr, eps1=eps1, eps2=eps2, d=d)
    if not isinstance(beta2_decay, (int, float)) or not -10 < beta2_decay < 0:
        raise UsageError(f"beta2_decay must be negative, as -0.8, not {beta2_decay!r}")
    hyper = {"lr": lr, "beta2_decay": beta2_decay, "eps1": eps1, "eps2": eps2, "d": d}

    def begun(*moments: str, matrix: bool) -> Rule:
        shapes = {"row": (ROW,), "column": (COLUMN,)}
        return Rule(
            "Adafactor", hyper, *moments, weight_decay=weight_decay, decoupled=True, by_parameter=True,
            matrix=matrix, shapes=shapes, **more,
        )  # fmt: skip

    entries, matrix = begun("v", matrix=False), begun("row", "column", matrix=True)
    fresh = entries.scalar("fresh", entries.step ** entries["beta2_decay"], "share of what is new")
    v = entries.next("v", _moved(entries["v"], entries.gradient**2, fresh), "mean of squared gradients")
    _adapted(entries, v, Size("P"))
    g = matrix.gradient
    fresh = matrix.scalar("fresh", matrix.step ** matrix["beta2_decay"], "share of what is new")
    rows = matrix.summed("row_squares", [ROW], g**2 / C, [COLUMN], "mean of squares of each row")
    columns = matrix.summed("column_squares", [COLUMN], g**2 / R, [ROW], "mean of squares of each column")
    row = matrix.next("row", _moved(matrix["row"], rows, fresh), "mean over the steps")
    column = matrix.next("column", _moved(matrix["column"], columns, fresh), "mean over the steps")
    mean = matrix.summed("row_mean", [], row / R, [ROW], "mean of all rows")
    v = matrix.entry("v_of_both", row * column / larger(mean, matrix["eps1"]), "squares, by row and column")
    _adapted(matrix, v, R * C)
    source = "Shazeer and Stern 2018, Adafactor: adaptive learning rates with sublinear memory cost"
    return entries.finish(source, matrix=matrix)


def _moved(mean: Expr, value: Expr, fresh: Expr) -> Expr:
    return mean + fresh * (value - mean)


def _adapted(rule: Rule, v: Access, count: Expr) -> None:
    """The step by the gradient over the root of its squares, in proportion to the parameter."""
    u = rule.entry("u", rule.gradient / sympy.sqrt(larger(v, rule["eps1"] ** 2)), "scaled gradient")
    squares = rule.total("squares", rule.theta**2 / count, "rms(θ)²")
    u_squares = rule.total("u_squares", u**2 / count, "rms(u)²")
    size = rule.scalar("size", sympy.sqrt(squares), "size of the parameter")
    slowest = rule.scalar("slowest", 1 / sympy.sqrt(rule.step), "the rate falls with the steps")
    rate = rule.scalar("rate_now", where(Guard("<", slowest, rule.lr), slowest, rule.lr), "the lower rate")
    alpha = rule.scalar("alpha", larger(size, rule["eps2"]) * rate, "rate in proportion to the parameter")
    long = rule.scalar("long", sympy.sqrt(u_squares), "size of the scaled gradient")
    rule.next(THETA, rule.kept - alpha * rule["d"] / larger(long, rule["d"]) * u, "scaled step")


ADJUSTED = ("original", "match_rms_adamw")
ENTRIES = ("adamw", "sgd")
JORDAN = "Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks"


def Muon(
    lr: float = 1e-3,
    momentum: float = 0.95,
    eps: float = 1e-7,
    beta1: float = 0.9,
    beta2: float = 0.999,
    adam_eps: float = 1e-8,
    *,
    nesterov: bool = True,
    coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
    iterations: int = 5,
    adjust: Literal["original", "match_rms_adamw"] = "original",
    entries: Literal["adamw", "sgd"] = "adamw",
    weight_decay: float = 0.1,
    **more: Unpack[Options],
) -> UpdateRule:
    """m ← μ·m + (1 − μ)·g, and of a matrix X = m (with `nesterov` (1 − μ)·g + μ·m) over its norm, whose
    singular values `iterations` of Newton and Schulz move towards 1, X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ:
    θ ← (1 − lr·λ)·θ − lr·√max(1, R/C)·X (Jordan et al. 2024), or with `adjust` "match_rms_adamw"
    0.2·√max(R, C) in place of the root (Liu et al. 2025, equation 4).

    What is no matrix takes AdamW's steps by beta1, beta2 and adam_eps, or with `entries` "sgd" those of the
    momentum; so do parameters of a group "entries", as tables and the last layer usually are. The kernel
    of a convolution is a matrix with a row for each channel given out. Raises UsageError: lr or an ε
    not positive, a momentum or beta outside [0, 1), iterations outside 1 to 99, an unknown word.
    """
    positive(lr=lr, eps=eps, adam_eps=adam_eps)
    fractions(momentum=momentum, beta1=beta1, beta2=beta2)
    _refuse(iterations, adjust, entries)
    hyper = {"lr": lr, "momentum": momentum, "eps": eps}
    hyper |= {"beta1": beta1, "beta2": beta2, "adam_eps": adam_eps} if entries == "adamw" else {}

    def begun(*moments: str, matrix: bool) -> Rule:
        own = {"weight_decay": weight_decay, "decoupled": True, "by_parameter": True, "matrix": matrix}
        return Rule("Muon", hyper, *moments, **own, **more)  # type: ignore[arg-type]

    rule = _adamw(begun("m", "v", matrix=False)) if entries == "adamw" else begun("m", matrix=False)
    if entries == "sgd":
        rule.next(THETA, rule.kept - rule.lr * _ahead(rule, nesterov), "step against the momentum")
    rule.settings |= {"weight_decay": weight_decay, "nesterov": nesterov, "coefficients": coefficients}
    rule.settings |= {"iterations": iterations, "adjust": adjust, "entries": entries}
    forms = {}
    for form in ("matrix", "tall"):
        matrix = forms[form] = begun("m", matrix=True)
        along = _ahead(matrix, nesterov)
        x = _orthogonal(matrix, along, coefficients, iterations, tall=form == "tall")
        longer = where(Guard("<", C, R), R, C)
        factor = sympy.sqrt(longer) / 5 if adjust == "match_rms_adamw" else sympy.sqrt(longer / C)
        rate = matrix.scalar("rate_adjusted", matrix.lr * factor, "rate for a matrix of this shape")
        matrix.next(THETA, matrix.kept - rate * x, "step along a matrix without lengths")
    return rule.finish(JORDAN, **forms)


def _refuse(iterations: Any, adjust: Any, entries: Any) -> None:
    """Refuses settings that Muon hasn't."""
    if isinstance(iterations, bool) or not isinstance(iterations, int) or not 1 <= iterations < 100:
        raise UsageError(f"iterations must be from 1 to 99, not {iterations!r}")
    for given, known in ((adjust, ADJUSTED), (entries, ENTRIES)):
        if given not in known:
            raise UsageError(f"Muon has no {given!r}", help=choose(str(given), known))


def _ahead(rule: Rule, nesterov: bool) -> Expr:
    """The momentum, one step ahead if asked for."""
    share = rule["momentum"]
    m = rule.next("m", share * rule["m"] + (1 - share) * rule.gradient, "mean of gradients")
    return rule.entry("along", (1 - share) * rule.gradient + share * m, "one step ahead") if nesterov else m


def _adamw(rule: Rule) -> Rule:
    first, second, g = rule["beta1"], rule["beta2"], rule.gradient
    m = rule.next("m", first * rule["m"] + (1 - first) * g, "mean of gradients")
    v = rule.next("v", second * rule["v"] + (1 - second) * g**2, "mean of squared gradients")
    root = sympy.sqrt(v / (1 - second**rule.step)) + rule["adam_eps"]
    rule.next(THETA, rule.kept - rule.lr * m / ((1 - first**rule.step) * root), "scaled step")
    return rule


def _orthogonal(
    rule: Rule, along: Expr, coefficients: tuple[float, float, float], iterations: int, *, tall: bool
) -> Access:
    """A matrix over its norm, its singular values moved towards 1: by products of rows, or of a tall one by
    those of columns, which are fewer."""
    a, b, c = (sympy.Rational(repr(float(number))) for number in coefficients)
    squares = rule.total("m_squares", along**2, "‖m‖²")
    norm = rule.scalar("m_norm", sympy.sqrt(squares), "norm of the momentum")
    x = rule.entry("x0", along / larger(norm, rule["eps"]), "no singular value above 1")
    one = COLUMN if tall else ROW
    other, middle = Index("e" if tall else "s"), Index("f" if tall else "t")
    summed = ROW if tall else COLUMN

    def at(left: Index) -> Access:
        return Access(x.name, *((summed, left) if tall else (left, summed)))

    for k in range(1, iterations + 1):
        rule.summed(f"gram{k}", [one, other], at(one) * at(other), [summed], "products of all pairs")
        gram = Access(f"gram{k}", one, other)
        square = Access(f"gram{k}", one, middle) * Access(f"gram{k}", middle, other)
        rule.summed(f"square{k}", [one, other], square, [middle], "their square")
        mix = b * gram + c * Access(f"square{k}", one, other)
        rule.define(f"mix{k}", [one, other], mix, "a polynomial of them")
        mixed = Access(f"mix{k}", other, one) if tall else Access(f"mix{k}", one, other)
        turned = rule.summed(f"turned{k}", [ROW, COLUMN], at(other) * mixed, [other], "applied")
        x = rule.entry(f"x{k}", a * x + turned, "singular values nearer to 1")
    return x


__all__ = ["Adafactor", "Muon"]
