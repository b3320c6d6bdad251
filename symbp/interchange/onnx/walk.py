"""Runs statements over values of a graph: what they would compute, the graph computes.

Enters: statements in NumPy's words, values of variables. Leaves: values of variables. Must not know: what
operations are called in ONNX.

Loops over steps are run here, so that the graph holds each step: how many there are must be known.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from symbp.codegen import tree
from symbp.codegen.tree import DType, Expression, Node, Statement
from symbp.errors import GenerationError
from symbp.interchange.onnx.calls import CALLS, Arguments
from symbp.interchange.onnx.elementwise import binary
from symbp.interchange.onnx.graph import NUMBERS, Graph, Made
from symbp.interchange.onnx.subscripts import NEW, REST, Span, subscript

CONSTANTS = {
    "np.pi": 3.141592653589793, "np.e": 2.718281828459045, "np.inf": float("inf"), "-np.inf": float("-inf"),
    "None": None, "True": True, "False": False,
}  # fmt: skip
PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "<": operator.lt, "<=": operator.le, "==": operator.eq,
    "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "&": operator.and_, "|": operator.or_,
}  # fmt: skip


@dataclass
class Walk:
    """A graph and the values of variables by their identifiers: of the graph, Python's numbers, lists."""

    graph: Graph
    variables: dict[str, Any]

    def run(self, statements: Iterable[Statement]) -> None:
        """The variables as they are behind some statements."""
        for statement in statements:
            if isinstance(statement, tree.Assign):
                self._assign(statement)
            elif isinstance(statement, tree.For):
                self._loop(statement)
            elif isinstance(statement, tree.If):
                chosen = self._condition(statement.condition)
                self.run(statement.body if chosen else statement.otherwise)
            else:
                raise GenerationError(f"ONNX has no form for the statement {type(statement).__name__}")

    def _assign(self, statement: tree.Assign) -> None:
        target = statement.target
        base = target
        while isinstance(base, tree.Subscript):
            base = base.value
        assert isinstance(base, tree.Name)
        before, self.graph.prefix = self.graph.prefix, base.id
        value = self.value(statement.value)
        if target.dtype != "object":
            value = self.graph.made(value, target.dtype)
        self.graph.prefix = before
        if isinstance(target, tree.Name):
            self.variables[target.id] = value
        else:
            assert isinstance(target, tree.Subscript)
            self.value(target.value)[self._number(target.items[0])] = value

    def _loop(self, statement: tree.For) -> None:
        assert isinstance(statement.variable, tree.Name)
        for step in self.value(statement.over):
            self.variables[statement.variable.id] = step
            self.run(statement.body)

    def _condition(self, node: Expression) -> bool:
        value = self.value(node)
        if isinstance(value, Made):
            raise GenerationError(
                "which steps a loop has rests on a size that isn't known", help="give every size a value"
            )
        return bool(value)

    def _number(self, node: Node) -> int:
        value = self.value(node)
        assert isinstance(value, NUMBERS)
        return int(value)

    def value(self, node: Node) -> Any:
        """What an expression stands for."""
        found = RULES.get(type(node))
        if found is None:
            raise GenerationError(f"ONNX has no form for {type(node).__name__}")
        return found(self, node)

    def _name(self, node: tree.Name) -> Any:
        return self.variables[node.id]

    def _constant(self, node: tree.Constant) -> Any:
        if node.text.startswith('"'):
            return node.text[1:-1]
        if node.text in CONSTANTS:
            return CONSTANTS[node.text]
        return int(node.text) if node.dtype == "integer" else float(node.text)

    def _unary(self, node: tree.Unary) -> Any:
        value = self.value(node.operand)
        if isinstance(value, NUMBERS):
            return -value if node.op == "-" else not value  # type: ignore[operator]
        dtype: DType = "boolean" if node.op == "~" else value.dtype
        name = {"-": "Neg", "~": "Not"}[node.op]
        return self.graph.op(name, self.graph.made(value, dtype), rank=value.rank, dtype=dtype)

    def _binary(self, node: tree.Binary) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, list) and node.op == "*":
            if isinstance(right, Made):
                raise GenerationError(
                    "how many steps a loop has isn't known, and each is a part of the graph",
                    help="give the size that the loop runs along: --size T=16 (sizes={'T': 16})",
                )
            return left * right
        if isinstance(left, NUMBERS) and isinstance(right, NUMBERS) and node.op in PYTHON:
            return PYTHON[node.op](left, right)
        return binary(self.graph, node.op, left, right, node.dtype)

    def _choice(self, node: tree.Choice) -> Any:
        chosen = self.value(node.condition)
        if isinstance(chosen, NUMBERS):
            return self.value(node.then if chosen else node.otherwise)
        return self.graph.where(chosen, self.value(node.then), self.value(node.otherwise), node.dtype)

    def _attribute(self, node: tree.Attribute) -> Any:
        value = self.value(node.value)
        if node.name == "T":
            return self.graph.transposed(value, list(reversed(range(value.rank))))
        raise GenerationError(f"ONNX has no form for the attribute {node.name}")

    def _sequence(self, node: tree.Sequence) -> Any:
        items = [self.value(item) for item in node.items]
        return items if node.square else tuple(items)

    def _subscript(self, node: tree.Subscript) -> Any:
        value, items = self.value(node.value), [self._item(item) for item in node.items]
        if isinstance(value, list):
            found = value[int(items[0])]
            assert found is not None, "a step is read before it is computed"
            return found if len(items) == 1 else subscript(self.graph, found, items[1:])
        return subscript(self.graph, self.graph.made(value, node.value.dtype), items)

    def _item(self, item: Node) -> Any:
        if isinstance(item, tree.NewAxis):
            return NEW
        if isinstance(item, tree.Rest):
            return REST
        if not isinstance(item, tree.Slice):
            return self.value(item)
        start, stop, step = (None if e is None else self.value(e) for e in (item.start, item.stop, item.step))
        return Span(start, stop, 1 if step is None else int(step))

    def _call(self, node: tree.Call) -> Any:
        values = [self.value(argument) for argument in node.arguments]
        more = {keyword.name: self.value(keyword.value) for keyword in node.keywords}
        if node.name in ("range", "reversed", "max"):
            return _of_python(node.name, values)
        if node.name not in CALLS:
            raise GenerationError(
                f"ONNX has no operator for {node.name.removeprefix('np.')}",
                help="networks whose equations hold it can't be exported",
            )
        return CALLS[node.name](self.graph, Arguments(values, more, node))


def _of_python(name: str, values: Sequence[Any]) -> Any:
    if any(isinstance(value, Made) for value in values):
        raise GenerationError(
            "how many steps a loop has isn't known, and each is a part of the graph",
            help="give the size that the loop runs along: --size T=16 (sizes={'T': 16})",
        )
    return {"range": range, "reversed": reversed, "max": max}[name](*values)  # type: ignore[operator]


RULES: dict[type[Node], Callable[[Walk, Any], Any]] = {
    tree.Name: Walk._name,
    tree.Constant: Walk._constant,
    tree.Unary: Walk._unary,
    tree.Binary: Walk._binary,
    tree.Choice: Walk._choice,
    tree.Attribute: Walk._attribute,
    tree.Sequence: Walk._sequence,
    tree.Subscript: Walk._subscript,
    tree.Call: Walk._call,
}
