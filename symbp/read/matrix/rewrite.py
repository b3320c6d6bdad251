"""Matrix expressions put together and tidied: definitions in place of names, symmetric matrices untransposed.

Enters: trees of `tree`. Leaves: trees of equal value. Must not know: equations, or
how a tree is spelled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from symbp.read.matrix.make import product, transpose
from symbp.read.matrix.tree import (
    Diagonal,
    Elementwise,
    Hadamard,
    Identity,
    Named,
    Node,
    Number,
    OfMatrix,
    Ones,
    Power,
    Product,
    Scale,
    Total,
    Transpose,
)

Change = Callable[[Node], Node]


def mapped(node: Node, change: Change) -> Node:
    """The tree with `change` applied to each node, from the leaves up."""

    def inside(value: Any) -> Any:
        if isinstance(value, Node):
            return mapped(value, change)
        return tuple(map(inside, value)) if isinstance(value, tuple) else value

    return change(replace(node, **{part.name: inside(getattr(node, part.name)) for part in fields(node)}))


def nodes(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for part in fields(node):
        yield from _within(getattr(node, part.name))


def _within(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield from nodes(value)
    elif isinstance(value, tuple):
        for part in value:
            yield from _within(part)


def count(node: Node) -> int:
    """How many nodes the tree has."""
    return sum(1 for _ in nodes(node))


def substituted(node: Node, definitions: Mapping[str, Node]) -> Node:
    """The tree with each name that has a definition replaced by it."""

    def change(inner: Node) -> Node:
        if isinstance(inner, Named):
            return inner if inner.subscripts else definitions.get(inner.name, inner)
        return tidied(inner)

    return mapped(node, change)


def tidied(node: Node) -> Node:
    """One node, its parts tidy already: no sum in a sum, no product in a product, signs outside."""
    match node:
        case Transpose(Scale(over, under, body)) if body is not None:
            return Scale(over, under, transpose(body))
        case Transpose(Total(((True, inner),))):
            return Total(((True, transpose(inner)),))
        case Transpose(inner):
            return transpose(inner)
        case Total(terms):
            return _total(terms)
        case Product(factors, rank):
            return _product(factors, rank)
        case Scale(over, under, body):
            return _scale(over, under, body)
        case Hadamard():
            return _hadamard(node)
        case Diagonal(Total(((True, vector),)), False):
            return Total(((True, tidied(Diagonal(vector))),))
        case Diagonal(Scale(over, under, body), False) if body is not None:
            return Scale(over, under, Diagonal(body))
        case _:
            return node


def _hadamard(node: Hadamard) -> Node:
    """Signs, scalars and products within an elementwise product stand outside or beside the others."""
    above: list[Node] = []
    below: list[Node] = list(node.under)
    over: list[Node] = []
    under: list[Node] = []
    negative = False
    for factor in node.over:
        minus, body = _unsigned(factor)
        negative ^= minus
        if isinstance(body, Scale) and body.body is not None:
            over += body.over
            under += body.under
            body = body.body
        if isinstance(body, Hadamard):
            above += body.over
            below += body.under
        else:
            above.append(body)
    above = [factor for factor in above if not _is_ones(factor)] or above[:1]
    alone = len(above) == 1 and not below
    found: Node = above[0] if alone else Hadamard(tuple(above), tuple(below), node.rank)
    if over or under:
        found = _scale(tuple(over), tuple(under), found)
    return Total(((True, found),)) if negative else found


def _total(terms: tuple[tuple[bool, Node], ...]) -> Node:
    flat: list[tuple[bool, Node]] = []
    for negative, term in terms:
        inner = term.terms if isinstance(term, Total) else ((False, term),)
        flat += [(negative != minus, part) for minus, part in inner]
    return flat[0][1] if len(flat) == 1 and not flat[0][0] else Total(tuple(flat))


def _product(factors: tuple[Node, ...], rank: int) -> Node:
    over: list[Node] = []
    under: list[Node] = []
    kept: list[Node] = []
    negative = False
    for factor in factors:
        minus, body = _unsigned(factor)
        negative ^= minus
        if isinstance(body, Scale) and body.body is not None:
            over += body.over
            under += body.under
            body = body.body
        kept.append(body)
    found = product(*kept, rank=rank)
    if over or under:
        found = _scale(tuple(over), tuple(under), found)
    return Total(((True, found),)) if negative else found


def _scale(over: tuple[Node, ...], under: tuple[Node, ...], body: Node | None) -> Node:
    negative, above, below = False, list[Node](), list(under)
    if body is not None:
        negative, body = _unsigned(body)
    if isinstance(body, Scale):
        over, below, body = (*over, *body.over), below + list(body.under), body.body
    for factor in over:
        minus, scalar = _unsigned(factor)
        negative ^= minus
        quotient = isinstance(scalar, Scale) and scalar.body is None
        above += scalar.over if isinstance(scalar, Scale) and quotient else (scalar,)
        below += scalar.under if isinstance(scalar, Scale) and quotient else ()
    body = _inverses(body, below)
    for factor in [f for f in above if isinstance(f, Number) and f in below]:
        above.remove(factor)
        below.remove(factor)
    found = body if body is not None and not above and not below else Scale(tuple(above), tuple(below), body)
    return Total(((True, found),)) if negative else found


def _inverses(body: Node | None, below: list[Node]) -> Node | None:
    """A⁻ᵀ for the cofactors of A, whose determinant is taken from what stands below."""
    match body:
        case Product(factors):
            parts = [_inverses(factor, below) or factor for factor in factors]
            return replace(body, factors=tuple(parts))
        case OfMatrix("cofactors", matrix) if OfMatrix("det", matrix) in below:
            below.remove(OfMatrix("det", matrix))
            return transpose(OfMatrix("inverse", matrix))
        case _:
            return body


def _is_ones(node: Node) -> bool:
    """Whether the node is 𝟏 or 𝟏·𝟏ᵀ, or the number 1 at each element."""
    if isinstance(node, Number):
        return bool(node.value == 1)
    if isinstance(node, Product):
        return all(_is_ones(f.inner if isinstance(f, Transpose) else f) for f in node.factors)
    return isinstance(node, Ones)


def _unsigned(node: Node) -> tuple[bool, Node]:
    """Whether the node is one subtracted term, and the term."""
    if isinstance(node, Total) and len(node.terms) == 1:
        return node.terms[0]
    return False, node


def is_symmetric(node: Node, names: Collection[str]) -> bool:
    """Whether the matrix surely equals its transpose, if those of `names` do."""
    if node.rank == 0:
        return True
    match node:
        case Named(name, 2):
            return name in names and not node.subscripts
        case Identity() | Diagonal():
            return True
        case Total(terms):
            return all(is_symmetric(term, names) for _, term in terms)
        case Scale(body=body):
            return body is not None and is_symmetric(body, names)
        case OfMatrix(op, matrix):
            return op in ("inverse", "cofactors") and is_symmetric(matrix, names)
        case Elementwise(_, inner) | Power(inner, _):
            return is_symmetric(inner, names)
        case Hadamard(over, under):
            return all(is_symmetric(factor, names) for factor in (*over, *under))
        case Product(factors, 2):
            turned = tuple(without_transposes(transpose(f), names) for f in reversed(factors))
            return turned == factors
        case _:
            return False


def without_transposes(node: Node, names: Collection[str]) -> Node:
    """The tree without the transposes of matrices that are symmetric, if those of `names` are."""

    def change(inner: Node) -> Node:
        if isinstance(inner, Transpose) and inner.rank == 2 and is_symmetric(inner.inner, names):
            return inner.inner
        return inner

    return mapped(node, change)


def with_rows(node: Node, names: Collection[str]) -> Node:
    """aᵀ·X for the row (Xᵀ·a)ᵀ, and a scalar from its other end where that has fewer transposes."""

    def change(inner: Node) -> Node:
        match inner:
            case Product(factors, 0):
                other = _turned(factors, names)
                return Product(other, 0) if _transposes(other) < _transposes(factors) else inner
            case Product(factors, rank):
                return Product(tuple(part for factor in factors for part in row(factor)), rank)
            case _:
                return inner

    def row(factor: Node) -> tuple[Node, ...]:
        match factor:
            case Transpose(Product(factors)):
                other = _turned(factors, names)
                return other if _transposes(other) <= _transposes((factor,)) else (factor,)
            case _:
                return (factor,)

    return mapped(node, change)


def _turned(factors: tuple[Node, ...], names: Collection[str]) -> tuple[Node, ...]:
    """The factors of the transposed product."""
    return tuple(without_transposes(transpose(f), names) for f in reversed(factors))


def _transposes(parts: Iterable[Node]) -> int:
    return sum(isinstance(inner, Transpose) for part in parts for inner in nodes(part))
