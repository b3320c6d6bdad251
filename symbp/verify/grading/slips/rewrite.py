"""Trees with one part changed.

Enters: a tree, what to put in the place of a part. Leaves: trees. Must not know: what a change means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from symbp.read.grammar.syntax import Tree

Change = Callable[[Tree], Iterator[Tree]]


def everywhere(tree: Tree, change: Change) -> Iterator[Tree]:
    """All trees in which one part is changed, from the whole to its smallest parts."""
    yield from change(tree)
    for part in fields(tree):
        value = getattr(tree, part.name)
        for other in _within(value, change):
            yield replace(tree, **{part.name: other})


def _within(value: Any, change: Change) -> Iterator[Any]:
    if isinstance(value, Tree):
        yield from everywhere(value, change)
    elif isinstance(value, tuple):
        for place, entry in enumerate(value):
            for other in _within(entry, change):
                yield (*value[:place], other, *value[place + 1 :])


def throughout(tree: Tree, change: Callable[[Tree], Tree | None]) -> Tree:
    """The tree with every part changed for which there is a change."""
    changed = change(tree)
    if changed is not None:
        return changed
    new = {part.name: _all(getattr(tree, part.name), change) for part in fields(tree)}
    return replace(tree, **new)


def _all(value: Any, change: Callable[[Tree], Tree | None]) -> Any:
    if isinstance(value, Tree):
        return throughout(value, change)
    if isinstance(value, tuple):
        return tuple(_all(entry, change) for entry in value)
    return value


def exchanged(tree: Tree, part: Tree, new: Tree) -> Tree:
    """The tree with another part in the place of one of its parts."""
    return throughout(tree, lambda node: new if node is part else None)
