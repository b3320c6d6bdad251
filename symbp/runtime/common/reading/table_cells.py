"""A table as text: its separator, its lines, whether the first one names the columns.

Enters: the path of a .csv or .tsv file. Leaves: `_Cells`, text by row and column, or an error that names the
line or the column. Must not know: networks, what the columns are for.
"""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import re as _re  # `re` and `im` are names of tensors
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symbp.runtime.common.arrays.shapes import DataError

_SEPARATORS = "\t;,"  # the rarer in a name or a number, the earlier
_SHOWN = 12  # columns and values in a line of text
_SAMPLE = 20  # rows by which a separator is found
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})
_NUMBER = _re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", _re.ASCII)
_MARKED = _re.compile(
    r"[+-]?[$€£]?\s?\d{1,3}([,'’ \u00a0\u202f]\d{3})+(\.\d+)?|[+-]?\d{1,3}(\.\d{3}){2,}"
    r"|[+-]?\d{1,3}(\.\d{3})*,\d+|[+-]?\d+,\d+([eE][+-]?\d+)?|[+-]?[$€£]\s?\d[\d.,]*|[+-]?\d[\d.,]*\s?[%$€£]"
)
_INFINITE = _re.compile(r"[+-]?inf(inity)?", _re.IGNORECASE)
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = _re.compile(
    r"(1[5-9]|2[01])\d\d[-/.]\d{1,2}([-/.]\d{1,2}([T ].*)?)?Z?|\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4})( .*)?"
    rf"|\d{{1,2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?( ?[ap]m)?|\d{{1,2}}[ .-]+{_MONTH}[ .,-]+\d{{2,4}}"
    rf"|{_MONTH}[ .]+\d{{1,2}},? \d{{4}}",
    _re.IGNORECASE,
)


@dataclass(frozen=True)
class _Cells:
    """The text of a table: names of columns, its rows, and the line of the file where each starts."""

    names: tuple[str, ...]
    headed: bool
    lines: tuple[int, ...]
    rows: tuple[list[str], ...]


def _cells(path: Path, headed: bool | None) -> _Cells:
    """The cells of a file; where `headed` isn't known, the first lines tell whether names stand above."""
    text = _table_text(path)
    found = [row for row in _records(text, _separator(text)) if row[1]]
    width = len(found[0][1])
    found = [row for row in found if width == 1 or row[1] != [""]]  # a line of blanks
    for line, row in found:
        if len(row) != width:
            raise DataError(
                f"line {line} has {len(row)} {'field' if len(row) == 1 else 'fields'}, "
                f"line {found[0][0]} has {width}"
            )
    lines, rows = tuple(line for line, _ in found), tuple(row for _, row in found)
    headed = _is_headed(rows) if headed is None else headed
    if headed and len(rows) == 1:
        raise DataError("the table has a line of names and no examples")
    names = _names_of(rows[0]) if headed else tuple(f"column {k + 1}" for k in range(width))
    return _Cells(names, headed, lines[headed:], rows[headed:])


