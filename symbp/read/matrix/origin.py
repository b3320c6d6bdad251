"""Matrix notation over indices that start at 1, and with the names of places.

Enters: an equation in matrix notation whose subscripts count from 0. Leaves: the same as a page counts and
calls places, or None. Must not know: how it was found, formats.

Only labels that count as indices do select rows or make one-hot rows: a reader couldn't tell what others
select.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import sympy

from symbp.ir.expr import Expr, IntegerAccess
from symbp.read.matrix.rewrite import nodes
from symbp.read.matrix.tree import (
    Bracket,
    Flattened,
    MatrixEquation,
    Named,
    Node,
    Number,
    OfRows,
    OneHot,
    Rows,
    Total,
)
from symbp.read.origin import Origin


def counted(found: MatrixEquation, origin: Origin) -> MatrixEquation | None:
    """The equation over subscripts that start where the origin says."""
    if origin.is_plain:
        return found
    every = [*nodes(found.left), *nodes(found.right)]
    labels = {a.name for n in every if isinstance(n, Named) for s in n.subscripts for a in _labels(s)}
    labels |= {n.labels.name for n in every if isinstance(n, (OneHot, Rows)) and isinstance(n.labels, Named)}
    if origin.first and not labels <= origin.places:
        return None
    left, right = found.left, _value(found.right, origin)
    if isinstance(left, Flattened):
        return MatrixEquation(left, right)
    if origin.first and left.name in origin.places:
        right = _without(right, origin) or Total(((False, right), (False, _first(origin))))
    return MatrixEquation(_named(left, origin), right)


def _labels(subscript: Expr | None) -> set[IntegerAccess]:
    return set() if subscript is None else subscript.atoms(IntegerAccess)


def _first(origin: Origin) -> Number:
    return Number(sympy.Integer(origin.first))


def _value(node: Node, origin: Origin) -> Node:
    """The node over the new subscripts, with its old value."""

    def inside(value: Any) -> Any:
        if isinstance(value, Node):
            return _value(value, origin)
        return tuple(map(inside, value)) if isinstance(value, tuple) else value

    match node:
        case Number(value):
            return replace(node, value=origin.value(value))
        case Named(name):
            read = _named(node, origin)
            return _less(read, origin) if origin.first and name in origin.places else read
        case OneHot(Named() as labels, classes):
            return OneHot(_named(labels, origin), classes)
        case Rows(matrix, Named() as labels):
            return Rows(_value(matrix, origin), _named(labels, origin))
        case Bracket(op, lhs, rhs):
            sides = _value(lhs, origin), _value(rhs, origin)
            return _bracket(op, *sides, origin) if origin.first else Bracket(op, *sides)
        case _:
            found = replace(node, **{part.name: inside(getattr(node, part.name)) for part in fields(node)})
            places = origin.first and isinstance(node, OfRows) and node.op == "argmax"
            return _less(found, origin) if places else found


def _named(node: Named, origin: Origin) -> Named:
    axes = enumerate(node.subscripts)
    subscripts = tuple(None if s is None else origin.subscript(s, (node.name, k)) for k, s in axes)
    outside = None if node.outside is None else _value(node.outside, origin)
    return replace(node, subscripts=subscripts, outside=outside)


def _less(node: Node, origin: Origin) -> Node:
    """What counts from 1, as it counted from 0."""
    return Total(((False, node), (True, _first(origin))))


def _without(node: Node, origin: Origin) -> Node | None:
    """What counts from 1 itself, of one that was made to count from 0; a number counted from 1."""
    match node:
        case Number(value):
            return Number(value + origin.first)
        case Total(((False, inner), (True, Number(value)))) if value == origin.first:
            return inner
        case _:
            return None


def _bracket(op: str, lhs: Node, rhs: Node, origin: Origin) -> Node:
    """Where both sides count places, they are compared as they are counted."""
    sides = _without(lhs, origin), _without(rhs, origin)
    numbers = isinstance(lhs, Number) and isinstance(rhs, Number)
    if sides[0] is not None and sides[1] is not None and not numbers:
        return Bracket(op, sides[0], sides[1])
    return Bracket(op, lhs, rhs)
