"""What is measured of a training: its steps, what is seen at some of them, and where values gave out.

Enters: nothing (types only). Leaves: frozen values. Must not know: how anything is measured or judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from symbp.ir.system import Equation

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class UpdateRecord:
    """One update, counted from 1: the loss before it and, for each parameter, the norms of its gradient, of
    itself and of its change."""

    number: int
    loss: float
    gradient: Mapping[str, float]
    weight: Mapping[str, float]
    update: Mapping[str, float]

    def ratio(self, name: str) -> float | None:
        """By how much of itself a parameter changed; None of one that is 0."""
        return self.update[name] / self.weight[name] if self.weight[name] else None


@dataclass(frozen=True)
class Bend:
    """What is seen at a place where the network bends (`symbp.verify.health.sites`), over a set of examples:
    root mean squares of what goes in and out, and of the derivative of the loss by what comes out; the shares
    of its units that pass nothing on for any example (`dead`), of entries whose slope is next to nothing
    (`flat`), and whether all units are copies of each other. `offset` is the mean of what parameters add,
    `spread` the deviation of the rest."""

    tensor: str
    is_bounded: bool
    units: int
    entering: float
    leaving: float
    adjoint: float
    dead: float
    flat: float
    copies: bool
    offset: float
    spread: float
    offsets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shares:
    """A tensor whose entries are shares of a whole, as a softmax: how many wholes are nearly one entry."""

    tensor: str
    decided: float


@dataclass(frozen=True)
class Way:
    """How the norm of a gradient changes on its way back, from the last place to the first: through a
    recurrence, where it sets out at the last step (`kind` says what the places are), or through layers."""

    kind: str
    places: tuple[str, ...]
    norms: tuple[float, ...]
    is_recurrence: bool

    @property
    def factor(self) -> float | None:
        """By how much a place multiplies it, in the mean of what can be told from 0."""
        told = [norm for norm in self.norms if norm > 0 and isfinite(norm)]
        if len(told) < 2 or not all(self.norms[: len(told)]):
            return 0.0 if len(self.norms) > 1 and self.norms[0] and not self.norms[1] else None
        return float((told[-1] / told[0]) ** (1 / (len(told) - 1)))


@dataclass(frozen=True)
class Look:
    """What is seen with the parameters after so many steps."""

    step: int
    bends: tuple[Bend, ...]
    shares: tuple[Shares, ...]
    way: Way | None


@dataclass(frozen=True)
class Broken:
    """The first tensor that isn't finite, though all that it reads is: at which step, in which equation, and
    what it reads there."""

    step: int
    tensor: str
    equation: Equation
    value: str
    place: tuple[int, ...]
    reads: tuple[str, ...]
    operation: str
    is_backward: bool


@dataclass(frozen=True)
class Course:
    """One training: its steps, the loss on the probe after some of them (0: at the start), looks, and what
    broke it off: something that isn't finite or, with `escaped`, a loss too large to go on from. `still` are
    the parameters whose gradient was 0 in all elements at each step, `chance` is the loss of a network that
    knows nothing, where that can be told, `frequent` that of one that knows how often each class occurs."""

    rate: float | None
    steps: tuple[UpdateRecord, ...]
    probes: Mapping[int, float]
    looks: tuple[Look, ...]
    broken: Broken | None
    still: tuple[str, ...]
    escaped: bool = False
    chance: float | None = None
    frequent: float | None = None
    start: Mapping[str, Array] = field(repr=False, default_factory=dict)
    end: Mapping[str, Array] = field(repr=False, default_factory=dict)

    @property
    def ended_early(self) -> bool:
        return self.broken is not None or self.escaped

    @property
    def first(self) -> float:
        """The loss on the probe at the start."""
        return self.probes[0] if self.probes else float("nan")

    @property
    def last(self) -> float:
        """The loss on the probe in the end; infinite where the training broke off."""
        if self.ended_early or not self.probes:
            return float("inf")
        return self.probes[max(self.probes)]

    @property
    def highest(self) -> float:
        """The highest loss that was seen."""
        return max([*(s.loss for s in self.steps), *self.probes.values()], default=float("nan"))

    def ratios(self, name: str) -> list[float]:
        """By how much of itself a parameter changed, step by step, where it wasn't 0."""
        return [ratio for step in self.steps if (ratio := step.ratio(name)) is not None]

    def ratio(self, name: str) -> float | None:
        """The median of these."""
        found = self.ratios(name)
        return float(np.median(found)) if found else None


@dataclass(frozen=True)
class RangeTest:
    """The loss while the learning rate rises from step to step: as measured, and smoothed. `suggested` is the
    rate at which the smoothed loss falls fastest, but well below `lowest`, at which it is lowest; `rises`
    says whether the end of the range was too much."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smooth: tuple[float, ...]
    suggested: float | None
    lowest: float | None
    rises: bool
