"""Errors that point into a formula.

Enters: a formula, a place in it, what is wrong. Leaves: a `FormulaError` whose message shows the line with a
caret under the place. Must not know: the grammar.
"""

from __future__ import annotations

import unicodedata

from symbp.errors import FormulaError

AROUND = 50  # characters shown on either side of the place; the rest of a long formula is left out
Span = tuple[int, int]


def error_at(text: str, span: Span, what: str, *, help: str | None = None) -> FormulaError:
    """The error at `text[start:stop]`; a place behind the end is shown there."""
    start, stop = min(span[0], len(text)), min(max(span), len(text))
    stop = min(stop, start + AROUND)  # of a long part the beginning is enough
    begin, end = _line(text, start)
    stop = max(start, min(stop, end))
    first, last = max(begin, start - AROUND), min(end, max(stop, start + 1) + AROUND)
    before = ("…" if first > begin else "") + _plain(text[first:start])
    shown = before + _plain(text[start:last]) + ("…" if last < end else "")
    carets = "^" * max(1, min(_width(text[start:stop]), last - start))
    return FormulaError(what, details=(shown, " " * _width(before) + carets), help=help)


def _line(text: str, place: int) -> Span:
    """The line of a text in which a place is, or at whose end."""
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, len(text) if end < 0 else end


def _plain(text: str) -> str:
    """The text on one line; what has no shape of its own would move the caret."""
    return "".join(" " if c.isspace() else c if c.isprintable() else "�" for c in text)


def _width(text: str) -> int:
    """The columns that a terminal gives to the text."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
