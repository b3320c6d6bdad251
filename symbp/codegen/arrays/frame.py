"""What an equation's right-hand side is lowered in: the variables of tensors, sizes and running indices.

Enters: nothing (types only). Leaves: `Frame`. Must not know: equations, targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symbp.codegen import infer
from symbp.codegen.tree import Expression
from symbp.ir.expr import Expr, Index, Size
from symbp.ir.sizes.canonical import same_extent


@dataclass(frozen=True)
class Steps:
    """A list with one array for each step along an axis of a tensor, `at` whose step the loop around is;
    where no other step is read, the array of this step `alone`."""

    axis: int
    node: Expression
    at: str
    alone: bool = False


@dataclass(frozen=True)
class Variable:
    """The variable of a tensor; `below` is the size that all of its integers lie below, if that is known.
    While loops fill it in, a tensor may be lists of its `steps` instead, those of the outermost loop
    first."""

    node: Expression
    below: Expr | None = None
    steps: tuple[Steps, ...] = ()

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.node.shape


@dataclass(frozen=True)
class Frame:
    """`variables` of tensors by name; `sizes` and `running` (indices of loops around) as identifiers;
    `extents` of all indices; `order` in which axes stand where nothing else decides; `formulas` of sizes that
    stand for others, values that sizes are `bound` to. In a `guarded` expression a read may lie outside of
    its array where no one looks; guards that are `assumed` hold. Where values are to be `differentiated` by
    somebody else, what the `mask` of the guards around excludes is replaced, so that its slope is finite."""

    variables: Mapping[str, Variable]
    sizes: Mapping[str, str]
    extents: Mapping[Index, Expr] = field(default_factory=dict)
    order: tuple[Index, ...] = ()
    running: Mapping[Index, str] = field(default_factory=dict)
    formulas: Mapping[Expr, Expr] = field(default_factory=dict)
    bound: Mapping[Expr, Expr] = field(default_factory=dict)
    guarded: bool = False
    assumed: frozenset[Expr] = frozenset()
    differentiated: bool = False
    mask: Any = None

    def assuming(self, guards: Iterable[Expr]) -> Frame:
        """The frame where these guards hold, since nothing is evaluated where they don't."""
        return replace(self, assumed=self.assumed | set(guards))

    def under_guard(self) -> Frame:
        """The frame where a guard excludes some elements."""
        return self if self.guarded else replace(self, guarded=True)

    def within(self, extents: Mapping[Index, Expr]) -> Frame:
        """The frame with more indices, which an expression binds."""
        order = (*self.order, *(i for i in extents if i not in self.order))
        return replace(self, extents={**self.extents, **extents}, order=order)

    def full(self, extent: Expr) -> Expr:
        """A length in sizes that stand for no others."""
        return extent.xreplace(dict(self.formulas))

    def same(self, one: Expr, other: Expr) -> bool:
        """Whether two lengths are equal at all sizes."""
        return bool(one == other or same_extent(self.full(one), self.full(other)))

    def size(self, size: Size) -> Expression:
        """The variable of a size."""
        return infer.name(self.sizes[size.name], (), "integer")
