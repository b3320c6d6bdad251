"""A foreign graph: what comes in, what it holds, its steps in order, what goes out.

Enters: nothing (types only). Leaves: `Graph`. Must not know: whose graph it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["parameter", "buffer", "constant"]
Numbers = Literal["real", "integer", "boolean"]


@dataclass(frozen=True)
class Ref:
    """The value of that name, as an argument of a step."""

    name: str


@dataclass(frozen=True)
class Incoming:
    """Data that come in; an extent is a number or the name of an open size."""

    name: str
    shape: tuple[int | str, ...]
    numbers: Numbers = "real"


@dataclass(frozen=True, eq=False)
class Held:
    """An array that the model holds."""

    name: str
    array: Any
    kind: Kind = "constant"


@dataclass(frozen=True)
class Step:
    """One operation. `arguments` have numbers (operands by their place) or names as keys, and `Ref`s, also in
    lists, where they are values; `defaults` are what isn't given. `where` is how a message calls the step."""

    op: str
    arguments: Mapping[str | int, Any]
    results: tuple[str, ...]
    where: str
    version: int = 0
    defaults: Mapping[str | int, Any] = field(default_factory=dict)

    @property
    def reads(self) -> tuple[str, ...]:
        """The values that it reads, by name."""
        return tuple(_refs(self.arguments.values()))


@dataclass(frozen=True)
class Graph:
    """`outputs` are values by the names under which they go out; `origin` says where the graph is from."""

    name: str
    inputs: tuple[Incoming, ...]
    held: Mapping[str, Held]
    steps: tuple[Step, ...]
    outputs: Mapping[str, str]
    origin: str = ""

    def live(self) -> tuple[Step, ...]:
        """The steps on which an output rests, in order."""
        wanted, found = set(self.outputs.values()), []
        for step in reversed(self.steps):
            if wanted & set(step.results):
                found.append(step)
                wanted |= set(step.reads)
        return tuple(reversed(found))


def _refs(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, Ref):
            yield value.name
        elif isinstance(value, (list, tuple)):
            yield from _refs(value)
