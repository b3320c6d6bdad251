"""Convolution, pooling, normalisation, resizing, attention, as calls of symbp's functions.

Enters: terms and options, each with its meaning spelled out. Leaves: terms.
Must not know: foreign operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symbp.interchange.inward.building import arithmetic as el
from symbp.interchange.inward.building.shapes import ALL, sliced
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.values import Filled, binary, known, refuse, tensor
from symbp.interchange.inward.writing import Term, Writer

Pads = Sequence[tuple[int, int]] | str


def window(values: Sequence[Any] | str | int) -> Any:
    """An option with one entry for each axis as its author would write it: once if all are alike."""
    if isinstance(values, (str, int)):
        return values
    each = [v[0] if isinstance(v, (tuple, list)) and v[0] == v[1] else v for v in values]
    each = [tuple(v) if isinstance(v, list) else v for v in each]
    if any(isinstance(v, tuple) for v in each):
        return tuple(v if isinstance(v, tuple) else (v, v) for v in each)
    return each[0] if len(set(each)) == 1 else tuple(each)


def spatial(x: Term, most: int = 3) -> int:
    """How many axes follow batch and channels. Raises DataError: none, or too many."""
    count = x.rank - 2
    if not 1 <= count <= most:
        refuse(f"it goes over {count} axes after batch and channels; 1 to {most} are taken in")
    return count


def convolution(
    w: Writer, x: Term, weight: Term, bias: Term | None, stride: Any, pads: Pads, dilation: Any, groups: int
) -> Term:
    """A convolution over all axes after the channels."""
    given = [] if bias is None else [bias]
    options = {"stride": window(stride), "padding": window(pads), "dilation": window(dilation)}
    return w.call(f"conv{spatial(x)}d", x, weight, *given, **options, groups=groups)


def transposed(
    w: Writer, x: Term, weight: Term, bias: Term | None, stride: Any, pads: Sequence[int], more: Any,
    dilation: Any, groups: int,
) -> Term:  # fmt: skip
    """A transposed convolution."""
    given = [] if bias is None else [bias]
    options = {"stride": window(stride), "padding": window(pads), "output_padding": window(more)}
    return w.call(
        f"conv_transpose{spatial(x)}d", x, weight, *given, **options, groups=groups, dilation=window(dilation)
    )


def pooled(w: Writer, kind: str, x: Term, kernel: Any, stride: Any, **options: Any) -> Term:
    """A pooling over windows, `kind` max or avg; the stride is the kernel's size if not given."""
    size = window(kernel)
    step = None if stride is None or window(stride) == size else window(stride)
    chosen = {k: window(v) if isinstance(v, (list, tuple)) else v for k, v in options.items()}
    return w.call(f"{kind}_pool{spatial(x)}d", x, size, stride=step, **chosen)


def over_space(w: Writer, kind: str, x: Term, keep: bool = True) -> Term:
    """The mean or maximum over all axes after the channels."""
    spatial(x, 8)
    return w.call(f"global_{kind}_pool", x, keepdim=keep)


def by_statistics(w: Writer, x: Term, scale: Any, offset: Any, mean: Any, variance: Any, eps: float) -> Term:
    """(x − mean)/√(variance + ε)·scale + offset for each channel: batch normalisation at inference."""
    if x.rank < 2:
        refuse("batch normalisation needs an axis of channels")
    m = statistic(w, mean)
    v = statistic(w, variance, "nonnegative", 1.0)
    deviation = w.call("sqrt", w.infix("+", v, eps))
    found = w.infix("/", w.infix("-", x, beside(w, m, x)), beside(w, deviation, x))
    if scale is None and offset is None:
        return found
    return scaled(w, w.bound(found, w.names.numbered("standardised")), scale, offset)


def statistic(w: Writer, value: Any, facts: str = "", init: float = 0.0) -> Term:
    """What a model has measured and doesn't learn: a buffer."""
    if not isinstance(value, Held):
        refuse("running statistics aren't held by the model")
    own = Held(value.name, value.array, "buffer")
    if facts and (np.asarray(value.array) < 0).any():
        refuse(f"{value.name} is a variance and holds what is negative")
    return w.held(own, facts=facts, init=init)


