"""How TensorFlow writes what a forward pass is made of: functions for methods, and equal dtypes.

Enters: nothing. Leaves: SPELLING. Must not know: what is computed.
"""

from __future__ import annotations

from dataclasses import replace

from symbp.codegen import infer
from symbp.codegen.tree import (
    Attribute,
    Binary,
    Call,
    DType,
    Expression,
    NewAxis,
    Node,
    Rest,
    Slice,
    Subscript,
)
from symbp.errors import GenerationError
from symbp.targets.frameworks.spelling import (
    Rule,
    Speller,
    Spelling,
    arrays_in,
    as_tuple,
    chosen,
    full,
    helper,
    keyword,
    reals,
    renamed,
    spread,
)

DTYPES: dict[str, str] = {"real": "tf.float64", "integer": "tf.int64", "boolean": "tf.bool"}


def _dtype(dtype: DType) -> Expression:
    return infer.number(DTYPES[dtype], "object")


def _cast(node: Expression, dtype: DType) -> Expression:
    return infer.call("tf.cast", node, _dtype(dtype), shape=node.shape, dtype=dtype)


def _constant(value: Expression, dtype: DType) -> Expression:
    return infer.call("tf.constant", value, _dtype(dtype), shape=(), dtype=dtype)


def _full(node: Call, sizes: Expression, value: Expression) -> Expression:
    return infer.call("tf.fill", sizes, _constant(value, node.dtype), shape=node.shape, dtype=node.dtype)


def _zeros(_: Speller, node: Call) -> Expression:
    sizes = as_tuple(node.arguments[0])
    return infer.call("tf.zeros", sizes, _dtype(node.dtype), shape=node.shape, dtype=node.dtype)


def _range(_: Speller, node: Call) -> Expression:
    return replace(node, name="tf.range", keywords=(keyword("dtype", _dtype("integer")),))


def _reduced(name: str) -> Rule:
    def rule(speller: Speller, node: Call) -> Expression:
        value, *axes = node.arguments
        return replace(node, name=name, arguments=(speller.cast(value, node.dtype), *axes))

    return rule


def _argmax(_: Speller, node: Call) -> Expression:
    value, *axes = node.arguments
    return replace(node, name="tf.argmax", arguments=(value, *(axes or [infer.number(0)])))


def _with_sizes(name: str) -> Rule:
    """A call that wants the numbers behind its first argument together."""

    def rule(_: Speller, node: Call) -> Expression:
        value, *sizes = node.arguments
        return replace(node, name=name, arguments=(value, infer.tuple_of(*sizes)))

    return rule


def _swapped(_: Speller, node: Call) -> Expression:
    return replace(node, name="tf.linalg.matrix_transpose", arguments=node.arguments[:1])


def _transposed(node: Attribute) -> Expression:
    return infer.call("tf.transpose", node.value, shape=node.shape, dtype=node.dtype)


def _product(node: Binary) -> Expression:
    if len(node.left.shape) > 1 and len(node.right.shape) > 1:
        return node
    return infer.call("matmul", node.left, node.right, shape=node.shape, dtype=node.dtype)


def _subscript(node: Subscript) -> Expression:
    """Elements at places, which a subscript can't hold: slices first, then the places, then what is left."""
    joint = arrays_in(node)
    if not joint:
        return node
    if any(isinstance(item, (NewAxis, Rest)) for item in node.items):
        raise GenerationError("TensorFlow has no spelling of new axes beside places")
    value, rank = node.value, len(node.value.shape)
    slices: list[Node] = [Slice() if k in joint else item for k, item in enumerate(node.items)]
    if any(item != Slice() for item in slices):
        lengths = (
            infer.LENGTHS_OF_SLICES if s != Slice() else e for s, e in zip(slices, value.shape, strict=False)
        )
        value = infer.sliced(value, slices, (*lengths, *value.shape[len(slices) :]))
    first = joint[0]
    if joint != list(range(first, joint[-1] + 1)):
        order = (*joint, *(k for k in range(rank) if k not in joint))
        axes = infer.tuple_of(*(infer.number(k) for k in order))
        shape = [value.shape[k] for k in order]
        value = infer.call("tf.transpose", value, axes, shape=shape, dtype=value.dtype)
        first = 0
    places = [item for k in joint if isinstance(item := node.items[k], Expression)]
    return infer.call(
        "elements", value, infer.number(first), *places, shape=node.shape, dtype=node.dtype
    )  # fmt: skip


RULES: dict[str, Rule] = {
    "np.arange": _range,
    "np.zeros": _zeros,
    "np.full": full(_full, "tf.broadcast_to"),
    "np.broadcast_to": spread("tf.broadcast_to"),
    "np.stack": renamed("tf.stack", axis="axis"),
    "np.where": chosen("tf.where", arrays=2),
    "np.einsum": reals("tf.einsum"),
    "np.pad": renamed("tf.pad"),
    "np.linalg.inv": reals("tf.linalg.inv"),
    "np.linalg.det": reals("tf.linalg.det"),
    "stop_gradient": renamed("tf.stop_gradient"),
    ".sum": _reduced("tf.reduce_sum"),
    ".mean": _reduced("tf.reduce_mean"),
    ".max": helper("largest"),
    ".prod": _reduced("tf.reduce_prod"),
    ".argmax": _argmax,
    ".reshape": _with_sizes("tf.reshape"),
    ".swapaxes": _swapped,
    ".transpose": _with_sizes("tf.transpose"),
}  # fmt: skip

SPELLING = Spelling(
    library="TensorFlow",
    imports=("import tensorflow as tf",),
    functions={
        **{f"np.{name}": f"tf.{name}" for name in ("exp", "sin", "cos", "tan", "sqrt", "tanh", "floor")},
        "np.sinh": "tf.sinh", "np.cosh": "tf.cosh", "np.log": "tf.math.log", "np.arcsin": "tf.asin",
        "np.arccos": "tf.acos", "np.arctan": "tf.atan", "np.arcsinh": "tf.asinh", "np.arccosh": "tf.acosh",
        "np.arctanh": "tf.atanh", "np.arctan2": "tf.atan2", "np.floor_divide": "tf.math.floordiv",
        "np.rint": "tf.round", "erf": "tf.math.erf", "erfc": "tf.math.erfc", "loggamma": "tf.math.lgamma",
        "digamma": "tf.math.digamma", "gamma": "gamma", "trigamma": "trigamma",
    },
    rules=RULES,
    helpers="symbp.runtime.tensorflow_functions",
    casts=_cast,
    constant=_constant,
    subscript=_subscript,
    transposed=_transposed,
    product=_product,
    words=("A tf.GradientTape differentiates it.",),
    strict=True,
)  # fmt: skip
