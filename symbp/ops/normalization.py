"""Normalisation: mean and variance over some axes, taken out; shapes are (N, C, …) as in PyTorch.

Enters: tensors and options. Leaves: tensors. Must not know: derivatives, layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.build import where
from symbp.ir.expr import Expr, FloorDiv, Guard, Index
from symbp.language.axes import axes, axis_numbers
from symbp.language.modes import mode, update
from symbp.language.naming.frames import here
from symbp.language.node import Hint, Joined, display
from symbp.language.notation import Sum, formula
from symbp.language.tensor import Tensor
from symbp.ops.functions import constant, option
from symbp.ops.gates import divided, without_rest
from symbp.ops.registry import example, op
from symbp.ops.windowed.windows import whole

FAMILY = "normalization"
NORMED = Hint("h", "layer")


@dataclass(frozen=True)
class Moments:
    """Over which elements mean and variance are taken: `x[x_at]` runs over them with the indices `over`, and
    there is one mean for each of `left`; `own` are the subscripts of an element's own mean."""

    left: Sequence[Index]
    over: Sequence[Index]
    x_at: Sequence[Expr]
    own: Sequence[Expr]
    count: Expr
    ranges: dict[Index, Expr]


@op(
    FAMILY,
    example("N H"),
    example("N T H", "H", "H"),
    example("N T H", "T H", "T H", axis=(1, 2), eps=0.01),
)
def layer_norm(
    x: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    axis: int | Sequence[int] = -1,
    eps: Any = 1e-5,
) -> Tensor:
    """w·(x − m)/√(v + ε) + b, mean m and variance v over the given axes (Ba, Kiros and Hinton 2016).

    `weight` and `bias` have the shape of those axes.
    """
    plain, over = axes(x.rank), axis_numbers(x, axis)
    inner, left = [plain[k] for k in over], [i for k, i in enumerate(plain) if k not in over]
    count = sympy.Mul(*[x.shape[k] for k in over])
    moments = Moments(left, inner, plain, left, count, {})
    return _affine(
        _standardised(x, plain, moments, eps)[0], weight, bias, inner, plain, "layer normalisation"
    )


@op(FAMILY, example("N H"), example("N T H", "H", eps=0.01))
def rms_norm(
    x: Tensor, weight: Tensor | None = None, axis: int | Sequence[int] = -1, eps: Any = 1e-6
) -> Tensor:
    """w·x/√(Σ x²/D + ε) over the given axes (Zhang and Sennrich 2019)."""
    plain, over = axes(x.rank), axis_numbers(x, axis)
    inner, left = [plain[k] for k in over], [i for k, i in enumerate(plain) if k not in over]
    count = sympy.Mul(*[x.shape[k] for k in over])
    element = x.at(*plain)
    s = formula(left, Sum(element**2 / count, *inner), rule="mean square", hint=Hint("s"), kept=True)
    r = formula(
        left,
        1 / sympy.sqrt(s.at(*left) + option(eps, "eps", "ε")),
        rule="inverse root mean square",
        hint=Hint("r"),
        kept=True,
    )
    y = formula(
        plain, element * r.at(*left), rule="root-mean-square normalisation", hint=Hint("x"), kept=True
    )
    return _affine(y, weight, None, inner, plain, "root-mean-square normalisation")


