"""Products and transposes of matrix expressions, in the shortest form.

Enters: nodes of a tree. Leaves: nodes. Must not know: equations, how a tree is spelled.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.read.matrix.tree import (
    Diagonal,
    Hadamard,
    Identity,
    Node,
    Number,
    Ones,
    Product,
    Transpose,
    Triangle,
)

_ONE = sympy.Integer(1)


def transpose(node: Node) -> Node:
    """The transpose, with the signs pushed inwards where that shortens them."""
    match node:
        case Transpose(inner):
            return inner
        case Diagonal() | Identity():
            return node
        case Triangle(Product((Ones() as rows, Transpose(columns))), upper, None):
            return Triangle(Product((columns, Transpose(rows)), 2), not upper)
        case Product(factors, rank=2):
            return Product(tuple(transpose(f) for f in reversed(factors)), 2)
        case _:
            return node if node.rank == 0 else Transpose(node)


def product(*factors: Node, rank: int) -> Node:
    """The matrix product with nested products flattened and identities dropped."""
    flat: list[Node] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) else (factor,)
    kept = [f for f in flat if not isinstance(f, Identity)] or flat[:1]
    return kept[0] if len(kept) == 1 else Product(tuple(kept), rank)


def hadamard(over: Sequence[Node], under: Sequence[Node], ones: Node) -> Node:
    """The elementwise product; `ones` where there is none. What a triangle leaves out goes with all."""
    if not over and not under:
        return ones
    masks = [f for f in over if isinstance(f, Triangle) and f.fill is None and _is_ones(f.inner)]
    if masks and (len(over) > 1 or under):
        rest = [f for f in over if f is not masks[0]]
        return Triangle(hadamard(rest, under, ones), masks[0].upper)
    if len(over) == 1 and not under:
        return over[0]
    return Hadamard(tuple(over) or (Number(_ONE),), tuple(under), ones.rank)


def _is_ones(node: Node) -> bool:
    return isinstance(node, Product) and all(
        isinstance(f.inner if isinstance(f, Transpose) else f, Ones) for f in node.factors
    )
