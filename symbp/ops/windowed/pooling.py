"""Pooling over windows and over whole axes; shapes are (N, C, …) as in PyTorch.

Enters: tensors and options. Leaves: tensors. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symbp.errors import DeclarationError
from symbp.ir.build import where
from symbp.ir.expr import Expr, Guard, Index
from symbp.language.axes import axes
from symbp.language.bodies import number
from symbp.language.naming.frames import here
from symbp.language.node import Hint
from symbp.language.notation import Max, Sum, formula
from symbp.language.sizes import as_size
from symbp.language.tensor import Tensor
from symbp.ops.functions import abs, constant
from symbp.ops.registry import example, op
from symbp.ops.windowed.windows import Option, Window, elements, whole, windows

FAMILY = "pooling"
FIRST = "at a tie the first maximum of the window gets all"
POOLED = Hint("h", "layer")


@op(FAMILY, example("N 2 7", kernel_size=3, stride=2, padding=1), analytic=False, kinks=FIRST)
def max_pool1d(
    x: Tensor,
    kernel_size: Option,
    stride: Option = None,
    padding: Option = 0,
    dilation: Option = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """max_p x[n,c,i·s + p·d − pad]; what is padded never wins. The stride is the kernel's size if not given.

    Raises DeclarationError and ShapeError: options of the wrong kind, a kernel larger than the input.
    """
    return _largest(x, 1, kernel_size, stride, padding, dilation, ceil_mode)


@op(
    FAMILY,
    example("N 2 4 6", kernel_size=2),
    example("N 2 5 5", kernel_size=(3, 2), stride=(1, 2), padding=1, dilation=(2, 1), ceil_mode=True),
    example("N 2 5 4", kernel_size=(3, 1), stride=1),
    analytic=False,
    kinks=FIRST,
)
def max_pool2d(
    x: Tensor,
    kernel_size: Option,
    stride: Option = None,
    padding: Option = 0,
    dilation: Option = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """max_p,q x[n,c,i·s + p·d − pad,j·s + q·d − pad]: `max_pool1d` over two axes."""
    return _largest(x, 2, kernel_size, stride, padding, dilation, ceil_mode)


@op(FAMILY, example("2 2 4 3 4", kernel_size=2, stride=(2, 1, 2)), analytic=False, kinks=FIRST)
def max_pool3d(
    x: Tensor,
    kernel_size: Option,
    stride: Option = None,
    padding: Option = 0,
    dilation: Option = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """`max_pool1d` over three axes."""
    return _largest(x, 3, kernel_size, stride, padding, dilation, ceil_mode)


@op(
    FAMILY,
    example("N 2 8", kernel_size=2),
    example("N 2 8", kernel_size=3, stride=2, padding=1, ceil_mode=True),
    example("N 2 8", kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
)
def avg_pool1d(
    x: Tensor,
    kernel_size: Option,
    stride: Option = None,
    padding: Option = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    dilation: Option = 1,
) -> Tensor:
    """Σ_p x[n,c,i·s + p·d − pad]/k, with k the elements of the window, those of the padding among them unless
    `count_include_pad` is false."""
    return _mean(x, 1, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, None)


@op(
    FAMILY,
    example("N 2 4 6", kernel_size=2),
    example("N 2 5 4", kernel_size=(3, 2), stride=2, padding=1, count_include_pad=False),
    example("N 2 5 4", kernel_size=2, stride=1, divisor_override=3),
)
def avg_pool2d(
    x: Tensor,
    kernel_size: Option,
    stride: Option = None,
    padding: Option = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
    dilation: Option = 1,
) -> Tensor:
    """`avg_pool1d` over two axes; `divisor_override` divides in place of the number of elements."""
    return _mean(x, 2, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, divisor_override)


@op(FAMILY, example("2 2 4 3 4", kernel_size=(2, 3, 2), stride=2, padding=1))
def avg_pool3d(
    x: Tensor,
    kernel_size: Option,
    stride: Option = None,
    padding: Option = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
    dilation: Option = 1,
) -> Tensor:
    """`avg_pool1d` over three axes; `divisor_override` divides in place of the number of elements."""
    return _mean(x, 3, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, divisor_override)


ZERO = "derivative 0 where the whole window is 0"


@op(
    FAMILY,
    example("N 2 7", norm_type=2, kernel_size=3, stride=2),
    example("N 2 6: positive", norm_type=3, kernel_size=2),
    analytic=False,
    kinks=ZERO,
)
def lp_pool1d(
    x: Tensor,
    norm_type: Any,
    kernel_size: Option,
    stride: Option = None,
    ceil_mode: bool = False,
    padding: Option = 0,
    dilation: Option = 1,
) -> Tensor:
    """(Σ_p |x[n,c,i·s + p·d − pad]|^norm)^(1/norm), 0 where the whole window is (Sermanet et al. 2012)."""
    return _norm(x, 1, norm_type, kernel_size, stride, padding, dilation, ceil_mode)


@op(FAMILY, example("N 2 4 5", norm_type=2, kernel_size=2, stride=(2, 1)), analytic=False, kinks=ZERO)
def lp_pool2d(
    x: Tensor,
    norm_type: Any,
    kernel_size: Option,
    stride: Option = None,
    ceil_mode: bool = False,
    padding: Option = 0,
    dilation: Option = 1,
) -> Tensor:
    """`lp_pool1d` over two axes."""
    return _norm(x, 2, norm_type, kernel_size, stride, padding, dilation, ceil_mode)


@op(FAMILY, example("2 2 3 4 2", norm_type=2, kernel_size=2), analytic=False, kinks=ZERO)
def lp_pool3d(
    x: Tensor,
    norm_type: Any,
    kernel_size: Option,
    stride: Option = None,
    ceil_mode: bool = False,
    padding: Option = 0,
    dilation: Option = 1,
) -> Tensor:
    """`lp_pool1d` over three axes."""
    return _norm(x, 3, norm_type, kernel_size, stride, padding, dilation, ceil_mode)


@op(FAMILY, example("N 2 4 3"), example("N 2 5", keepdim=True))
def global_avg_pool(x: Tensor, keepdim: bool = False) -> Tensor:
    """The mean over all axes after the channels (Lin, Chen and Yan 2013); with `keepdim` they stay, of size
    1, as PyTorch's adaptive pooling to 1 has them."""
    count = sympy.Mul(*x.shape[2:])
    return _whole(x, lambda e, over: Sum(e / count, *over), "global average", keepdim)