def _table_text(path: Path) -> str:
    """The whole file. A message about it says why it is no text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the table can't be read: {error.strerror or error}") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError("the table is text in UTF-16: save it in UTF-8")
    if b"\0" in content:
        raise DataError(f"byte {content.index(0)} is NUL: this is no text, so no table")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start} is not UTF-8: save the table in UTF-8") from None
    if not text.strip():
        raise DataError("the table is empty")
    return text


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line where it starts."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    line = 1
    try:
        for fields in reader:
            yield line, [field.strip() for field in fields]
            line = reader.line_num + 1
    except csv.Error as error:
        what = "a quote is never closed" if "end of data" in str(error) else str(error)
        raise DataError(f"line {line}: {what}") from None


def _separator(text: str) -> str:
    """That by which the first rows have the same number of fields; else the commonest of the first line."""
    for separator in _SEPARATORS:
        try:
            rows = [fields for _, fields in itertools.islice(_records(text, separator), _SAMPLE)]
        except DataError:
            continue
        widths = [len(fields) for fields in rows if any(fields)]
        if widths and widths[0] > 1 and len(set(widths)) == 1:
            return separator
    first = text.lstrip().splitlines()[0]
    return max(reversed(_SEPARATORS), key=first.count)


def _quoted(cell: str) -> str:
    """A cell for a message, in a line and not too long."""
    return repr(cell if len(cell) <= 40 else f"{cell[:36]} …")


def _is_missing(cell: str) -> bool:
    return cell.lower() in _MISSING


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _is_name(cell: str) -> bool:
    """Whether it may be a name: no number, however it is spelled, and no date."""
    return not _is_missing(cell) and not any(
        kind.fullmatch(cell) for kind in (_NUMBER, _MARKED, _INFINITE, _DATE)
    )


def _is_headed(rows: tuple[list[str], ...]) -> bool:
    """Whether the first line has the names of columns: text above a number, or nothing but text that comes
    once. Text that comes once, beside what may be years or counts, may be either."""
    first, rest = rows[0], rows[1:]
    text = [k for k, cell in enumerate(first) if _is_name(cell)]
    for column in text:
        below = next((row[column] for row in rest if not _is_missing(row[column])), "")
        if _is_number(below):
            return True
    if any(row[column] == first[column] for column in text for row in rest):
        return False
    if len(text) == sum(cell != "" for cell in first):
        return bool(text)
    if text and _may_be_names([cell for cell in first if _is_number(cell)]):
        raise DataError(
            f"the first line may be names or an example: its {_quoted(first[text[0]])} never comes again; "
            "write a line of names above, none of them a number"
        )
    return False


def _may_be_names(numbers: list[str]) -> bool:
    """Whether numbers may be the names of columns: years, or counted on."""
    if not all(number.isdecimal() and len(number) < 10 for number in numbers):
        return False
    counts = [int(number) for number in numbers]
    on = len(counts) > 1 and counts == list(range(counts[0], counts[0] + len(counts)))
    return on or all(1000 <= count < 3000 for count in counts)


def _names_of(head: list[str]) -> tuple[str, ...]:
    """The names in a line; a column without one is called by its place."""
    names = tuple(name or f"column {k + 1}" for k, name in enumerate(head))
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"two columns have the name {_quoted(twice[0])}")
    return names


def _named_column(cells: _Cells, target: str) -> str:
    """The column that a user means; without names above, its number counts from 1."""
    name = f"column {target}" if not cells.headed and target.isdigit() else target
    if name in cells.names:
        return name
    close = difflib.get_close_matches(name, cells.names, 1)
    raise DataError(
        f"the table has no column {_quoted(target)}; "
        + (f"did you mean {_quoted(close[0])}? " if close else "")
        + f"its columns: {_listed(cells.names)}"
    )


def _cells_of(cells: _Cells, name: str) -> list[str]:
    """The cells of a column."""
    at = cells.names.index(_named_column(cells, name))
    return [row[at] for row in cells.rows]


def _without(cells: _Cells, names: Sequence[str]) -> _Cells:
    """The table without some columns."""
    left = {_named_column(cells, name) for name in names}
    kept = [k for k, name in enumerate(cells.names) if name not in left]
    if not kept:
        raise DataError("no column of the table is left to read")
    rows = tuple([row[k] for k in kept] for row in cells.rows)
    return replace(cells, names=tuple(cells.names[k] for k in kept), rows=rows)


def _listed(names: Sequence[str]) -> str:
    """Names in a line, the first of many."""
    return _first([_plain(name) for name in names])


def _first(words: Sequence[str]) -> str:
    """Words in a line, the first of many."""
    return ", ".join(words[:_SHOWN]) + (f", … ({len(words)})" if len(words) > _SHOWN else "")


def _plain(name: str) -> str:
    """A name for a line of text: as it is, if it is printable and short enough."""
    return name if name.isprintable() and len(name) <= 80 and "," not in name else _quoted(name)
