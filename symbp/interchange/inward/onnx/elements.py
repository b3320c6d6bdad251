"""ONNX operators that work element by element, over axes, or on shapes: the table of what each one is.

Enters: a step. Leaves: values. Must not know: other operators, files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from symbp.interchange.inward.building import arithmetic as el
from symbp.interchange.inward.building import layers, margins, shapes
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.translate import Call, Entry
from symbp.interchange.inward.values import (
    MOST_KNOWN,
    Filled,
    as_known,
    entries,
    filled,
    known,
    number,
    refuse,
    shape_of,
    tidy,
    whole,
)
from symbp.interchange.inward.writing import Term


def unary(function: str, on_known: Callable[[Any], Any] | None = None, **options: str) -> Entry:
    """One operand; `options` are symbp's names for attributes."""

    def take(c: Call) -> Any:
        chosen = {ours: c[theirs] for ours, theirs in options.items()}
        return el.unary(c.w, function, c[0], on_known, **chosen)

    return take


def infix(op: str) -> Entry:
    return lambda c: el.infix(c.w, op, c[0], c[1])


def logical(op: str) -> Entry:
    return lambda c: el.logical(c.w, op, c[0], c[1])


def folded(op: str) -> Entry:
    """All operands, one after the other."""
    return lambda c: reduce(lambda a, b: el.infix(c.w, op, a, b), c.every())


def mean(c: Call) -> Any:
    every = c.every()
    return el.infix(c.w, "/", reduce(lambda a, b: el.infix(c.w, "+", a, b), every), np.asarray(len(every)))


def cast(c: Call) -> Any:
    """Real numbers stay as they are; what would round or cut them is refused."""
    to, value = c.whole("to"), c[0]
    c.skip("saturate", "round_mode")
    array = known(value)
    if array is not None and array.dtype.kind != "O":
        kinds = {1: np.float32, 11: np.float64, 6: np.int64, 7: np.int64, 9: np.bool_}
        return array.astype(kinds[to]) if to in kinds else refuse(f"numbers of type {to} aren't taken in")
    if isinstance(value, (Filled, Held)) or array is not None:
        return value
    if to in (1, 11):
        if not value.is_condition and value.value.integer:
            refuse("integers of an input are calculated with")
        return c.w.call("where", value, 1, 0) if value.is_condition else value
    if to in (6, 7) and not value.is_condition and value.value.integer:
        return value
    if to == 9 and value.is_condition:
        return value
    return refuse("data are cast to another kind of number, which rounds them")


def clip(c: Call) -> Any:
    bounds = [number(c[k]) if k in c else None for k in (1, 2)]
    if bounds == [None, None]:
        return c[0]
    low, high = bounds
    if low is not None and high is not None and low > high:
        refuse("the lower bound is above the upper one")
    return c.w.call("clamp", c.term(0), low=low, high=high)


def selu(c: Call) -> Any:
    usual = {"alpha": 1.6732632, "gamma": 1.0507010}
    if any(abs(float(c[k]) - v) > 1e-6 for k, v in usual.items()):
        refuse("selu with other constants than those of its authors")
    return c.w.call("selu", c.term(0))


def hard_sigmoid(c: Call) -> Any:
    return layers.half_held(c.w, c.term(0), c["alpha"], c["beta"])


def thresholded(c: Call) -> Any:
    x = c.term(0)
    return c.w.call("where", c.w.infix(">", x, float(c["alpha"])), x, 0)


def softmax(function: str) -> Entry:
    """Along one axis; before opset 13 over all axes from that one on."""

    def take(c: Call) -> Any:
        x, axis = c.term(0), c.whole("axis")
        k = shapes.axis_of(x.rank, axis)
        if c.step.version < 13 and k != x.rank - 1:
            flat = shapes.reshaped(c.w, x, (*x.shape[:k], -1))
            return shapes.reshaped(c.w, c.w.call(function, flat), x.shape)
        return c.w.call(function, x) if k == x.rank - 1 else c.w.call(function, x, axis=k)

    return take


