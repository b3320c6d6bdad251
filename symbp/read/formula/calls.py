"""Functions in formulas: which shape they give, and their op.

Enters: a call and the values of its arguments. Leaves: a value. Must not know: names, products.
"""

from __future__ import annotations

from typing import Any

from symbp import ops
from symbp.errors import meant
from symbp.read.formula import functions
from symbp.read.formula.extents import Open
from symbp.read.formula.products import broadcast, matrix_product, ones, transposed
from symbp.read.formula.values import Scene, Value, tensor_of
from symbp.read.grammar.places import error_at
from symbp.read.grammar.syntax import Call, Number, Total, Tree

LARGEST_WRITTEN = 1000  # argument of a fast growing function that SymPy may write out


def call(scene: Scene, node: Call, arguments: tuple[Value, ...]) -> Value:
    """The value of a function. Raises FormulaError: unknown, or the arguments don't fit."""
    name = node.function
    if name in functions.ELEMENTWISE:
        return _elementwise(scene, node, *_count(scene, node, arguments, 1))
    if name in functions.PAIRS or (name in functions.EXTREMES and len(arguments) == 2):
        return _pair(scene, node, *_count(scene, node, arguments, 2))
    if name in functions.REDUCING or name in functions.EXTREMES or name == "logsumexp":
        return _reduced(scene, node, arguments)
    if name in functions.ALONG:
        return _along(scene, node, arguments)
    if name in functions.SQUARE:
        return _square(scene, node, *_count(scene, node, arguments, 1))
    if name in functions.OTHERS:
        return _other(scene, node, arguments)
    help = meant(name, functions.KNOWN)
    if help is None:
        help = f"if {name} is a tensor, write {name}*(…); known functions: {', '.join(functions.KNOWN)}"
    opening = scene.text.index("(", node.span[0])
    raise error_at(scene.text, (node.span[0], opening), f"no function is called {name}", help=help)


def _count(scene: Scene, node: Call, arguments: tuple[Value, ...], count: int) -> tuple[Value, ...]:
    if len(arguments) != count:
        words = "argument" if count == 1 else "arguments"
        raise scene.error(node, f"{node.function} takes {count} {words}, not {len(arguments)}")
    return arguments


def _elementwise(scene: Scene, node: Call, value: Value) -> Value:
    def make() -> Any:
        made = value.make()
        large = node.function in functions.FAST_GROWING and getattr(made, "is_number", False)
        if large and abs(made) > LARGEST_WRITTEN:
            raise scene.error(node, f"{node.function} of a number above {LARGEST_WRITTEN} is not taken")
        return functions.ELEMENTWISE[node.function](made)

    return Value(value.shape, scene.made(node, make), value.row, value.free)


def _pair(scene: Scene, node: Call, one: Value, other: Value) -> Value:
    build = functions.PAIRS.get(node.function) or functions.EXTREMES[node.function][1]
    shape = broadcast(scene, node, one, other)
    make = scene.made(node, lambda: build(one.make(), other.make()))
    return Value(shape, make, one.row and other.row, one.free | other.free)


def _reduced(scene: Scene, node: Call, arguments: tuple[Value, ...]) -> Value:
    value = arguments[0]
    if value.free:
        raise scene.error(node, f"{node.function} of an element: say over which index, {node.function}_i(…)")
    if value.rank > 1 and node.function == "norm2":
        raise scene.error(node, "norm2 is that of a vector", "norm(A) is the Frobenius norm of a matrix")
    if value.rank > 1 and node.function == "norm1":
        raise scene.error(node, "norm1 is that of a vector", "sum(abs(A)) is the sum over all elements")
    axis = _axis(scene, node, arguments)
    if node.function == "logsumexp" and axis is None and value.rank > 1:
        axis = value.rank - 1
    build: Any = (
        ops.logsumexp
        if node.function == "logsumexp"
        else functions.REDUCING.get(node.function) or functions.EXTREMES[node.function][0]
    )
    shape = () if axis is None else tuple(e for k, e in enumerate(value.shape) if k != axis)
    return Value(shape, scene.made(node, lambda: build(tensor_of(value.make()), axis)))


