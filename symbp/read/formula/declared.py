"""What `--shapes` says: the axes of each name, and what is known of its values.

Enters: text such as `X:N,D w:D A:N,N:symmetric y:N:below=K lam:`. Leaves: one `Declared` for each name.
Must not know: the formula.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbp.errors import FormulaError, choose
from symbp.language.leaves import KINDS
from symbp.language.naming.allowed import problem
from symbp.read.grammar.places import Span, error_at
from symbp.read.grammar.tokens import GREEK, LONGEST, SUBSCRIPTS

Shapes = str | Mapping[str, str | Sequence[str | int]]
MOST_AXES = 8
FORM = "write NAME:EXTENT,EXTENT, as in X:N,D w:D lam: (nothing behind the colon: a scalar)"

# One entry; spaces may stand around its colons and commas, unless what follows is an entry of its own.
_FACTS = "|".join(re.escape(kind).replace(r"\ ", "[-_]") for kind in KINDS)
_NEXT = rf"(?!\s+\w+\s*:(?!\s*(?:below=|{_FACTS})))"
ENTRY = re.compile(rf"[^\s;:,]+(?:\s*[:,]{_NEXT}\s*[^\s;:,]*|[:,])*|[^\s;]+")


@dataclass(frozen=True)
class Declared:
    """A name with its extents (names or integers) and facts; `below`: integers under that size."""

    name: str
    extents: tuple[str | int, ...]
    facts: tuple[str, ...] = ()
    below: str | int | None = None


def declared(shapes: Shapes | None) -> dict[str, Declared]:
    """The names of `--shapes`, by name. Raises FormulaError: another form, a name twice, an unknown fact."""
    text = shapes if isinstance(shapes, str) else _text(shapes or {})
    if len(text) > LONGEST:
        raise FormulaError(f"the shapes have {len(text)} characters, more than {LONGEST}")
    found: dict[str, Declared] = {}
    entries(text, (0, len(text)), found)
    return found


def entries(text: str, within: Span, found: dict[str, Declared]) -> None:
    """Adds the names that a part of a text declares. Raises FormulaError: another form, a name twice or of a
    size, an unknown fact."""
    for word in ENTRY.finditer(text, *within):
        entry = _entry(text, word.span())
        if entry.name in found:
            raise error_at(text, word.span(), f"{entry.name} has a shape already")
        found[entry.name] = entry
        sizes = {e for entry in found.values() for e in (*entry.extents, entry.below) if isinstance(e, str)}
        both = sorted(sizes & set(found))
        if both:
            what = f"{both[0]} is both a size and a tensor"
            raise error_at(text, word.span(), what, help="give one of them another name")


def plain_name(name: str) -> str:
    """A name as the grammar reads it: Greek letters written out."""
    name = name.strip()
    whole = GREEK.get(name)
    return whole or (GREEK.get(name[:1], name[:1]) + name[1:].translate(SUBSCRIPTS))


def _text(shapes: Mapping[str, str | Sequence[str | int]]) -> str:
    words = [
        f"{name}:{shape if isinstance(shape, str) else ','.join(map(str, shape))}"
        for name, shape in shapes.items()
    ]
    return " ".join(words)


def _entry(text: str, span: Span) -> Declared:
    parts = re.sub(r"\s+", "", text[span[0] : span[1]]).split(":")
    if len(parts) not in (2, 3):
        raise error_at(text, span, "this is no shape", help=FORM)
    name = plain_name(parts[0])
    why = problem(name)
    if why is not None:
        raise error_at(text, span, f"{parts[0]!r} can't be a name: {why}", help=FORM)
    extents = tuple(_extent(text, span, word) for word in parts[1].split(",") if parts[1])
    if len(extents) > MOST_AXES:
        raise error_at(text, span, f"{name} has {len(extents)} axes, more than {MOST_AXES}")
    facts, below = [], None
    for fact in parts[2].split(",") if len(parts) == 3 and parts[2] else ():
        if fact.startswith("below="):
            below = _extent(text, span, fact.removeprefix("below="))
        else:
            facts.append(_fact(text, span, fact))
    return Declared(name, extents, tuple(facts), below)


def _extent(text: str, span: Span, word: str) -> str | int:
    if re.fullmatch("[0-9]{1,9}", word) and int(word) > 0:
        return int(word)
    if problem(word) is not None:
        raise error_at(text, span, f"{word!r} is no extent: it is a name or a positive integer", help=FORM)
    return word


def _fact(text: str, span: Span, word: str) -> str:
    known = {kind.replace(" ", "-"): kind for kind in KINDS}
    fact = known.get(word.replace("_", "-").lower())
    if fact is None:
        help = choose(word, [*known, "below=SIZE"], "known")
        raise error_at(text, span, f"{word!r} is no fact that is known", help=help)
    return fact
