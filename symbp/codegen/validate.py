"""The validator of trees: shapes agree, names are defined before they are used, dtypes are what they say.

Enters: a tree, the names that it is given, sizes with values at which shapes are compared. Leaves: nothing,
or an InvalidTree that shows the statement. Must not know: targets, what the code computes.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symbp.codegen import infer
from symbp.codegen.printer import text
from symbp.codegen.scopes import undefined
from symbp.codegen.tree import (
    Assign,
    Attribute,
    Binary,
    Call,
    Choice,
    Constant,
    Expression,
    Module,
    Name,
    NewAxis,
    Node,
    Rest,
    Statement,
    Subscript,
    Unary,
)
from symbp.codegen.tree import Sequence as Sequence_
from symbp.errors import InvalidTree
from symbp.ir.expr import Size

Extents = tuple[int | None, ...]
"""Lengths of axes at one choice of sizes; None where nothing is known, the length of a bounded slice."""
ELEMENTWISE = (
    "np.where",
    "np.maximum",
    "np.abs",
    "np.exp",
    "np.log",
    "np.sqrt",
    "np.tanh",
    "sigmoid",
    "softplus",
)
REDUCED = (".sum", ".mean", ".max", ".prod", ".argmax")


def validate(tree: Node, given: Iterable[str], points: Sequence[Mapping[str, int]]) -> None:
    """Raises InvalidTree: a name that nothing defines, an operation of arrays whose lengths differ at one of
    the points (values of all sizes), a node with another shape or dtype than what it is made of gives."""
    body = _body(tree)
    check_names(body, given)
    for point in points:
        values = {Size(name): sympy.Integer(value) for name, value in point.items()}
        for statement in body:
            _Validating(values).statement(statement)


def _body(tree: Node) -> tuple[Statement, ...]:
    return tree.body if isinstance(tree, Module) else (tree,) if isinstance(tree, Statement) else ()


def check_names(body: Sequence[Statement], given: Iterable[str]) -> None:
    """Raises InvalidTree: a name that is used before anything defines it."""
    for name, statement in undefined(body, {*given, *dir(builtins)}):
        raise InvalidTree(
            f"{name} is used before it is defined",
            details=(text(statement).rstrip(),),
            help="a pass has moved or removed the statement that defines it",
        )


@dataclass(frozen=True)
class _Validating:
    """One walk at one choice of sizes."""

    values: Mapping[Any, Any]

    def statement(self, s: Statement) -> None:
        """Checks a statement, and those in it."""
        if isinstance(s, Assign):
            self.assignment(s)
            return
        for part in s.children:
            if isinstance(part, Statement):
                self.statement(part)
            elif isinstance(part, Expression):
                self.expression(part, s)

    def assignment(self, s: Assign) -> None:
        """`a = value` defines a name of the value's shape, and no number of truth values; a part of an array
        takes what broadcasts to it."""
        self.expression(s.value, s)
        if isinstance(s.target, Sequence_):
            return
        here, value = self.extents(s.target), self.extents(s.value)
        if isinstance(s.target, Name):
            if s.value.dtype != "object" and not _equal(here, value):
                raise _wrong(s, s.target, here, value)
            if s.value.dtype == "boolean" and s.target.dtype != "boolean":
                raise InvalidTree(
                    f"{s.target.id} is {s.target.dtype}, but gets truth values",
                    details=(text(s).rstrip(),),
                    help="calculate with numbers: True + True is True",
                )
            return
        self.expression(s.target, s)
        if not _fits(value, here):
            raise _wrong(s, s.target, here, value)

    def extents(self, e: Expression) -> Extents:
        """The lengths that an expression says it has."""
        found: list[int | None] = []
        for extent in e.shape:
            value = sympy.sympify(extent).xreplace(dict(self.values))
            found.append(int(value) if value.is_Integer else None)
        return tuple(found)

    def expression(self, e: Expression, s: Statement) -> None:
        """Checks a node and all below it."""
        for node in e.walk():
            if isinstance(node, Expression):
                self.node(node, s)

    def node(self, node: Expression, s: Statement) -> None:
        """Compares what a node says with what it is made of gives."""
        says = self.extents(node)
        gives = self.given(node)
        if gives is not None and not _equal(says, gives):
            raise _wrong(s, node, says, gives)
        if isinstance(node, Binary):
            dtype = infer.binary_dtype(node.op, node.left.dtype, node.right.dtype)
            if dtype != node.dtype:
                raise InvalidTree(f"{text(node)} is {dtype}, not {node.dtype}", details=(text(s).rstrip(),))
            if node.op in ("+", "-") and node.left.dtype == node.right.dtype == "boolean":
                raise InvalidTree(f"truth values are added in {text(node)}", details=(text(s).rstrip(),))

    def given(self, node: Expression) -> Extents | None:
        """The lengths that follow from those of what a node is made of; None where nothing is checked."""
        if isinstance(node, Constant):
            return ()
        if isinstance(node, Unary):
            return self.extents(node.operand)
        if isinstance(node, Binary):
            sides = self.extents(node.left), self.extents(node.right)
            return _product(*sides) if node.op == "@" else _broadcast(*sides)
        if isinstance(node, Choice):
            return _broadcast(self.extents(node.then), self.extents(node.otherwise))
        if isinstance(node, Attribute):
            return self.extents(node.value)[::-1] if node.name == "T" else None
        if isinstance(node, Subscript):
            return self.part(node)
        return self.called(node) if isinstance(node, Call) else None

    def part(self, node: Subscript) -> Extents | None:
        """The lengths of a subscript; a bounded slice says its length itself."""
        if node.value.dtype == "object":
            return None
        items = node.items
        taken = sum(not isinstance(item, (NewAxis, Rest)) for item in items)
        rank = len(node.value.shape)
        if taken > rank:
            return (None,) * (len(node.shape) + 1)
        shape = infer.subscript_shape(node.value.shape, tuple(items))
        return self.extents(replace(node, shape=shape))

    def called(self, node: Call) -> Extents | None:
        """The lengths of what a call of NumPy gives, of those calls that are known here."""
        if node.name in ELEMENTWISE:
            return _broadcast(*(self.extents(a) for a in node.arguments))
        if node.name in ("np.zeros", "np.ones") and node.arguments:
            shape = node.arguments[0]
            count = len(shape.items) if isinstance(shape, Sequence_) else 1
            return self.extents(node) if count == len(node.shape) else (None,) * (len(node.shape) + 1)
        if node.name == "np.einsum":
            return self.contracted(node)
        if node.name in REDUCED and len(node.arguments) == 1 and not node.keywords:
            return ()
        return None

    def contracted(self, node: Call) -> Extents | None:
        """The lengths of an einsum: one for each letter."""
        formula, *arrays = node.arguments
        assert isinstance(formula, Constant)
        inputs, output = formula.text.strip('"').split("->")
        lengths: dict[str, int | None] = {}
        for letters, array in zip(inputs.split(","), arrays, strict=True):
            extents = self.extents(array)
            if len(letters) != len(extents):
                return (None,) * (len(node.shape) + 1)
            for letter, extent in zip(letters, extents, strict=True):
                if extent is not None and lengths.setdefault(letter, extent) != extent:
                    return (None,) * (len(node.shape) + 1)
        return tuple(lengths.get(letter) for letter in output)


def _equal(one: Extents, other: Extents) -> bool:
    if len(one) != len(other):
        return False
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def _fits(value: Extents, into: Extents) -> bool:
    behind = into[len(into) - len(value) :] if len(value) <= len(into) else ()
    pairs = zip(value, behind, strict=True) if len(value) <= len(into) else ()
    return len(value) <= len(into) and all(v in (None, 1) or i is None or v == i for v, i in pairs)


def _broadcast(*shapes: Extents) -> Extents:
    """The lengths of arrays together; where they don't go together one too many, which equals nothing."""
    rank = max(map(len, shapes), default=0)
    found: list[int | None] = [1] * rank
    for shape in shapes:
        for k, extent in enumerate(shape, rank - len(shape)):
            if extent == 1 or found[k] is None:
                continue
            if found[k] not in (1, extent) and extent is not None:
                return (None,) * (rank + 1)
            found[k] = extent
    return tuple(found)


def _product(left: Extents, right: Extents) -> Extents:
    inner = left[-1:], right[-2:-1] if len(right) > 1 else right[-1:]
    rank = len(left) + len(right)
    if not left or not right or not _equal(*inner):
        return (None,) * (rank + 1)
    if len(left) == 1 or len(right) == 1:
        return (*left[:-1], *right[:-2], *(right[-1:] if len(right) > 1 else ()))
    return (*_broadcast(left[:-2], right[:-2]), left[-2], right[-1])


def _wrong(s: Statement, node: Expression, says: Extents, gives: Extents) -> InvalidTree:
    def shown(extents: Extents) -> str:
        return f"({', '.join('?' if e is None else str(e) for e in extents)})"

    return InvalidTree(
        f"the shapes in {text(node)} don't agree",
        details=(f"it says {shown(says)}, what it is made of gives {shown(gives)}", text(s).rstrip()),
        help="a pass has put an array in the place of one of another shape",
    )
