"""What a tensor is to a reader: the name that a page gives it, and of an adjoint, which derivative it is.

Enters: names of tensors. Leaves: frozen values that go with a tensor through every stage.
Must not know: tensors themselves, how a page spells anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from symbp.ir.expr import Expr


@dataclass(frozen=True)
class Label:
    """What a page calls a tensor: a letter or a word, with a number where one goes with it (a layer's).
    `given` says that the author chose it; at inference it may stand for another tensor, `stands_for`."""

    letter: str
    number: int | None = None
    given: bool = False
    stands_for: str | None = None


@dataclass(frozen=True)
class Choices:
    """What an author wants on pages: the LaTeX of tensors by name, the letters of indices by the name of the
    size along which they run, names for a tensor's elements where a net is written out, and `constants`,
    numbers by the letter that they go by."""

    symbols: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    elements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, Expr] = field(default_factory=dict)


@dataclass(frozen=True)
class Differential:
    """What an adjoint is: ∂(Σ of)/∂by, an element for each of `by`; where `whole`, ∂ of / ∂ by, with the axes
    of `of` in front; with `along`, the sum of these times a tensor of the shape of `of`. A `part` is one of
    several summands of it."""

    of: str
    by: str
    along: str | None = None
    whole: bool = False
    part: bool = False

    def renamed(self, names: Mapping[str, str]) -> Differential:
        """The same of tensors that are called otherwise."""
        along = None if self.along is None else names.get(self.along, self.along)
        return replace(self, of=names.get(self.of, self.of), by=names.get(self.by, self.by), along=along)
