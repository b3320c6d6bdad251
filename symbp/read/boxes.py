r"""A formula in LaTeX as boxes with widths in points: enough of TeX to know where a line ends.

Enters: LaTeX mathematics as symbp writes it. Leaves: rows of boxes. Must not know: tensors, equations, pages.

Widths are those of Computer Modern at 10 points, rounded up; a formula is at most as wide as it is measured.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(5.4, 4.4, 4.4, 5.3, 4.7, 6.0, 5.2, 5.9, 3.5, 4.8, 5.6, 3.1, 8.9, 6.1, 5.0, 5.2, 4.9, 4.9, 4.8),
            *(3.7, 5.8, 5.3, 7.5, 5.8, 5.3, 5.2, 7.6, 8.2, 7.9, 8.6, 8.0, 7.9, 8.0, 9.2, 5.2, 6.6, 9.3),
            *(6.9, 10.9, 9.2, 8.0, 7.9, 8.0, 7.8, 6.8, 7.4, 7.9, 8.1, 10.9, 9.2, 8.2, 7.6),
        ),
        strict=True,
    )
)
UPRIGHT, DIGIT, SCRIPT, ACCENT = 5.6, 5.1, 0.8, 0.0
BINARY, RELATION, BIG = 7.9 + 4.5, 7.9 + 5.6, 14.6
SIGNS = {"(": 3.9, ")": 3.9, "[": 2.8, "]": 2.8, ",": 4.5, "/": 5.0, "|": 2.8, "'": 3.0, ":": 8.4, ".": 2.8}
WORDS = {
    r"\sum": BIG, r"\prod": BIG, r"\partial": 5.9, r"\infty": 10.1, r"\,": 1.7, r"\quad": 10.0,
    r"\qquad": 20.0, r"\odot": BINARY, r"\oslash": BINARY, r"\circ": 5.0, r"\top": 7.8, r"\pm": BINARY,
    r"\mid": 8.4, r"\bmod": 28.0, r"\colon": 5.6, r"\ ": 3.4, r"\_": 5.0, r"\mathbb": 0.0, r"\rvert": 2.8,
    r"\lvert": 2.8, r"\lfloor": 4.5, r"\rfloor": 4.5, r"\lVert": 5.0, r"\rVert": 5.0,
}  # fmt: skip
RELATIONS = {"=", "<", ">", r"\neq", r"\le", r"\ge"}
GREEK = 6.6
DELIMITER, TALL = 6.2, 7.8  # as high as a letter, or as what stands in it
FACES = {r"\mathrm", r"\mathbf", r"\operatorname", r"\operatorname*", r"\text", r"\mathbb"}
FUNCTIONS = {r"\exp", r"\log", r"\sin", r"\cos", r"\tan", r"\sinh", r"\cosh", r"\tanh", r"\det", r"\max"}


@dataclass(frozen=True)
class Box:
    """A piece of a row: its LaTeX, its width, and what it is made of where it can be opened."""

    tex: str
    width: float
    kind: str = "atom"  # or clause, binary, relation, space, fence, fraction, group
    inner: tuple[Box, ...] = ()
    under: tuple[Box, ...] = ()  # the denominator
    fence: tuple[str, str] = ("", "")
    scripts: str = ""


def row(tex: str) -> tuple[Box, ...]:
    """The boxes of a formula, from left to right."""
    tokens = _tokens(tex)
    boxes, rest = _row(tokens, 0)
    assert rest == len(tokens), f"unbalanced: {tex}"
    return tuple(boxes)


def readable(tex: str) -> bool:
    """Whether a formula is one that can be measured: its braces are closed, nothing is missing."""
    try:
        return bool(row(tex))
    except (AssertionError, IndexError):
        return False


def width(boxes: Iterable[Box]) -> float:
    """The points that a row takes."""
    return sum(box.width for box in boxes)


def text(boxes: Iterable[Box]) -> str:
    """The LaTeX of a row."""
    return "".join(box.tex for box in boxes).strip()


def _tokens(tex: str) -> list[str]:
    """Control words with the space after them, escaped signs, single signs, runs of spaces."""
    return re.findall(r"\\operatorname\*|\\[a-zA-Z]+|\\.|\s+|.", tex)


def _row(tokens: Sequence[str], at: int) -> tuple[list[Box], int]:
    boxes: list[Box] = []
    seen: set[str] = set()  # the scripts of the last box
    while at < len(tokens) and tokens[at] not in ("}", r"\right"):
        token = tokens[at]
        if token.isspace():
            if boxes:
                boxes[-1] = _glued(boxes[-1], token)
            at += 1
        elif token in "_^":
            assert token not in seen, "TeX takes one superscript and one subscript"
            seen.add(token)
            script, at = _argument(tokens, at + 1)
            boxes[-1] = _scripted(boxes[-1], token, script)
        else:
            box, at = _box(tokens, at, boxes)
            boxes.append(box)
            seen = set()
    return boxes, at


def _glued(box: Box, space: str) -> Box:
    return Box(box.tex + space, box.width, box.kind, box.inner, box.under, box.fence, box.scripts)


def _argument(tokens: Sequence[str], at: int) -> tuple[tuple[Box, ...], int]:
    """What stands in braces, or the next sign."""
    if tokens[at] != "{":
        box, after = _box(tokens, at, [])
        return (box,), after
    inner, end = _row(tokens, at + 1)
    return tuple(inner), end + 1


def _raw(boxes: Sequence[Box]) -> str:
    return "".join(box.tex for box in boxes)


def _scripted(box: Box, sign: str, script: Sequence[Box]) -> Box:
    written = f"{sign}{{{_raw(script)}}}"
    extra = width(script) * SCRIPT + 0.6
    tex = box.tex.rstrip() + written
    if box.tex.strip() in (r"\sum", r"\prod", r"\max") or box.tex.startswith(r"\operatorname*"):
        return Box(tex, max(box.width, extra) + 2.0, scripts=written)  # its limits stand below
    return Box(tex, box.width + extra, box.kind, box.inner, box.under, box.fence, box.scripts + written)


def _box(tokens: Sequence[str], at: int, before: Sequence[Box]) -> tuple[Box, int]:
    token = tokens[at]
    if token == "{":
        inner, end = _row(tokens, at + 1)
        return Box(f"{{{_raw(inner)}}}", width(inner), "group", tuple(inner)), end + 1
    if token == r"\left":
        return _fence(tokens, at)
    if token == r"\frac":
        over, at = _argument(tokens, at + 1)
        under, at = _argument(tokens, at)
        wide = max(width(over), width(under)) + 2.6
        tex = rf"\frac{{{_raw(over)}}}{{{_raw(under)}}}"
        return Box(tex, wide, "fraction", over, under), at
    if token == r"\sqrt" or token in FACES or token in (r"\hat", r"\tilde", r"\bar"):
        within, at = _argument(tokens, at + 1)
        extra = 9.0 if token == r"\sqrt" else ACCENT
        wide = width(within) if token not in FACES else _upright(_raw(within))
        return Box(f"{token}{{{_raw(within)}}}", wide + extra), at
    return _sign(token, before), at + 1


def _upright(tex: str) -> float:
    """The width of a word in upright letters, narrow ones apart as wide as the average, or as in italics."""
    letters = re.sub(r"\\(.)", r"\1", tex)
    return sum(max(LETTERS.get(c, 0.0), 4.0 if c in "fijlrt" else UPRIGHT) for c in letters) + 1.7


def _fence(tokens: Sequence[str], at: int) -> tuple[Box, int]:
    opening = tokens[at + 1]
    inner, end = _row(tokens, at + 2)
    closing = tokens[end + 1]
    tex = rf"\left{opening} {_raw(inner)}\right{closing}"
    grown = any(tall in tex for tall in (r"\frac", r"\sum", r"\prod"))
    return Box(
        tex, width(inner) + 2 * (TALL if grown else DELIMITER), "fence", tuple(inner), (), (opening, closing)
    ), end + 2


def _sign(token: str, before: Sequence[Box]) -> Box:
    if token in RELATIONS:
        return Box(token, RELATION, "relation")
    if token in "+-":
        sign = bool(before) and before[-1].kind not in ("binary", "relation")
        return Box(token, BINARY, "binary") if sign else Box(token, 7.9)
    if token in (r"\odot", r"\oslash", r"\,"):
        return Box(token, WORDS[token], "space")
    if token == r"\quad":
        return Box(token, WORDS[token], "clause")
    if token in WORDS:
        return Box(token, WORDS[token])
    if token in FUNCTIONS:
        return Box(token, UPRIGHT * (len(token) - 1) + 1.7)
    if token.startswith("\\"):
        return Box(token, GREEK if len(token) > 2 else UPRIGHT)
    if token.isdigit():
        return Box(token, DIGIT)
    if unicodedata.combining(token):
        return Box(token, 0.0)
    return Box(token, SIGNS.get(token, LETTERS.get(token, 9.0)))
