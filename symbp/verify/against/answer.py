"""What flows from running somebody's backward pass to the verdict on it.

Enters: nothing (types only). Leaves: frozen values. Must not know: how code is run, matched or repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from symbp.verify.points import Point

Array = np.ndarray[Any, Any]

Kind = Literal["value", "adjoint", "gradient"]
"""Of a tensor: one of the forward pass, the derivative of the loss by one of those, or by a parameter."""

Slip = Literal[
    "factor",
    "sign",
    "transpose",
    "missing sum",
    "sum too many",
    "mean for sum",
    "sum for mean",
    "missing slope",
    "wrong slope",
    "slope of another layer",
    "missing term",
    "term too many",
    "step in time",
    "stale value",
    "elementwise",
]
"""What went wrong, in one word or three. `wrong slope`: an activation's derivative taken at another place, or
the activation in its place; `stale value`: another tensor of the same meaning, such as the cell state before
the step; `elementwise`: a Jacobian taken for a diagonal one."""


@dataclass(frozen=True)
class Answer:
    """What code returned at one point, each array under the name that the code has for it. `kept` is what
    isn't a gradient by a parameter: values of its cache, derivatives by tensors between. `changed` are the
    arguments that it wrote to, `given` the parameters that it was given, if not all; `passed` are the names
    of what a forward function kept, before any derivative."""

    loss: float | None
    gradients: Mapping[str, Array]
    kept: Mapping[str, Array]
    changed: tuple[str, ...] = ()
    given: tuple[str, ...] | None = None
    passed: tuple[str, ...] = ()


class Backward(Protocol):
    """A backward pass that can be asked."""

    @property
    def name(self) -> str:
        """What a report calls it, such as `mine.py:loss_and_gradients`."""
        ...

    @property
    def dtype(self) -> Any:
        """The floating point numbers in which it computes."""
        ...

    def at(self, point: Point) -> Answer:
        """What it answers at a point; the arrays that it is given are copies of its own."""
        ...


@dataclass(frozen=True)
class Seen:
    """One tensor at one point: what it is and what was answered, arrays of any shapes."""

    point: Point
    right: Array
    answered: Array


@dataclass(frozen=True)
class Compared:
    """One tensor of the derivation's system at several points of pairwise different sizes; `theirs` is its
    name in the code, `by` the tensor of the forward pass that the loss is differentiated by, if any."""

    tensor: str
    theirs: str
    kind: Kind
    seen: tuple[Seen, ...]
    by: str = ""


@dataclass(frozen=True)
class Repair:
    """The simplest change that makes an answer right at every point: what kind of slip it undoes, a sentence
    for the author of the code, and how much it takes (the fewer, the simpler). `explains` are other tensors
    that are what was answered once it is undone."""

    slip: Slip
    hint: str
    effort: int
    explains: frozenset[str] = frozenset()
