"""Matrix products and leaves of linear algebra as NumPy: `@` on views, batches by broadcasting.

Enters: contractions, the frame of the lines. Leaves: statements. Must not know: other kernels, stages, ops.

An operand that needs computing (windows, another order of axes) is written where it stands. NumPy's matmul
gives strided matrices to BLAS as they are, so that only a reshape that must copy does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy

from symbp.codegen import infer, tree
from symbp.codegen.printer import text
from symbp.codegen.spelling.linear_algebra import LINEAR_ALGEBRA, helpers_of
from symbp.codegen.spelling.written import Written
from symbp.ir.expr import Expr, Index
from symbp.lower.program import Contraction, MatrixKernel, Operand
from symbp.targets.numpy.kernels.frame import NumpyFrame, numbered

LONG = 56  # characters of an operand that stands on a line of its own


def matrix_leaf(lines: NumpyFrame, kernel: MatrixKernel) -> Iterator[tree.Statement]:
    """`target = np.linalg.inv(matrix)`, for a stack of matrices too."""
    prelude: list[tree.Assign] = []
    matrix = _operand(lines, kernel, kernel.operand, prelude)
    target = lines.tensor(kernel.target)
    function, component = LINEAR_ALGEBRA[kernel.op]
    lines.helpers |= helpers_of(function)
    more = [] if kernel.count is None else [lines.extent(kernel.count)]
    value: tree.Expression = infer.call(function, matrix.node, *more, shape=target.shape, dtype=target.dtype)
    if component is not None:
        value = tree.Subscript(target.shape, target.dtype, value, (infer.number(component),))
    place: tree.Expression = target
    if kernel.place != kernel.batch:
        place = infer.subscript(target, *(lines.loops.get(i, tree.Slice()) for i in kernel.place))
    elif kernel.target in lines.out:
        place = infer.subscript(target, tree.Rest())
    yield from numbered([*prelude, tree.Assign(place, value)], kernel.numbers)


def contraction(lines: NumpyFrame, kernel: Contraction) -> Iterator[tree.Statement]:
    """`target = left @ right`, with what the operands need computed first."""
    parts = _in_parts(lines, kernel)
    if parts is not None:
        yield from parts
        return
    prelude: list[tree.Assign] = []
    left = _matrix(lines, kernel, kernel.left, kernel.rows, kernel.summed, kernel.left_transposed, prelude)
    right = _matrix(
        lines, kernel, kernel.right, kernel.summed, kernel.columns, kernel.right_transposed, prelude
    )
    vectors = bool(kernel.batch) and not kernel.columns
    if vectors:
        right = infer.subscript(right, tree.Rest(), tree.NewAxis())
    yield from numbered(prelude, kernel.numbers)
    target = lines.tensor(kernel.target)
    axes = kernel.batch + kernel.rows + kernel.columns
    product: tree.Expression = infer.binary("@", left, right)
    mirrored = kernel.symmetric and kernel.left.name != kernel.right.name and not kernel.batch
    solution = bool(kernel.inverses)
    if solution:
        product = _solution(lines, kernel, left, right)
    if mirrored:
        product = infer.call("_symmetric_product", left, right, shape=product.shape)
        lines.helpers.add("_symmetric_product")
    if vectors:
        product = infer.subscript(product, tree.Rest(), infer.number(0))
    grouped = max(len(kernel.rows), len(kernel.columns)) > 1
    if grouped:
        product = _grouped(lines, kernel, product, [(i,) for i in axes])
    if kernel.inline:
        lines.products[kernel.target] = Written(product, axes)
    elif kernel.target not in lines.out:
        yield tree.Assign(target, product, "", kernel.numbers)
    elif vectors or mirrored or solution:
        yield tree.Assign(infer.subscript(target, tree.Rest()), product, "", kernel.numbers)
    else:
        groups = [(i,) for i in kernel.batch] + [g for g in (kernel.rows, kernel.columns) if g]
        place = _grouped(lines, kernel, target, groups) if grouped else target
        yield _matmul(left, right, place, kernel.numbers)


def _matmul(
    left: tree.Expression, right: tree.Expression, place: tree.Expression, numbers: tuple[int, ...]
) -> tree.Effect:
    """`np.matmul(left, right, out=place)`."""
    return tree.Effect(infer.call("np.matmul", left, right, shape=place.shape, more={"out": place}), numbers)


def _in_parts(lines: NumpyFrame, kernel: Contraction) -> list[tree.Statement] | None:
    """A stack of products of which one operand's first or last matrix lies elsewhere, as in `x, h[0], h[1]`:
    a product for that one and a stack for the others, so that nothing is put together; or None."""
    operands = (kernel.left, kernel.right)
    grouped = max(map(len, (kernel.rows, kernel.summed, kernel.columns))) > 1
    if len(kernel.batch) != 1 or not kernel.rows or not kernel.columns or kernel.target not in lines.out:
        return None
    if grouped or kernel.inverses or kernel.inline or any(o.indices[:1] != kernel.batch for o in operands):
        return None
    ends = [_ends(lines, kernel, operand) for operand in operands]
    found = [(k, end) for k, end in enumerate(ends) if end is not None]
    if len(found) != 1:
        return None
    ((k, (alone, others, first)),) = found
    prelude: list[tree.Assign] = []
    value = _operand(lines, kernel, operands[1 - k], prelude).node
    last = infer.python_number("-1")
    one, rest = (infer.number(0), tree.Slice(infer.number(1))) if first else (last, tree.Slice(stop=last))

    def both(array: tree.Expression) -> tuple[tree.Expression, tree.Expression]:
        fewer = (sympy.expand(array.shape[0] - 1), *array.shape[1:])
        return infer.subscript(array, one), infer.sliced(array, [rest], fewer)

    single, stack = ([part] * 2 for part in both(value))
    single[k], stack[k] = alone, others
    turned = (kernel.left_transposed, kernel.right_transposed)
    single = [_turned(e, batch=False) if turn else e for e, turn in zip(single, turned, strict=True)]
    stack = [_turned(e, batch=True) if turn else e for e, turn in zip(stack, turned, strict=True)]
    places = both(lines.tensor(kernel.target))
    products = [(single, places[0]), (stack, places[1])]
    made = [
        _matmul(left, right, place, kernel.numbers)
        for (left, right), place in (products if first else products[::-1])
    ]
    return [*numbered(prelude, kernel.numbers), *made]


def _ends(
    lines: NumpyFrame, kernel: Contraction, operand: Operand
) -> tuple[tree.Expression, tree.Expression, bool] | None:
    """What an operand puts beside a stack: the matrix, the stack, and whether the matrix comes first."""
    if operand.name not in lines.inlined:
        return None
    spelling = lines.spelling(operand.indices, kernel.extents, f"equation ({kernel.number})")
    indices, body = lines.inlined[operand.name]
    value = spelling.write(body.xreplace(dict(zip(indices, operand.indices, strict=True)))).node
    if not isinstance(value, tree.Call) or value.name != "np.concatenate" or spelling.prelude:
        return None
    ends, axis = value.arguments
    if not isinstance(ends, tree.Sequence) or axis != infer.number(0):
        return None
    one, other = ends.items
    first, last = _lifted(one), _lifted(other)
    if first is not None:
        return first, other, True
    return None if last is None else (last, one, False)


def _lifted(value: tree.Expression) -> tree.Expression | None:
    """What has but a new leading axis, `a` of `a[None]`."""
    return value.value if isinstance(value, tree.Subscript) and value.items == (tree.NewAxis(),) else None


def _solution(
    lines: NumpyFrame, kernel: Contraction, left: tree.Expression, right: tree.Expression
) -> tree.Expression:
    """The product with an inverse that is never made: A⁻¹·b solves A·x = b, and b·A⁻¹ solves Aᵀ·xᵀ = bᵀ."""
    matrix, other = (left, right) if kernel.left.inverted else (right, left)
    turned = kernel.left_transposed
    if kernel.right.inverted:
        matrix, turned = _turned(matrix, batch=bool(kernel.batch)), not kernel.right_transposed
        other = _turned(other, batch=bool(kernel.batch)) if kernel.rows else other
    function, more = "_solve", dict[str, tree.Expression]()
    if "lower" in (kernel.left.inverted, kernel.right.inverted):
        lines.helpers.add("_solve_triangular")
        function, more = "_solve_triangular", {"lower": infer.word(str(not turned))}
    lines.helpers.add("_solve")
    found = infer.call(function, matrix, other, shape=other.shape, more=more)
    if kernel.right.inverted and kernel.rows:
        return _turned(found, batch=bool(kernel.batch))
    return found


def _turned(value: tree.Expression, *, batch: bool) -> tree.Expression:
    """The transpose, of a stack of matrices of each; that of a transpose is the matrix."""
    if not batch and isinstance(value, tree.Attribute) and value.name == "T":
        return value.value
    if batch and isinstance(value, tree.Call) and value.name == ".swapaxes":
        return value.arguments[0]
    if not batch:
        return tree.Attribute(value.shape[::-1], value.dtype, value, "T")
    return infer.swapped(value)


def _grouped(
    lines: NumpyFrame, kernel: Contraction, value: tree.Expression, groups: Sequence[Sequence[Index]]
) -> tree.Expression:
    """An array with an axis for each group of indices."""
    shape: list[Expr] = [sympy.Mul(*[kernel.extents[i] for i in group]) for group in groups]
    return infer.call(".reshape", value, *map(lines.extent, shape), shape=shape, dtype=value.dtype)


def _matrix(
    lines: NumpyFrame,
    kernel: Contraction,
    operand: Operand,
    first: tuple[Index, ...],
    second: tuple[Index, ...],
    transposed: bool,
    prelude: list[tree.Assign],
) -> tree.Expression:
    """An operand as a (batched) matrix or vector: reshaped if a group has several axes, then turned; what
    it lacks of the batch is an axis of length 1."""
    value = _operand(lines, kernel, operand, prelude).node
    own = [i for i in kernel.batch if i in operand.indices]
    groups = [g for g in ((second, first) if transposed else (first, second)) if g]
    if any(len(g) > 1 for g in groups):
        value = _grouped(lines, kernel, value, [*((i,) for i in own), *groups])
    if transposed and own:
        value = _turned(value, batch=True)
    elif transposed and first and second:
        value = _turned(value, batch=False)
    missing: list[tree.Node] = [tree.Slice() if i in own else tree.NewAxis() for i in kernel.batch]
    while missing and missing[0] == tree.NewAxis():
        missing.pop(0)
    return infer.subscript(value, *missing) if tree.NewAxis() in missing else value


def _operand(
    lines: NumpyFrame, kernel: Contraction | MatrixKernel, operand: Operand, prelude: list[tree.Assign]
) -> Written:
    """An operand's array, or the expression that it is."""
    spelling = lines.spelling(operand.indices, kernel.extents, f"equation ({kernel.number})")
    if operand.name not in lines.inlined:
        at = [spelling.integer(s).node for s in operand.at]
        array = lines.tensor(operand.name)
        return Written(infer.subscript(array, *at) if at else array)
    indices, body = lines.inlined[operand.name]
    spelling.prelude = prelude
    value = spelling.write(body.xreplace(dict(zip(indices, operand.indices, strict=True))))
    lines.helpers |= spelling.helpers
    value = spelling.spread(value, operand.indices)
    if len(text(value.node)) <= LONG:
        return value
    name = infer.name(lines.names.tensors[operand.name], value.node.shape)
    prelude.append(tree.Assign(name, value.node))
    return Written(name, value.axes)
