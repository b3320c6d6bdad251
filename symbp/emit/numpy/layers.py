"""Equal layers of a NumPy stage: the lines of any of them, how their arrays are found by the layer's number.

Enters: the lines of a stage, the arrays that stay in their places. Leaves: `AnyLayer`s, and the stage's lines
with a call for every layer in their place. Must not know: equations, how a function is put together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symbp.emit.roll_layers import (
    DIGITS,
    WORD,
    Family,
    Layers,
    LineGroup,
    common_numbers,
    layers_in,
    notes_of,
    numbered,
    numbers_of,
    range_text,
    statements_of,
    words_of,
)

MAPPINGS = ("params", "tensors", "gradients")
ASSIGNED = re.compile(r" *(?:for (\w+(?:, \w+)*) in |(\w+(?:, \w+)*) (?:[-+*/|&]?=) )")


@dataclass(frozen=True)
class Kept:
    """An array that stays in its place: what lines call it, the mapping that has it, by which key, and what
    must be equal where another takes its place."""

    name: str
    mapping: str
    key: str
    kind: object = None

    @property
    def text(self) -> str:
        """What gets it."""
        return f"{self.mapping}[{self.key}]"


@dataclass(frozen=True)
class AnyLayer:
    """The lines of any of some equal layers, for the `numbers` that these have; `arrays` are by the name
    `counter` for such a number, and have the form of `like`."""

    counter: str
    numbers: range
    arrays: tuple[Kept, ...]
    like: Mapping[str, str]
    lines: tuple[str, ...]

    @property
    def range(self) -> str:
        """The numbers in the order of the layers: `range(2, 9)`."""
        return range_text(self.numbers)


def layered(lines: Sequence[str], kept: Sequence[Kept], free: Callable[[str], str]) -> list[str | AnyLayer]:
    """The lines of a stage, equal layers as one."""
    statements, known = statements_of(lines), {array.name: array for array in kept}
    kinds = {array.name: (array.mapping, array.kind) for array in kept if array.kind is not None}
    words = words_of(lines)

    def unused(name: str) -> str:
        name = free(name)
        return name if name not in words else unused(f"{name}_")

    found: list[str | AnyLayer] = []
    done = 0
    for layers in layers_in([s.code for s in statements], kinds, unused):
        keys = [Family(tuple(known[name].key for name in family.names)) for family in layers.arrays]
        if not all(map(_steady, keys)) or _share_locals(statements, layers):
            continue
        found += [line for s in statements[done : layers.first] for line in s.lines]
        found.append(_any_layer(statements, layers, known, keys, unused("layer")))
        done = layers.stop
    return found + [line for s in statements[done:] for line in s.lines]


def _any_layer(
    statements: Sequence[LineGroup],
    layers: Layers,
    known: Mapping[str, Kept],
    keys: Sequence[Family],
    counter: str,
) -> AnyLayer:
    numbers = common_numbers(keys, layers.count)
    arrays = tuple(
        Kept(name, known[family.names[0]].mapping, numbered(key, numbers, counter))
        for (family, name), key in zip(layers.arrays.items(), keys, strict=True)
    )
    arrays = tuple(sorted(arrays, key=lambda array: MAPPINGS.index(array.mapping)))
    notes = notes_of(statements, layers)
    lines = tuple(f"{line}{next(notes)}" for item in layers.body for line in item)
    like = {name: family.names[0] for family, name in layers.arrays.items()}
    return AnyLayer(counter, numbers, arrays, like, lines)


def _steady(key: Family) -> bool:
    """Whether the keys differ in numbers only, and these rise or fall by equal steps."""
    if len({DIGITS.sub("#", text) for text in key.names}) > 1:
        return False
    columns = zip(*(numbers_of(text) for text in key.names), strict=True)
    return all(len({b - a for a, b in pairwise(c)}) == 1 for c in columns)


def _share_locals(statements: Sequence[LineGroup], layers: Layers) -> bool:
    """Whether a local name is read in another layer, or outside of them, than where it got its value."""
    at: dict[str, int] = {}
    names = {name for s in statements for line in s.code for name in _assigned(line)}
    for i, statement in enumerate(statements):
        inside = layers.first <= i < layers.stop
        place = 1 + (i - layers.first) // layers.period if inside else 0
        for line in statement.code:
            given = _assigned(line)
            read = [w for w in WORD.findall(line) if w in names and (w not in given or _both(line))]
            if any(at.get(name, place) != place for name in read):
                return True
            at.update(dict.fromkeys(given, place))
    return False


def _assigned(line: str) -> tuple[str, ...]:
    """The names to which a line gives a value."""
    found = ASSIGNED.match(line)
    return tuple((found.group(1) or found.group(2)).split(", ")) if found else ()


def _both(line: str) -> bool:
    """Whether a line reads the name to which it gives a value."""
    return re.match(r" *\w+ [-+*/|&]= ", line) is not None
