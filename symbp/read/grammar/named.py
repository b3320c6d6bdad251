"""Names of places along an axis, read as the numbers that they are: `a[n,t,f,m]` with the gate f.

Enters: a tree, the names along some axes of tensors. Leaves: the tree with numbers for them. Must not know:
where names come from.

The place decides: f is a tensor, too, and stands for a gate only as a subscript of a tensor with such an
axis, or beside an index along one, `[l = f]`. In matrix notation subscripts don't say at which axis they
stand; there a name counts wherever the tensor has an axis with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, TypeVar

from symbp.read.grammar.syntax import Equation, Name, Number, Read, Relation, Subscripted, Tree

Places = Mapping[tuple[str, int] | str, Mapping[str, int]]  # the number of each name, by axis or index

T = TypeVar("T", bound=Tree)


def numbered(tree: T, places: Places) -> T:
    """The tree with a number for each name of a place."""
    if not places:
        return tree
    changed = {part.name: _within(getattr(tree, part.name), places) for part in fields(tree)}
    found = replace(tree, **changed)
    match found:
        case (
            Equation(target=tensor, subscripts=subscripts)
            | Read(tensor=Name(name=tensor), subscripts=subscripts)
        ):
            at = tuple(_number(s, places.get((tensor, k), {})) for k, s in enumerate(subscripts))
            return replace(found, subscripts=at)
        case Subscripted(tensor=Name(name=tensor), subscripts=subscripts):
            own = [known for key, known in places.items() if isinstance(key, tuple) and key[0] == tensor]
            every = {name: k for known in own for name, k in known.items()}
            return replace(found, subscripts=tuple(s and _number(s, every) for s in subscripts))
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
