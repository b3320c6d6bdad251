"""Names of places along an axis, read as the numbers that they are: `a[n,t,f,m]` with the gate f.

Enters: a tree, the names of places along axes of tensors. Leaves: the tree with numbers for them. Must not
know: where names come from.

The place decides: f is a tensor, too, and stands for a gate only as a subscript of a tensor with such an
axis, or beside an index along one, `[l = f]`. At which axis doesn't matter: a tensor that isn't made of
integers is no subscript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, TypeVar

from symbp.read.grammar.syntax import Equation, Name, Number, Read, Relation, Subscripted, Tree

Places = Mapping[str, Mapping[str, int]]  # the number of each name, by tensor and by index

T = TypeVar("T", bound=Tree)


def numbered(tree: T, places: Places) -> T:
    """The tree with a number for each name of a place."""
    if not places:
        return tree
    changed = {part.name: _within(getattr(tree, part.name), places) for part in fields(tree)}
    found = replace(tree, **changed)
    match found:
        case Equation(target=tensor) | Read(tensor=Name(name=tensor)) | Subscripted(tensor=Name(name=tensor)):
            known = places.get(tensor, {})
            at: tuple[Any, ...] = tuple(s and _number(s, known) for s in found.subscripts)
            return replace(found, subscripts=at)
        case Relation(left=Name(name=index), right=right) if index in places:
            return replace(found, right=_number(right, places[index]))
        case _:
            return found


def _number(subscript: Tree, known: Mapping[str, int]) -> Tree:
    if isinstance(subscript, Name) and subscript.name in known:
        return Number(subscript.span, Fraction(known[subscript.name]))
    return subscript


def _within(value: Any, places: Places) -> Any:
    if isinstance(value, Tree):
        return numbered(value, places)
    return tuple(_within(part, places) for part in value) if isinstance(value, tuple) else value
