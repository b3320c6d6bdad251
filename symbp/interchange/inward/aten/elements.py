"""PyTorch's operations that work element by element, over axes, or on shapes: the table of what each one is.

Enters: a step, its arguments under PyTorch's names. Leaves: values. Must not know: other operations, modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symbp.interchange.inward.building import arithmetic as el
from symbp.interchange.inward.building import shapes
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.translate import Call, Entry
from symbp.interchange.inward.values import (
    Filled,
    condition,
    entries,
    known,
    number,
    refuse,
    tensor,
    tidy,
    whole,
)
from symbp.interchange.inward.writing import Term


def unary(function: str, on_known: Callable[[Any], Any] | None = None, **options: str) -> Entry:
    def take(c: Call) -> Any:
        chosen = {ours: c[theirs] for ours, theirs in options.items()}
        return el.unary(c.w, function, c["self"], on_known, **chosen)

    return take


def infix(op: str, first: str = "self", second: str = "other") -> Entry:
    """a op b, with PyTorch's alpha·b in sums."""

    def take(c: Call) -> Any:
        a, b, alpha = c[first], c[second], c.get("alpha", 1)
        return el.infix(c.w, op, a, b if alpha == 1 else el.infix(c.w, "*", b, np.asarray(alpha)))

    return take


def divide(c: Call) -> Any:
    rounding = c.get("rounding_mode")
    found = el.infix(c.w, "/", c["self"], c["other"])
    if rounding is None:
        return found if isinstance(found, Term) else tidy(np.true_divide(known(c["self"]), known(c["other"])))
    if rounding == "floor":
        return el.unary(c.w, "floor", found, np.floor)
    return refuse(f"a quotient rounded by {rounding!r}")


def clamp(c: Call) -> Any:
    low, high = (number(c[k]) if k in c else None for k in ("min", "max"))
    if low is not None and high is not None and low > high:
        refuse("the lower bound is above the upper one")
    return c.w.call("clamp", c.term("self"), low=low, high=high)


def masked_fill(c: Call) -> Any:
    """The number where the mask is true, also −∞."""
    value = c["value"]
    fill = float(value) if isinstance(value, float) else number(value)
    name, mask, value = f"filled_{c.step.results[0]}", known(c["mask"]), c["self"]
    array = known(value)
    if array is not None and mask is not None:
        return Held(name, np.where(mask, fill, array))
    if isinstance(value, Filled) and mask is not None:
        return Held(name, np.where(np.broadcast_to(mask, value.shape), fill, value.number))
    return c.w.call("where", condition(c.w, c["mask"]), fill, c.term("self"))


def softmax(function: str) -> Entry:
    def take(c: Call) -> Any:
        _same_kind(c)
        x = c.term("self")
        k = shapes.axis_of(x.rank, c.whole("dim"))
        return c.w.call(function, x) if k == x.rank - 1 else c.w.call(function, x, axis=k)

    return take


def _same_kind(c: Call) -> None:
    """A kind of number that is asked for may only be a real one."""
    c.only("dtype", "torch.float32", "torch.float64")


def dims(c: Call, key: str = "dim") -> list[int] | None:
    """Axes, one or several; None or none of them means all."""
    if key not in c:
        return None
    given = c[key]
    return [whole(e) for e in entries(given if isinstance(given, (list, tuple)) else [given])] or None


def reduction(function: str) -> Entry:
    def take(c: Call) -> Any:
        _same_kind(c)
        return el.reduced(c.w, function, c["self"], dims(c), c.flag("keepdim"))

    return take


def extreme(function: str, pair: str) -> Entry:
    """PyTorch's max and min: of all, along an axis with places, or of two tensors."""

    def take(c: Call) -> Any:
        if "other" in c:
            return el.infix(c.w, pair, c["self"], c["other"])
        axes = dims(c)
        found = el.reduced(c.w, function, c["self"], axes, c.flag("keepdim"))
        return [found, None] if axes is not None else found

    return take


def variance(function: str) -> Entry:
    def take(c: Call) -> Any:
        amount = c.get("correction", 1 if c.get("unbiased", True) else 0)
        return el.reduced(c.w, function, c["self"], dims(c), c.flag("keepdim"), correction=whole(amount))

    return take


def vector_norm(c: Call) -> Any:
    _same_kind(c)
    c.only("ord", 2, 2.0)
    c.only("p", 2, 2.0)
    return el.reduced(c.w, "norm", c["self"], dims(c), c.flag("keepdim"))


def argmax(c: Call) -> Any:
    if c.flag("keepdim") or "dim" not in c:
        refuse("places of maxima among all, or with their axis kept")
    x, axis = c.term("self"), c.whole("dim")
    return Term(f"{x.text}.argmax({axis})", x.value.argmax(axis), made="argmax")


def running(function: str) -> Entry:
    """Of the elements up to each one, along an axis."""

    def take(c: Call) -> Any:
        _same_kind(c)
        return c.w.call(function, c.term("self"), axis=c.whole("dim"))

    return take


def addmm(c: Call) -> Any:
    c.only("alpha", 1)
    c.only("beta", 1)
    return el.infix(c.w, "+", el.product(c.w, c["mat1"], c["mat2"]), c["self"])


