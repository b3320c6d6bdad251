"""From NumPy's words to those of a framework: calls by a table, dtypes made equal where it insists.

Enters: a tree in NumPy's words. Leaves: a tree in the framework's. Must not know: any framework, what is
computed.

Lengths and the variables of loops are numbers of Python's own, and so is what is computed of them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symbp.codegen import infer
from symbp.codegen.tree import (
    Assign,
    Attribute,
    Binary,
    Call,
    Choice,
    Constant,
    DType,
    Expression,
    For,
    Keyword,
    Name,
    Node,
    Sequence,
    Subscript,
)
from symbp.errors import GenerationError
from symbp.ir.functions import ELEMENTARY

MATH = {f"np.{f.numpy}" if f.numpy else f.name: f.math for f in ELEMENTARY.values() if f.math}
"""Functions of numbers."""
CONSTANTS = {"np.pi": "math.pi", "np.e": "math.e", "np.inf": "math.inf", "-np.inf": "-math.inf"}
PYTHON = ("range", "reversed", "max")
ARITHMETIC = ("+", "-", "*", "/", "//", "%", "**", "@", "<", "<=", "==", "!=", ">", ">=")


@dataclass(frozen=True)
class Spelling:
    """How one framework writes things. `functions` of arrays have other names there, forms of their own have
    `rules`; `helpers` is the module with functions that go along. `constant` makes an array of a number.
    `casts` makes numbers of another dtype, and
    is asked for wherever dtypes differ if the framework is `strict`, else for truth values, and where its own
    choice would be single precision."""

    library: str
    imports: tuple[str, ...]
    functions: Mapping[str, str]
    rules: Mapping[str, Rule]
    helpers: str
    casts: Callable[[Expression, DType], Expression]
    constant: Callable[[Expression, DType], Expression]
    subscript: Callable[[Subscript], Expression] = lambda node: node
    transposed: Callable[[Attribute], Expression] = lambda node: node
    product: Callable[[Binary], Expression] = lambda node: node
    words: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True)
class Speller:
    """A spelling with what it is applied to: the `numbers` of Python's own by their identifiers, and whether
    logarithms of 0 occur that nothing rests on (`infinite`)."""

    spelling: Spelling
    numbers: frozenset[str]
    infinite: bool = False

    def __call__(self, node: Node) -> Any:
        """The node in the framework's words."""
        if isinstance(node, For):
            inner = replace(self, numbers=self.numbers | {v.id for v in _names(node.variable)})
            return node.rebuilt(inner)
        if isinstance(node, Choice):
            node = replace(node, then=_of_dtype(node.then, node), otherwise=_of_dtype(node.otherwise, node))
        node = node.rebuilt(self)
        if isinstance(node, Constant):
            return replace(node, text=CONSTANTS.get(node.text, node.text))
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Binary):
            return self._binary(node)
        if isinstance(node, Attribute) and node.name == "T":
            return self.spelling.transposed(node)
        if isinstance(node, Subscript):
            return self.spelling.subscript(node)
        if isinstance(node, Choice):
            sides = (self.cast(side, node.dtype) for side in (node.then, node.otherwise))
            then, otherwise = self._arrays(node.dtype, *sides)
            return replace(node, then=then, otherwise=otherwise)
        if isinstance(node, Assign) and self._is_named(node.target):
            value = self.cast(node.value, node.target.dtype)
            return replace(node, value=self.array(value, node.target.dtype))
        return node

    def _is_named(self, target: Expression) -> bool:
        """Whether somebody reads it as an array: a tensor, or a step of one."""
        return (
            isinstance(target, (Name, Subscript)) and target.dtype != "object" and not self.is_number(target)
        )

    def array(self, node: Expression, dtype: DType) -> Expression:
        """The value as an array of a dtype, if it is a number."""
        return self.spelling.constant(node, dtype) if self.is_number(node) else node

    def _arrays(self, dtype: DType, *values: Expression) -> tuple[Expression, ...]:
        """Values of a dtype as arrays, if one of them is one."""
        if all(map(self.is_number, values)):
            return values
        return tuple(self.array(value, dtype) for value in values)

    def is_number(self, node: Node) -> bool:
        """Whether that is a number of Python's own."""
        for part in node.walk():
            if isinstance(part, Call) and not part.name.startswith("math."):
                return False
            if isinstance(part, Name) and part.id not in self.numbers:
                return False
            if isinstance(part, Subscript):
                return False
        return True

    def cast(self, node: Expression, dtype: DType) -> Expression:
        """The array with a dtype; a number fits into any."""
        if node.dtype == dtype or self.is_number(node):
            return node
        return replace(self.spelling.casts(node, dtype), dtype=dtype)

    def _binary(self, node: Binary) -> Expression:
        sides = [node.left, node.right]
        if node.op in ARITHMETIC and not all(map(self.is_number, sides)):
            wide = "real" if node.op == "/" else infer.wider(*(s.dtype for s in sides))
            arrays = [s.dtype for s in sides if not self.is_number(s)]
            single = wide == "real" and "real" not in arrays
            truth = "boolean" in arrays and wide != "boolean"
            if self.spelling.strict or node.op == "@" or single or truth:
                left, right = (self.cast(s, wide) for s in sides)
                node = replace(node, left=left, right=right)
            one = isinstance(node.left, Constant) and node.left.text in ("1", "1.0")
            if one and node.op == "*" and truth:
                return node.right
        return self.spelling.product(node) if node.op == "@" else node

    def _call(self, node: Call) -> Expression:
        spelling = self.spelling
        if node.name.startswith("math.") or node.name in PYTHON:
            return node
        if node.name in MATH and all(map(self.is_number, node.arguments)):
            return replace(node, name=f"math.{MATH[node.name]}")
        if node.name in spelling.rules:
            return spelling.rules[node.name](self, node)
        if node.name in ("np.log", *spelling.functions):
            arguments = self._arrays("real", *(self.cast(a, "real") for a in node.arguments))
            careful = node.name == "np.log" and self.infinite
            return replace(
                node, name="log" if careful else spelling.functions[node.name], arguments=arguments
            )
        if "." in node.name:
            raise GenerationError(f"{spelling.library} has no spelling of {node.name}")
        return node


