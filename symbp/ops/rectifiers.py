"""Activations with kinks: definitions by cases, each with PyTorch's convention at its kinks.

Enters: tensors, or elements in index notation. Leaves: the same. Must not know: derivatives.

Which case takes the kink itself decides the derivative there, so the guards are strict or weak on purpose.
"""

from __future__ import annotations

from typing import Any

import sympy

from symbp.ir.build import where
from symbp.ir.expr import Expr, Guard
from symbp.ops.activations import FAMILY, HIDDEN
from symbp.ops.functions import constant, option
from symbp.ops.registry import elementwise


@elementwise(FAMILY, hint=HIDDEN, analytic=False, kinks="derivative 0 at x = 0")
def relu(x: Expr) -> Expr:
    """x where x > 0, else 0 (Nair and Hinton 2010)."""
    return where(Guard(">", x, 0), x, 0)


@elementwise(FAMILY, hint=HIDDEN, analytic=False, kinks="derivative 0 at x = 0 and x = 6")
def relu6(x: Expr) -> Expr:
    """min(max(x, 0), 6) (Krizhevsky 2010)."""
    return between(x, sympy.Integer(0), sympy.Integer(6))


@elementwise(FAMILY, hint=HIDDEN, analytic=False, kinks="its second derivative jumps at x = 0")
def squared_relu(x: Expr) -> Expr:
    """x² where x > 0, else 0 (So et al. 2021)."""
    return where(Guard(">", x, 0), x**2, 0)


@elementwise(
    FAMILY,
    hint=HIDDEN,
    analytic=False,
    kinks="derivative `negative_slope` at x = 0",
    options=({}, {"negative_slope": 0.2}),
)
def leaky_relu(x: Expr, negative_slope: Any = 0.01) -> Expr:
    """x where x > 0, else negative_slope·x (Maas, Hannun and Ng 2013)."""
    return where(Guard(">", x, 0), x, option(negative_slope, "leaky_relu's negative_slope") * x)


@elementwise(FAMILY, "real", "real", hint=HIDDEN, analytic=False, kinks="derivative a by x, 0 by a at x = 0")
def prelu(x: Expr, a: Expr) -> Expr:
    """x where x > 0, else a·x with a learned slope a (He et al. 2015)."""
    return where(Guard(">", x, 0), x, a * x)


@elementwise(
    FAMILY, hint=HIDDEN, analytic=False, kinks="derivative `alpha` at x = 0", options=({}, {"alpha": 0.7})
)
def elu(x: Expr, alpha: Any = 1.0) -> Expr:
    """x where x > 0, else α·(eˣ − 1) (Clevert, Unterthiner and Hochreiter 2016)."""
    return where(Guard(">", x, 0), x, constant(alpha, "elu's alpha") * (sympy.exp(x) - 1))


@elementwise(FAMILY, hint=HIDDEN, analytic=False, kinks="derivative λ·α at x = 0")
def selu(x: Expr) -> Expr:
    """λ·x where x > 0, else λ·α·(eˣ − 1), with α and λ that keep mean 0 and variance 1
    (Klambauer et al. 2017, equation 14)."""
    alpha = sympy.Rational("1.6732632423543772")
    scale = sympy.Rational("1.0507009873554805")
    return where(Guard(">", x, 0), scale * x, scale * alpha * (sympy.exp(x) - 1))


@elementwise(
    FAMILY,
    hint=HIDDEN,
    analytic=False,
    kinks="its second derivative jumps at x = 0",
    options=({}, {"alpha": 0.5}),
)
def celu(x: Expr, alpha: Any = 1.0) -> Expr:
    """x where x > 0, else α·(e^(x/α) − 1) (Barron 2017)."""
    scale = constant(alpha, "celu's alpha")
    return where(Guard(">", x, 0), x, scale * (sympy.exp(x / scale) - 1))


@elementwise(
    FAMILY,
    hint=HIDDEN,
    analytic=False,
    kinks="derivative 0 at both bounds",
    options=({}, {"min_val": -0.5, "max_val": 0.25}),
)
def hardtanh(x: Expr, min_val: Any = -1.0, max_val: Any = 1.0) -> Expr:
    """min(max(x, min_val), max_val) (Collobert 2004)."""
    return between(x, constant(min_val, "hardtanh's min_val"), constant(max_val, "hardtanh's max_val"))


@elementwise(FAMILY, hint=HIDDEN, analytic=False, kinks="derivative 0 at x = −3 and x = 3")
def hardsigmoid(x: Expr) -> Expr:
    """min(max(x/6 + 1/2, 0), 1) (Howard et al. 2019)."""
    inside = Guard(">", x, -3) * Guard("<", x, 3)
    return inside * (x + 3) / 6 + Guard(">=", x, 3)


@elementwise(FAMILY, hint=HIDDEN, analytic=False, kinks="derivative 0 at x = −3, 1 at x = 3")
def hardswish(x: Expr) -> Expr:
    """x·min(max(x/6 + 1/2, 0), 1) (Howard et al. 2019)."""
    inside = Guard(">", x, -3) * Guard("<", x, 3)
    return inside * x * (x + 3) / 6 + Guard(">=", x, 3) * x


@elementwise(
    FAMILY, hint=HIDDEN, analytic=False, kinks="derivative 0 at x = ±λ", options=({}, {"lambd": 0.3})
)
def hardshrink(x: Expr, lambd: Any = 0.5) -> Expr:
    """x where |x| > λ, else 0."""
    edge = constant(lambd, "hardshrink's lambd")
    return Guard(">", x, edge) * x + Guard("<", x, -edge) * x


@elementwise(
    FAMILY, hint=HIDDEN, analytic=False, kinks="derivative 0 at x = ±λ", options=({}, {"lambd": 0.3})
)
def softshrink(x: Expr, lambd: Any = 0.5) -> Expr:
    """x − λ where x > λ, x + λ where x < −λ, else 0 (Beck and Teboulle 2009)."""
    edge = constant(lambd, "softshrink's lambd")
    return Guard(">", x, edge) * (x - edge) + Guard("<", x, -edge) * (x + edge)


@elementwise(
    FAMILY,
    hint=HIDDEN,
    analytic=False,
    kinks="derivative 0 at the threshold",
    options=({}, {"threshold": 0.1, "value": 2}),
)
def threshold(x: Expr, threshold: Any = 0, value: Any = 0) -> Expr:
    """x where x > threshold, else value."""
    return where(
        Guard(">", x, constant(threshold, "threshold's threshold")), x, constant(value, "threshold's value")
    )


def between(x: Expr, low: Expr, high: Expr) -> Expr:
    """x strictly between two bounds, else the bound: derivative 0 at both."""
    inside = Guard(">", x, low) * Guard("<", x, high)
    return inside * x + Guard("<=", x, low) * low + Guard(">=", x, high) * high