@op(FAMILY, example("N 2 4 3"), example("N 2 5", keepdim=True), analytic=False, kinks=FIRST)
def global_max_pool(x: Tensor, keepdim: bool = False) -> Tensor:
    """The maximum over all axes after the channels; with `keepdim` they stay, of size 1."""
    return _whole(x, lambda e, over: Max(e, *over), "global maximum", keepdim)


def _largest(
    x: Tensor, count: int, kernel: Option, stride: Option, padding: Option, dilation: Option, ceil: bool
) -> Tensor:
    over = _pools(x, count, kernel, stride, padding, dilation, ceil, f"max_pool{count}d")
    return _pooled(x, over, lambda e, inside: Max(e, *inside), -sympy.oo, "max pooling")


def _mean(
    x: Tensor,
    count: int,
    kernel: Option,
    stride: Option,
    padding: Option,
    dilation: Option,
    ceil: bool,
    include: bool,
    divisor: Any,
) -> Tensor:
    over = _pools(x, count, kernel, stride, padding, dilation, ceil, f"avg_pool{count}d")
    fixed: Expr = sympy.S.One
    if divisor is not None:
        fixed, varying = constant(divisor, "divisor_override"), {}
    else:
        varying = {
            k: _inside(w, extent, include)
            for k, (w, extent) in enumerate(zip(over, x.shape[2:], strict=True))
            if w.ceil or (not include and (w.before != 0 or w.after != 0))
        }
        fixed = sympy.Mul(*[w.kernel for k, w in enumerate(over) if k not in varying])
    total = _pooled(x, over, lambda e, inside: Sum(e / fixed, *inside), 0, "average pooling")
    if not varying:
        return total
    plain = axes(x.rank)
    counts = sympy.Mul(*[many.at(plain[2 + k]) for k, many in varying.items()])
    return formula(plain, total.at(*plain) / counts, rule="average of what is inside", hint=POOLED, kept=True)


