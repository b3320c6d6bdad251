"""How a layer's parameter lies in the memory of other libraries, told by the layer itself.

Enters: nothing (types only). Leaves: `Module`, `Layout`. Must not know: layers, files, other libraries.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbp.language.node import Node

_calls = itertools.count(1)  # tells which call of a layer was first; no number is ever shown


@dataclass(frozen=True, eq=False)
class Module:
    """What one call of a layer is elsewhere: `kind` is the class in torch.nn, `name` the layer's own name.
    `counters` are integers that are kept there and mean nothing here; `number` counts calls, so that they
    have an order."""

    kind: str
    name: str | None = None
    counters: tuple[str, ...] = ()
    number: int = field(default_factory=_calls.__next__)


@dataclass(frozen=True)
class Layout:
    """The array `key` of a module. `axes` has an entry for each of its axes: our axes that are laid out along
    it, row by row. Several parameters may be `part`s of one array, one behind the other along its first axis;
    `also` is a second array that is added to it. Of a block that is `repeated`, our first axis is the layer,
    and each layer has such an array of its own; equal blocks have one `repeated`."""

    module: Module
    key: str
    axes: tuple[tuple[int, ...], ...]
    part: int = 0
    also: str = ""
    repeated: object = None

    def of_layers(self, repeated: object) -> Layout | None:
        """The layout when the block is repeated; None where it is already."""
        if self.repeated is not None:
            return None
        axes = ((0,), *(tuple(axis + 1 for axis in group) for group in self.axes))
        return replace(self, axes=axes, repeated=repeated)


def alike(module: Module, key: str, rank: int = 1) -> Layout:
    """The layout of an array that is the same there."""
    return Layout(module, key, tuple((k,) for k in range(rank)))


def layouts_of(leaves: Iterable[Node], names: Mapping[int, str]) -> dict[str, Layout]:
    """The layouts of tensors by their names, in the order of declaration."""
    return {names[leaf.serial]: leaf.layout for leaf in leaves if leaf.layout is not None}
