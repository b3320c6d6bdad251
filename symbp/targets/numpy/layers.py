"""Equal layers of a NumPy stage: the code of any of them, how their arrays are found by the layer's number.

Enters: the statements of a stage, the arrays that stay in their places. Leaves: `AnyLayer`s, and the stage's
statements with one in the place of its layers. Must not know: equations, how a function is put together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symbp.codegen import infer
from symbp.codegen.function import names_in
from symbp.codegen.roll_layers import (
    Family,
    Item,
    Layers,
    common_numbers,
    layers_in,
    numbered,
    numbered_layers,
    numbers_of,
    range_of,
    statements_of,
    without_numbers,
)
from symbp.codegen.tree import Assign, Constant, Expression, For, Name, Statement
from symbp.codegen.tree import Sequence as Sequence_

MAPPINGS = ("params", "tensors", "gradients")


@dataclass(frozen=True)
class Kept:
    """An array that stays in its place: what code calls it, the mapping that has it, by which key, and what
    must be equal where another takes its place."""

    name: str
    mapping: str
    key: str
    kind: object = None

    @property
    def node(self) -> Expression:
        """What gets it: `params["W1"]`."""
        key = Constant((), "object", self.key)
        return infer.sliced(infer.word(self.mapping), [key], ())


@dataclass(frozen=True)
class AnyLayer:
    """The code of any of some equal layers, for the `numbers` that these have; `arrays` are by the name
    `counter` for such a number, and have the form of `like`."""

    counter: str
    numbers: range
    arrays: tuple[Kept, ...]
    like: Mapping[str, str]
    body: tuple[Statement, ...]

    @property
    def range(self) -> Expression:
        """The numbers in the order of the layers: `range(2, 9)`."""
        return range_of(self.numbers)


def layered(
    code: Sequence[Statement], kept: Sequence[Kept], free: Callable[[str], str]
) -> list[Statement | AnyLayer]:
    """The code of a stage, equal layers as one."""
    items, known = statements_of(code), {array.name: array for array in kept}
    kinds = {array.name: (array.mapping, array.kind) for array in kept if array.kind is not None}
    words = names_in(code)

    def unused(name: str) -> str:
        name = free(name)
        return name if name not in words else unused(f"{name}_")

    found: list[Statement | AnyLayer] = []
    done = 0
    for layers in layers_in(items, kinds, unused):
        keys = [Family(tuple(known[name].key for name in family.names)) for family in layers.arrays]
        if not all(map(_steady, keys)) or _share_locals(items, layers):
            continue
        found += [s for item in items[done : layers.first] for s in item]
        found.append(_any_layer(items, layers, known, keys, unused("layer")))
        done = layers.stop
    return found + [s for item in items[done:] for s in item]


def _any_layer(
    items: Sequence[Item],
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
    like = {name: family.names[0] for family, name in layers.arrays.items()}
    return AnyLayer(counter, numbers, arrays, like, tuple(numbered_layers(items, layers)))


def _steady(key: Family) -> bool:
    """Whether the keys differ in numbers only, and these rise or fall by equal steps."""
    if len(set(map(without_numbers, key.names))) > 1:
        return False
    columns = zip(*(numbers_of(text) for text in key.names), strict=True)
    return all(len({b - a for a, b in pairwise(c)}) == 1 for c in columns)


def _share_locals(items: Sequence[Item], layers: Layers) -> bool:
    """Whether a local name is read in another layer, or outside of them, than where it got its value."""
    at: dict[str, int] = {}
    parts = [(k, s) for k, item in enumerate(items) for s in _in_order(item)]
    names = {name for _, s in parts for name in _given(s)}
    for k, s in parts:
        inside = layers.first <= k < layers.stop
        place = 1 + (k - layers.first) // layers.period if inside else 0
        given = _given(s)
        both = isinstance(s, Assign) and s.op != ""
        read = [w for w in names_in(_head(s)) if w in names and (w not in given or both)]
        if any(at.get(name, place) != place for name in read):
            return True
        at.update(dict.fromkeys(given, place))
    return False


def _in_order(statements: Sequence[Statement]) -> list[Statement]:
    """Statements with those within them, in the order of their lines."""
    return [node for s in statements for node in s.walk() if isinstance(node, Statement)]


def _head(s: Statement) -> list[Expression]:
    """The expressions of a statement itself."""
    return [child for child in s.children if isinstance(child, Expression)]


def _given(s: Statement) -> tuple[str, ...]:
    """The names to which a statement itself gives a value."""
    target = s.variable if isinstance(s, For) else s.target if isinstance(s, Assign) else None
    given = target.items if isinstance(target, Sequence_) else (target,)
    return tuple(item.id for item in given if isinstance(item, Name))
