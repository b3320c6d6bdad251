"""Conditions in an answer: which sides they compare, and who decides them.

Enters: relations, the meaning of an answer. Leaves: where they hold. Must not know: other parts of answers.

At a point where conditions on real values are drawn, the answer's are drawn as the system's own: by what they
compare. A condition on what isn't made of tensors by arithmetic alone can't be drawn; other points decide it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import FLOAT
from symbp.ir.expr import Expr, Guard, Index, Size
from symbp.read.grammar.syntax import Name, Number, Product, Read, Relation, Subscripted, Total, Tree
from symbp.verify.grading.values import Array, Value, together
from symbp.verify.proofs.evaluation import Refused

if TYPE_CHECKING:
    from symbp.verify.grading.evaluation import Meaning

RELATIONS = {"=": "=", "≠": "!=", "<": "<", "≤": "<=", ">": ">", "≥": ">="}
WRITTEN = {"=": np.equal, "≠": np.not_equal, "<": np.less, "≤": np.less_equal, ">": np.greater,
           "≥": np.greater_equal}  # fmt: skip
NEAR = 1  # a position that each size has
Scope = Mapping[str, int]


def unknown(meaning: Meaning) -> Expr | None:
    """What stands for a real value of which nothing is known, for who decides conditions."""
    for tensor in meaning.names.sheet.system.leaves:
        if not tensor.integer and not tensor.facts:
            return tensor.at(*(Index(f"i{k}") for k in range(len(tensor.shape))))
    return None


def described(meaning: Meaning, node: Tree) -> Expr | None:
    """A side of a condition as who decides conditions knows it; None for one that isn't made of tensors
    by arithmetic alone."""
    known = constant(node)
    if known is not None:
        return sympy.Rational(known.numerator, known.denominator)
    match node:
        case Name() | Read() | Subscripted():
            return element(meaning, node)
        case Total(terms=terms):
            found = sympy.Integer(0)
            for minus, term in terms:
                part = described(meaning, term)
                if part is None:
                    return None
                found += -part if minus else part
            return found
        case Product(op=op, left=left, right=right) if op in ("*", "·", "⊙", "/", "⊘"):
            a, b = described(meaning, left), described(meaning, right)
            if a is None or b is None:
                return None
            return a / b if op in ("/", "⊘") else a * b
        case _:
            return None


def element(meaning: Meaning, node: Name | Read | Subscripted) -> Expr | None:
    """An element of a tensor that was declared, or a size."""
    tensor = node if isinstance(node, Name) else node.tensor
    if not isinstance(tensor, Name):
        return None
    name = meaning.names.tensors.get(tensor.name)
    if name is None:
        size = meaning.names.sizes.get(tensor.name)
        return Size(size) if isinstance(size, str) else size
    if name not in meaning.names.sheet.system.by_name or name in meaning.names.integers:
        return None
    found = meaning.names.sheet.system.tensor(name)
    return found.at(*(Index(f"i{k}") for k in range(len(found.shape))))


def bracket(meaning: Meaning, relation: Relation, scope: Scope) -> Value:
    a, b = meaning.value(relation.left, scope), meaning.value(relation.right, scope)
    if a.integer and b.integer:
        left, right, like = together(a, b, relation.span, "this comparison")
        mask = WRITTEN[relation.op](left, right)
        if _is_far(relation) and (np.all(mask) or not np.any(mask)):
            raise Refused("a position in a condition lies beyond all sizes that are tried")
    else:
        a, b = meaning.calculated(a, relation.left), meaning.calculated(b, relation.right)
        left, right, like = together(a, b, relation.span, "this comparison")
        sides = described(meaning, relation.left), described(meaning, relation.right)
        simple = None not in sides and sides[0] != sides[1]
        if not simple and meaning.place.point.conditions is not AS_THEY_ARE:
            raise Refused("a condition on a function can't be drawn")
        op = RELATIONS[relation.op]
        mask = compared(meaning, sides if simple else unknown(meaning), op, left, right)
    return replace(like, array=meaning.zeros_and_ones(mask), integer=False, labels=None)


def compared(meaning: Meaning, sides: Any, op: str, left: Array, right: Array) -> Array:
    """Where a relation between real values holds, by who decides conditions at the place."""
    if op in (">", ">="):
        op, left, right = {">": "<", ">=": "<="}[op], right, left
        sides = sides[::-1] if isinstance(sides, tuple) else sides
    if not isinstance(sides, tuple):
        if sides is None:
            raise Refused("nothing decides a condition here")
        sides = (sympy.Integer(0), sides)
    guard = Guard(op, *sides)
    if not isinstance(guard, Guard):
        raise Refused("a condition between numbers")
    if guard.lhs != sides[0]:
        left, right = right, left
    conditions, order = meaning.place.point.conditions, meaning.place.point.domain.order
    if meaning.place.point.domain is FLOAT:
        return np.asarray(conditions.holds(guard, left, right))
    holds: Callable[[Any, Any], bool] = lambda x, y: bool(conditions.holds(guard, order(x), order(y)))  # noqa: E731
    return np.asarray(np.frompyfunc(holds, 2, 1)(left, right), dtype=bool)


def largest(meaning: Meaning, rows: Array) -> Array:
    """The maximum of each row, chosen as conditions are decided."""
    conditions, order = meaning.place.point.conditions, meaning.place.point.domain.order
    if meaning.numbers.native:
        return np.asarray(rows.max(axis=-1))
    flat = rows.reshape(-1, rows.shape[-1])
    best = [max(row, key=lambda v: conditions.order(order(v))) for row in flat]
    found = np.empty(len(best), dtype=object)
    found[:] = best
    return found.reshape(rows.shape[:-1])


def _is_far(relation: Relation) -> bool:
    """Whether a number stands in a relation that small sizes may not reach."""
    return any(isinstance(node, Number) and abs(node.value) > NEAR for node in relation.walk())


def constant(node: Tree) -> Fraction | None:
    """The number that a part is."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Total) and len(node.terms) == 1:
        inner = constant(node.terms[0][1])
        return None if inner is None else (-inner if node.terms[0][0] else inner)
    if isinstance(node, Product) and node.op == "/":
        top, below = constant(node.left), constant(node.right)
        return top / below if top is not None and below else None
    return None
