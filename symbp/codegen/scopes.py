"""Names in trees: which are used before anything defines them.

Enters: statements, the names that they are given. Leaves: names with the statements that use them.
Must not know: targets, shapes, what the code computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symbp.codegen.tree import (
    Assign,
    Binary,
    Call,
    Comprehension,
    Define,
    For,
    If,
    Name,
    Node,
    Sequence,
    Statement,
)

Use = tuple[str, Statement]


def undefined(body: Iterable[Statement], known: Iterable[str]) -> list[Use]:
    """The names that a body uses before they are defined, each with its statement."""
    found: list[Use] = []
    _behind(body, frozenset(known), found)
    return found


def bound_by(target: Node) -> frozenset[str]:
    """The variables that an assignment to a target, or a loop over it, defines."""
    if isinstance(target, Sequence):
        return frozenset(name for item in target.items for name in bound_by(item))
    return frozenset([target.id]) if isinstance(target, Name) else frozenset()


def _behind(body: Iterable[Statement], known: frozenset[str], found: list[Use]) -> frozenset[str]:
    """What is defined behind a body."""
    for s in body:
        known = _behind_one(s, known, found)
    return known


def _behind_one(s: Statement, known: frozenset[str], found: list[Use]) -> frozenset[str]:
    if isinstance(s, Define):
        _behind(s.body, known | {a.id for a in s.arguments}, found)
        return known | {s.name}
    if isinstance(s, For):
        found += ((name, s) for name in _used(s.over, known))
        return _behind(s.body, known | _named_in(s.over) | bound_by(s.variable), found)
    if isinstance(s, If):
        found += ((name, s) for name in _used(s.condition, known))
        inside = known | _named_in(s.condition)
        return _behind(s.body, inside, found) & _behind(s.otherwise, inside, found)
    bound: frozenset[str] = frozenset()
    parts: Iterable[Node] = s.children
    if isinstance(s, Assign):
        bound = bound_by(s.target)
        parts = (s.value,) if bound and not s.op else (s.value, s.target)
    for part in parts:
        found += ((name, s) for name in _used(part, known))
        known |= _named_in(part)
    return known | bound


def _named_in(e: Node) -> frozenset[str]:
    """The names that `:=` gives within an expression."""
    given = [n.left for n in e.walk() if isinstance(n, Binary) and n.op == ":="]
    return frozenset(name for left in given for name in bound_by(left))


def _used(e: Node, known: frozenset[str]) -> Iterator[str]:
    """The names in an expression that nothing defines; a comprehension defines its own variables."""
    known |= _named_in(e)
    if isinstance(e, Comprehension):
        yield from _used(e.over, known)
        yield from _used(e.item, known | bound_by(e.variable))
        return
    word = e.id if isinstance(e, Name) else e.name if isinstance(e, Call) else ""
    first = word.partition(".")[0]
    if first and first not in known:
        yield first
    for child in e.children:
        yield from _used(child, known)
