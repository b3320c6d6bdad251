"""ONNX nodes that go element by element, those of shapes, and products."""

from __future__ import annotations

from functools import reduce
from typing import Any

from onnx_graph import NODES, Node, node

import symbp as bp

SAME = {
    "Abs": bp.abs, "Acos": bp.acos, "Acosh": bp.acosh, "Asin": bp.asin, "Asinh": bp.asinh, "Atan": bp.atan,
    "Atanh": bp.atanh, "Cos": bp.cos, "Cosh": bp.cosh, "Erf": bp.erf, "Exp": bp.exp, "Log": bp.log,
    "Neg": lambda x: -x, "Reciprocal": bp.reciprocal, "Relu": bp.relu, "Sigmoid": bp.sigmoid, "Sin": bp.sin,
    "Sinh": bp.sinh, "Softplus": bp.softplus, "Softsign": bp.softsign, "Sqrt": bp.sqrt, "Tan": bp.tan,
    "Tanh": bp.tanh, "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b, "MatMul": lambda a, b: a @ b,
}  # fmt: skip
MANY = {
    "Max": lambda *x: reduce(bp.maximum, x),
    "Min": lambda *x: reduce(bp.minimum, x),
    "Sum": lambda *x: reduce(lambda a, b: a + b, x),
    "Mean": lambda *x: reduce(lambda a, b: a + b, x) / len(x),
}
NODES |= {name: lambda n, f=f: f(*n.every) for name, f in SAME.items()}
NODES |= {name: lambda n, f=f: f(bp.linear(n[0]), *n.every[1:]) for name, f in MANY.items()}


@node("Pow")
def power(n: Node) -> Any:
    return bp.power(n[0], n.real(1))


@node("Clip")
def clip(n: Node) -> Any:
    """At a lower bound above the upper one, the upper one."""
    low, high = (n.optional(k) if n.has(k) else n.get(name) for k, name in ((1, "min"), (2, "max")))
    y = bp.linear(n[0])
    y = y if low is None else bp.where(y < low, low, y)
    return y if high is None else bp.where(y > high, high, y)


@node("Elu")
def elu(n: Node) -> Any:
    return bp.elu(n[0], n.get("alpha", 1.0))


@node("Selu")
def selu(n: Node) -> Any:
    if "gamma" not in n.attributes:
        return bp.selu(n[0])
    return n.get("gamma") * bp.elu(n[0], n.get("alpha"))


@node("LeakyRelu")
def leaky_relu(n: Node) -> Any:
    return bp.leaky_relu(n[0], n.get("alpha", 0.01))


@node("PRelu")
def prelu(n: Node) -> Any:
    """A slope for each channel came as a vector in early versions."""
    x, slope, given = n[0], n[1], n.array(1).shape
    if given and given[0] > 1 and given != n.array(0).shape[-len(given) :]:
        for _ in range(x.rank - 2):
            slope = bp.unsqueeze(slope, -1)
    return bp.prelu(x, slope)


@node("Gelu")
def gelu(n: Node) -> Any:
    return bp.gelu(n[0], n.get("approximate", "none"))


@node("HardSigmoid")
def hardsigmoid(n: Node) -> Any:
    """Its slope is 0.2, PyTorch's 1/6."""
    return bp.clamp(n.get("alpha", 0.2) * n[0] + n.get("beta", 0.5), 0, 1)


@node("Shrink")
def shrink(n: Node) -> Any:
    x, edge, bias = n[0], n.get("lambd", 0.5), n.get("bias", 0.0)
    return bp.where(x < -edge, x + bias, bp.where(x > edge, x - bias, 0))


@node("Swish")
def swish(n: Node) -> Any:
    return n[0] * bp.sigmoid(n.get("alpha", 1.0) * n[0])


@node("Where")
def where(n: Node) -> Any:
    return bp.where(n[0] > 0, n[1], n[2])


@node("Gemm")
def gemm(n: Node) -> Any:
    a, b = (n[k].T if n.get(name) else n[k] for k, name in ((0, "transA"), (1, "transB")))
    product = n.get("alpha", 1.0) * (a @ b)
    return product + n.get("beta", 1.0) * n[2] if n.has(2) else product


@node("Einsum")
def einsum(n: Node) -> Any:
    return bp.einsum(*n.every, formula=n.get("equation"))


@node("Transpose")
def transpose(n: Node) -> Any:
    return bp.permute(n[0], n.get("perm", list(range(n[0].rank))[::-1]))


@node("Reshape")
def reshape(n: Node) -> Any:
    return bp.reshape(n[0], [int(k) for k in n.array(1)])


@node("Flatten")
def flatten(n: Node) -> Any:
    """The axes before `axis` as one, those from it as another, whether there are any or not."""
    x, axis = n[0], n.get("axis", 1)
    if axis == x.rank:
        return bp.unsqueeze(bp.flatten(x, 0), -1)
    return bp.flatten(bp.flatten(x, axis), 0, axis - 1)


@node("Tile")
def tile(n: Node) -> Any:
    return reduce(lambda x, a: bp.tile(x, int(a[1]), a[0]), enumerate(n.array(1)), n[0])


@node("Split")
def split(n: Node) -> Any:
    x, axis, start, parts = n[0], n.get("axis", 0), 0, []
    whole = int(x.shape[axis].value)
    for extent in n.get("split", [whole // len(n.outputs)] * len(n.outputs)):
        before = [slice(None)] * (axis % x.rank)
        parts.append(x[(*before, slice(start, start + extent), ...)])
        start += extent
    return tuple(parts)


@node("Concat")
def concat(n: Node) -> Any:
    return bp.concat(*n.every, axis=n.get("axis"))


@node("Pad")
def pad(n: Node) -> Any:
    widths, rank = n.get("pads"), n[0].rank
    pairs = [(widths[k], widths[k + rank]) for k in range(rank)]
    return bp.pad(n[0], pairs, n.get("value", 0.0))


@node("Gather")
def gather(n: Node) -> Any:
    axis = n.get("axis", 0)
    return bp.take(n[0], n.labels(1, n.array(0).shape[axis]), axis=axis)


@node("Gradient")
def gradient(n: Node) -> Any:
    y = n.graph.tensor(n.get("y"))
    return tuple(bp.grad(y, n.graph.tensor(x)) for x in n.get("xs"))


@node("Adagrad")
def adagrad(n: Node) -> Any:
    """X, G and H of each parameter; the new X of all, then the new H of all."""
    count = (len(n.inputs) - 2) // 3
    x, g, h = ([n[2 + part * count + k] for k in range(count)] for part in range(3))
    rate = n[0] / (1 + n.real(1) * n.get("decay_factor", 0.0))
    regular = [n.get("norm_coefficient", 0.0) * a + b for a, b in zip(x, g, strict=True)]
    squares = [a + b * b for a, b in zip(h, regular, strict=True)]
    steps = [a / (bp.sqrt(b) + n.get("epsilon", 0.0)) for a, b in zip(regular, squares, strict=True)]
    return (*[a - rate * b for a, b in zip(x, steps, strict=True)], *squares)