def reduction(function: str, before: str | None = None) -> Entry:
    """Over the axes of an attribute or, in newer opsets, of an operand."""

    def take(c: Call) -> Any:
        given = c["axes"] if "axes" in c else c.get(1)
        axes = None if given is None else [whole(e) for e in entries(given)]
        nothing = c.get("noop_with_empty_axes", 0)
        if not axes:
            if nothing:
                return c[0]
            axes = None
        x = c.term(0)
        x = x if before is None else c.w.call(before, x)
        return el.reduced(c.w, function, x, axes, bool(c.get("keepdims", 1)))

    return take


def argmax(c: Call) -> Any:
    c.only("select_last_index", 0)
    x, axis = c.term(0), c.whole("axis", 0)
    if c.get("keepdims", 1):
        refuse("places of maxima with their axis kept")
    value = x.value.argmax(axis)
    return Term(f"{x.text}.argmax({axis})", value, made="argmax")


def lp_norm(c: Call) -> Any:
    c.only("p", 2)
    return c.w.call("l2_normalize", c.term(0), axis=c.whole("axis"))


def gemm(c: Call) -> Any:
    """α·A·B + β·C, either matrix transposed if the attributes say so."""
    a, b = c.term(0), c.term(1)
    a = shapes.permuted(c.w, a, (1, 0)) if c.flag("transA") else a
    alpha, beta = c.get("alpha", 1.0), c.get("beta", 1.0)
    offset = c.get(2)
    vector = offset is None or len(shape_of(offset)) == 1
    if alpha == beta == 1 and vector and (offset is None or not known(offset)):
        return el.linear(c.w, a, b, c.maybe(2), turned=c.flag("transB"))
    found = el.linear(c.w, a, b, None, turned=c.flag("transB"))
    found = found if alpha == 1 else el.infix(c.w, "*", found, np.asarray(alpha))
    if offset is None or beta == 0:
        return found
    scaled = offset if beta == 1 else el.infix(c.w, "*", offset, np.asarray(beta))
    return el.infix(c.w, "+", found, scaled)


def einsum(c: Call) -> Any:
    text = c["equation"].replace(" ", "")
    if "..." in text or "->" not in text:
        refuse(f"einsum {text!r} isn't written out", "name all axes, and those of the result")
    return c.w.call(
        "einsum", text, *[c.term(k) for k in sorted(k for k in c.step.arguments if k != "equation")]
    )


def reshape(c: Call) -> Any:
    old, wanted = shape_of(c[0]), entries(c[1])
    if c.get("allowzero", 0) and 0 in wanted:
        refuse("a new shape has an axis of 0 elements")
    if any(n == 0 and k >= len(old) for k, n in enumerate(wanted)):
        refuse("a new shape keeps an axis that isn't there")
    return shapes.reshaped(c.w, c[0], tuple(old[k] if n == 0 else n for k, n in enumerate(wanted)))


def flatten(c: Call) -> Any:
    """Two axes: those before, and those from the given one on."""
    rank, axis = len(shape_of(c[0])), c.whole("axis")
    k = axis % rank if axis < 0 else axis
    if k == 0:
        return shapes.reshaped(c.w, c[0], (1, -1))
    found = shapes.flattened(c.w, c[0], k, -1) if k < rank else shapes.with_axes(c.w, c[0], [rank])
    return shapes.flattened(c.w, found, 0, k - 1) if k > 1 else found


def transpose(c: Call) -> Any:
    rank = len(shape_of(c[0]))
    return shapes.permuted(c.w, c[0], c.wholes("perm") or tuple(reversed(range(rank))))


def axes_of(c: Call) -> list[int] | None:
    given = c["axes"] if "axes" in c else c.get(1)
    return None if given is None else [whole(e) for e in entries(given)]