Rule = Callable[[Speller, Call], Expression]


def _of_dtype(side: Expression, whole: Expression) -> Expression:
    """An array of one value, with the dtype of the choice that it is a side of."""
    return replace(side, dtype=whole.dtype) if isinstance(side, Call) and side.name == "np.full" else side


def _names(node: Node) -> list[Name]:
    return [n for n in node.walk() if isinstance(n, Name)]


# --- forms that several frameworks share
def renamed(name: str, **keywords: str) -> Rule:
    """The same call by another name; arguments by name are left out but for those that are called otherwise
    there."""

    def rule(_: Speller, node: Call) -> Expression:
        kept = tuple(replace(k, name=keywords[k.name]) for k in node.keywords if k.name in keywords)
        return replace(node, name=name, keywords=kept)

    return rule


def reals(name: str) -> Rule:
    """A call of arrays of real numbers, without arguments by name."""

    def rule(speller: Speller, node: Call) -> Expression:
        arguments = tuple(a if a.dtype == "object" else speller.cast(a, "real") for a in node.arguments)
        return replace(node, name=name, arguments=arguments, keywords=())

    return rule


def helper(name: str) -> Rule:
    """A function that goes along, in the place of a method."""

    def rule(_: Speller, node: Call) -> Expression:
        kept = tuple(k for k in node.keywords if k.name != "initial")
        return replace(node, name=name, keywords=kept)

    return rule


def as_tuple(sizes: Expression) -> Expression:
    """A shape that is a tuple, also of one length."""
    return sizes if isinstance(sizes, Sequence) else infer.tuple_of(sizes)


def full(constant: Callable[[Call, Expression, Expression], Expression], broadcast: str) -> Rule:
    """An array of one value: a number, or an array without axes, which is spread."""

    def rule(speller: Speller, node: Call) -> Expression:
        sizes, value = node.arguments
        if speller.is_number(value):
            return constant(node, as_tuple(sizes), value)
        return replace(node, name=broadcast, arguments=(value, as_tuple(sizes)), keywords=())

    return rule


def spread(name: str) -> Rule:
    """An array along more axes."""

    def rule(_: Speller, node: Call) -> Expression:
        value, sizes = node.arguments
        return replace(node, name=name, arguments=(value, as_tuple(sizes)))

    return rule


def chosen(name: str, *, arrays: int) -> Rule:
    """`where`: values that are numbers become arrays if the framework wants at least so many `arrays` of two;
    so does the condition."""

    def rule(speller: Speller, node: Call) -> Expression:
        mask, *values = node.arguments
        made = [speller.cast(v, node.dtype) for v in values]
        if arrays > sum(not speller.is_number(v) for v in values):
            made = [speller.array(v, node.dtype) for v in made]
        if arrays:
            mask = speller.array(mask, "boolean")
        return replace(node, name=name, arguments=(mask, *made))

    return rule


def arrays_in(node: Subscript) -> list[int]:
    """Where places of elements stand among the items, if some of them are arrays."""
    items = node.items
    if not any(isinstance(item, Expression) and item.shape for item in items):
        return []
    return [k for k, item in enumerate(items) if isinstance(item, Expression)]


def keyword(name: str, value: Expression) -> Keyword:
    """An argument by name."""
    return Keyword(name, value)