def einsum(c: Call) -> Any:
    text = c["equation"].replace(" ", "")
    c.skip("path")
    if "..." in text or "->" not in text:
        refuse(f"einsum {text!r} isn't written out", "name all axes, and those of the result")
    return c.w.call("einsum", text, *[tensor(c.w, v) for v in c["tensors"]])


def power(c: Call) -> Any:
    base = "self" if "self" in c else "base"
    return el.infix(c.w, "**", c[base], c["exponent"])


def inverse_root(c: Call) -> Any:
    return el.infix(c.w, "/", np.asarray(1), el.unary(c.w, "sqrt", c["self"]))


def logical(op: str) -> Entry:
    return lambda c: el.logical(c.w, op, c["self"], c["other"])


def where(c: Call) -> Any:
    return el.chosen(c.w, c["condition"], c["self"], c["other"])


ELEMENTS: Mapping[str, Entry] = {
    "aten.relu": unary("relu"), "aten.tanh": unary("tanh"), "aten.sigmoid": unary("sigmoid"),
    "aten.gelu": unary("gelu", approximate="approximate"), "aten.silu": unary("silu"),
    "aten.mish": unary("mish"), "aten.log_sigmoid": unary("logsigmoid"), "aten.relu6": unary("relu6"),
    "aten.hardswish": unary("hardswish"), "aten.hardsigmoid": unary("hardsigmoid"),
    "aten.selu": unary("selu"),
    "aten.leaky_relu": unary("leaky_relu", negative_slope="negative_slope"),
    "aten.celu": unary("celu", alpha="alpha"),
    "aten.hardtanh": unary("hardtanh", min_val="min_val", max_val="max_val"),
    "aten.exp": unary("exp", np.exp), "aten.log": unary("log", np.log), "aten.sqrt": unary("sqrt", np.sqrt),
    "aten.log1p": unary("log1p"), "aten.expm1": unary("expm1"),
    "aten.rsqrt": inverse_root, "aten.abs": unary("abs", np.abs), "aten.square": unary("square"),
    "aten.reciprocal": unary("reciprocal"), "aten.sin": unary("sin", np.sin),
    "aten.cos": unary("cos", np.cos),
    "aten.tan": unary("tan"), "aten.asin": unary("asin"), "aten.acos": unary("acos"),
    "aten.asinh": unary("asinh"), "aten.acosh": unary("acosh"), "aten.atanh": unary("atanh"),
    "aten.tanhshrink": unary("tanhshrink"), "aten.softshrink": unary("softshrink", lambd="lambd"),
    "aten.hardshrink": unary("hardshrink", lambd="lambd"),
    "aten.threshold": unary("threshold", threshold="threshold", value="value"),
    "aten.logaddexp": lambda c: c.w.call("logaddexp", c.term("self"), c.term("other")),
    "aten.erf": unary("erf"), "aten.sign": unary("sign"), "aten.floor": unary("floor"),
    "aten.ceil": unary("ceil"), "aten.round": unary("round"), "aten.atan": unary("atan"),
    "aten.sinh": unary("sinh"), "aten.cosh": unary("cosh"), "aten.neg": lambda c: el.negative(c.w, c["self"]),
    "aten.add": infix("+"), "aten.sub": infix("-"), "aten.mul": infix("*"), "aten.div": divide,
    "aten.rsub": infix("-", "other", "self"), "aten.pow": power,
    "aten.maximum": infix("max"), "aten.minimum": infix("min"), "aten.clamp": clamp,
    "aten.clamp_min": clamp, "aten.clamp_max": clamp,
    "aten.gt": infix(">"), "aten.ge": infix(">="), "aten.lt": infix("<"), "aten.le": infix("<="),
    "aten.eq": infix("="), "aten.ne": infix("!="), "aten.logical_and": logical("&"),
    "aten.logical_or": logical("|"), "aten.bitwise_and": logical("&"), "aten.bitwise_or": logical("|"),
    "aten.__and__": logical("&"), "aten.__or__": logical("|"),
    "aten.logical_not": lambda c: el.opposite(c.w, c["self"]),
    "aten.bitwise_not": lambda c: el.opposite(c.w, c["self"]),
    "aten.where": where, "aten.masked_fill": masked_fill,
    "aten.softmax": softmax("softmax"), "aten.log_softmax": softmax("log_softmax"),
    "aten.sum": reduction("sum"), "aten.mean": reduction("mean"), "aten.amax": reduction("max"),
    "aten.amin": reduction("min"), "aten.prod": reduction("prod"), "aten.logsumexp": reduction("logsumexp"),
    "aten.max": extreme("max", "max"), "aten.min": extreme("min", "min"), "aten.var": variance("var"),
    "aten.std": variance("std"), "aten.linalg_vector_norm": vector_norm, "aten.norm": vector_norm,
    "aten.argmax": argmax, "aten.cumsum": running("cumsum"), "aten.cumprod": running("cumprod"),
    "aten.matmul": lambda c: el.product(c.w, c["self"], c["other"]),
    "aten.mm": lambda c: el.product(c.w, c["self"], c["mat2"]),
    "aten.bmm": lambda c: el.product(c.w, c["self"], c["mat2"]), "aten.addmm": addmm, "aten.einsum": einsum,
}  # fmt: skip