def split(c: Call) -> Any:
    axis, given = c.whole("axis"), c["split"] if "split" in c else c.get(1)
    total = shape_of(c[0])[shapes.axis_of(len(shape_of(c[0])), axis)]
    count = len(c.step.results)
    c.only("num_outputs", count)
    if given is not None:
        lengths = [whole(e) for e in entries(given)]
    else:
        each = -(-whole(total) // count)
        lengths = [each] * (count - 1) + [whole(total) - each * (count - 1)]
    if any(n < 1 for n in lengths):
        refuse("a part has no elements")
    return shapes.parted(c.w, c[0], lengths, axis)


def cut(c: Call) -> Any:
    """Starts, ends, axes and steps are operands."""
    starts, ends = entries(c[1]), entries(c[2])
    axes = [whole(e) for e in entries(c[3])] if 3 in c else list(range(len(starts)))
    steps = [whole(e) for e in entries(c[4])] if 4 in c else [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        refuse("a slice's starts, ends, axes and steps aren't as many")
    rank = len(shape_of(c[0]))
    cuts = {a: (s, e, k) for s, e, a, k in zip(starts, ends, axes, steps, strict=True)}
    if len({shapes.axis_of(rank, a) for a in axes}) != len(axes):
        refuse("a slice names an axis twice")
    return shapes.sliced(c.w, c[0], cuts)


def pad(c: Call) -> Any:
    way = c.get("mode", "constant")
    c.only("mode", "constant", *margins.WAYS)
    rank, widths = len(shape_of(c[0])), [whole(e) for e in entries(c[1])]
    axes = [whole(e) for e in entries(c[3])] if 3 in c else list(range(rank))
    if len(widths) != 2 * len(axes):
        refuse("the widths of a margin aren't two for each axis")
    found = [(0, 0)] * rank
    for k, axis in enumerate(axes):
        found[shapes.axis_of(rank, axis)] = (widths[k], widths[k + len(axes)])
    if way != "constant":
        c.skip(2)
        return margins.continued(c.w, c[0], found, way)
    return margins.padded(c.w, c[0], found, number(c[2]) if 2 in c else 0)


def constant(c: Call) -> Any:
    for key in ("value_int", "value_float", "value_ints", "value_floats"):
        if key in c:
            given = c[key]
            return np.asarray(given, dtype=np.int64 if key.startswith("value_int") else np.float64)
    value = c["value"]
    return value if value.array.dtype.kind == "f" and value.array.size != 1 else value.array


def constant_of_shape(c: Call) -> Any:
    shape = entries(c[0])
    value = c.get("value")
    one = 0.0 if value is None else value.array.item()
    if value is not None and value.array.dtype.kind in "iub" and all(isinstance(n, int) for n in shape):
        return tidy(np.broadcast_to(np.asarray(one), shape))
    return filled(one, shape)


def shape(c: Call) -> Any:
    found = shape_of(c[0])
    return as_known(found[c.get("start", 0) : c.get("end", None)])


def count_range(c: Call) -> Any:
    bounds = [number(c[k]) for k in range(3)]
    if not all(isinstance(b, int) for b in bounds):
        refuse("a range of numbers up to an open size")
    if bounds[2] == 0 or abs(bounds[1] - bounds[0]) > MOST_KNOWN:
        refuse("a range of numbers that is too long")
    return np.arange(*bounds)


def modulo(c: Call) -> Any:
    """Of integers that are known: with the sign of the divisor, as Python has it."""
    c.only("fmod", 0)
    pair = el.all_known(c[0], c[1])
    return tidy(pair[0] % pair[1]) if pair is not None else refuse("a remainder of data")


def trilu(c: Call) -> Any:
    array, upper = known(c[0]), bool(c.get("upper", 1))
    k = whole(c[1]) if 1 in c else 0
    if array is None and isinstance(c[0], Held) and c[0].kind == "constant":
        array = c[0].array
    if isinstance(c[0], Filled):
        if not all(isinstance(n, int) for n in c[0].shape):
            refuse("a triangle of an open size", "leave that axis closed")
        array = np.full(c[0].shape, c[0].number)
    if array is not None:
        cut_off = np.triu if upper else np.tril
        return Held(f"triangle_{c.step.results[0]}", cut_off(array, k))
    return c.w.call("triu" if upper else "tril", c.term(0), k)


ELEMENTS: Mapping[str, Entry] = {
    "Relu": unary("relu"), "Tanh": unary("tanh"), "Sigmoid": unary("sigmoid"), "Softplus": unary("softplus"),
    "Softsign": unary("softsign"), "Mish": unary("mish"), "HardSwish": unary("hardswish"),
    "LeakyRelu": unary("leaky_relu", negative_slope="alpha"), "Elu": unary("elu", alpha="alpha"),
    "Celu": unary("celu", alpha="alpha"), "Selu": selu, "HardSigmoid": hard_sigmoid,
    "ThresholdedRelu": thresholded, "Gelu": unary("gelu", approximate="approximate"), "Clip": clip,
    "PRelu": lambda c: c.w.call("prelu", c.term(0), c.operand(1)),
    "Exp": unary("exp", np.exp), "Log": unary("log", np.log), "Sqrt": unary("sqrt", np.sqrt),
    "Abs": unary("abs", np.abs), "Reciprocal": unary("reciprocal", np.reciprocal), "Erf": unary("erf"),
    "Sin": unary("sin", np.sin), "Cos": unary("cos", np.cos), "Tan": unary("tan"), "Asin": unary("asin"),
    "Acos": unary("acos"), "Atan": unary("atan"), "Sinh": unary("sinh"), "Cosh": unary("cosh"),
    "Asinh": unary("asinh"), "Acosh": unary("acosh"), "Atanh": unary("atanh"), "Sign": unary("sign"),
    "Floor": unary("floor", np.floor), "Ceil": unary("ceil", np.ceil), "Round": unary("round"),
    "Neg": lambda c: el.negative(c.w, c[0]), "Identity": lambda c: c[0], "Cast": cast,
    "Add": infix("+"), "Sub": infix("-"), "Mul": infix("*"), "Div": infix("/"), "Pow": infix("**"),
    "Sum": folded("+"), "Max": folded("max"), "Min": folded("min"), "Mean": mean,
    "Less": infix("<"), "LessOrEqual": infix("<="), "Greater": infix(">"), "GreaterOrEqual": infix(">="),
    "Equal": infix("="), "And": logical("&"), "Or": logical("|"),
    "Not": lambda c: el.opposite(c.w, c[0]), "Where": lambda c: el.chosen(c.w, c[0], c[1], c[2]),
    "Softmax": softmax("softmax"), "LogSoftmax": softmax("log_softmax"),
    "ReduceSum": reduction("sum"), "ReduceMean": reduction("mean"), "ReduceMax": reduction("max"),
    "ReduceMin": reduction("min"), "ReduceProd": reduction("prod"), "ReduceL2": reduction("norm"),
    "ReduceL1": reduction("sum", "abs"), "ReduceSumSquare": reduction("sum", "square"),
    "ReduceLogSumExp": reduction("logsumexp"), "ArgMax": argmax, "LpNormalization": lp_norm,
    "MatMul": lambda c: el.product(c.w, c[0], c[1]), "Gemm": gemm, "Einsum": einsum,
    "Reshape": reshape, "Flatten": flatten, "Transpose": transpose,
    "Squeeze": lambda c: shapes.without_axes(c.w, c[0], axes_of(c)),
    "Unsqueeze": lambda c: shapes.with_axes(c.w, c[0], axes_of(c) or []),
    "Concat": lambda c: shapes.joined(c.w, c.every(), c.whole("axis")), "Split": split, "Slice": cut,
    "Gather": lambda c: shapes.gathered(c.w, c[0], c[1], c.whole("axis")),
    "Expand": lambda c: shapes.widened(c.w, c[0], entries(c[1])),
    "Tile": lambda c: shapes.tiled(c.w, c[0], [whole(e) for e in entries(c[1])]), "Pad": pad,
    "Constant": constant, "ConstantOfShape": constant_of_shape, "Shape": shape, "Range": count_range,
    "Trilu": trilu, "Mod": modulo,
    "Size": lambda c: tidy(np.prod(as_known(shape_of(c[0])))),
}  # fmt: skip