def scaled(w: Writer, x: Term, scale: Any, offset: Any) -> Term:
    """x·scale + offset, one for each channel."""
    if scale is not None:
        x = w.infix("*", x, beside(w, tensor(w, scale), x))
    return x if offset is None else w.infix("+", x, beside(w, tensor(w, offset), x))


def beside(w: Writer, channels: Term, x: Term) -> Term:
    """Channels as an axis that broadcasts against x (N, C, …)."""
    if channels.rank != 1:
        refuse(f"one number for each channel is expected, not shape {channels.shape}")
    return channels if x.rank == 2 else w.part(channels, [ALL, *[None] * (x.rank - 2)])


def norm_axes(x: Term, axes: Sequence[int]) -> Any:
    """The axes of a layer normalisation as they are usually written."""
    back = tuple(k % x.rank - x.rank for k in axes)
    return back[0] if len(back) == 1 else back


def resized(
    w: Writer, x: Term, size: Sequence[Any] | None, scale: Sequence[float] | None, mode: str, corners: bool
) -> Term:
    """Nearest or linear resizing; the sizes win where both are given."""
    count = spatial(x)
    named = {"linear": {1: "linear", 2: "bilinear", 3: "trilinear"}[count]}.get(mode, mode)
    if size is not None:
        options: dict[str, Any] = {"size": window(tuple(size))}
    elif scale is not None:
        if any(float(s) != int(s) and known(s) is not None for s in scale) and mode != "nearest":
            refuse(f"a scale of {tuple(scale)} leaves open where elements lie", "give sizes")
        options = {"scale_factor": window([int(s) if float(s) == int(s) else float(s) for s in scale])}
    else:
        refuse("neither sizes nor scales are given")
    return w.call("interpolate", x, **options, mode=named, align_corners=corners)


def attention(
    w: Writer, q: Term, k: Term, v: Term, mask: Any, causal: bool, scale: float | None, gqa: bool = False
) -> Term:
    """Scaled dot-product attention; a mask of truth values says which keys are seen, any other is added."""
    options: dict[str, Any] = {"is_causal": causal, "enable_gqa": gqa}
    if mask is not None:
        options["attn_mask"] = _mask(w, mask)
    if scale is not None:
        options["scale"] = scale
    return w.call("scaled_dot_product_attention", q, k, v, **options)


def _mask(w: Writer, mask: Any) -> Term:
    if isinstance(mask, Filled):
        refuse("an attention mask is one number everywhere")
    if isinstance(mask, Held):
        infinite = np.isneginf(mask.array) if mask.array.dtype.kind == "f" else None
        if infinite is not None and infinite.any():
            if mask.array[~infinite].any():
                refuse(f"{mask.name} holds −∞ beside other numbers than 0")
            return binary(w, mask, ~infinite)
        return binary(w, mask) if mask.array.dtype.kind == "b" else w.held(mask)
    array = known(mask)
    if array is not None and array.dtype.kind == "b":
        return tensor(w, Held(f"mask_{'x'.join(map(str, array.shape))}", array))
    found = tensor(w, mask)
    if isinstance(mask, Term) and (mask.is_condition or any(f.kind == "binary" for f in mask.value.facts)):
        refuse("which keys are seen is calculated from data")
    return found


def trimmed(w: Writer, x: Term, widths: Sequence[tuple[int, int]]) -> Any:
    """Space without so many elements before and after each axis."""
    cuts = {k: (a, -b or (1 << 31), 1) for k, (a, b) in enumerate(widths, start=2) if a or b}
    return sliced(w, x, cuts) if cuts else x


def half_held(w: Writer, x: Term, slope: float, offset: float) -> Term:
    """max(0, min(1, slope·x + offset))."""
    return w.call("clamp", el.infix(w, "+", el.infix(w, "*", x, slope), offset), 0, 1)
