"""The extents of axes while a formula is being understood: known ones, and open ones that must agree.

Enters: extents. Leaves: which of them are one. Must not know: formulas, tensors.
"""

from __future__ import annotations

from collections.abc import Sequence


class Open:
    """An extent of which nothing is known yet."""


Extent = int | str | Open
Shape = tuple[Extent, ...]


class Extents:
    """Joins extents that must agree. A number or a name is never two things at once."""

    def __init__(self) -> None:
        self._standing: dict[Open, Extent] = {}

    def find(self, extent: Extent) -> Extent:
        """What the extent is known to be, or the open one that stands for all that equal it."""
        while isinstance(extent, Open) and extent in self._standing:
            extent = self._standing[extent]
        return extent

    def same(self, one: Extent, other: Extent) -> bool:
        """Whether they are known to agree."""
        return self.find(one) == self.find(other)

    def fits(self, one: Extent, other: Extent) -> bool:
        """Whether they agree, or may."""
        one, other = self.find(one), self.find(other)
        return one == other or isinstance(one, Open) or isinstance(other, Open)

    def join(self, one: Extent, other: Extent) -> bool:
        """Makes them one; False if they can't be."""
        one, other = self.find(one), self.find(other)
        if one != other and isinstance(one, Open):
            self._standing[one] = other
        elif one != other and isinstance(other, Open):
            self._standing[other] = one
        return self.find(one) == self.find(other)

    def alike(self, one: Sequence[Extent], other: Sequence[Extent]) -> bool:
        """Whether two shapes are known to be the same."""
        return len(one) == len(other) and all(map(self.same, one, other))

    def shown(self, shape: Sequence[Extent]) -> str:
        """A shape for a message; open extents are `?`."""
        words = ["?" if isinstance(e := self.find(extent), Open) else str(e) for extent in shape]
        return f"({', '.join(words)})" if words else "a scalar"
