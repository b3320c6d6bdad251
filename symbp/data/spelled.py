"""Arrays as a person types them: `0.05,0.10`, a matrix `0.15,0.20; 0.25,0.30`, or JSON.

Enters: text. Leaves: an array of numbers. Must not know: what the array is for. Nothing is evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbp.errors import DataError

Array = NDArray[np.float64]
NUMBER = re.compile(r"\s*([-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+−]?inf)\s*")
LONGEST = 1_000_000  # characters
HELP = "a vector is 0.1,0.2; a matrix has its rows apart by semicolons, 0.1,0.2; 0.3,0.4; or JSON: [[[1, 2]]]"


def array(text: str) -> Array:
    """A number, a vector (commas), a matrix (rows apart by semicolons, one behind the last row if there is
    only one), or nested lists in JSON. Raises DataError, with a caret under the place."""
    if len(text) > LONGEST:
        raise DataError(f"an array of {len(text):,} characters is too long to type", help="save it as .npz")
    if text.lstrip().startswith("["):
        return _json(text)
    rows = list(_rows(text))
    lengths = [len(row) for row, _ in rows]
    for row, start in rows[1:]:
        if len(row) != lengths[0]:
            raise _error(text, start, f"this row has {_numbers(len(row))}, the first has {lengths[0]}")
    found = np.array([row for row, _ in rows])
    if ";" in text:
        return found
    return np.array(found[0]) if "," in text else np.array(found[0, 0])


def _rows(text: str) -> Iterator[tuple[list[float], int]]:
    """The rows, each with the place at which it starts."""
    at = 0
    while True:
        start, row = at, []
        while True:
            found = NUMBER.match(text, at)
            if found is None:
                raise _error(text, _next(text, at), "here a number is expected")
            row.append(float(found[1].replace("−", "-")))
            at = found.end()
            if text[at : at + 1] != ",":
                break
            at += 1
        yield row, _next(text, start)
        if at == len(text):
            return
        if text[at] != ";":
            raise _error(text, at, "here a comma, a semicolon or the end is expected")
        at += 1
        if not text[at:].strip():
            return


def _json(text: str) -> Array:
    try:
        plain: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise _error(text, error.pos, f"this is no JSON: {error.msg}") from None
    except RecursionError:
        raise DataError("these lists are nested too deeply") from None
    try:
        found = np.asarray(plain, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "these lists are no array of numbers", details=(text,), help="lists beside each other are as long"
        ) from None
    return found


def _next(text: str, at: int) -> int:
    """The place of the next sign that isn't a space."""
    return at + len(text[at:]) - len(text[at:].lstrip()) if text[at:].strip() else len(text)


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


def _error(text: str, at: int, what: str) -> DataError:
    """The part of the text around the place, with a caret under it."""
    start = max(0, at - 40)
    shown = text[start : at + 40].replace("\n", " ")
    return DataError(what, details=(shown, " " * (at - start) + "^"), help=HELP)
