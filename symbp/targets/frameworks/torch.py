"""How PyTorch writes what a forward pass is made of.

Enters: nothing. Leaves: SPELLING. Must not know: what is computed.
"""

from __future__ import annotations

from dataclasses import replace

from symbp.codegen import infer
from symbp.codegen.tree import Call, DType, Expression, Node, Slice, Subscript
from symbp.targets.frameworks.spelling import (
    Rule,
    Speller,
    Spelling,
    arrays_in,
    as_tuple,
    chosen,
    full,
    helper,
    reals,
    renamed,
    spread,
)

DTYPES: dict[str, str] = {"real": "torch.float64", "integer": "torch.int64", "boolean": "torch.bool"}
ALIKE = (
    "exp", "log", "sin", "cos", "tan", "sqrt", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
    "arcsinh", "arccosh", "arctanh", "arctan2", "floor", "floor_divide",
)  # fmt: skip


def _dtype(dtype: DType) -> Expression:
    return infer.number(DTYPES[dtype], "object")


def _cast(node: Expression, dtype: DType) -> Expression:
    name = {"real": ".double", "integer": ".long"}[dtype]
    return infer.call(name, node, shape=node.shape, dtype=dtype)


def _constant(value: Expression, dtype: DType) -> Expression:
    more = {"dtype": _dtype(dtype)}
    return infer.call("torch.tensor", value, shape=(), dtype=dtype, more=more)


def _full(node: Call, sizes: Expression, value: Expression) -> Expression:
    more = {"dtype": _dtype(node.dtype)}
    return infer.call("torch.full", sizes, value, shape=node.shape, dtype=node.dtype, more=more)


def _zeros(_: Speller, node: Call) -> Expression:
    more = {"dtype": _dtype(node.dtype)}
    sizes = as_tuple(node.arguments[0])
    return infer.call("torch.zeros", sizes, shape=node.shape, dtype=node.dtype, more=more)


def _detached(_: Speller, node: Call) -> Expression:
    return replace(node, name=".detach")


def _subscript(node: Subscript) -> Expression:
    """What goes backwards is flipped first; places that aren't neighbours are brought together, in front."""
    forwards = _forwards(node)
    if not isinstance(forwards, Subscript):
        return forwards
    node = forwards
    joint = arrays_in(node)
    if not joint or joint == list(range(joint[0], joint[-1] + 1)):
        return node
    rank = len(node.value.shape)
    every: list[Node] = [*node.items, *([Slice()] * (rank - len(node.items)))]
    order = (*joint, *(k for k in range(rank) if k not in joint))
    shape = [node.value.shape[k] for k in order]
    axes = (infer.number(k) for k in order)
    turned = infer.call(".permute", node.value, *axes, shape=shape, dtype=node.value.dtype)
    moved = [every[k] for k in order]
    while isinstance(moved[-1], Slice) and moved[-1] == Slice():
        moved.pop()
    return replace(node, value=turned, items=tuple(moved))


def _forwards(node: Subscript) -> Expression:
    """The subscript without negative steps, of an array that is flipped along these axes."""
    turned = {k: item for k, item in enumerate(node.items) if isinstance(item, Slice) and _goes_back(item)}
    if not turned:
        return node
    array = node.value
    flipped = infer.call(".flip", array, *map(infer.number, turned), shape=array.shape, dtype=array.dtype)
    items: list[Node] = list(node.items)
    for k, item in turned.items():
        last = infer.binary("-", infer.call(".size", array, infer.number(k), shape=()), infer.number(1))
        start, stop = (None if e is None else infer.binary("-", last, e) for e in (item.start, item.stop))
        step = getattr(item.step, "text", "-1").removeprefix("-")
        items[k] = Slice(start, stop, None if step == "1" else infer.number(int(step)))
    while items and items[-1] == Slice():
        items.pop()
    return replace(node, value=flipped, items=tuple(items)) if items else flipped


def _goes_back(item: Slice) -> bool:
    step = item.step
    return step is not None and getattr(step, "text", "").startswith("-")


RULES: dict[str, Rule] = {
    "np.arange": renamed("torch.arange"),
    "np.zeros": _zeros,
    "np.full": full(_full, "torch.broadcast_to"),
    "np.broadcast_to": spread("torch.broadcast_to"),
    "np.stack": renamed("torch.stack", axis="dim"),
    "np.where": chosen("torch.where", arrays=1),
    "np.einsum": reals("torch.einsum"),
    "np.pad": renamed("pad"),
    "np.linalg.inv": reals("torch.linalg.inv"),
    "np.linalg.det": reals("torch.linalg.det"),
    "stop_gradient": _detached,
    ".sum": renamed(".sum", keepdims="keepdim"),
    ".mean": renamed(".mean", keepdims="keepdim"),
    ".max": helper("largest"),
    ".prod": helper("product"),
    ".argmax": renamed(".argmax"),
    ".reshape": renamed(".reshape"),
    ".swapaxes": renamed(".swapaxes"),
    ".transpose": renamed(".permute"),
}

SPELLING = Spelling(
    library="PyTorch",
    imports=("import torch",),
    functions={
        **{f"np.{name}": f"torch.{name}" for name in ALIKE},
        "np.rint": "torch.round", "erf": "torch.erf", "erfc": "torch.erfc", "loggamma": "torch.lgamma",
        "digamma": "torch.digamma", "gamma": "gamma", "trigamma": "trigamma",
    },
    rules=RULES,
    helpers="symbp.runtime.torch_functions",
    casts=_cast,
    constant=_constant,
    subscript=_subscript,
    words=("torch.autograd.grad(loss(...), tensors) differentiates it.",),
)  # fmt: skip
