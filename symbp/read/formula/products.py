"""Products: elementwise or of matrices, by the shapes of both sides.

Enters: two values and a sign. Leaves: a value. Must not know: names, functions.

`@` and `·` are matrix products, `⊙` (`.*`) is elementwise. `*` is elementwise between equal shapes, as in
NumPy, and otherwise a matrix product where the sizes fit: X*w, w'*A*w, u*v'. Between square matrices of one
size it could be either and is refused, as is `^` of one. Vectors are columns, and rows once transposed; of
two columns `@` and `·` are the inner product, as in NumPy.
"""

from __future__ import annotations

from dataclasses import replace

from symbp.errors import FormulaError
from symbp.language.notation import formula
from symbp.language.tensor import Tensor, matmul, pointwise
from symbp.ops import outer
from symbp.read.formula.extents import Extent, Shape
from symbp.read.formula.values import Scene, Value, tensor_of
from symbp.read.grammar.syntax import Power, Product, Tree


def product(scene: Scene, node: Product, left: Value, right: Value) -> Value:
    """The value of `left op right`. Raises FormulaError: the shapes don't fit."""
    if node.op in ("//", "%"):
        raise scene.error(node, f"{node.op} stands in subscripts only")
    if node.op in ("/", "⊘"):
        return elementwise(scene, node, "quotient", left, right)
    if node.op == "⊙":
        return elementwise(scene, node, "product", left, right)
    if not left.rank or not right.rank:
        if node.op == "@":
            raise scene.error(node, "@ needs two tensors with axes", "use * for scalars")
        return elementwise(scene, node, "product", left, right)
    if node.op == "*" and left.rank == right.rank and left.row == right.row:
        alike = scene.extents.alike(left.shape, right.shape)
        if left.rank == 1 or left.rank > 2 or (alike and not _is_square(scene, left)):
            return elementwise(scene, node, "product", left, right)
        if alike:
            raise doubt(scene, node)
        if not _fits(scene, left, right) and _broadcasts(scene, left, right):
            return elementwise(scene, node, "product", left, right)
        scene.doubts.append((node, left, right))
    if node.op == "*" and left.rank != right.rank and not _fits(scene, left, right):
        return elementwise(scene, node, "product", left, right)
    return matrix_product(scene, node, left, right)


def doubt(scene: Scene, node: Tree) -> FormulaError:
    """What is said of a sign that could be a matrix's or an element's."""
    if isinstance(node, Product):
        return scene.error(
            node,
            "* between square matrices of one size could be either product",
            "write @ for the matrix product, .* for the elementwise one",
        )
    return scene.error(
        node,
        "a power of a square matrix could be that of the matrix or of each element",
        "write X@X for the product of matrices, X.^2 for the square of each element",
    )


def elementwise(scene: Scene, node: Tree, what: str, left: Value, right: Value) -> Value:
    """Sum, difference, quotient, product, power of elements, broadcast by trailing axes as in NumPy."""
    shape = broadcast(scene, node, left, right)
    body = {
        "sum of two": lambda a, b: a + b,
        "difference": lambda a, b: a - b,
        "product": lambda a, b: a * b,
        "quotient": lambda a, b: a / b,
        "power": lambda a, b: a**b,
    }[what]
    row = (left.row and right.row) or (left.row and not right.rank) or (right.row and not left.rank)
    make = scene.made(node, lambda: pointwise(body, left.make(), right.make(), rule=what))
    scaled = None
    if left.rank and not right.rank and what in ("product", "quotient"):
        scaled = (what, left, right)
    elif right.rank and not left.rank and what == "product":
        scaled = (what, right, left)
    return Value(shape, make, row, left.free | right.free, scaled)


