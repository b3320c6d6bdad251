"""What all repairs need: the answer, values of its parts, the tensors and activations of the page.

Enters: a judge, an answer. Leaves: shapes, names, small trees. Must not know: any one slip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from symbp.errors import SymbpError
from symbp.ir.expr import Access, Expr
from symbp.read.grammar.syntax import (
    Call,
    Keyword,
    Name,
    Number,
    Power,
    Product,
    Read,
    Relation,
    Subscripted,
    Total,
    Transpose,
    Tree,
)
from symbp.verify.grading.answer import Answer
from symbp.verify.grading.judge import Judge, free_indices
from symbp.verify.grading.names import word
from symbp.verify.grading.values import Array, Misfit, Value
from symbp.verify.proofs.evaluation import Refused

NOWHERE = (0, 0)  # the place of what isn't in the text
ELEMENTWISE = ("⊙", "*", "/", "⊘")


@dataclass(frozen=True)
class Repair:
    """A changed tree, what the slip is called, and a hint that doesn't give the answer away."""

    name: str
    hint: str
    tree: Tree


@dataclass(frozen=True)
class Activation:
    """`after = function(before)`, elementwise, by names of tensors; the subscripts that `before` fixes, by
    axis, as of one gate of four."""

    before: str
    after: str
    function: str
    fixed: tuple[int | None, ...]


@dataclass(frozen=True)
class Workshop:
    """An answer on the bench."""

    judge: Judge
    answer: Answer

    @property
    def tree(self) -> Tree:
        return self.answer.tree

    @cached_property
    def parts(self) -> list[Tree]:
        """The whole and all parts that have a value of their own: no relation, no argument by its name, and
        of an element neither its tensor nor its subscripts."""
        return list(_valued(self.tree))

    # --- the page
    @cached_property
    def spelled(self) -> dict[str, str]:
        """Each tensor of the page by its plain name there."""
        symbols = self.judge.names.symbols
        known = {name: word(symbol) for name, symbol in symbols.items()}
        return {name: plain for name, plain in known.items() if self.judge.names.tensors.get(plain) == name}

    def tensor(self, node: Tree) -> str | None:
        """The tensor that a name is."""
        return self.judge.names.tensors.get(node.name) if isinstance(node, Name) else None

    @cached_property
    def shapes(self) -> dict[str, tuple[Expr, ...]]:
        return {name: tuple(self.judge.sheet.shape(name)) for name in self.spelled}

    @cached_property
    def derivatives(self) -> dict[str, str]:
        """What each derivative of the page is by."""
        return {name: by for by, name in self.judge.sheet.adjoints.items()}

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        found = []
        for line in self.judge.sheet.reading.lines:
            body, indices = line.equation.body, line.equation.indices
            plain = body.is_Function and len(body.args) == 1 and not isinstance(body, Access)
            inner = body.args[0] if plain else None
            if isinstance(inner, Access) and line.equation.op is None:
                fixed = tuple(
                    None if s in indices else int(s) for s in inner.subscripts if s in indices or s.is_Integer
                )
                if len(fixed) == len(inner.subscripts):
                    found.append(Activation(inner.name, line.target, type(body).__name__, fixed))
        return tuple(found)

    @property
    def sizes(self) -> list[str]:
        """Sizes by the page's names."""
        return [n for n, meaning in self.judge.names.sizes.items() if isinstance(meaning, str)]

    # --- values
    def value(self, node: Tree) -> Value | None:
        """The value of a part of the answer in floats, if it has one."""
        place = self.judge.screen
        shape = place.tensor(self.answer.target).shape
        try:
            scope = self.judge.scope(place, self.answer, self.tree, shape)
            with np.errstate(all="ignore"):
                return self.judge.meaning(place, self.answer).real(node, scope)
        except (Misfit, Refused, SymbpError, ArithmeticError):
            return None

    def pair(self) -> tuple[Array, Array] | None:
        """What is right and what the answer gives, if it has that shape."""
        place = self.judge.screen
        try:
            with np.errstate(all="ignore"):
                right = self.judge.expected(place, self.answer).astype(np.float64)
                return right, self.judge.found(place, self.answer, self.tree)
        except (Misfit, Refused, SymbpError, ArithmeticError):
            return None

    def free(self, node: Tree) -> set[str]:
        """The indices of a part that nothing in it binds."""
        return free_indices(node, self.judge.names)


def _valued(node: Tree) -> Iterator[Tree]:
    if not isinstance(node, (Relation, Keyword)):
        yield node
    for child in () if isinstance(node, (Read, Subscripted)) else node.children():
        yield from _valued(child)


# --- small trees
def number(value: int | Fraction) -> Tree:
    return Number(NOWHERE, Fraction(value))


def name(text: str) -> Name:
    return Name(NOWHERE, text)


def times(*factors: Tree) -> Tree:
    found = factors[0]
    for factor in factors[1:]:
        found = Product(NOWHERE, "⊙", found, factor)
    return found


def minus(a: Tree, b: Tree) -> Tree:
    return Total(NOWHERE, ((False, a), (True, b)))


def plus(a: Tree, b: Tree) -> Tree:
    terms = a.terms if isinstance(a, Total) else ((False, a),)
    return Total(NOWHERE, (*terms, (False, b)))


def square(a: Tree) -> Tree:
    return Power(NOWHERE, a, number(2))


def turned(node: Tree) -> Tree:
    """The transpose, or what it is the transpose of."""
    return node.operand if isinstance(node, Transpose) else Transpose(NOWHERE, node)


def call(function: str, *arguments: Tree) -> Tree:
    return Call(NOWHERE, function, arguments)


def factors(node: Tree, *, dots: bool = True) -> list[Tree]:
    """The factors of an elementwise product; without `dots`, which between matrices are none."""
    if isinstance(node, Product) and node.op in (("⊙", "*", "·") if dots else ("⊙", "*")):
        return [*factors(node.left, dots=dots), *factors(node.right, dots=dots)]
    return [node]


def reads(tree: Tree) -> Iterator[Read | Subscripted]:
    for node in tree.walk():
        if isinstance(node, (Read, Subscripted)):
            yield node


def subscripted(node: Read | Subscripted, subscripts: Sequence[Tree | None]) -> Read:
    """The read with other subscripts."""
    whole = tuple(Name(NOWHERE, ":") if s is None else s for s in subscripts)
    return Read(node.span, node.tensor, whole, node.outside)


def base(node: Tree) -> Tree:
    """The tensor of a read, or the node."""
    return node.tensor if isinstance(node, (Read, Subscripted)) else node


def source(node: Tree, text: str) -> str:
    """The part of the answer from which a node was read."""
    return text[slice(*node.span)]
