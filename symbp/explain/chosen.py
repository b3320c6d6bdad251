r"""An author's LaTeX symbol as MathML: letters, Greek ones, subscripts, superscripts, accents, alphabets.

Enters: LaTeX. Leaves: a fragment, or None for what isn't known here. Must not know: whose symbol it is.

A formula stands for a symbol, `W_i`, `\hat{W}^{(1)}`: there are no operators with sides, no fractions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from symbp.read.spelling import GREEK

TOKEN = re.compile(r"\s*(\\[A-Za-z]+|\\.|\d+|.)")
SIGNS = {"(": "(", ")": ")", ",": ",", "'": "′", "*": "∗", "+": "+", "-": "−", "[": "[", "]": "]", "|": "|"}
COMMANDS = {
    "prime": "′", "star": "⋆", "ast": "∗", "top": "⊤", "dagger": "†", "infty": "∞", "ell": "ℓ",
    "partial": "∂", "nabla": "∇", "hbar": "ℏ",
}  # fmt: skip
CAPITALS = {
    name.capitalize(): letter.upper()
    for name, letter in GREEK.items()
    if name in ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega")
}
MARKS = {"hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "bar": "¯", "vec": "→", "dot": "˙"}
BOLD = {"A": 0x1D400, "a": 0x1D41A}  # of which letters follow in their order
UPRIGHT = {"mathrm", "text", "operatorname", "mathsf", "mathtt"}


class _Unknown(Exception):
    """What isn't a symbol of the kinds that are known."""


def chosen_mathml(latex: str) -> str | None:
    """The symbol as one element, or several in a row."""
    tokens = TOKEN.findall(latex.strip().strip("$"))
    try:
        found, rest = _row(tokens)
    except (_Unknown, IndexError):  # it ends too early
        return None
    return found if found and not rest else None


def _row(tokens: list[str]) -> tuple[str, list[str]]:
    """The symbols up to a closing brace, or to the end."""
    parts = []
    while tokens and tokens[0] != "}":
        part, tokens = _scripted(tokens)
        parts.append(part)
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>" if parts else "", tokens


def _scripted(tokens: list[str]) -> tuple[str, list[str]]:
    base, tokens = _atom(tokens)
    scripts: dict[str, str] = {}
    while tokens and tokens[0] in ("_", "^") and tokens[0] not in scripts:
        sign = tokens[0]
        scripts[sign], tokens = _atom(tokens[1:])
    if len(scripts) == 2:
        return f"<msubsup>{base}{scripts['_']}{scripts['^']}</msubsup>", tokens
    if "_" in scripts:
        return f"<msub>{base}{scripts['_']}</msub>", tokens
    return (f"<msup>{base}{scripts['^']}</msup>" if scripts else base), tokens


def _atom(tokens: list[str]) -> tuple[str, list[str]]:
    """One symbol, or what stands in braces."""
    first, rest = tokens[0], tokens[1:]
    if first == "{":
        inner, rest = _row(rest)
        if not inner or rest[0] != "}":
            raise _Unknown
        return inner, rest[1:]
    if first.isdigit():
        return f"<mn>{first}</mn>", rest
    if first.isalpha():
        return f"<mi>{escape(first)}</mi>", rest
    if first in SIGNS:
        return f"<mo>{escape(SIGNS[first])}</mo>", rest
    if not first.startswith("\\"):
        raise _Unknown
    return _command(first.removeprefix("\\"), rest)


def _command(name: str, rest: list[str]) -> tuple[str, list[str]]:
    letter = GREEK.get(name) or GREEK.get(name.removeprefix("var")) or CAPITALS.get(name)
    if letter is not None:
        return f"<mi>{letter}</mi>", rest
    if name in COMMANDS:
        return f"<mi>{COMMANDS[name]}</mi>", rest
    if name in MARKS:
        inner, rest = _atom(rest)
        return f'<mover accent="true">{inner}<mo>{MARKS[name]}</mo></mover>', rest
    if name in UPRIGHT:
        return _word(rest, lambda word: word)
    if name in ("mathbf", "boldsymbol", "bm"):
        return _word(rest, lambda word: "".join(map(_bold, word)))
    raise _Unknown


def _word(tokens: list[str], shown: Callable[[str], str]) -> tuple[str, list[str]]:
    """An upright word of plain letters and digits, in braces or of one letter."""
    if tokens[0] != "{":
        word, rest = tokens[0], tokens[1:]
    else:
        if "}" not in tokens:
            raise _Unknown
        end = tokens.index("}")
        word, rest = "".join(tokens[1:end]), tokens[end + 1 :]
    if not word.isalnum():
        raise _Unknown
    return f'<mi mathvariant="normal">{escape(shown(word))}</mi>', rest


def _bold(letter: str) -> str:
    if not letter.isascii() or not letter.isalpha():
        raise _Unknown
    start = "A" if letter.isupper() else "a"
    return chr(BOLD[start] + ord(letter) - ord(start))
