"""ONNX nodes that reduce over axes, normalise them to one, or weigh the result by labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnx_graph import NODES, Node, node

import symbp as bp

REDUCTIONS = {
    "ReduceL1": lambda x, axis: bp.sum(bp.abs(x), axis),
    "ReduceL2": bp.norm,
    "ReduceLogSum": lambda x, axis: bp.log(bp.sum(x, axis)),
    "ReduceLogSumExp": bp.logsumexp,
    "ReduceMax": bp.max,
    "ReduceMean": bp.mean,
    "ReduceMin": bp.min,
    "ReduceProd": bp.prod,
    "ReduceSum": bp.sum,
    "ReduceSumSquare": lambda x, axis: bp.sum(bp.square(x), axis),
}


def over(n: Node) -> list[int]:
    """The axes of a reduction, an input or an attribute: all where nothing is said."""
    axes = n.array(1).tolist() if n.has(1) else n.get("axes", [])
    if not axes and n.get("noop_with_empty_axes", 0):
        return []
    return sorted(k % n[0].rank for k in axes or range(n[0].rank))


def kept(y: Any, axes: Sequence[int]) -> Any:
    """With an axis of one element wherever one was reduced."""
    for axis in axes:
        y = bp.unsqueeze(y, axis)
    return y


def reduction(n: Node, function: Any) -> Any:
    axes = over(n)
    y = function(n[0], tuple(axes)) if axes else bp.linear(n[0])
    return kept(y, axes) if n.get("keepdims", 1) else y


NODES |= {name: lambda n, f=f: reduction(n, f) for name, f in REDUCTIONS.items()}


@node("Softmax")
def softmax(n: Node) -> Any:
    return bp.softmax(n[0], n.get("axis", -1))


@node("LogSoftmax")
def log_softmax(n: Node) -> Any:
    return bp.log_softmax(n[0], n.get("axis", -1))


@node("Hardmax")
def hardmax(n: Node) -> Any:
    """1 at the first maximum along an axis, else 0."""
    x, axis = n[0], n.get("axis", -1) % n[0].rank
    at = x.argmax(axis)
    plain = bp.indices(" ".join("ijklm"[: x.rank]))
    own = plain[axis]
    chosen = bp.equal(own, at[tuple(i for i in plain if i is not own)])
    return bp.define("hardmax", plain, bp.where(chosen, 1, 0), ranges=dict(zip(plain, x.shape, strict=True)))


@node("CumSum")
def cumsum(n: Node) -> Any:
    return bp.cumsum(n[0], int(n.array(1)), bool(n.get("exclusive")), bool(n.get("reverse")))


@node("SoftmaxCrossEntropyLoss")
def cross_entropy(n: Node) -> Any:
    """ONNX has the classes on axis 1, symbp last."""
    x, classes, ignored = n[0], n.array(0).shape[1], n.get("ignore_index")
    inside = ignored is not None and 0 <= ignored < classes
    loss = bp.cross_entropy(
        bp.permute(x, [0, *range(2, x.rank), 1]),
        n.labels(1, classes, ignored),
        from_logits=True,
        weight=n.optional(2),
        ignore_index=ignored if inside else None,
        reduction=n.get("reduction", "mean"),
    )
    return loss, bp.log_softmax(x, axis=1) if len(n.outputs) > 1 else None
