"""Arithmetic and functions of each element in ONNX's operators.

Enters: a graph, values. Leaves: values. Must not know: the tree, shapes.

A function that ONNX hasn't is made of those that it has, in a form that keeps its digits near 0 and far out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symbp.codegen.infer import COMPARISONS, wider
from symbp.codegen.tree import DType
from symbp.errors import GenerationError
from symbp.interchange.onnx.graph import Graph, Made, kind

ARITHMETIC = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "**": "Pow"}
RELATIONS = {"<": "Less", "<=": "LessOrEqual", "==": "Equal", ">": "Greater", ">=": "GreaterOrEqual"}
MASKS = {"&": "And", "|": "Or"}


def binary(graph: Graph, op: str, left: Any, right: Any, dtype: DType) -> Made:
    """An operation of two values that are broadcast."""
    kinds = [v.dtype if isinstance(v, Made) else kind(v) for v in (left, right)]
    wide: DType = "real" if op in ("/", "@") else "boolean" if op in MASKS else wider(*kinds)
    if op in ARITHMETIC and wide == "boolean":
        wide = "integer"
    a, b = graph.made(left, wide), graph.made(right, wide)
    rank = max(a.rank, b.rank)
    if op == "@":
        return product(graph, a, b)
    if op == "!=":
        same = graph.op("Equal", a, b, rank=rank, dtype="boolean")
        return graph.op("Not", same, rank=rank, dtype="boolean")
    if op in COMPARISONS:
        return graph.op(RELATIONS[op], a, b, rank=rank, dtype="boolean")
    if op in MASKS:
        return graph.op(MASKS[op], a, b, rank=rank, dtype="boolean")
    if op in ("//", "%"):
        return _quotient(graph, op, a, b, wide)
    if op == "**" and isinstance(right, int) and right == 2:
        return graph.op("Mul", a, a, rank=rank, dtype=wide)
    if op not in ARITHMETIC:
        raise GenerationError(f"ONNX has no operator for {op}")
    found = graph.op(ARITHMETIC[op], a, b, rank=rank, dtype=wide)
    return graph.made(found, dtype) if dtype == "real" else found


def product(graph: Graph, a: Made, b: Made) -> Made:
    """`a @ b`. A vector is made a matrix and its axis taken away again: the product of a transposed matrix
    and a vector, which onnxruntime fuses, is wrong there (1.32, ORT_ENABLE_BASIC and above)."""
    left = graph.unsqueezed(a, [0]) if a.rank == 1 else a
    right = graph.unsqueezed(b, [1]) if b.rank == 1 else b
    found = graph.op("MatMul", left, right, rank=max(left.rank, right.rank), dtype="real")
    gone = [found.rank - 2] * (a.rank == 1) + [found.rank - 1] * (b.rank == 1)
    if not gone:
        return found
    at = graph.constant(gone, "integer")
    return graph.op("Squeeze", found, at, rank=found.rank - len(gone), dtype="real")


def _quotient(graph: Graph, op: str, a: Made, b: Made, dtype: DType) -> Made:
    """Division that rounds down, and its rest, which has the divisor's sign."""
    rank = max(a.rank, b.rank)
    if dtype == "real":
        down = graph.op(
            "Floor", graph.op("Div", a, b, rank=rank, dtype="real"), rank=rank, dtype="real"
        )  # fmt: skip
        if op == "//":
            return down
        return graph.op("Sub", a, graph.op("Mul", down, b, rank=rank, dtype="real"), rank=rank, dtype="real")
    rest = graph.op("Mod", a, b, rank=rank, dtype=dtype, fmod=0)
    if op == "%":
        return rest
    return graph.op("Div", graph.op("Sub", a, rest, rank=rank, dtype=dtype), b, rank=rank, dtype=dtype)


# --- functions
Function = Callable[..., Made]


