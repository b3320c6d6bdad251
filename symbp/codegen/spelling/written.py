"""Values as code, with what a speller has to know of them beside.

Enters: expressions of code. Leaves: `Written`. Must not know: bodies of equations, targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from symbp.codegen import infer
from symbp.codegen.expressions import ATOM, level_of
from symbp.codegen.printer import text
from symbp.codegen.tree import DType, Expression
from symbp.ir.expr import Index

Kind = Literal["real", "number", "bool", "integer"]
SHORT = 24  # characters of what is written twice
DTYPES: dict[Kind, DType] = {"real": "real", "number": "number", "bool": "boolean", "integer": "integer"}


@dataclass(frozen=True)
class Written:
    """The code of a value; `axes` are the indices of its array axes. A `number` is a plain Python number."""

    node: Expression
    axes: tuple[Index, ...] = ()
    kind: Kind = "real"

    @property
    def text(self) -> str:
        return text(self.node)


ZERO = Written(infer.python_number("0"), kind="integer")


@dataclass(frozen=True)
class Test:
    """A condition under which a value stands, or one that `excludes` it."""

    condition: Written
    excludes: bool


def is_short(node: Expression) -> bool:
    """Whether an expression reads well more than once beside itself: an array or a part of one."""
    plain = level_of(node) == ATOM and not node.calls()
    return plain and len(text(node)) <= SHORT