def broadcast(scene: Scene, node: Tree, left: Value, right: Value) -> Shape:
    """The common shape. Raises FormulaError: there is none."""
    wide, narrow = (left, right) if left.rank >= right.rank else (right, left)
    offset = wide.rank - narrow.rank
    shape = list(wide.shape)
    for k, extent in enumerate(narrow.shape):
        one, other = scene.extents.find(shape[offset + k]), scene.extents.find(extent)
        if one == 1 or other == 1:
            shape[offset + k] = other if one == 1 else one
        elif not scene.extents.join(one, other):
            raise scene.error(
                node,
                f"the shapes {scene.shown(left)} and {scene.shown(right)} don't fit element by element",
                "for a product of matrices write @; or transpose a side with '",
            )
    return tuple(shape)


def matrix_product(scene: Scene, node: Tree, left: Value, right: Value) -> Value:
    """The matrix product; a column times a row is the outer product. What scales a side scales the product:
    1/2*x'*A*x is half of a form. Raises FormulaError: sizes differ."""
    for side in (left, right):
        if side.scaled is not None:
            what, inner, scalar = side.scaled
            inner = replace(inner, row=side.row)
            whole = matrix_product(scene, node, *((inner, right) if side is left else (left, inner)))
            return elementwise(scene, node, what, whole, scalar)
    if left.rank == right.rank == 1 and right.row and not left.row:
        make = scene.made(node, lambda: outer(tensor_of(left.make()), tensor_of(right.make())))
        return Value((*left.shape, *right.shape), make)
    pair = _contracted(left, right)
    if pair is None or not scene.extents.join(*pair):
        raise scene.error(
            node,
            f"the shapes {scene.shown(left)} and {scene.shown(right)} don't fit a matrix product",
            "the columns on the left must be as many as the rows on the right; ' transposes",
        )
    shape = (*left.shape[:-1], *(right.shape[:-2] + right.shape[-1:] if right.rank > 1 else ()))
    make = scene.made(node, lambda: matmul(tensor_of(left.make()), tensor_of(right.make())))
    return Value(shape, make, row=left.row and right.rank == 2)


def transposed(scene: Scene, node: Tree, value: Value) -> Value:
    """The transpose: of a vector a row, of a row the vector."""
    if value.rank > 2:
        raise scene.error(node, f"a transpose is that of a matrix, not of shape {scene.shown(value)}")
    if value.rank < 2:
        row = not value.row and value.rank == 1
        return Value(value.shape, value.make, row=row, free=value.free, scaled=value.scaled)
    make = scene.made(node, lambda: tensor_of(value.make()).T)
    return Value(value.shape[::-1], make)


def ones(scene: Scene, extent: Extent) -> Value:
    """The vector of ones."""
    from symbp.language.notation import index

    def make() -> Tensor:
        size = scene.size(extent)
        i = index("i", size)
        return formula([i], 1, rule="ones", ranges={i: size})

    return Value((extent,), make)


def identity(scene: Scene, extent: Extent) -> Value:
    """The identity matrix."""
    from symbp.ops import eye

    return Value((extent, extent), lambda: eye(scene.size(extent)))


def _contracted(left: Value, right: Value) -> tuple[Extent, Extent] | None:
    if max(left.rank, right.rank) > 2 or (left.rank == 2 and right.row):
        return None
    return left.shape[-1], right.shape[0]


def _is_square(scene: Scene, value: Value) -> bool:
    return value.rank == 2 and scene.extents.alike(value.shape[:1], value.shape[1:])


def square_power(scene: Scene, node: Power, base: Value, exponent: Value) -> bool:
    """Whether `^` stands behind a square matrix, which has powers of its own; `**` is NumPy's."""
    return not node.elementwise and not exponent.rank and _is_square(scene, base)


def _fits(scene: Scene, left: Value, right: Value) -> bool:
    pair = _contracted(left, right)
    return pair is not None and scene.extents.fits(*pair)


def _broadcasts(scene: Scene, left: Value, right: Value) -> bool:
    found = [map(scene.extents.find, side.shape) for side in (left, right)]
    return all(1 in pair or scene.extents.fits(*pair) for pair in zip(*found, strict=True))
