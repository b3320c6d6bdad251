"""Equations between a tensor and one that has its axes but the first as one: `flatten(a) = b ⊙ flatten(c)`.

Enters: an equation without a sum. Leaves: the same over two indices, with names for the flattened tensors, or
None; and the trees with what these names stand for. Must not know: how the form over two indices is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy

from symbp.ir.expr import Access, Expr, Index, free_indices, unused_index
from symbp.ir.system import Equation, Tensor
from symbp.read.matrix.rewrite import mapped, nodes
from symbp.read.matrix.tree import Flattened, MatrixEquation, Named, Node

Same = Callable[[Expr, Expr], bool]
MARK = "flatten "  # no name of a tensor has a space


def over_two(
    equation: Equation, tensors: Mapping[str, Tensor], same: Same
) -> tuple[Equation, dict[str, Tensor]] | None:
    """The equation with one index for all plain ones but the first, where something is read at that."""
    first, *rest = equation.indices
    if equation.reduction is not None or len(rest) < 2:
        return None
    lengths = equation.ranges[1:]
    joint = unused_index(Index("joint"), equation.indices)
    place: Expr = sympy.Integer(0)
    for index, length in zip(rest, lengths, strict=True):
        place = place * length + index
    moved, found, seen = dict(tensors), dict[Expr, Expr](), False
    for access in equation.body.atoms(Access):
        shape = tensors[access.name].shape
        if tuple(access.subscripts) == equation.indices and all(map(same, shape, equation.shape)):
            found[access] = type(access)(MARK + access.name, first, joint)
            moved[MARK + access.name] = _flat(tensors[access.name], lengths)
        elif len(access.subscripts) == 2 and access.subscripts[0] == first:
            if not same(access.subscripts[1], place):
                return None
            found[access] = type(access)(access.name, first, joint)
            seen = True
    body = equation.body.xreplace(found)
    if not seen or free_indices(body) & set(rest):
        return None
    moved[MARK + equation.target] = _flat(tensors[equation.target], lengths)
    length = sympy.Mul(*lengths)
    flat = equation.with_(
        target=MARK + equation.target,
        indices=(first, joint),
        body=body,
        ranges=(equation.ranges[0], length),
    )
    return flat, moved


def _flat(tensor: Tensor, lengths: tuple[Expr, ...]) -> Tensor:
    shape = (tensor.shape[0], sympy.Mul(*lengths))
    return replace(tensor, name=MARK + tensor.name, shape=shape)


def named(found: MatrixEquation) -> MatrixEquation | None:
    """The form with flattened tensors in place of their names, where no subscripts are left."""

    def change(node: Node) -> Node:
        if isinstance(node, Named) and node.name.startswith(MARK):
            return Flattened(node.name.removeprefix(MARK))
        return node

    kept = [
        n for side in (found.left, found.right) for n in nodes(side) if isinstance(n, Named) and n.subscripts
    ]
    if kept or not isinstance(found.left, Named):
        return None
    return MatrixEquation(Flattened(found.left.name.removeprefix(MARK)), mapped(found.right, change))
