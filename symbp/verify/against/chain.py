"""One step of the chain rule at a time, with answers in place of what is right.

Enters: sources, a point, answers. Leaves: what an equation makes of these answers.
Must not know: which of them are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symbp.ir.evaluation.vector import Run
from symbp.verify.points import Point

if TYPE_CHECKING:
    from symbp.verify.against.reference import Reference

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Chain:
    """A point at which tensors are as `answered`; what else is needed follows from these."""

    reference: Reference
    point: Point
    answered: Mapping[str, Array]
    _runs: dict[int, Run] = field(default_factory=dict)

    def steps(self, tensor: str) -> Iterator[Array]:
        """What the equation of each source makes of a tensor, where others, and its own other steps, are as
        answered."""
        for source in self.reference.ranked(tensor):
            own = source.called[tensor]
            if own not in source.system.defining:
                continue
            if id(source) not in self._runs:
                given = {source.called[t]: a for t, a in self.answered.items() if t in source.called}
                system = self.reference.without(source, frozenset(given))
                self._runs[id(source)] = Run(system, {**self.point.values, **given}, self.point.sizes)
            yield self._runs[id(source)].value(source.system.defining[own])
