"""The form of a value in NumPy's lines: its shape, its kind of number, whether reading it computes anything.

Enters: shapes and forms of values that meet. Leaves: those of what they give. Must not know: syntax, tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sympy

from symbp.ir.expr import Expr

Shape = tuple[Expr, ...]
Kind = Literal["real", "integer", "bool", "number"]


class Unknown(Exception):
    """An expression whose form isn't foreseen; it is left as it stands."""


class Mismatch(Unknown):
    """Values that meet and whose `lengths` along an axis aren't the same expression."""

    def __init__(self, one: Expr, other: Expr) -> None:
        super().__init__(f"lengths {one} and {other}")
        self.lengths = one, other


@dataclass(frozen=True)
class Form:
    """A value: its shape; a `number` has none. `view` says that reading it computes nothing, `whole` that its
    elements lie one after the other."""

    shape: Shape = ()
    kind: Kind = "real"
    view: bool = False
    whole: bool = False


NUMBER = Form(kind="number", view=True, whole=True)


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape of values that meet. Raises Mismatch where lengths differ."""
    rank = max(map(len, shapes), default=0)
    found: list[Expr] = [sympy.Integer(1)] * rank
    for shape in shapes:
        for k, extent in enumerate(shape, rank - len(shape)):
            if found[k] == 1:
                found[k] = extent
            elif extent != 1 and sympy.expand(found[k] - extent) != 0:
                raise Mismatch(found[k], extent)
    return tuple(found)


def same(one: Shape, other: Shape) -> bool:
    """Whether two shapes are equal for all sizes."""
    return len(one) == len(other) and all(sympy.expand(a - b) == 0 for a, b in zip(one, other, strict=True))


def widest(forms: Sequence[Form]) -> Kind:
    kinds = {form.kind for form in forms}
    order: tuple[Kind, ...] = ("real", "integer", "bool")
    return next((kind for kind in order if kind in kinds), "number")
