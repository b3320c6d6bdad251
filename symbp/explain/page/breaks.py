"""Where a formula may go on in the next line: at + and − of its sum, at products where that isn't enough.

Enters: both sides of an equation as MathML. Leaves: fragments that stand beside each other where there is
room, and below each other where there is none; a browser decides that. Must not know: what symbols stand for.

Browsers don't break a formula, but they break lines between two. So a formula that is wider than a line of
a phone is several. A parenthesis that is itself too wide is opened, and a fraction with a wide numerator
becomes the numerator in parentheses, times one over the denominator.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from copy import copy

ROOM = 17.0  # em; a line of a phone
PAPER = 34.0  # em; a line of a sheet: a parenthesis or a fraction up to that width stays as it is
SCRIPT = 0.72
LETTER, WORD, DIGIT, BRACKET, SIGN = 0.62, 0.58, 0.58, 0.42, 1.35
SILENT = "\u2061\u2062"  # applied to, times
BINARY = {"+", "−"}
PRODUCTS = {"\u2062", "⊙", "⊘", "·"}
RELATIONS = {"=", "≠", "<", "≤", ">", "≥"}
FENCES = {"(": ")", "[": "]", "⌊": "⌋"}
SPACE = "1em"  # before `where`
Row = Sequence[ET.Element]


def pieces(left: str, right: str, room: float = ROOM) -> list[str]:
    """The equation in pieces, the last sign of the first being the equals sign; one, if it is short."""
    before, after = _parsed(left), _parsed(right)
    equals = _sign("=")
    whole = [*before, equals, *after]
    if width(whole) <= room:
        return [_text(whole)]
    return [_text([*before, equals]), *(_text(piece) for piece in _pieces(after, room, PAPER))]


def broken(whole: str, room: float = ROOM, opens: float = PAPER) -> list[str]:
    """A formula without an equals sign, in pieces; a parenthesis wider than `opens` is opened."""
    return [_text(piece) for piece in _pieces(_parsed(whole), room, opens)]


def width(row: Row) -> float:
    """The width of a row, in em, rather more than less."""
    return sum(map(_width, row))


def _width(node: ET.Element) -> float:
    text, tag = node.text or "", node.tag
    if tag == "mo":
        if text in SILENT:
            return 0.0
        narrow = text in FENCES or text in FENCES.values() or text in (",", "∣", "‖", "′")
        return BRACKET * len(text) if narrow else SIGN
    if tag in ("mi", "mn", "mtext"):
        return (LETTER if len(text) == 1 else WORD) * len(text)
    if tag == "mspace":
        return float((node.get("width") or "0").removesuffix("em"))
    if tag in ("msub", "msup"):
        return _width(node[0]) + SCRIPT * _width(node[1])
    if tag in ("munder", "mover"):
        return max(_width(node[0]), SCRIPT * _width(node[1]))
    if tag == "mfrac":
        return max(map(_width, node)) + 0.3
    return width(list(node)) + (1.0 if tag == "msqrt" else 0.0)


def _parsed(fragment: str) -> list[ET.Element]:
    return list(ET.fromstring(f"<mrow>{fragment}</mrow>"))


def _text(row: Row) -> str:
    return "".join(ET.tostring(node, encoding="unicode") for node in row)


def _sign(sign: str) -> ET.Element:
    """A sign between two pieces: it keeps the space on both its sides."""
    node = ET.Element("mo", form="infix")
    node.text = sign
    return node


def _bracket(sign: str) -> ET.Element:
    """A bracket whose other half may stand in another piece; it is as high as what stands in its own."""
    node = ET.Element("mo", form="prefix" if sign in FENCES else "postfix")
    node.text = sign
    return node


def _pieces(
    row: Row, room: float, opens: float, cuts: Sequence[str] = ("clause", "sum", "product")
) -> Iterator[Row]:
    """The row cut where it matters least to a reader, and only what doesn't fit cut further."""
    if width(row) <= room:
        yield row
    elif not cuts:
        yield from _opened(row, room, opens) if width(row) > opens else [row]
    else:
        for part in _split(row, cuts[0]):
            yield from _pieces(part, room, opens, cuts[1:])


def _split(row: Row, kind: str) -> list[Row]:
    """The row cut before each sign of a kind, which keeps the form that it has between two."""
    found: list[list[ET.Element]] = [[]]
    for at, node in enumerate(row):
        if found[-1] and _is_cut(row, at, kind):
            found.append([])
            if kind == "product" and found[-2][-1].tag == "mspace":
                found[-2].pop()  # the thin space of a product that shows no sign
            node = node if kind == "clause" else _sign("·" if node.text == "\u2062" else node.text or "")
        found[-1].append(node)
    return [part for part in found if part]


def _is_cut(row: Row, at: int, kind: str) -> bool:
    node = row[at]
    if kind == "clause":
        return node.tag == "mspace" and node.get("width") == SPACE
    if node.tag != "mo":
        return False
    if kind == "product":
        return node.text in PRODUCTS
    before = row[at - 1]
    return node.text in BINARY and not (before.tag == "mo" and before.text in BINARY | RELATIONS)


def _opened(row: Row, room: float, opens: float) -> Iterator[Row]:
    """A factor that is too wide: its widest part may be broken, too, where it can be opened."""
    at = max(range(len(row)), key=lambda k: _width(row[k]))
    widest = _open(row[at])
    if widest is None:
        yield row
        return
    opening, inner, closing = widest
    opening, closing = [*row[:at], *opening], [*closing, *row[at + 1 :]]
    if not opening and not closing and len(inner) == len(row):
        yield row
        return
    around = width(opening) + width(closing)
    found = list(_pieces(inner, room - around, opens - around))
    found[0] = [*opening, *found[0]]
    found[-1] = [*found[-1], *closing]
    yield from found


def _open(node: ET.Element) -> tuple[list[ET.Element], list[ET.Element], list[ET.Element]] | None:
    """What stands before, in and behind the inside of an element that may be spread over pieces."""
    inner = list(node)
    if node.tag in ("msub", "msup"):
        base = _open(inner[0])
        if base is None or not base[2] or base[2][-1].tag != "mo":
            return None
        closing = copy(node)
        closing[0] = base[2][-1]
        return base[0], base[1], [*base[2][:-1], closing]
    if node.tag == "mfrac":
        one = ET.Element("mn")
        one.text = "1"
        below = ET.Element("mfrac")
        below.extend([one, inner[1]])
        above = list(inner[0]) if inner[0].tag == "mrow" else [inner[0]]
        if len(above) == 1 or _width(inner[1]) > _width(inner[0]):
            return None
        return [below, _bracket("(")], above, [_bracket(")")]
    if node.tag != "mrow" or not inner:
        return None
    first, last = inner[0], inner[-1]
    if first.tag == "mo" and first.text in FENCES and last.text == FENCES[first.text]:
        return [_bracket(first.text)], inner[1:-1], [_bracket(last.text)]
    return [], inner, []
