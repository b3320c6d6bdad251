"""What a formula means: its syntax tree as shapes, and then as tensors.

Enters: a syntax tree and the shapes of its names. Leaves: a `Value` that can make its tensor.
Must not know: how names got their shapes, networks, derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy

from symbp import ops
from symbp.errors import meant
from symbp.ir.expr import Guard, Index
from symbp.language.notation import Max, Prod, Sum, formula, where
from symbp.language.sizes import dim
from symbp.language.tensor import Condition, Tensor, pointwise
from symbp.read.formula import functions
from symbp.read.formula.calls import call, squared
from symbp.read.formula.extents import Extent, Open
from symbp.read.formula.products import doubt, elementwise, identity, ones, product, square_power, transposed
from symbp.read.formula.ranks import IDENTITIES
from symbp.read.formula.values import Scene, Value, element_of, tensor_of
from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    Name,
    Number,
    Ones,
    Power,
    Product,
    Read,
    Reduction,
    Relation,
    Total,
    Transpose,
    Tree,
)

Scope = Mapping[str, Extent]  # the indices that a reduction around a part binds, and how far they run
CONSTANTS = {"π": sympy.pi, "e": sympy.E}
RELATIONS = {"=": "=", "≠": "!=", "<": "<", "≤": "<=", ">": ">", "≥": ">="}
LARGEST_POWER = 4000.0  # of two, of a number that is written out


class Meaning:
    """One walk over a formula, by the shapes that the scene gives its names."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def value(self, node: Tree, scope: Scope) -> Value:
        """The value of a part. Raises FormulaError, which points at it."""
        match node:
            case Number(value=value):
                return Value((), lambda: sympy.Rational(value.numerator, value.denominator))
            case Name():
                return self.name(node, scope)
            case Ones():
                return ones(self.scene, Open())
            case Total():
                return self.total(node, scope)
            case Product():
                return product(self.scene, node, self.value(node.left, scope), self.value(node.right, scope))
            case Power():
                return self.power(node, scope)
            case Transpose(operand=Number(value=value)) if value == 1:
                return transposed(self.scene, node, ones(self.scene, Open()))
            case Transpose(operand=operand):
                return transposed(self.scene, node, self.value(operand, scope))
            case Call(arguments=arguments):
                return call(self.scene, node, tuple(self.value(a, scope) for a in arguments))
            case Read():
                return self.read(node, scope)
            case Bracket(relation=relation):
                return self.bracket(relation, scope)
            case Reduction():
                return self.reduction(node, scope)
            case _:
                raise self.scene.error(node, "this has no meaning in a formula")

    def name(self, node: Name, scope: Scope) -> Value:
        name, scene = node.name, self.scene
        if name in scope:
            return Value((), lambda: Index(name), free=frozenset({name}))
        if name in scene.defined:
            return scene.defined[name]
        if name in scene.shapes:
            return Value(scene.shapes[name], lambda: scene.tensors[name])
        if name in scene.sizes:
            return Value((), lambda: dim(name))
        if name in CONSTANTS:
            return Value((), lambda: CONSTANTS[name])
        if name in IDENTITIES:
            return identity(scene, Open())
        known = [*scene.shapes, *scene.defined, *scene.sizes, *scope]
        raise scene.error(
            node, f"nothing says what {name} is", meant(name, known) or "give its axes in --shapes"
        )

    def total(self, node: Total, scope: Scope) -> Value:
        (negative, first), *rest = node.terms
        found = self.value(first, scope)
        if negative:
            found = self.negated(node, found)
        for minus, term in rest:
            what = "difference" if minus else "sum of two"
            found = elementwise(self.scene, node, what, found, self.value(term, scope))
        return found

    def negated(self, node: Tree, value: Value) -> Value:
        make = self.scene.made(node, lambda: pointwise(lambda a: -a, value.make(), rule="negative"))
        return Value(value.shape, make, value.row, value.free)

    def power(self, node: Power, scope: Scope) -> Value:
        scene, exponent = self.scene, _number(node.exponent)
        inner = node.base
        if exponent == 2 and isinstance(inner, Call) and inner.function in functions.NORMS:
            self.value(inner, scope)  # for its errors
            if len(inner.arguments) == 1:
                return self.square(node, self.value(inner.arguments[0], scope))
        base = self.value(node.base, scope)
        if exponent == -1 and base.rank == 2 and not node.elementwise:
            squared(scene, node, base)
            return Value(base.shape, scene.made(node, lambda: ops.inverse(tensor_of(base.make()))))
        power = self.value(node.exponent, scope)
        if square_power(scene, node, base, power):
            raise doubt(scene, node)
        found = elementwise(scene, node, "power", base, power)
        return Value(found.shape, self.bounded(node, base, power, found), base.row, found.free)

    def square(self, node: Tree, value: Value) -> Value:
        """‖x‖² as a sum of squares, which has no kink at 0."""

        def make() -> Any:
            inner = tensor_of(value.make())
            return ops.sum(pointwise(lambda a: a * a, inner, rule="square"))

        return Value((), self.scene.made(node, make))

    def bounded(self, node: Power, base: Value, exponent: Value, found: Value) -> Any:
        """A maker that refuses numbers too large to be written out."""

        def make() -> Any:
            one, other = base.make(), exponent.make()
            numbers = [x for x in (one, other) if isinstance(x, sympy.Expr) and x.is_Rational]
            if len(numbers) == 2 and one:
                digits = math.log2(max(abs(one.p), one.q)) * abs(float(other))
                if digits > LARGEST_POWER:
                    raise self.scene.error(node, "this number is too large to be written out")
            return found.make()

        return make

    def read(self, node: Read, scope: Scope) -> Value:
        scene, tensor = self.scene, self.value(node.tensor, scope)
        if tensor.rank != len(node.subscripts) or tensor.free:
            raise scene.error(node, f"{len(node.subscripts)} subscripts of the shape {scene.shown(tensor)}")
        inner = [self.value(s, scope) for s in node.subscripts]
        for written, value, extent in zip(node.subscripts, inner, tensor.shape, strict=True):
            if value.rank:
                raise scene.error(written, "a subscript is an index or an integer")
            runs = scope.get(written.name) if isinstance(written, Name) else None
            if runs is not None and not scene.extents.join(runs, extent):
                told = scene.extents.shown((runs, extent))
                raise scene.error(written, f"this index would run over two extents: {told}")
        outside = None if node.outside is None else self.value(node.outside, scope)
        free = frozenset().union(*(v.free for v in inner), outside.free if outside else ())

        def make() -> Any:
            subscripts = [element_of(v.make()) for v in inner]
            beyond = element_of(outside.make()) if outside else None
            return tensor_of(tensor.make()).at(*subscripts, outside=beyond)

        return Value((), scene.made(node, make), free=free)

    def bracket(self, node: Relation, scope: Scope) -> Value:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        shaped = elementwise(self.scene, node, "sum of two", left, right)
        op = RELATIONS[node.op]

        def make() -> Any:
            sides = left.make(), right.make()
            if not shaped.free and any(isinstance(side, Tensor) for side in sides):
                return where(Condition(op, sides), 1, 0)
            return Guard(op, *map(element_of, sides))

        return Value(shaped.shape, self.scene.made(node, make), free=shaped.free)

    def reduction(self, node: Reduction, scope: Scope) -> Value:
        scene = self.scene
        if node.op not in ("sum", "prod", "max", "mean"):
            raise scene.error(node, f"{node.op} over indices is read in equations, not in formulas")
        again = sorted(set(node.indices) & set(scope))
        if again or len(set(node.indices)) < len(node.indices):
            raise scene.error(node, f"the index {(again or list(node.indices))[0]} stands twice")
        own: dict[str, Extent] = {i: Open() for i in node.indices}
        inner = {**scope, **own}
        body = self.value(node.body, inner)
        conditions = [self.bracket(c, inner) for c in node.conditions]
        if body.rank:
            raise scene.error(
                node.body,
                f"{node.op}_{','.join(node.indices)} is of elements, and this has the shape "
                f"{scene.shown(body)}",
                "subscript it, as in x[n,i]; or sum(…) without an index",
            )
        free = body.free.union(*(c.free for c in conditions)) - set(own)

        def make() -> Any:
            each = [c.make() for c in conditions]
            return self.reduced(node, own, element_of(body.make()), each, closed=not free)

        return Value((), scene.made(node, make), free=free)

    def reduced(self, node: Reduction, own: Scope, body: Any, conditions: list[Any], closed: bool) -> Any:
        over = [Index(i) for i in own]
        if node.op == "mean":
            count = sympy.Mul(*[self.scene.size(extent) for extent in own.values()])
            found = Sum(body / count, *over, where=conditions)
        else:
            found = {"sum": Sum, "prod": Prod, "max": Max}[node.op](body, *over, where=conditions)
        if not closed:
            return found
        return formula([], found, rule=node.op)


def _number(node: Tree) -> float | None:
    """The value of a number with its sign, or None."""
    if isinstance(node, Total) and len(node.terms) == 1:
        negative, inner = node.terms[0]
        value = _number(inner)
        return None if value is None else (-value if negative else value)
    return float(node.value) if isinstance(node, Number) else None