def _inside(window: Window, extent: Expr, include: bool) -> Tensor:
    """How many elements of the window count at each position of one axis."""
    i, (p,) = Index("i"), elements(1)
    first, last = (-window.before, extent + window.after) if include else (sympy.S.Zero, extent)
    read = window.at(i, p)
    counted = Guard("<=", first, read) * Guard("<", read, last)
    ranges = {i: window.count(extent), p: window.kernel}
    return formula([i], Sum(counted, p), ranges=ranges, rule="elements inside", hint=Hint("c"), kept=True)


def _norm(
    x: Tensor,
    count: int,
    norm: Any,
    kernel: Option,
    stride: Option,
    padding: Option,
    dilation: Option,
    ceil: bool,
) -> Tensor:
    p = number(norm)
    if p is None or p <= 0:
        raise DeclarationError(f"lp_pool{count}d: norm_type must be positive, not {norm!r}", where=here())
    over = _pools(x, count, kernel, stride, padding, dilation, ceil, f"lp_pool{count}d")

    def powers(e: Expr, inside: Sequence[Index]) -> Expr:
        return Sum(e**p if p.is_even else abs(e) ** p, *inside)

    total = _pooled(x, over, powers, 0, "sum of powers", Hint("s"))
    every = axes(x.rank)
    s = total.at(*every)
    root = where(Guard(">", s, 0), s ** (1 / p), 0)
    return formula(every, root, rule="power-average pooling", hint=POOLED, kept=True)


def _pools(
    x: Tensor,
    count: int,
    kernel: Option,
    stride: Option,
    padding: Option,
    dilation: Option,
    ceil: bool,
    what: str,
) -> tuple[Window, ...]:
    sizes = whole(kernel, count, f"{what}: kernel_size", least=1)
    steps = sizes if stride is None else stride
    return windows(x, tuple(map(sympy.Integer, sizes)), steps, padding, dilation, ceil=ceil, what=what)


def _pooled(
    x: Tensor,
    over: Sequence[Window],
    reduced: Any,
    outside: Any,
    rule: str,
    hint: Hint = POOLED,
) -> Tensor:
    """The windows of x, reduced."""
    n, c, space, inside = *axes(2), axes(len(over), "i"), elements(len(over))
    there = [w.at(i, p) for w, i, p in zip(over, space, inside, strict=True)]
    leaves = any(w.before != 0 or w.after != 0 or w.ceil for w in over)
    read = x.at(n, c, *there, outside=outside) if leaves else x.at(n, c, *there)
    ranges = {i: w.count(e) for i, w, e in zip(space, over, x.shape[2:], strict=True)}
    ranges |= {p: w.kernel for p, w in zip(inside, over, strict=True)}
    ranges |= {n: x.shape[0], c: x.shape[1]}
    return formula([n, c, *space], reduced(read, inside), ranges=ranges, rule=rule, hint=hint, kept=True)


def _whole(x: Tensor, reduced: Any, rule: str, keepdim: bool) -> Tensor:
    every = axes(x.rank)
    plain = every[:2] + (axes(x.rank - 2, "i") if keepdim else [])
    return formula(
        plain,
        reduced(x.at(*every), every[2:]),
        ranges={i: as_size(1) for i in plain[2:]},
        rule=rule,
        hint=POOLED,
        kept=True,
    )
