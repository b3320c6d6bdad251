"""The entries of dictionaries in generated code; those of equal layers once, for each layer's number.

Enters: names and their values. Leaves: lines. Must not know: what the values are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from symbp.codegen import infer
from symbp.codegen.function import names_in
from symbp.codegen.printer import text
from symbp.codegen.roll_layers import Family, Layers, affine, common_numbers, layers_in, numbered, range_of
from symbp.codegen.tree import Assign, Constant, Expression, Laid, Name

LEAST = 8  # entries that a comprehension must save


@dataclass(frozen=True)
class Entry:
    """A name, its value, and the comment above, if there is one."""

    name: str
    value: Expression
    comment: str = ""

    @property
    def lines(self) -> Iterator[str]:
        """`"W1": np.zeros(3),`"""
        yield from (f"# {line}" for line in wrap(self.comment, 98))
        yield f'"{self.name}": {text(self.value)},'


def table_of(entries: Sequence[Entry]) -> Laid:
    """`return {…}` with the entries."""
    lines = [f"    {line}" for line in entry_lines(entries)]
    return Laid(("return {", *lines, "}"), tuple(entry.value for entry in entries))


def entry_lines(entries: Sequence[Entry]) -> list[str]:
    """The lines of a dictionary's entries, in their order; where names and the integers in values rise from
    layer to layer by equal steps, one comprehension over the layers."""
    items = [(_masked(entry),) for entry in entries]
    words = names_in(entry.value for entry in entries)
    numbers = {n.id for (item,) in items for n in item.value.walk() if isinstance(n, Name)} - words
    differing = dict.fromkeys((*numbers, *(e.name for e in entries)), 0)
    found: list[str] = []
    done = 0
    for layers in layers_in(items, differing, lambda name: name):
        if (layers.count - 1) * layers.period >= LEAST:
            found += [line for entry in entries[done : layers.first] for line in entry.lines]
            found += _comprehension(entries, layers, words)
            done = layers.stop
    return found + [line for entry in entries[done:] for line in entry.lines]


def _masked(entry: Entry) -> Assign:
    """An entry with its integers as names, so that their numbers may differ."""

    def masked(node: Any) -> Any:
        if isinstance(node, Constant) and node.text.isdigit():
            return infer.name(f"int_{node.text}")
        return node.rebuilt(masked)

    value = infer.tuple_of(masked(entry.value), infer.quoted("comment" if entry.comment else ""))
    return Assign(infer.name(entry.name), value)


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
    yield f"    for {layer} in {text(range_of(numbers))}"
    yield f"    for {name}, {value} in ("
    for row, key, values in zip(rows, keys, columns, strict=True):
        if row[1].comment:
            yield f"        # {row[1].comment}"
        yield f"        ({numbered(key, numbers, layer)}, {_value(values, numbers, layer)}),"
    yield "    )"
    yield "},"


def _integers(values: Sequence[Expression]) -> Iterator[tuple[int, int]]:
    """The integers in the first layer's value, beside those in the second's."""
    first, second = (
        [int(n.text) for n in value.walk() if isinstance(n, Constant) and n.text.isdigit()]
        for value in values[:2]
    )
    return zip(first, second, strict=True)


def _value(values: Sequence[Expression], numbers: range, layer: str) -> str:
    """The value for any layer: `(32 * layer - 32) * N`."""
    pairs = _integers(values)

    def any_layer(node: Any) -> Any:
        if not isinstance(node, Constant) or not node.text.isdigit():
            return node.rebuilt(any_layer)
        a, b = next(pairs)
        weight = (b - a) // numbers.step
        return node if a == b else affine(weight, a - weight * numbers.start, layer)

    return text(any_layer(values[0]))
