"""The validator of kernels: arrays have as many subscripts as axes, and loops end where their axes do.

Enters: the functions of a module, the shapes of its data, sizes with values. Leaves: nothing, or an
InvalidTree that shows the statement. Must not know: equations, which stage a function is.

Compiled code checks no bounds: a loop that runs too far writes into whatever lies behind its array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symbp.codegen import tree
from symbp.codegen.function import Function, names_in
from symbp.codegen.lengths import length
from symbp.codegen.printer import text
from symbp.errors import InvalidTree
from symbp.ir.expr import Expr, Size

Shape = tuple[Expr | None, ...]
"""Lengths of axes; None where nothing is known."""
ARENAS = frozenset({"theta", "gradient", "work", "counts"})


@dataclass(frozen=True)
class Around:
    """What stands around a statement: the shapes of arrays, the stops of loops by their variables, and what
    a function was given for its integers."""

    shapes: Mapping[str, Shape]
    stops: Mapping[str, Expr]
    given: Mapping[str, Expr]

    def under(self, condition: tree.Node) -> Around:
        """What stands around what a condition holds for: it may end a loop's variable earlier."""
        asked = names_in([condition])
        return replace(self, stops={name: stop for name, stop in self.stops.items() if name not in asked})


def validate(functions: Iterable[Function], data: Mapping[str, Shape], values: Mapping[str, int]) -> None:
    """Raises InvalidTree: a subscript too few or too many, a loop that leaves an array, a view of an arena
    with another number of elements than it is cut to."""
    found = list(functions)
    called = {name for f in found for name in f.calls}
    validator = Validator({f.name: f for f in found}, {Size(n): sympy.Integer(v) for n, v in values.items()})
    for function in found:
        if function.name not in called:
            validator.statements(function.body, Around(data, {}, {}))