class Words:
    """Operators as functions of values: `w.Exp(x)`."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __getattr__(self, name: str) -> Function:
        def made(*values: Any) -> Made:
            parts = [self.graph.made(v, "real" if not isinstance(v, Made) else None) for v in values]
            dtype: DType = "boolean" if name in RELATIONS.values() else parts[-1].dtype
            return self.graph.op(name, *parts, rank=max(p.rank for p in parts), dtype=dtype)

        return made


def _sinh(w: Words, x: Made) -> Made:
    """(u + u/(u + 1))/2 with u = exp(|x|) − 1, and the sign of x: small arguments keep their digits."""
    u = _expm1(w, w.Abs(x))
    return w.Mul(w.Mul(0.5, w.Sign(x)), w.Add(u, w.Div(u, w.Add(u, 1.0))))


def _expm1(w: Words, x: Made) -> Made:
    """exp(x) − 1 = 2·t/(1 − t) with t = tanh(x/2), and far out as it stands."""
    t = w.Tanh(w.Mul(0.5, w.Max(w.Min(x, 1.0), -1.0)))
    near = w.Div(w.Mul(2.0, t), w.Sub(1.0, t))
    return w.Where(w.Less(w.Abs(x), 1.0), near, w.Sub(w.Exp(x), 1.0))


def _log1p(w: Words, x: Made) -> Made:
    """log(u)·x/(u − 1) with u = 1 + x as it is rounded (Goldberg 1991)."""
    u = w.Add(1.0, x)
    less = w.Sub(u, 1.0)
    none = w.Equal(less, 0.0)
    ratio = w.Div(x, w.Where(none, 1.0, less))
    near = w.Where(none, x, w.Mul(w.Log(w.Where(none, 1.0, u)), ratio))
    return w.Where(w.Less(x, 1.0), near, w.Log(u))


def _softplus(w: Words, x: Made) -> Made:
    """max(x, 0) + log(1 + exp(−|x|))."""
    return w.Add(w.Max(x, 0.0), _log1p(w, w.Exp(w.Neg(w.Abs(x)))))


def _sigmoid(w: Words, x: Made) -> Made:
    """1/(1 + e) or e/(1 + e) with e = exp(−|x|)."""
    e = w.Exp(w.Neg(w.Abs(x)))
    return w.Div(w.Where(w.Less(x, 0.0), e, 1.0), w.Add(1.0, e))


def _log1mexp(w: Words, x: Made) -> Made:
    """log(1 − exp(x)) of x below 0 (Mächler 2012)."""
    near = w.Less(-math.log(2), x)
    low = w.Where(near, x, -1.0)
    return w.Where(near, w.Log(w.Neg(_expm1(w, low))), _log1p(w, w.Neg(w.Exp(x))))


def _arctan2(w: Words, y: Made, x: Made) -> Made:
    """atan(y/x), in the quadrant of both."""
    flat = w.Equal(x, 0.0)
    quarter = w.Mul(w.Sign(y), math.pi / 2)
    turned = w.Where(w.Less(y, 0.0), -math.pi, math.pi)
    angle = w.Atan(w.Div(y, w.Where(flat, 1.0, x)))
    return w.Where(flat, quarter, w.Add(angle, w.Where(w.Less(x, 0.0), turned, 0.0)))


def operator(name: str) -> Function:
    """The function that is an operator of ONNX's."""

    def made(w: Words, *values: Made) -> Made:
        return getattr(w, name)(*values)  # type: ignore[no-any-return]

    return made


FUNCTIONS: dict[str, Function] = {
    **{f"np.{word}": operator(name) for word, name in {
        "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos", "tan": "Tan",
        "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "tanh": "Tanh", "arcsinh": "Asinh",
        "arccosh": "Acosh", "arctanh": "Atanh", "floor": "Floor", "rint": "Round", "maximum": "Max",
    }.items()},
    "np.expm1": _expm1,
    "np.log1p": _log1p,
    "np.sinh": _sinh,
    "np.cosh": lambda w, x: w.Mul(0.5, w.Add(w.Exp(x), w.Exp(w.Neg(x)))),
    "np.arctan2": _arctan2,
    "np.floor_divide": lambda w, a, b: w.Floor(w.Div(a, b)),
    "erf": operator("Erf"),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "log1mexp": _log1mexp,
}  # fmt: skip
"""By the words of `codegen`; all are of real numbers."""


def function(graph: Graph, name: str, *values: Any) -> Made:
    """A function of each element."""
    if all(not isinstance(v, Made) for v in values):
        values = tuple(np.float64(v) for v in values)
    return FUNCTIONS[name](Words(graph), *(graph.made(v, "real") for v in values))
