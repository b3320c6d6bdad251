"""Mathematics in ASCII, for consoles that show nothing else: `Σ_j h[n,j]·W[j,k]` as `sum_j h[n,j]*W[j,k]`.

Enters: text as commands print it. Leaves: ASCII that a reader understands, columns still below each other.
Must not know: what is printed.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, pairwise
from typing import Any, TextIO

SIGNS = {
    "·": "*", "⋅": "*", "∙": "*", "∗": "*", "×": "x", "⊙": ".*", "⊘": "./", "∘": ".", "⊗": "(x)",
    "⋆": "corr", "−": "-", "–": "-", "—": "-", "±": "+-", "Σ": "sum", "∑": "sum", "Π": "prod", "∏": "prod",
    "∫": "int", "√": "sqrt ", "∂": "d ", "∇": "grad ", "∞": "inf", "𝟏": "ones", "𝟙": "1", "ℒ": "L", "ℓ": "l",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~=", "∈": " in ", "¬": "not ", "⊤": "^T", "‖": "||", "∣": "|",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "→": "->", "⟶": "->", "←": "<-", "↦": "|->", "↑": "^",
    "↓": "v", "…": "...", "⋯": "...", "⋮": ":", "′": "'", "″": "''", "’": "'", "‘": "'", "“": '"', "”": '"',
    "½": "1/2", "⅓": "1/3", "¼": "1/4", "⅕": "1/5", "•": "*", "†": "+", "ε": "eps", "ϵ": "eps", "ϕ": "phi",
    "░": ".", "▒": ":", "▓": "%", "█": "#", "─": "-", "│": "|", "┤": "|", "└": "`", "┊": ":", "\xa0": " ",
    "⎡": "[", "⎢": "[", "⎣": "[", "⎤": "]", "⎥": "]", "⎦": "]",
}  # fmt: skip
ABOVE = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot"}
_CELL = re.compile(r"\S+(?: \S+)*")


def ascii_only(text: str) -> str:
    """The text sign by sign, without regard for columns."""
    found = ""
    for kind, run in groupby(text, _kind):
        signs = "".join(run)
        if kind == "ascii":
            # σ²1, say, is a variance, and no power of 21
            found += ("_" if found[-2:-1] == "^" and signs[0].isalnum() else "") + signs
        elif kind in "^_":
            found += kind + "".join(_spelled(sign) for sign in signs)
        else:
            for sign in signs:
                found += _joined(found, sign)
    return re.sub(r"sqrt \(", "sqrt(", found)


def _joined(before: str, sign: str) -> str:
    """A sign's spelling behind what is there: between two words stands what keeps them apart."""
    spelled = _spelled(sign)
    if sign not in ABOVE and spelled[:1].isalpha() and before[-1:].isalpha():
        return f"*{spelled}"  # λα is a product
    return spelled


def _spelled(sign: str) -> str:
    if sign.isascii():
        return sign
    for table in (SIGNS, ABOVE):
        if sign in table:
            return table[sign]
    if (name := unicodedata.name(sign, "")).startswith("GREEK"):
        letter = name.partition("LETTER ")[2].partition(" ")[0].lower().replace("lamda", "lambda")
        return letter.capitalize() if "CAPITAL" in name else letter
    return unicodedata.normalize("NFKD", sign).replace("−", "-").encode("ascii", "ignore").decode() or (
        f"<{ord(sign):x}>"
    )


def _kind(sign: str) -> str:
    if sign.isascii():
        return "ascii"
    decomposed = unicodedata.decomposition(sign)
    return {"<super>": "^", "<sub>": "_"}.get(decomposed.partition(" ")[0], "sign")


def plain(text: str) -> str:
    """The text in ASCII. Cells that stood below each other, two blanks or more apart, still do."""
    if text.isascii():
        return text
    lines = text.split("\n")
    blocks = groupby(lines, key=lambda line: bool(line.strip()))
    return "\n".join(line for _, block in blocks for line in _laid_out(list(block)))


def _laid_out(lines: list[str]) -> Iterator[str]:
    rows = [list(_cells(line)) for line in lines]
    place: dict[int, int] = {}
    for start in sorted({start for row in rows for start, _ in row}):
        ends = (place[a] + len(cell) + 2 for row in rows for (a, cell), (b, _) in _pairs(row) if b == start)
        place[start] = max([start, *ends])
    for row in rows:
        line = ""
        for start, cell in row:
            line = line.ljust(place[start]) + cell
        yield line


def _pairs(row: list[tuple[int, str]]) -> Iterable[tuple[tuple[int, str], tuple[int, str]]]:
    return pairwise(row)


def _cells(line: str) -> Iterator[tuple[int, str]]:
    """(where it stands, its text in ASCII) of each part of a line; signs above letters take no place."""
    for found in _CELL.finditer(line):
        above = sum(unicodedata.combining(sign) > 0 for sign in line[: found.start()])
        yield found.start() - above, ascii_only(found.group())


def escaped(text: str) -> str:
    """JSON with its own escapes, which mean the same."""
    pairs = (sign.encode("utf-16-be") for sign in text)
    return "".join(
        sign if sign.isascii() else "".join(f"\\u{pair[k : k + 2].hex()}" for k in range(0, len(pair), 2))
        for sign, pair in zip(text, pairs, strict=True)
    )


def referred(text: str) -> str:
    """HTML and SVG with references to characters, which mean the same."""
    return text.encode("ascii", "xmlcharrefreplace").decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str, "text": plain, "source": ascii_only, "json": escaped, "html": referred,
}  # fmt: skip


class Ascii:
    """A stream to which only ASCII goes; `spelling` is one of `SPELLINGS`."""

    encoding = "ascii"

    def __init__(self, stream: TextIO, spelling: str = "text") -> None:
        self.stream, self.spelling = stream, spelling
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="ascii", errors="backslashreplace")

    def write(self, text: str) -> int:
        return self.stream.write(SPELLINGS[self.spelling](text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def shows_mathematics(stream: TextIO) -> bool:
    """Whether a stream's encoding has the signs of mathematics."""
    try:
        "Σᵀ𝟏".encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
