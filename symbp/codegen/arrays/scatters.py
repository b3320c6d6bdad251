"""Sums whose guard says where each term goes: rows that are added up at the places that labels name.

Enters: an equation. Leaves: what is left of it as an equation, and the additions. Must not know: statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays import sums
from symbp.codegen.arrays.bodies import real
from symbp.codegen.arrays.frame import Frame
from symbp.codegen.arrays.values import aligned, whole
from symbp.codegen.tree import Expression, Node, Slice
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, free_indices
from symbp.ir.system import Equation
from symbp.read.display import Reduced


@dataclass(frozen=True)
class Addition:
    """`target[place] += values`, where a place may occur repeatedly."""

    place: Expression
    values: Expression


def scattered(equation: Equation, frame: Frame) -> tuple[Equation | None, tuple[Addition, ...]]:
    """The equation without the sums that are additions, None where nothing is left, and these."""
    if frame.running or equation.where or equation.op not in (None, "sum"):
        return equation, ()
    body = equation.body
    if equation.op == "sum":
        body = Reduced("sum", body, equation.reduced, equation.ranges[len(equation.indices) :])
    found: list[Addition] = []
    left: list[Expr] = []
    for term in sympy.Add.make_args(body):
        addition = _addition(term, equation, frame)
        if addition is None:
            left.append(term)
        else:
            found.append(addition)
    if not found:
        return equation, ()
    plain = equation.with_(reduction=None, ranges=equation.shape, body=sympy.Add(*left))
    return (plain if left else None), tuple(found)


def _addition(term: Expr, equation: Equation, frame: Frame) -> Addition | None:
    coefficient, node = term.as_coeff_Mul()
    if not isinstance(node, Reduced) or node.op != "sum" or node.where:
        return None
    factors = sympy.Mul.make_args(node.body)
    for guard in (f for f in factors if isinstance(f, Guard) and f.op == "="):
        for index, label in ((guard.lhs, guard.rhs), (guard.rhs, guard.lhs)):
            rest = [coefficient, *(f for f in factors if f is not guard)]
            if _goes_to(index, label, rest, equation, node, frame):
                return _made(index, label, sympy.Mul(*rest), equation, node, frame)
    return None


def _goes_to(
    index: Expr, label: Expr, rest: Sequence[Expr], equation: Equation, node: Reduced, frame: Frame
) -> bool:
    """Whether terms go to the place of an index of the target that a label names, always within its range."""
    if not isinstance(index, Index) or not isinstance(label, IntegerAccess) or index not in equation.indices:
        return False
    subscripts = label.subscripts
    below = frame.variables[label.name].below
    plain = all(s in node.indices for s in subscripts) and len(set(subscripts)) == len(subscripts)
    if not plain or below is None or not frame.same(below, equation.extents[index]):
        return False
    if any(index in free_indices(f) for f in rest):
        return False
    return not any(a.atoms(Guard) for f in rest for a in f.atoms(Access))


def _made(
    index: Index, label: IntegerAccess, body: Expr, equation: Equation, node: Reduced, frame: Frame
) -> Addition:
    inner = frame.within(node.extents)
    places = real(label, inner)
    over = [i for i in node.indices if i not in places.axes]
    values = sums.total(body, over, inner) if over else real(body, inner)
    k = equation.indices.index(index)
    axes = (*equation.indices[:k], *places.axes, *equation.indices[k + 1 :])
    values = whole(values, tuple(i for i in axes if i not in values.axes), inner)
    items: list[Node] = [Slice()] * k + [places.node]
    place = places.node
    if len(items) > 1:
        whole_axis = infer.call("slice", infer.number("None", "object"), shape=(), dtype="object")
        place = infer.tuple_of(*([whole_axis] * k), places.node)
    return Addition(place, aligned(values, axes))
