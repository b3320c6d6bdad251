"""Expressions as the calls of a NumPy stage need them: what is replaced in them, what they say.

Enters: expressions. Leaves: the same. Must not know: forms, scratch, statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import sympy

from symbp.codegen import infer
from symbp.codegen.infer import COMPARISONS
from symbp.codegen.printer import text
from symbp.codegen.spelling.elements import size
from symbp.codegen.tree import Binary, Call, Choice, Constant, Expression, Node, Unary, alike
from symbp.codegen.tree import Sequence as Sequence_
from symbp.ir.expr import Expr

N = TypeVar("N", bound=Node)


def taken(node: Any, test: Expression) -> Any:
    """An expression where a test holds."""
    if isinstance(node, Choice) and alike(node.condition, test):
        return taken(node.then, test)
    return node.rebuilt(lambda child: taken(child, test))


def settled(node: N) -> N:
    """An expression without the tests inside of a choice that the choice itself has made."""
    if isinstance(node, Choice):
        node = replace(node, then=taken(node.then, node.condition))
    return node.rebuilt(settled)


def replaced(node: Any, part: Expression, other: Expression) -> Any:
    """An expression with another one in the place of a part of it."""
    return other if alike(node, part) else node.rebuilt(lambda child: replaced(child, part, other))


def without_which_zeros(operands: Sequence[Expression]) -> Expression | None:
    """The test without which all operands are zeros, if there is one."""
    choices = [[n for n in o.walk() if isinstance(n, Choice)] for o in operands]
    if any(len(found) != 1 for found in choices):
        return None
    test = choices[0][0].condition
    empty = [isinstance(c.otherwise, Call) and c.otherwise.name == "np.zeros" for (c,) in choices]
    return test if all(alike(c.condition, test) for (c,) in choices) and all(empty) else None


def filled_with(node: Node) -> Expression | None:
    """The number in `np.full(shape, number)`, `np.zeros(shape)` and `np.ones(shape)`."""
    if not isinstance(node, Call):
        return None
    if node.name == "np.full":
        return node.arguments[1]
    return {"np.zeros": infer.number(0), "np.ones": infer.number(1)}.get(node.name)


def bits(node: Binary) -> tuple[str, int] | None:
    """A quotient or a remainder by a power of two as a shift or a mask, of negative numbers, too: a division
    of integers costs ten times as much."""
    if not isinstance(node.right, Constant) or not node.right.text.isdigit():
        return None
    divisor = int(node.right.text)
    if divisor < 2 or divisor & (divisor - 1):
        return None
    if node.op == "%":
        return "bitwise_and", divisor - 1
    return ("right_shift", divisor.bit_length() - 1) if node.op == "//" else None


def number(node: Expression) -> Expression:
    """A number beside an array, which gives it its dtype: `2` for `DTYPE(2)`."""
    if isinstance(node, Call) and node.name == "DTYPE":
        (value,) = node.arguments
        digits = value.operand if isinstance(value, Unary) else value
        return value if isinstance(digits, Constant) else node
    return node


def count_of(shape: Sequence[Expr]) -> Expr:
    return sympy.expand(sympy.Mul(*shape))


def grouped(array: Expression, *groups: Sequence[Expr]) -> Expression:
    """An array with an axis for each group of its axes."""
    if all(len(group) == 1 for group in groups):
        return array
    return reshaped(array, [count_of(group) for group in groups])


def reshaped(array: Expression, shape: Sequence[Expr]) -> Expression:
    """`array.reshape(shape)`."""
    return infer.call(".reshape", array, *map(size, shape), shape=shape, dtype=array.dtype)


def flat(array: Expression) -> Expression:
    """All elements of an array one after the other."""
    one = infer.python_number("-1")
    return infer.call(".reshape", array, one, shape=(count_of(array.shape),), dtype=array.dtype)


def integer_of(node: Expression) -> int:
    """The value of an integer as it is written."""
    return int(text(node))


def axes_of(node: Call, rank: int) -> set[int]:
    """The axes that a method is given, of an array of so many; all of them, where it is given none."""
    if len(node.arguments) == 1:
        return set(range(rank))
    given = node.arguments[1]
    axes = given.items if isinstance(given, Sequence_) else (given,)
    return {integer_of(axis) % rank for axis in axes}


def makes_reals(node: Expression) -> bool:
    """Whether a number makes reals of integers: a decimal, a quotient, one of the module's type."""
    if isinstance(node, Unary):
        return makes_reals(node.operand)
    if isinstance(node, Binary) and node.op not in COMPARISONS:
        return node.op == "/" or makes_reals(node.left) or makes_reals(node.right)
    if isinstance(node, Call):
        return node.name in ("DTYPE", "float")
    return isinstance(node, Constant) and not node.text.isdigit()