@dataclass(frozen=True)
class Validator:
    """One walk through functions and those that they call, at one choice of sizes."""

    functions: Mapping[str, Function]
    values: Mapping[Any, Any]

    def statements(self, body: Iterable[tree.Statement], at: Around) -> Around:
        """What is known behind a body."""
        for s in body:
            at = self.statement(s, at)
        return at

    def statement(self, s: tree.Statement, at: Around) -> Around:
        """What is known behind a statement."""
        for part in s.children:
            if not isinstance(part, tree.Statement):
                self.expression(part, s, at)
        if isinstance(s, tree.For):
            self.statements(s.body, self._stepped(s, at))
        elif isinstance(s, tree.If):
            self.statements((*s.body, *s.otherwise), at.under(s.condition))
        elif isinstance(s, tree.Assign) and isinstance(s.target, tree.Name):
            return self._assigned(s, s.target.id, at)
        elif isinstance(s, tree.Effect) and s.call.name in self.functions:
            self._called(s.call, at)
        elif isinstance(s, tree.Effect) and s.call.name == "_product":
            self._product(s, *(self._shape(a, s, at) for a in s.call.arguments))
        return at

    def expression(self, e: tree.Node, s: tree.Statement, at: Around) -> None:
        """Checks the subscripts in an expression."""
        if isinstance(e, tree.Choice):
            self.expression(e.condition, s, at)
            at = at.under(e.condition)
        if isinstance(e, tree.Binary) and e.op in ("and", "or"):
            at = at.under(e)
        if isinstance(e, tree.Subscript) and isinstance(e.value, tree.Name):
            shape = at.shapes.get(e.value.id)
            if shape is not None:
                self._subscript(e, shape, s, at)
        for child in e.children:
            self.expression(child, s, at)

    def _subscript(self, node: tree.Subscript, shape: Shape, s: tree.Statement, at: Around) -> None:
        if isinstance(node.items[0], tree.Sequence):
            return  # `a[()]`: the number in an array without axes
        if len(node.items) > len(shape):
            raise _wrong(s, f"{text(node)} has {len(node.items)} subscripts for {len(shape)} axes")
        for item, extent in zip(node.items, shape, strict=False):
            stop = at.stops.get(item.id) if isinstance(item, tree.Name) else None
            if stop is not None and extent is not None and self._exceeds(stop, extent):
                raise _wrong(s, f"in {text(node)} {text(item)} runs to {stop}, over an axis of {extent}")

    def _stepped(self, s: tree.For, at: Around) -> Around:
        """What is known in a loop: where its variable stops, if it counts up."""
        stops = dict(at.stops)
        if isinstance(s.variable, tree.Name):
            stops.pop(s.variable.id, None)
            over = s.over
            if isinstance(over, tree.Call) and over.name == "range" and len(over.arguments) <= 2:
                stop = _length(over.arguments[-1], at)
                if stop is not None:
                    stops[s.variable.id] = stop
        return replace(at, stops=stops)

    def _assigned(self, s: tree.Assign, name: str, at: Around) -> Around:
        shapes = {key: shape for key, shape in at.shapes.items() if key != name}
        shape = self._shape(s.value, s, at)
        if shape is not None:
            shapes[name] = shape
        return replace(at, shapes=shapes)

    def _shape(self, e: tree.Expression, s: tree.Statement, at: Around) -> Shape | None:
        """The shape of a view: of a part of an arena, or of that laid out along several axes."""
        if isinstance(e, tree.Name):
            return at.shapes.get(e.id)
        if isinstance(e, tree.Attribute) and e.name == "T":
            turned = self._shape(e.value, s, at)
            return None if turned is None else turned[::-1]
        if isinstance(e, tree.Call) and e.name == ".reshape":
            lengths = tuple(_length(argument, at) for argument in e.arguments[1:])
            flat = self._shape(e.arguments[0], s, at)
            if flat is not None and None not in (*flat, *lengths):
                one, other = sympy.prod(flat), sympy.prod(lengths)
                if self._exceeds(one, other) or self._exceeds(other, one):
                    raise _wrong(s, f"{one} elements are laid out as {other}")
            return lengths
        if isinstance(e, tree.Subscript) and isinstance(e.value, tree.Name) and e.value.id in ARENAS:
            part = e.items[-1]  # behind the number of a chunk, if there are any
            if isinstance(part, tree.Slice) and part.start is not None and part.stop is not None:
                start, stop = _length(part.start, at), _length(part.stop, at)
                return (None if start is None or stop is None else sympy.expand(stop - start),)
        return None

    def _product(self, s: tree.Statement, *shapes: Shape | None) -> None:
        """Checks the shapes of two matrices and of the one that their product fills."""
        left, right, into = shapes
        if left is None or right is None or into is None or None in (*left, *right, *into):
            return
        given = [(left[-1], right[0]), (left[0], into[0]), (right[-1], into[-1])]
        if any(self._exceeds(a, b) or self._exceeds(b, a) for a, b in given):
            shown = f"a product of {left[0]} x {right[-1]} elements fills {into[0]} x {into[-1]}"
            raise _wrong(s, f"{shown}, by {left[-1]} terms of {right[0]}")

    def _called(self, call: tree.Call, at: Around) -> None:
        """A function at what it is given."""
        function = self.functions[call.name]
        words = {
            name: given.id
            for name, given in zip(function.arguments, call.arguments, strict=True)
            if isinstance(given, tree.Name)
        }
        shapes = {name: at.shapes[word] for name, word in words.items() if word in at.shapes}
        stops = {name: at.stops[word] for name, word in words.items() if word in at.stops}
        integers = {name: at.given.get(word, Size(word)) for name, word in words.items()}
        self.statements(function.body, Around(shapes, stops, integers))

    def _exceeds(self, one: Expr, other: Expr) -> bool:
        """Whether a length is more than another at these sizes."""
        difference = (one - other).xreplace(dict(self.values))
        return bool(difference.is_Integer and difference > 0)


def _length(node: tree.Node, at: Around) -> Expr | None:
    """An integer as an expression; where a tensor begins is one, too."""
    try:
        return length(_begins_named(node), lambda name: at.given.get(name, Size(name)))
    except LookupError:
        return None


def _begins_named(node: tree.Node) -> tree.Node:
    """`at[3]`, where a tensor begins, as a name."""
    if isinstance(node, tree.Subscript) and isinstance(node.value, tree.Name):
        return tree.Name((), "integer", text(node))
    return node.rebuilt(_begins_named)


def _wrong(s: tree.Statement, what: str) -> InvalidTree:
    return InvalidTree(
        what,
        details=(text(s).rstrip(),),
        help="a pass has put an array or a loop in the place of one of another length",
    )
