"""ONNX nodes with windows: convolution, its transpose, pooling."""

from __future__ import annotations

from typing import Any

import sympy
from onnx_graph import Node, node

import symbp as bp
from symbp.ir.expr import Index
from symbp.language.tensor import Tensor

PADS = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}


def per_axis(n: Node, name: str, default: int, count: int) -> tuple[int, ...]:
    return tuple(n.get(name, [default] * count))


def padding(n: Node, count: int) -> Any:
    if n.get("auto_pad", "NOTSET") in PADS:
        return PADS[n.get("auto_pad")]
    pads = n.get("pads", [0] * 2 * count)
    return tuple((pads[k], pads[k + count]) for k in range(count))


def windows(n: Node) -> dict[str, Any]:
    kernel = n.get("kernel_shape")
    count = len(kernel)
    return {
        "kernel_size": tuple(kernel),
        "stride": per_axis(n, "strides", 1, count),
        "padding": padding(n, count),
        "dilation": per_axis(n, "dilations", 1, count),
    }


@node("Conv")
def conv(n: Node) -> Any:
    count = n[0].rank - 2
    return getattr(bp, f"conv{count}d")(
        n[0],
        n[1],
        n.optional(2),
        stride=per_axis(n, "strides", 1, count),
        padding=padding(n, count),
        dilation=per_axis(n, "dilations", 1, count),
        groups=n.get("group", 1),
    )


@node("ConvTranspose")
def conv_transpose(n: Node) -> Any:
    """An output shape, or SAME, says in all how much is cut off; less than nothing is added at the end."""
    count = n[0].rank - 2
    strides, dilations = per_axis(n, "strides", 1, count), per_axis(n, "dilations", 1, count)
    extra, pads = list(per_axis(n, "output_padding", 0, count)), padding(n, count)
    extents, kernel = n.array(0).shape[2:], n.array(1).shape[2:]
    wanted = n.get("output_shape")
    if isinstance(pads, str):
        wanted = [e * s for e, s in zip(extents, strides, strict=True)]
    if wanted:
        reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
        cut = [
            s * (e - 1) + more + r - w
            for s, e, more, r, w in zip(strides, extents, extra, reach, wanted, strict=True)
        ]
        extra = [more + max(0, -c) for more, c in zip(extra, cut, strict=True)]
        halves = [(max(0, c) // 2, max(0, c) - max(0, c) // 2) for c in cut]
        pads = tuple(halves if n.get("auto_pad") != "SAME_LOWER" else [pair[::-1] for pair in halves])
    return getattr(bp, f"conv_transpose{count}d")(
        n[0],
        n[1],
        n.optional(2),
        stride=strides,
        padding=pads,
        output_padding=tuple(extra),
        groups=n.get("group", 1),
        dilation=dilations,
    )


@node("MaxPool")
def max_pool(n: Node) -> Any:
    options = windows(n) | {"ceil_mode": bool(n.get("ceil_mode"))}
    y = getattr(bp, f"max_pool{n[0].rank - 2}d")(n[0], **options)
    return (y, places(n[0], y, options)) if len(n.outputs) > 1 else y


def places(x: Any, y: Any, options: dict[str, Any]) -> Any:
    """Where in the whole of x each maximum is, the last axis running fastest."""
    plain = [Index(f"a{k}") for k in range(x.rank)]
    inside = [Index(f"p{k}") for k in range(x.rank - 2)]
    steps = zip(plain[2:], inside, options["stride"], options["dilation"], options["padding"], strict=True)
    starts = [(i * s - before, d, p) for i, p, s, d, (before, _) in steps]
    read = x.at(*plain[:2], *[start + d * p for start, d, p in starts], outside=-sympy.oo)
    kernel = map(sympy.Integer, options["kernel_size"])
    ranges = dict(zip([*plain, *inside], [*y.shape, *kernel], strict=True))
    flat = plain[0] * x.shape[1] + plain[1]
    for axis, (start, d, _) in enumerate(starts):
        first = Tensor.defined(plain, read, "argmax", inside, rule="place", ranges=ranges, component=axis)
        flat = flat * x.shape[2 + axis] + start + d * first.at(*plain)
    return bp.define("place", plain, flat, ranges=dict(zip(plain, y.shape, strict=True)))


@node("AveragePool")
def average_pool(n: Node) -> Any:
    options = windows(n) | {"ceil_mode": bool(n.get("ceil_mode"))}
    include = bool(n.get("count_include_pad"))
    return getattr(bp, f"avg_pool{n[0].rank - 2}d")(n[0], count_include_pad=include, **options)


@node("LpPool")
def lp_pool(n: Node) -> Any:
    return getattr(bp, f"lp_pool{n[0].rank - 2}d")(
        n[0], norm_type=n.get("p", 2), ceil_mode=bool(n.get("ceil_mode")), **windows(n)
    )


@node("GlobalAveragePool")
def global_average(n: Node) -> Any:
    return bp.global_avg_pool(n[0], keepdim=True)


@node("GlobalMaxPool")
def global_max(n: Node) -> Any:
    return bp.global_max_pool(n[0], keepdim=True)
