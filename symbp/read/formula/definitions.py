"""What a formula defines on the way: named tensors that later lines read.

Enters: definitions as syntax trees, and the walk that gives trees a meaning. Leaves: values that make their
tensor once and call it by its name. Must not know: how text is split into definitions, derivatives.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from symbp.ir.expr import Index
from symbp.language.notation import formula
from symbp.language.tensor import Tensor
from symbp.read.formula.extents import Extent, Open
from symbp.read.formula.lines import Definition, Lines
from symbp.read.formula.meaning import Meaning
from symbp.read.formula.ranks import Uses, uses
from symbp.read.formula.values import Make, Scene, Value, element_of, tensor_of
from symbp.read.grammar.places import error_at
from symbp.read.grammar.syntax import Tree


def defined(meaning: Meaning, definition: Definition) -> Value:
    """The value of a definition. Raises FormulaError, which points at the place."""
    scene = meaning.scene
    if not definition.indices:
        return called(scene, definition.body, definition.name, meaning.value(definition.body, {}))
    own: dict[str, Extent] = {i: Open() for i in definition.indices}
    body = meaning.value(definition.body, own)
    if body.rank:
        raise scene.error(
            definition.body,
            f"{definition.name}[{','.join(own)}] is an element, and this has the shape {scene.shown(body)}",
            "subscript it, as in x[n,i]; or define it whole, without indices",
        )

    def make() -> Any:
        ranges = {Index(i): scene.size(extent) for i, extent in own.items()}
        return formula([*ranges], element_of(body.make()), rule="definition", ranges=ranges)

    whole = Value(tuple(own.values()), scene.made(definition.body, make))
    return called(scene, definition.body, definition.name, whole)


def called(scene: Scene, node: Tree, name: str, value: Value) -> Value:
    """The value, its tensor made once and called so. A name for what has one already is a tensor of its
    own, and a number stays a number."""
    return replace(value, make=scene.made(node, _Once(name, value.make)), scaled=None)


class _Once:
    """A maker that makes one tensor, however often it is asked."""

    def __init__(self, name: str, make: Make) -> None:
        self.name, self.make = name, make
        self.made: Any = None

    def __call__(self) -> Any:
        if self.made is None:
            found = self.make()
            if isinstance(found, Tensor):
                found = (_copy(found) if found.is_leaf or found.alias else found).named(self.name)
            self.made = found
        return self.made


def _copy(tensor: Tensor) -> Tensor:
    indices = [Index(f"i{k}") for k in range(len(tensor.shape))]
    ranges = dict(zip(indices, tensor.shape, strict=True))
    return formula(indices, tensor_of(tensor).at(*indices), rule="definition", ranges=ranges)


def lines_uses(text: str, lines: Lines, taken: Collection[str]) -> dict[str, Uses]:
    """The names that are given, in the order in which they first stand, and how each is used. Raises
    FormulaError: a name that is defined twice, behind where it is read, or although it is given or a size."""
    found: dict[str, Uses] = {}
    before: set[str] = set()
    for definition in lines.definitions:
        uses(definition.body, frozenset(definition.indices), found)
        _check(text, definition, taken, before, found)
        before.add(definition.name)
    uses(lines.last, frozenset(), found)
    if lines.named is not None:
        _check(text, lines.named, taken, before, found)
    return {name: use for name, use in found.items() if name not in before}


def _check(
    text: str, definition: Definition, taken: Collection[str], before: set[str], found: dict[str, Uses]
) -> None:
    name, place = definition.name, (definition.span[0], definition.span[0] + len(definition.name))
    if name in before:
        raise error_at(text, place, f"{name} is defined already", help="give one of them another name")
    if name in taken:
        raise error_at(text, place, f"{name} has a shape, so it is given, and is defined here")
    if name in found:
        where = found[name].places[0].span
        raise error_at(text, where, f"{name} is read before it is defined", help="define it first")
