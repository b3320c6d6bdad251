"""What a part of a formula is: its shape, the indices that are free in it, and how to make its tensor.

Enters: shapes and makers. Leaves: frozen `Value`s; `Scene`, what all parts of one formula share.
Must not know: syntax trees beyond their places.

A formula is walked once for shapes; tensors are made when all extents are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from symbp.errors import DeclarationError, FormulaError
from symbp.language.notation import formula
from symbp.language.sizes import as_size, dim
from symbp.language.tensor import Tensor
from symbp.read.formula.extents import Extents, Open, Shape
from symbp.read.grammar.places import error_at
from symbp.read.grammar.syntax import Tree

Make = Callable[[], Any]  # a Tensor, an exact number, a size, or an element in index notation


@dataclass(frozen=True)
class Value:
    """A part of a formula. `row`: a transposed vector, which multiplies from the left; `free`: the indices of
    an element in index notation; `scaled`: the tensor and the scalar that it is a product or quotient of."""

    shape: Shape
    make: Make
    row: bool = False
    free: frozenset[str] = frozenset()
    scaled: tuple[str, Value, Value] | None = None

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)


@dataclass
class Scene:
    """The formula, the shapes of its names, the extents as far as they are known, the tensors once they are
    declared, what is defined on the way, and what is to be looked at again when all extents are known."""

    text: str
    shapes: Mapping[str, Shape]
    sizes: frozenset[str] = frozenset()
    extents: Extents = field(default_factory=Extents)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    defined: dict[str, Value] = field(default_factory=dict)
    doubts: list[tuple[Tree, Value, Value]] = field(default_factory=list)
    named: dict[Open, str] = field(default_factory=dict)
    anonymous: dict[int, Any] = field(default_factory=dict)

    def error(self, node: Tree, what: str, help: str | None = None) -> FormulaError:
        """The error that points at a part."""
        return error_at(self.text, node.span, what, help=help)

    def shown(self, value: Value) -> str:
        """The shape of a value in words."""
        return self.extents.shown(value.shape)

    def size(self, extent: Any) -> Any:
        """An extent as a size of the language. Raises FormulaError if it is still open."""
        found = self.extents.find(extent)
        if isinstance(found, Open):
            if found not in self.named:
                raise FormulaError(
                    "nothing says how long an axis of the formula is", help="pass --shapes, as in X:N,D w:D"
                )
            return dim(self.named[found])
        if isinstance(found, str):
            return dim(found)
        return self.anonymous.setdefault(found, as_size(found))

    def made(self, node: Tree, make: Make) -> Make:
        """A maker whose errors point at the part."""

        def checked() -> Any:
            try:
                return make()
            except DeclarationError as error:
                raise error_at(self.text, node.span, error.what, help=error.help) from None

        return checked


def tensor_of(made: Any) -> Tensor:
    """A number or an element without free indices as a tensor; a tensor as it is."""
    return made if isinstance(made, Tensor) else formula([], sympy.sympify(made), rule="definition")


def element_of(made: Any) -> Any:
    """A scalar tensor as its element, for index notation."""
    return made.at() if isinstance(made, Tensor) else made
