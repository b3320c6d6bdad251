"""`einsum("ni,nj->ij", h, da2)`: products of elements, summed over the letters that the result hasn't.

Enters: letters, the values of operands. Leaves: a `Value`.
Must not know: names, points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbp.read.grammar.syntax import Einsum
from symbp.verify.grading.values import Misfit, Numbers, Value, over, summed, together

MARK = "·"  # before a letter, which is no index of the page


def einsum(node: Einsum, operands: Sequence[Value], numbers: Numbers) -> Value:
    """Raises Misfit: letters that don't fit the operands, or one another."""
    before, _, result = node.letters.partition("->")
    letters = before.split(",")
    shapes = tuple(value.shape for value in operands)
    if len(letters) != len(operands):
        raise Misfit(f"{len(letters)} groups of letters for {len(operands)} operands", node.span, shapes)
    lengths: dict[str, int] = {}
    for group, value in zip(letters, operands, strict=True):
        if len(group) != value.rank or len({*group}) < len(group) or any(value.fits):
            raise Misfit(f"the letters {group} of this operand", node.span, (value.shape,))
        for letter, length in zip(group, value.shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise Misfit(f"the letter {letter} runs along axes of other lengths", node.span, shapes)
    if len({*result}) < len(result) or not {*result} <= {*lengths}:
        raise Misfit(f"the letters {result} of the result", node.span, shapes)
    found = _product([_lettered(g, v) for g, v in zip(letters, operands, strict=True)], node, numbers)
    for letter in (*lengths.keys() - {*result}, *result):
        found = over(found, MARK + letter)
    return summed(found, numbers, range(found.rank - len(result)))


def _lettered(group: str, value: Value) -> Value:
    """The value with a named axis for each of its own."""
    named = (*value.index, *(MARK + letter for letter in group))
    return replace(value, index=named, fits=(), row=False)


def _product(values: Sequence[Value], node: Einsum, numbers: Numbers) -> Value:
    found, *rest = values
    for value in rest:
        left, right, like = together(found, value, node.span, "this product")
        found = replace(like, array=numbers.multiply(left, right))
    return found