def _along(scene: Scene, node: Call, arguments: tuple[Value, ...]) -> Value:
    value = arguments[0]
    if not value.rank:
        raise scene.error(node, f"{node.function} needs a vector or a matrix")
    axis = _axis(scene, node, arguments)
    build = functions.ALONG[node.function]
    make = scene.made(node, lambda: build(tensor_of(value.make()), -1 if axis is None else axis))
    return Value(value.shape, make, value.row)


def _axis(scene: Scene, node: Call, arguments: tuple[Value, ...]) -> int | None:
    """The second argument, which must be the number of an axis."""
    if len(arguments) == 1:
        return None
    written: Tree = node.arguments[1]
    negative = isinstance(written, Total) and len(written.terms) == 1 and written.terms[0][0]
    if negative and isinstance(written, Total):
        written = written.terms[0][1]
    rank = arguments[0].rank
    number = written.value if isinstance(written, Number) else None
    axis = -number if negative and number is not None else number
    if len(arguments) > 2 or axis is None or axis.denominator != 1 or not -rank <= axis < rank:
        raise scene.error(
            node.arguments[-1], f"{node.function} takes a tensor and one of its {rank} axes, from 0"
        )
    return int(axis) % rank


def _square(scene: Scene, node: Call, value: Value) -> Value:
    if not value.rank and node.function in ("trace", "tr"):
        return value
    squared(scene, node, value)
    build = functions.SQUARE[node.function]
    shape = value.shape if node.function in ("inv", "inverse") else ()
    return Value(shape, scene.made(node, lambda: build(tensor_of(value.make()))))


def squared(scene: Scene, node: Tree, value: Value) -> None:
    """Raises FormulaError unless the value is a square matrix."""
    if value.rank != 2 or not scene.extents.join(*value.shape):
        raise scene.error(node, f"this needs a square matrix, not the shape {scene.shown(value)}")


def _other(scene: Scene, node: Call, arguments: tuple[Value, ...]) -> Value:
    if node.function == "vector":
        return _vector(scene, node)
    if node.function == "transpose":
        return transposed(scene, node, *_count(scene, node, arguments, 1))
    if node.function == "diag":
        return _diagonal(scene, node, *_count(scene, node, arguments, 1))
    one, other = _count(scene, node, arguments, 2)
    if node.function == "solve":
        squared(scene, node.arguments[0], one)
        inner = matrix_product(scene, node, one, other)
        make = scene.made(node, lambda: ops.solve(tensor_of(one.make()), tensor_of(other.make())))
        return Value(inner.shape, make)
    if one.rank != 1 or other.rank != 1:
        raise scene.error(node, f"{node.function} takes two vectors")
    column, row = (Value(v.shape, v.make, row) for v, row in ((one, False), (other, True)))
    if node.function == "outer":
        return matrix_product(scene, node, column, row)
    return matrix_product(scene, node, Value(one.shape, one.make, True), Value(other.shape, other.make))


def _diagonal(scene: Scene, node: Call, value: Value) -> Value:
    if value.rank == 2:
        squared(scene, node, value)
    if value.rank not in (1, 2):
        raise scene.error(node, "diag is that of a vector or of a square matrix")
    shape = value.shape[:1] if value.rank == 2 else (*value.shape, *value.shape)
    return Value(shape, scene.made(node, lambda: ops.diag(tensor_of(value.make()))))


def _vector(scene: Scene, node: Call) -> Value:
    argument = node.arguments[0]
    if len(node.arguments) != 1 or not isinstance(argument, Number) or argument.value != 1:
        raise scene.error(node, "only vector(1) is known, the vector of ones")
    return ones(scene, Open())
