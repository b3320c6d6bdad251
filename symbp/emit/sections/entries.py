"""The entries of dictionaries in generated code; those of equal layers once, for each layer's number.

Enters: names and the text of their values. Leaves: lines. Must not know: what the values are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from symbp.emit.roll_layers import (
    WORD,
    Family,
    Layers,
    affine,
    common_numbers,
    layers_in,
    numbered,
    range_text,
)

INTEGER = re.compile(r"(?<![\w.])\d+(?![\w.])")
LEAST = 8  # entries that a comprehension must save


@dataclass(frozen=True)
class Entry:
    """A name, the text of its value, and the line of comment above, if there is one."""

    name: str
    value: str
    comment: str = ""

    @property
    def lines(self) -> Iterator[str]:
        """`"W1": np.zeros(3),`"""
        if self.comment:
            yield f"# {self.comment}"
        yield f'"{self.name}": {self.value},'


def entry_lines(entries: Sequence[Entry]) -> list[str]:
    """The lines of a dictionary's entries, in their order; where names and the integers in values rise from
    layer to layer by equal steps, one comprehension over the layers."""
    items = [(_masked(entry),) for entry in entries]
    words = {word for (line,) in items for word in WORD.findall(line)}
    differing = {word: 0 for word in words if word.startswith("int_")} | {e.name: 0 for e in entries}
    found: list[str] = []
    done = 0
    for layers in layers_in(items, differing, lambda name: name):
        if (layers.count - 1) * layers.period >= LEAST:
            found += [line for entry in entries[done : layers.first] for line in entry.lines]
            found += _comprehension(entries, layers, words)
            done = layers.stop
    return found + [line for entry in entries[done:] for line in entry.lines]


def _masked(entry: Entry) -> str:
    """An entry with its integers as words, so that their numbers may differ."""
    value = INTEGER.sub(lambda number: f"int_{number.group()}", entry.value)
    return f"{entry.name} {value} {entry.comment and 'comment'}"


def _comprehension(entries: Sequence[Entry], layers: Layers, words: Collection[str]) -> Iterator[str]:
    rows = [entries[layers.first + j : layers.stop : layers.period] for j in range(layers.period)]
    keys = [Family(tuple(f'"{entry.name}"' for entry in row)) for row in rows]
    columns = [[e.value for e in row] for row in rows]
    numbers = common_numbers(keys, layers.count)
    if any((b - a) % numbers.step for values in columns for a, b in _integers(values)):
        numbers = range(layers.count)
    layer, name, value = (f"{word}_" if word in words else word for word in ("layer", "name", "value"))
    yield "**{"
    yield f"    {name}: {value}"
    yield f"    for {layer} in {range_text(numbers)}"
    yield f"    for {name}, {value} in ("
    for row, key, values in zip(rows, keys, columns, strict=True):
        if row[1].comment:
            yield f"        # {row[1].comment}"
        yield f"        ({numbered(key, numbers, layer)}, {_value(values, numbers, layer)}),"
    yield "    )"
    yield "},"


def _integers(values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The integers in the first layer's value, beside those in the second's."""
    first, second = (map(int, INTEGER.findall(value)) for value in values[:2])
    return zip(first, second, strict=True)


def _value(values: Sequence[str], numbers: range, layer: str) -> str:
    """The value for any layer: `(32 * layer - 32) * N`."""
    pairs = _integers(values)

    def any_layer(found: re.Match[str]) -> str:
        a, b = next(pairs)
        if a == b:
            return found.group()
        weight = (b - a) // numbers.step
        text = affine(weight, a - weight * numbers.start, layer)
        return f"({text})" if " + " in text or " - " in text else text

    return INTEGER.sub(any_layer, values[0])