@op(FAMILY, example("N H"), example("N H", "H", "H"), example("N H 2 3", "H", "H", eps=0.01))
def batch_norm(
    x: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> Tensor:
    """w·(x − m)/√(v + ε) + b, mean m and variance v of each channel over the batch (Ioffe and Szegedy 2015).

    x (N, C, …), the rest (C). Where running statistics are given, two buffers, inference uses them in place
    of m and v, and a training step moves them by `momentum` towards m and v·n/(n − 1), as PyTorch does.
    Raises DeclarationError: one buffer without the other, or not a buffer.
    """
    plain = axes(x.rank)
    channel, inner = plain[1:2], [plain[0], *plain[2:]]
    count = sympy.Mul(x.shape[0], *x.shape[2:])
    moments = Moments(channel, inner, plain, channel, count, {})
    if running_mean is None and running_var is None:
        y, _ = _standardised(x, plain, moments, eps)
        return _affine(y, weight, bias, channel, plain, "batch normalisation")
    if running_mean is None or running_var is None:
        raise DeclarationError(
            "batch_norm takes both running statistics, a mean and a variance, or none", where=here()
        )
    trained, (mean, variance) = _standardised(x, plain, moments, eps)
    share, unbiased = constant(momentum, "momentum"), count / (count - 1)
    moved = [
        update(buffer, _moved(buffer, share, now.at(*channel) * factor, f"running {what}"))
        for buffer, now, factor, what in (
            (running_mean, mean, sympy.S.One, "mean"),
            (running_var, variance, unbiased, "variance"),
        )
    ]
    root = sympy.sqrt(moved[1].at(*channel) + option(eps, "eps", "ε"))
    body = (x.at(*plain) - moved[0].at(*channel)) / root
    fixed = formula(plain, body, rule="by running statistics", hint=Hint("x"), kept=True)
    y = mode(train=trained, infer=fixed)
    return _affine(y, weight, bias, channel, plain, "batch normalisation")


def _moved(buffer: Tensor, share: Expr, now: Expr, rule: str) -> Tensor:
    """The buffer, moved by a share towards its value in this step."""
    (c,) = axes(2)[1:]
    return formula([c], (1 - share) * buffer.at(c) + share * now, rule=rule, hint=Hint("r"), kept=True)


@op(FAMILY, example("N H 5"), example("N H 3 2", "H", "H", eps=0.01))
def instance_norm(
    x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, eps: Any = 1e-5
) -> Tensor:
    """w·(x − m)/√(v + ε) + b, m and v of each channel of each example over space (Ulyanov et al. 2016).

    x (N, C, …), weight and bias (C).
    """
    plain = axes(x.rank)
    left = plain[:2]
    moments = Moments(left, plain[2:], plain, left, sympy.Mul(*x.shape[2:]), {})
    y, _ = _standardised(x, plain, moments, eps)
    return _affine(y, weight, bias, plain[1:2], plain, "instance normalisation")


@op(FAMILY, example("N 4 5", num_groups=2), example("N 6 2 3", num_groups=3, eps=0.01))
def group_norm(
    x: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: Any = 1e-5,
) -> Tensor:
    """w·(x − m)/√(v + ε) + b, m and v of each example's each group of channels (Wu and He 2018).

    x (N, C, …), weight and bias (C). Raises ShapeError: the groups don't divide the channels.
    """
    (groups,) = whole(num_groups, 1, "group_norm: num_groups", least=1)
    each = divided(x, 1, groups, "group_norm")
    plain, g, k = axes(x.rank), Index("g"), Index("k")
    moments = Moments(
        [plain[0], g],
        [k, *plain[2:]],
        [plain[0], g * each + k, *plain[2:]],
        [plain[0], FloorDiv(plain[1], each)],
        each * sympy.Mul(*x.shape[2:]),
        {g: sympy.Integer(groups), k: each},
    )
    y, _ = _standardised(x, plain, moments, eps)
    return _affine(y, weight, bias, plain[1:2], plain, "group normalisation", without_rest(x, 1, groups))


@op(FAMILY, example("N 5 3", size=3), example("N 6 2 2", size=4, alpha=0.1, beta=0.5, k=2))
def local_response_norm(x: Tensor, size: int, alpha: Any = 1e-4, beta: Any = 0.75, k: Any = 1) -> Tensor:
    """x/(k + α/size·Σ x²)^β over `size` neighbouring channels (Krizhevsky, Sutskever and Hinton 2012)."""
    (width,) = whole(size, 1, "local_response_norm: size", least=1)
    plain, p = axes(x.rank), Index("p")
    there = [plain[0], plain[1] + p - width // 2, *plain[2:]]
    share = constant(alpha, "alpha") / width
    total = formula(
        plain,
        Sum(share * x.at(*there, outside=0) ** 2, p),
        ranges={p: sympy.Integer(width)} | dict(zip(plain, x.shape, strict=True)),
        rule="squares of neighbouring channels",
        hint=Hint("s"),
        kept=True,
    )
    body = x.at(*plain) * (constant(k, "k") + total.at(*plain)) ** -constant(beta, "beta")
    return formula(plain, body, rule="local response normalisation", hint=NORMED, kept=True)


@op(FAMILY, example("H D", "H"), example("H D", "D", axis=1))
def weight_norm(v: Tensor, g: Tensor, axis: int = 0) -> Tensor:
    """g·v/‖v‖, with one length g for each position of the given axis (Salimans and Kingma 2016)."""
    plain, (own,) = axes(v.rank), axis_numbers(v, axis)
    inner = [i for k, i in enumerate(plain) if k != own]
    squares = Sum(v.at(*plain) ** 2, *inner)
    s = formula([plain[own]], squares, rule="weight norm: squares", hint=Hint("s"), kept=True)
    body = g.at(plain[own]) * v.at(*plain) / sympy.sqrt(s.at(plain[own]))
    return formula(plain, body, rule="weight normalisation", hint=Hint("w", "layer"), kept=True)


@op(
    FAMILY,
    example("N H"),
    example("N H", axis=0, eps=2.0),
    analytic=False,
    kinks="derivative 1/ε below the length ε, also at 0",
)
def l2_normalize(x: Tensor, axis: int = -1, eps: Any = 1e-12) -> Tensor:
    """x/‖x‖ along one axis, x/ε where ‖x‖ < ε."""
    plain, (own,) = axes(x.rank), axis_numbers(x, axis)
    left, least = [i for k, i in enumerate(plain) if k != own], option(eps, "eps")
    s = formula(left, Sum(x.at(*plain) ** 2, plain[own]), rule="squared length", hint=Hint("s"), kept=True)
    long = Guard(">=", s.at(*left), least**2)
    body = where(long, x.at(*plain) / sympy.sqrt(s.at(*left)), x.at(*plain) / least)
    return formula(plain, body, rule="unit length", hint=NORMED, kept=True)


def _standardised(
    x: Tensor,
    plain: Sequence[Index],
    moments: Moments,
    eps: Any,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """(x − m)/√(v + ε), and m and v."""
    left, over, inner = list(moments.left), list(moments.over), list(moments.x_at)
    ranges, parts = moments.ranges, list(moments.ranges)
    mean = formula(
        left,
        Sum(x.at(*inner) / moments.count, *over),
        ranges=ranges,
        parts=parts,
        rule="mean",
        hint=Hint("m"),
        kept=True,
    )
    body = x.at(*plain) - mean.at(*moments.own)
    centred = formula(plain, body, rule="less its mean", hint=Hint("c"), kept=True)
    squares = Sum(centred.at(*inner) ** 2 / moments.count, *over)
    variance = formula(left, squares, ranges=ranges, parts=parts, rule="variance", hint=Hint("v"), kept=True)
    root = 1 / sympy.sqrt(variance.at(*left) + option(eps, "eps", "ε"))
    r = formula(left, root, rule="inverse deviation", hint=Hint("r"), kept=True)
    body = centred.at(*plain) * r.at(*moments.own)
    return formula(plain, body, rule="standardised", hint=Hint("x"), kept=True), (mean, variance)


def _affine(
    y: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    inner: Sequence[Index],
    plain: Sequence[Index],
    rule: str,
    joined: Joined = (),
) -> Tensor:
    """y·w + b, both over the inner indices."""
    for tensor in (weight, bias):
        if tensor is not None and tensor.rank != len(inner):
            raise ShapeError(
                f"{display(tensor)} scales or shifts {len(inner)} of the axes, but has {tensor.rank}",
                where=here(),
                details=(f"{display(tensor)}: ({', '.join(map(str, tensor.shape))})",),
            )
    if weight is None and bias is None:
        return y
    body = y.at(*plain)
    body = body if weight is None else body * weight.at(*inner)
    body = body if bias is None else body + bias.at(*inner)
    return formula(plain, body, rule=rule, hint=NORMED, kept=True, joined=joined)
