"""The typed tree of code: expressions with shape and dtype, statements with the numbers of equations.

Enters: nothing (types only). Leaves: frozen nodes. Must not know: targets, layout, how an equation is
lowered.

A node is made by the functions of `symbp.codegen.infer`, which know the shape that it has; the validator
infers every shape once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Literal, TypeVar

DType = Literal["real", "integer", "boolean", "number", "object"]
Shape = tuple[Any, ...]  # SymPy expressions in sizes
N = TypeVar("N", bound="Node")


@dataclass(frozen=True)
class Node:
    """Anything in a tree."""

    @property
    def children(self) -> Iterator[Node]:
        """The nodes directly below, in the order of the text."""
        for name in said(self):
            value = getattr(self, name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (item for item in value if isinstance(item, Node))

    def walk(self) -> Iterator[Node]:
        """The node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def calls(self) -> frozenset[str]:
        """The names of all functions that are called."""
        return frozenset(node.name for node in self.walk() if isinstance(node, Call))

    def rebuilt(self: N, change: Any) -> N:
        """The node with `change` applied to each child."""
        found: dict[str, Any] = {}
        for name in said(self):
            value = getattr(self, name)
            if isinstance(value, Node):
                found[name] = change(value)
            elif isinstance(value, tuple) and any(isinstance(item, Node) for item in value):
                found[name] = tuple(change(i) if isinstance(i, Node) else i for i in value)
        return replace(self, **found) if found else self


def said(node: Node) -> tuple[str, ...]:
    """The parts of a node that are code: what is known of shapes and equations isn't."""
    kind: Any = type(node)
    return _said(kind)


@cache
def _said(kind: Any) -> tuple[str, ...]:
    return tuple(p.name for p in fields(kind) if p.name not in ("shape", "dtype", "equations"))


def signature(node: Any) -> Any:
    """What a node says, whatever is known of its shape and of equations: two with one signature are the same
    code."""
    if isinstance(node, tuple):
        return tuple(map(signature, node))
    if not isinstance(node, Node):
        return node
    return (type(node).__name__, *(signature(getattr(node, name)) for name in said(node)))


def alike(one: Node, other: Node) -> bool:
    """Whether two nodes are the same code."""
    return type(one) is type(other) and bool(signature(one) == signature(other))


# --- expressions
@dataclass(frozen=True)
class Expression(Node):
    """A value: an array of a shape in sizes, of one dtype. A `number` is Python's: it takes the dtype of what
    it meets. `object` is what is no array: a tuple, a dict."""

    shape: Shape
    dtype: DType


@dataclass(frozen=True)
class Name(Expression):
    """A variable."""

    id: str


@dataclass(frozen=True)
class Constant(Expression):
    """A number, or a text in quotes, as it is written."""

    text: str


@dataclass(frozen=True)
class Unary(Expression):
    """`-a`, `~a`, `not a`, and `*a` among the items of a tuple."""

    op: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Expression):
    """Arithmetic `+ - * / // % ** @`, comparison `< <= == !=`, masks joined by `&` and `|`, tests joined by
    `and` and `or`, and `:=`, which gives a value a name."""

    op: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Between(Expression):
    """`low <= value < high`."""

    low: Expression
    value: Expression
    high: Expression


@dataclass(frozen=True)
class Choice(Expression):
    """`then if condition else otherwise`; the condition is a scalar and only one side is evaluated."""

    then: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True)
class Attribute(Expression):
    """`a.T`, `a.shape`."""

    value: Expression
    name: str


@dataclass(frozen=True)
class Keyword(Node):
    """`axis=1` in a call."""

    name: str
    value: Expression


@dataclass(frozen=True)
class Call(Expression):
    """A function by its dotted name, or a method of the first argument (`name` then begins with a dot)."""

    name: str
    arguments: tuple[Expression, ...]
    keywords: tuple[Keyword, ...] = ()


@dataclass(frozen=True)
class Slice(Node):
    """`start:stop:step`, each may be left out."""

    start: Expression | None = None
    stop: Expression | None = None
    step: Expression | None = None


@dataclass(frozen=True)
class NewAxis(Node):
    """`None` in a subscript: an axis of length 1."""


@dataclass(frozen=True)
class Rest(Node):
    """`...` in a subscript: all axes that nothing else takes."""


@dataclass(frozen=True)
class Subscript(Expression):
    """`a[items]`: a slice keeps an axis, a scalar takes it away, arrays of integers go together."""

    value: Expression
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Sequence(Expression):
    """A tuple, or a list where `square`."""

    items: tuple[Expression, ...]
    square: bool = False


@dataclass(frozen=True)
class Table(Expression):
    """A dictionary: keys that are texts, and their values."""

    keys: tuple[str, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True)
class Comprehension(Expression):
    """`[item for variable in over]`, or the same as the argument of a call, where it isn't `square`."""

    item: Expression
    variable: Expression
    over: Expression
    square: bool = True


# --- statements
@dataclass(frozen=True)
class Statement(Node):
    """One statement; `equations` are the numbers of those that it computes."""


@dataclass(frozen=True)
class Assign(Statement):
    """`target = value`, or with `op` in the place: `target += value`."""

    target: Expression
    value: Expression
    op: str = ""
    equations: tuple[int, ...] = ()


@dataclass(frozen=True)
class Effect(Statement):
    """A call for what it does: `np.add.at(a, rows, values)` changes its first argument."""

    call: Call
    equations: tuple[int, ...] = ()


@dataclass(frozen=True)
class For(Statement):
    """`for variable in over:`"""

    variable: Expression
    over: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class If(Statement):
    """`if condition:` and `else:` where there is one."""

    condition: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    equations: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pass(Statement):
    """`pass`: nothing to do."""

    equations: tuple[int, ...] = ()


@dataclass(frozen=True)
class Return(Statement):
    """`return value`."""

    value: Expression
    equations: tuple[int, ...] = ()


@dataclass(frozen=True)
class Comment(Statement):
    """A line of words."""

    text: str


@dataclass(frozen=True)
class Laid(Statement):
    """Lines that are laid out already, as tables with comments are; `read` are the expressions in them."""

    lines: tuple[str, ...]
    read: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Blank(Statement):
    """An empty line."""


@dataclass(frozen=True)
class Define(Statement):
    """A function: its arguments by name, words about it, its body. `decorator` is an expression above it."""

    name: str
    arguments: tuple[Name, ...]
    doc: tuple[str, ...]
    body: tuple[Statement, ...]
    decorator: Expression | None = None


@dataclass(frozen=True)
class Module(Node):
    """Statements at the top."""

    body: tuple[Statement, ...]
