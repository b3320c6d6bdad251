"""How parameters start: from a shape to a distribution, with the reason and the source.

Enters: the shape of a parameter. Leaves: `symbp.ir.training.Initial`. Must not know: layers, networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sympy

from symbp.ir.expr import Expr
from symbp.ir.training import Initial
from symbp.language.bodies import number

Shape = tuple[Expr, ...]
Initialiser = Callable[[Shape], Initial]


def fans(shape: Shape) -> tuple[Expr, Expr]:
    """How many inputs reach one output of a map with this weight, and how many outputs one input reaches.

    A matrix maps its rows to its columns; axes before the last two repeat it (`W[l, i, j]`).
    """
    if not shape:
        return sympy.Integer(1), sympy.Integer(1)
    return (shape[0], sympy.Integer(1)) if len(shape) == 1 else (shape[-2], shape[-1])


def glorot_uniform(shape: Shape) -> Initial:
    """U(−a, a) with a = √(6/(fan in + fan out)) (Glorot and Bengio 2010, equation 16)."""
    inputs, outputs = fans(shape)
    return Initial(
        "uniform",
        sympy.sqrt(6 / (inputs + outputs)),
        reason="keeps variances from layer to layer, forward and backward "
        "(Glorot and Bengio 2010, equation 16)",
    )


def glorot_normal(shape: Shape) -> Initial:
    """N(0, σ²) with σ = √(2/(fan in + fan out)) (Glorot and Bengio 2010, equation 12)."""
    inputs, outputs = fans(shape)
    return Initial(
        "normal",
        sympy.sqrt(2 / (inputs + outputs)),
        reason="keeps variances from layer to layer, forward and backward "
        "(Glorot and Bengio 2010, equation 12)",
    )


def he_normal(shape: Shape) -> Initial:
    """N(0, σ²) with σ = √(2/fan in) (He et al. 2015, equation 10)."""
    return Initial(
        "normal",
        sympy.sqrt(2 / fans(shape)[0]),
        reason="a rectifier passes half of the variance: weights carry twice as much "
        "(He et al. 2015, equation 10)",
    )


def he_uniform(shape: Shape) -> Initial:
    """U(−a, a) with a = √(6/fan in), of the deviation of `he_normal` (He et al. 2015, equation 10)."""
    found = he_normal(shape)
    return replace(found, distribution="uniform", scale=sympy.sqrt(6 / fans(shape)[0]))


def lecun_normal(shape: Shape) -> Initial:
    """N(0, σ²) with σ = √(1/fan in) (LeCun et al. 1998, section 4.6)."""
    return Initial(
        "normal",
        sympy.sqrt(1 / fans(shape)[0]),
        reason="keeps the variance of activations from layer to layer (LeCun et al. 1998, section 4.6)",
    )


def lecun_uniform(shape: Shape) -> Initial:
    """U(−a, a) with a = √(3/fan in), of the deviation of `lecun_normal`."""
    found = lecun_normal(shape)
    return replace(found, distribution="uniform", scale=sympy.sqrt(3 / fans(shape)[0]))


def orthogonal(gain: Any = 1) -> Initialiser:
    """A matrix of the last two axes whose rows, or columns if these are fewer, are orthonormal, times a gain
    (Saxe, McClelland and Ganguli 2014, section 3)."""
    scale = number(gain)
    reason = "keeps lengths, so that signals neither fade nor grow from layer to layer (Saxe et al. 2014)"
    return lambda shape: Initial("orthogonal", scale, reason=reason)  # noqa: ARG005


def truncated_normal(deviation: Any) -> Initialiser:
    """N(0, deviation²), drawn again where it is further than two deviations from 0, whatever the shape."""
    scale = number(deviation)
    return lambda shape: Initial("truncated", scale, reason="the author's choice")  # noqa: ARG005


def zeros(shape: Shape) -> Initial:  # noqa: ARG001
    """0 everywhere."""
    return Initial("constant", reason="an offset needs no asymmetry to learn")


def ones(shape: Shape, reason: str = "a factor changes nothing at first") -> Initial:  # noqa: ARG001
    """1: for factors of what other parameters make, whose gradients would be 0 beside a 0, and for what
    something is divided by or whose logarithm is taken."""
    return Initial("constant", shift=sympy.Integer(1), reason=reason)


def constant(value: Any) -> Initialiser:
    """The given value everywhere."""
    shift = number(value)
    return lambda shape: Initial("constant", shift=shift, reason="the author's choice")  # noqa: ARG005


def normal(deviation: Any) -> Initialiser:
    """N(0, deviation²), whatever the shape."""
    scale = number(deviation)
    return lambda shape: Initial("normal", scale, reason="the author's choice")  # noqa: ARG005


def default(shape: Shape) -> Initial:
    """Glorot's for weights with two or more axes, zeros for vectors and scalars."""
    return zeros(shape) if len(shape) < 2 else glorot_uniform(shape)
