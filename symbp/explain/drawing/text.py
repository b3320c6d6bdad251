"""Formulas as runs of text, raised and lowered, with an estimate of their width.

Enters: MathML of a page. Leaves: runs that a picture writes one after the other. Must not know: tensors, or
where in a picture text stands.

A picture has text only: a fraction is written with a slash, a root with a bracket. What the estimate says is
no less than what a browser needs in any of the usual fonts without serifs.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SMALLER = 0.74  # of a raised or lowered run
SIZE = 15.0  # pixels of an ordinary letter
FLAT = {"⁡": "", "⁢": "·", "∑": "Σ", "∏": "Π"}
ACCENTS = {"^": "\u0302", "~": "\u0303", "¯": "\u0304"}
RELATIONS = frozenset("+−=<>≤≥≠")
NARROW = frozenset("ijl.,;:'|![]()′ tfrI/⁻¹")
WIDE = frozenset("mwMW@∂Σ𝟏—…%")
LOOSE = frozenset("+−=<>≤≥≠·×⊙")


@dataclass(frozen=True)
class Run:
    """Text at a level: 0 on the line, −1 lowered, 1 raised. `italic` for a letter that is a variable."""

    text: str
    level: int = 0
    italic: bool = False


Runs = tuple[Run, ...]


def runs(fragment: str) -> Runs:
    """The runs of a fragment of MathML."""
    found = _of(ET.fromstring(f"<mrow>{fragment}</mrow>"), 0)
    return tuple(_joined(found))


def plain(spelled: Iterable[Run]) -> str:
    """The text of runs, without levels."""
    return "".join(run.text for run in spelled)


def words(text: str) -> Runs:
    """Words, upright."""
    return (Run(text),)


def width(spelled: Iterable[Run], size: float = SIZE) -> float:
    """How wide runs are at most, in pixels."""
    return sum(_letter(c) * size * (SMALLER if run.level else 1) for run in spelled for c in run.text)


def _letter(sign: str) -> float:
    """The width of a letter in the height of the font."""
    if "\u0300" <= sign <= "\u036f":
        return 0.0
    if sign in NARROW:
        return 0.42
    if sign in WIDE:
        return 1.0
    if sign in LOOSE:
        return 0.84
    return 0.8 if sign.isupper() else 0.65


def _of(node: ET.Element, level: int) -> list[Run]:
    children = list(node)
    if node.tag == "mi":
        text = node.text or ""
        return [Run(text, level, len(text) == 1 and node.get("mathvariant") != "normal" and text != "∂")]
    if node.tag in ("mo", "mn", "mtext"):
        text = node.text or ""
        return [Run(FLAT.get(text, text), level)]
    if node.tag == "mspace":
        return [Run(" ", level)] if node.get("width") == "1em" else []
    if node.tag in ("msub", "munder", "msup"):
        side = 1 if node.tag == "msup" else -1
        inner = _of(children[1], level or side)
        if set(plain(inner)) == {"′"}:  # a prime is raised as it is
            inner = [Run(run.text, level) for run in inner]
        return _of(children[0], level) + inner
    if node.tag == "mover":
        base = _of(children[0], level)
        return [Run(base[0].text + ACCENTS[children[1].text or "^"], level, base[0].italic), *base[1:]]
    if node.tag == "mfrac":
        over, under = _of(children[0], level), _of(children[1], level)
        return [*_tight(over, "+−", level), Run("/", level), *_tight(under, "+−·/", level)]
    if node.tag == "msqrt":
        inner = [run for child in children for run in _of(child, level)]
        return [Run("√", level), *_tight(inner, "+−·/(", level)]
    return _row(children, level)


def _row(children: Sequence[ET.Element], level: int) -> list[Run]:
    """Elements beside each other, with spaces around signs between terms, and none below a letter."""
    found: list[Run] = []
    for place, child in enumerate(children):
        inner = _of(child, level)
        sign = child.tag == "mo" and inner[0].text in RELATIONS
        begins = not found or plain(found).endswith(("(", "["))
        if sign and not level and not begins and place + 1 < len(children):
            inner = [Run(f" {inner[0].text} ", level)]
        found += inner
    return found


def _tight(inner: list[Run], weak: str, level: int) -> list[Run]:
    """In parentheses, if there is a sign that binds more weakly than what follows, and it has none yet."""
    text, depth, loose = plain(inner), 0, False
    for place, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        loose = loose or (depth == 0 and sign in weak and place > 0)
    return [Run("(", level), *inner, Run(")", level)] if loose else inner


def _joined(found: Iterable[Run]) -> list[Run]:
    """Neighbours of one kind as one run."""
    joined: list[Run] = []
    for run in found:
        if not run.text:
            continue
        if joined and (joined[-1].level, joined[-1].italic) == (run.level, run.italic):
            joined[-1] = Run(joined[-1].text + run.text, run.level, run.italic)
        else:
            joined.append(run)
    return joined
