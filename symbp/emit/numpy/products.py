"""Matrix products and leaves of linear algebra as NumPy: `@` on views, batches by broadcasting.

Enters: contractions, the frame of the lines. Leaves: lines. Must not know: other kernels, stages, ops.

An operand that needs computing (windows, another order of axes) is written where it stands. NumPy's matmul
gives strided matrices to BLAS as they are, so that only a reshape that must copy does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import sympy

from symbp.emit.blocks import note
from symbp.emit.linear_algebra import LINEAR_ALGEBRA, helpers_of
from symbp.emit.numpy.frame import NumpyFrame
from symbp.emit.spelling import ATOM, MUL, Written
from symbp.ir.expr import Index
from symbp.lower.program import Contraction, MatrixKernel, Operand

LONG = 56  # characters of an operand that stands on a line of its own


def matrix_leaf(lines: NumpyFrame, kernel: MatrixKernel) -> Iterator[str]:
    """`target = np.linalg.inv(matrix)`, for a stack of matrices too."""
    prelude: list[str] = []
    matrix = _operand(lines, kernel, kernel.operand, prelude)
    comment, target = note(kernel.number), lines.names.tensors[kernel.target]
    yield from (line + comment for line in prelude)
    function, after = LINEAR_ALGEBRA[kernel.op]
    lines.helpers |= helpers_of(function)
    more = "" if kernel.count is None else f", {lines.extent(kernel.count)}"
    text = f"{function}({matrix.text}{more}){after}"
    at = ", ".join(lines.loops.get(i, ":") for i in kernel.place) if kernel.place != kernel.batch else ""
    at = at or ("..." if kernel.target in lines.out else "")
    yield f"{target}{f'[{at}]' if at else ''} = {text}{comment}"


def contraction(lines: NumpyFrame, kernel: Contraction) -> Iterator[str]:
    """`target = left @ right`, with what the operands need computed first."""
    parts = _in_parts(lines, kernel)
    if parts is not None:
        yield from parts
        return
    prelude: list[str] = []
    left = _matrix(lines, kernel, kernel.left, kernel.rows, kernel.summed, kernel.left_transposed, prelude)
    right = _matrix(
        lines, kernel, kernel.right, kernel.summed, kernel.columns, kernel.right_transposed, prelude
    )
    vectors = bool(kernel.batch) and not kernel.columns
    if vectors:
        right = Written(f"{right.at_least(ATOM)}[..., None]")
    comment = note(*kernel.numbers)
    yield from (line + comment for line in prelude)
    target = lines.names.tensors[kernel.target]
    axes = kernel.batch + kernel.rows + kernel.columns
    product = Written(f"{left.at_least(ATOM - 1)} @ {right.at_least(ATOM - 1)}", MUL, axes)
    mirrored = kernel.symmetric and kernel.left.name != kernel.right.name and not kernel.batch
    solution = bool(kernel.inverses)
    if solution:
        product = _solution(lines, kernel, left, right, axes)
    if mirrored:
        product = Written(f"_symmetric_product({left.text}, {right.text})", ATOM, axes)
        lines.helpers.add("_symmetric_product")
    if vectors:
        product = Written(f"({product.text})[..., 0]", ATOM, axes)
    grouped = max(len(kernel.rows), len(kernel.columns)) > 1
    if grouped:
        product = Written(
            f"{product.at_least(ATOM)}.reshape({_sizes(lines, kernel, [(i,) for i in axes])})", ATOM, axes
        )
    if kernel.inline:
        lines.products[kernel.target] = product
    elif kernel.target not in lines.out:
        yield f"{target} = {product.text}{comment}"
    elif vectors or mirrored or solution:
        yield f"{target}[...] = {product.text}{comment}"
    else:
        groups = [(i,) for i in kernel.batch] + [g for g in (kernel.rows, kernel.columns) if g]
        place = f"{target}.reshape({_sizes(lines, kernel, groups)})" if grouped else target
        yield f"np.matmul({left.text}, {right.text}, out={place}){comment}"


def _in_parts(lines: NumpyFrame, kernel: Contraction) -> list[str] | None:
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
    prelude: list[str] = []
    value = _operand(lines, kernel, operands[1 - k], prelude).at_least(ATOM)
    one, rest = ("[0]", "[1:]") if first else ("[-1]", "[:-1]")
    single, stack = [f"{value}{one}"] * 2, [f"{value}{rest}"] * 2
    single[k], stack[k] = alone, others
    turned = (kernel.left_transposed, kernel.right_transposed)
    single = [f"{text}.T" if turn else text for text, turn in zip(single, turned, strict=True)]
    stack = [f"{text}.swapaxes(-1, -2)" if turn else text for text, turn in zip(stack, turned, strict=True)]
    target, comment = lines.names.tensors[kernel.target], note(*kernel.numbers)
    products = [(single, one), (stack, rest)] if first else [(stack, rest), (single, one)]
    made = [f"np.matmul({', '.join(texts)}, out={target}{at})" for texts, at in products]
    return [line + comment for line in (*prelude, *made)]


def _ends(lines: NumpyFrame, kernel: Contraction, operand: Operand) -> tuple[str, str, bool] | None:
    """What an operand puts beside a stack: the matrix, the stack, and whether the matrix comes first."""
    if operand.name not in lines.inlined:
        return None
    spelling = lines.spelling(operand.indices, kernel.extents, f"equation ({kernel.number})")
    indices, body = lines.inlined[operand.name]
    text = spelling.write(body.xreplace(dict(zip(indices, operand.indices, strict=True)))).text
    found = re.fullmatch(r"np\.concatenate\(\((.*), (.*)\), 0\)", text)
    parts = ast.parse(text, mode="eval").body if found else None
    if not isinstance(parts, ast.Call) or not isinstance(parts.args[0], ast.Tuple) or spelling.prelude:
        return None
    one, other = (ast.unparse(part) for part in parts.args[0].elts)
    if one.endswith("[None]"):
        return one.removesuffix("[None]"), other, True
    return (other.removesuffix("[None]"), one, False) if other.endswith("[None]") else None


def _solution(
    lines: NumpyFrame, kernel: Contraction, left: Written, right: Written, axes: tuple[Index, ...]
) -> Written:
    """The product with an inverse that is never made: A⁻¹·b solves A·x = b, and b·A⁻¹ solves Aᵀ·xᵀ = bᵀ."""
    matrix, other = (left, right) if kernel.left.inverted else (right, left)
    turned = kernel.left_transposed
    if kernel.right.inverted:
        matrix, turned = _turned(kernel, matrix), not kernel.right_transposed
        other = _turned(kernel, other) if kernel.rows else other
    if "lower" in (kernel.left.inverted, kernel.right.inverted):
        lines.helpers |= {"_solve_triangular", "_solve"}
        text = f"_solve_triangular({matrix.text}, {other.text}, lower={not turned})"
    else:
        lines.helpers.add("_solve")
        text = f"_solve({matrix.text}, {other.text})"
    found = Written(text, ATOM, axes)
    return _turned(kernel, found) if kernel.right.inverted and kernel.rows else found


def _turned(kernel: Contraction, value: Written) -> Written:
    """The transpose; that of a transpose is the matrix."""
    turn = ".swapaxes(-1, -2)" if kernel.batch else ".T"
    if value.text.endswith(turn):
        return Written(value.text.removesuffix(turn), ATOM, value.axes)
    return Written(f"{value.at_least(ATOM)}{turn}", ATOM, value.axes)


def _sizes(lines: NumpyFrame, kernel: Contraction, groups: Sequence[Sequence[Index]]) -> str:
    """The extents of groups of indices."""
    return ", ".join(lines.extent(sympy.Mul(*[kernel.extents[i] for i in group])) for group in groups)


def _matrix(
    lines: NumpyFrame,
    kernel: Contraction,
    operand: Operand,
    first: tuple[Index, ...],
    second: tuple[Index, ...],
    transposed: bool,
    prelude: list[str],
) -> Written:
    """An operand as a (batched) matrix or vector: reshaped if a group has several axes, then turned; what
    it lacks of the batch is an axis of length 1."""
    value = _operand(lines, kernel, operand, prelude)
    own = [i for i in kernel.batch if i in operand.indices]
    groups = [g for g in ((second, first) if transposed else (first, second)) if g]
    if any(len(g) > 1 for g in groups):
        shape = _sizes(lines, kernel, [*((i,) for i in own), *groups])
        value = Written(f"{value.at_least(ATOM)}.reshape({shape})")
    if transposed:
        turn = ".swapaxes(-1, -2)" if own else ".T" if first and second else ""
        value = Written(f"{value.at_least(ATOM)}{turn}")
    missing = [":" if i in own else "None" for i in kernel.batch]
    while missing and missing[0] == "None":
        missing.pop(0)
    if "None" in missing:
        value = Written(f"{value.at_least(ATOM)}[{', '.join(missing)}]")
    return value


def _operand(
    lines: NumpyFrame, kernel: Contraction | MatrixKernel, operand: Operand, prelude: list[str]
) -> Written:
    """An operand's array, or the expression that it is."""
    spelling = lines.spelling(operand.indices, kernel.extents, f"equation ({kernel.number})")
    if operand.name not in lines.inlined:
        at = ", ".join(spelling.integer(s).text for s in operand.at)
        return Written(lines.names.tensors[operand.name] + (f"[{at}]" if at else ""))
    indices, body = lines.inlined[operand.name]
    spelling.prelude = prelude
    value = spelling.write(body.xreplace(dict(zip(indices, operand.indices, strict=True))))
    lines.helpers |= spelling.helpers
    value = spelling.spread(value, operand.indices)
    if len(value.text) <= LONG:
        return value
    name = lines.names.tensors[operand.name]
    prelude.append(f"{name} = {value.text}")
    return Written(name, ATOM, value.axes)
