"""Noise that is there in training only: masks and disturbances; the identity at inference.

Enters: tensors. Leaves: tensors with both modes. Must not know: derivatives, how elements are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbp.errors import DeclarationError
from symbp.ir.expr import Expr
from symbp.language.axes import axes, axis_numbers
from symbp.language.bodies import number
from symbp.language.leaves import random
from symbp.language.modes import mode
from symbp.language.naming.frames import here
from symbp.language.node import Hint
from symbp.language.tensor import Tensor
from symbp.ops.registry import example, op

FAMILY = "random"
# −λα of the scaled exponential linear unit, the value at which it saturates (Klambauer et al. 2017)
SATURATED = -1.0507009873554805 * 1.6732632423543772


@op(FAMILY, example("N H", p=0.25), example("N H K", p=0.5, shared=(2,)))
def dropout(x: Tensor, p: float = 0.5, shared: Sequence[int] = ()) -> Tensor:
    """x·mask/(1 − p) in training, where the mask is 0 with probability p; x at inference.

    Along the axes `shared` all elements have one fate: `shared=(2, 3)` drops whole channels of (N, C, H, W).
    Inverted dropout (Srivastava et al. 2014, section 10). Raises DeclarationError: p not from 0 to below 1.
    """
    q = _kept(p)
    if q == 1:
        return x
    every, own = axes(x.rank), axis_numbers(x, list(shared))
    open_ = [k for k in range(x.rank) if k not in own]
    mask = _drawn("mask", [x.shape[k] for k in open_], "bernoulli", q)
    body = mask.at(*(every[k] for k in open_)) * x.at(*every) / q
    return mode(train=Tensor.defined(every, body, rule="dropout", hint=Hint("d", "layer")), infer=x)


@op(FAMILY, example("N H", p=0.25))
def alpha_dropout(x: Tensor, p: float = 0.5) -> Tensor:
    """a·(x·mask + c·(1 − mask)) + b in training, with c = −λα and a, b that keep mean 0 and variance 1;
    x at inference.

    For networks of selu (Klambauer et al. 2017, section 3); there a = (q + c²·q·(1 − q))^(−1/2) and
    b = −a·(1 − q)·c, where q = 1 − p is kept.
    """
    q = _kept(p)
    if q == 1:
        return x
    a = (q + SATURATED**2 * q * (1 - q)) ** -0.5
    every = axes(x.rank)
    mask = _drawn("mask", x.shape, "bernoulli", q).at(*every)
    # multiplied out, so that three constants remain
    of_both, of_mask, alone = (number(float(e)) for e in (a, -a * SATURATED, a * q * SATURATED))
    body = of_both * x.at(*every) * mask + of_mask * mask + alone
    return mode(train=Tensor.defined(every, body, rule="alpha dropout", hint=Hint("d", "layer")), infer=x)


@op(FAMILY, example("N H", stddev=0.5))
def gaussian_noise(x: Tensor, stddev: float = 0.1) -> Tensor:
    """x + stddev·ε in training, with ε normal; x at inference."""
    scale = number(stddev)
    if scale is None or not scale >= 0:
        raise DeclarationError(f"the standard deviation of noise can't be {stddev!r}", where=here())
    every = axes(x.rank)
    noise = _drawn("noise", x.shape, "normal")
    body = x.at(*every) + scale * noise.at(*every)
    return mode(train=Tensor.defined(every, body, rule="gaussian noise", hint=Hint("d", "layer")), infer=x)


def _kept(p: Any) -> Expr:
    """The probability 1 − p, exactly as written."""
    dropped = number(p)
    if dropped is None or not 0 <= dropped < 1:
        raise DeclarationError(
            f"the probability of dropping can't be {p!r}",
            where=here(),
            help="give a number from 0 to below 1",
        )
    return 1 - dropped


def _drawn(letter: str, shape: Sequence[Expr], kind: str, p: Expr = 0.5) -> Tensor:
    return random(None, tuple(shape), kind, p, hint=Hint(letter, "layer"))
