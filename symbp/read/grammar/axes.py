"""Which axes of a tensor the subscripts stand at, where only some axes have one: `h_{t-1}` of h[n,t,m].

Enters: of each subscript the lengths that its indices run over and the sizes in it; the lengths of a tensor's
axes; all as text. Leaves: positions of axes. Must not know: expressions, tensors, or who asks.

The printer asks whether a reader would find the right axes, and shows the others as `:` if not; the evaluator
asks as a reader. Both have this one rule: an index stands at an axis as long as it runs, a size minus
something at an axis of that size, a number at an axis whose length is a number, else at any; subscripts stand
in the order of the axes, as far to the left as that allows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Subscript:
    """`lengths` of what its indices run over, and its `sizes`; a number has neither."""

    lengths: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()

    def fits(self, length: str) -> bool:
        """Whether it can stand at an axis of that length."""
        if self.lengths:
            return length in self.lengths
        return not self.sizes or bool(self.sizes & set(WORD.findall(length)))

    @property
    def is_number(self) -> bool:
        return not self.lengths and not self.sizes


def standing(subscripts: Sequence[Subscript], axes: Sequence[str]) -> tuple[int, ...] | None:
    """The axes at which the subscripts stand, or None if they can't."""

    def numbers_elsewhere(places: tuple[int, ...]) -> int:
        pairs = zip(subscripts, places, strict=True)
        return sum(s.is_number and not axes[k].isdigit() for s, k in pairs)

    found = [
        places
        for places in combinations(range(len(axes)), len(subscripts))
        if all(s.fits(axes[k]) for s, k in zip(subscripts, places, strict=True))
    ]
    return min(found, key=lambda places: (numbers_elsewhere(places), places), default=None)
