"""The syntax tree of formulas and equations.

Enters: nothing (types only). Leaves: frozen nodes, each with its place in the text.
Must not know: what names stand for, shapes, or values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction

from symbp.read.grammar.places import Span


@dataclass(frozen=True)
class Tree:
    """What all nodes have: the place in the text from which they were read."""

    span: Span

    def children(self) -> tuple[Tree, ...]:
        """The nodes directly below, in order."""
        found: list[Tree] = []
        for part in fields(self):
            value = getattr(self, part.name)
            found += [value] if isinstance(value, Tree) else []
            if isinstance(value, tuple):
                flat = [e for entry in value for e in (entry if isinstance(entry, tuple) else (entry,))]
                found += [e for e in flat if isinstance(e, Tree)]
        return tuple(found)

    def walk(self) -> Iterator[Tree]:
        """The node and all below it."""
        yield self
        for child in self.children():
            yield from child.walk()


@dataclass(frozen=True)
class Number(Tree):
    """An exact number."""

    value: Fraction


@dataclass(frozen=True)
class Name(Tree):
    """A tensor, an index, a size, or a constant (π, e, ∞)."""

    name: str


@dataclass(frozen=True)
class Ones(Tree):
    """𝟏, the vector of ones of the length that fits."""


@dataclass(frozen=True)
class Read(Tree):
    """`x[n,i]`, one element; `outside` is the value where the subscripts lie outside, 0 if not written."""

    tensor: Tree
    subscripts: tuple[Tree, ...]
    outside: Tree | None = None


@dataclass(frozen=True)
class Subscripted(Tree):
    """`h_{t-1}` in matrix notation: the matrix of the elements at these subscripts, which stand at the axes
    that they fit; None is `:`, an axis that is left. `outside` is the value beyond a range, 0 if not
    written."""

    tensor: Name
    subscripts: tuple[Tree | None, ...]
    outside: Tree | None = None


@dataclass(frozen=True)
class Total(Tree):
    """Terms, each with whether it is subtracted."""

    terms: tuple[tuple[bool, Tree], ...]


@dataclass(frozen=True)
class Product(Tree):
    """`left op right`: `*` or `@` or `·`, elementwise `⊙`, the quotients `/`, `⊘`, `//`, the rest `%`; in
    matrix notation the cross-correlation `⋆` and the Kronecker product `⊗`."""

    op: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Power(Tree):
    """`base^exponent`; of each element if `elementwise` (`.^`)."""

    base: Tree
    exponent: Tree
    elementwise: bool = False


@dataclass(frozen=True)
class Transpose(Tree):
    """`A'`, `A.T`, `Aᵀ`, `A^T`."""

    operand: Tree


@dataclass(frozen=True)
class Call(Tree):
    """A function of one or more arguments; `|x|` is abs and `‖x‖` norm."""

    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True)
class Einsum(Tree):
    """`einsum("ni,nj->ij", h, da2)`: products of elements, summed over letters that the result hasn't."""

    letters: str
    operands: tuple[Tree, ...]


@dataclass(frozen=True)
class Keyword(Tree):
    """`axis=0`, an argument by its name."""

    name: str
    value: Tree


@dataclass(frozen=True)
class Relation(Tree):
    """`left op right`, op one of = ≠ < ≤ > ≥."""

    op: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Bracket(Tree):
    """An Iverson bracket: 1 where the relation holds, else 0."""

    relation: Relation


@dataclass(frozen=True)
class Reduction(Tree):
    """`Σ_i,j body where conditions`; other operations: prod, max, mean, argmax, and those of a matrix. Of the
    place of a maximum over several indices, `component` says which: `(argmax_i,j body)_i`. `counts`: how many
    values the indices have, where that is written."""

    op: str
    indices: tuple[str, ...]
    body: Tree
    conditions: tuple[Relation, ...] = ()
    component: str | None = None
    counts: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class Equation(Tree):
    """`target[subscripts] = body for condition`; `indices` are the subscripts that are names."""

    target: str
    subscripts: tuple[Tree, ...]
    body: Tree
    condition: Relation | None = None

    @property
    def indices(self) -> tuple[str, ...]:
        return tuple(s.name for s in self.subscripts if isinstance(s, Name))


@dataclass(frozen=True)
class MatrixEquation(Tree):
    """`h_{t} = body for condition`, for all values of the subscripts on the left; `flatten(h) = body`."""

    left: Name | Subscripted | Call
    body: Tree
    condition: Relation | None = None
