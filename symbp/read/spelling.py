r"""Symbols as frozen values, and how each is spelled in text and in LaTeX.

Enters: a symbol, the spelling of the tensors that it mentions. Leaves: text, LaTeX.
Must not know: systems, equations, how symbols are chosen.

`dW1[i,j]` in text is ∂loss/∂(W₁)_{ij} in LaTeX; a summand of it is `dW1⁽²⁾[i,j]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from symbp.read.options import Derivatives

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
LETTERS = {letter: name for name, letter in GREEK.items()}
ABOVE = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}  # combining signs
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Quotient:
    """∂ of / ∂ by…, each with the number of its axes; the axes of such a tensor stand in this order."""

    of: tuple[str, int]
    by: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        count = {2: "²", 3: "³"}.get(len(self.by), "")
        return f"∂{count}{self.of[0]}/{''.join(f'∂{name}' for name, _ in self.by)}"


@dataclass(frozen=True)
class Symbol:
    """A letter or a word with what stands around it. `quotient`: it is a derivative, `base` its form in text,
    and `notation` says how it is written elsewhere; `part` numbers a summand of one; `latex` is its author's
    choice; `upright`: the word as it is, where its letters with a subscript are another tensor's."""

    base: str
    number: int | None = None
    mark: str = ""
    above: str = ""
    quotient: Quotient | None = None
    part: int = 0
    upright: bool = False
    latex: str | None = None
    notation: Derivatives = "partial"

    @property
    def is_fraction(self) -> bool:
        """Whether LaTeX writes it as ∂ of / ∂ by."""
        return self.quotient is not None and self.latex is None and self.notation == "partial"

    @property
    def is_quotient_in_text(self) -> bool:
        """Whether text writes it as `∂loss/∂W`, without parentheses."""
        return self.quotient is not None and self.base.startswith("∂")


def derivative_symbols(
    quotient: Quotient,
    text: Mapping[str, str],
    loss: str | None,
    notation: Derivatives | None,
    *,
    computed: bool,
    part: int = 0,
) -> list[Symbol]:
    """What a derivative may be called, the best first; `text` spells tensors, `computed` says whether an
    equation defines what it is by. A derivative of another tensor than the loss, or by several, is always a
    quotient."""
    of, by = quotient.of[0], [text.get(name, name) for name, _ in quotient.by]
    count = {2: "²", 3: "³"}.get(len(by), "")
    fraction = f"∂{count}{text.get(of, of)}/{''.join(f'∂{name}' for name in by)}"
    simple = len(by) == 1 and not quotient.of[1] and not part
    whole = Symbol(f"({fraction})", quotient=quotient, part=part)
    if of != loss or len(by) > 1:
        return [whole]
    if notation in (None, "d"):
        short = replace(whole, base=f"d{by[0]}")
        return [replace(short, notation="d") if notation else short, whole]
    first = [replace(whole, base=fraction)] if simple else []
    if notation == "delta" and computed:
        first = [replace(whole, base=f"δ_{by[0]}", notation="delta")]
    return [*first, whole]


def text_symbol(symbol: Symbol) -> str:
    """`W1`, `x̂1`, `p_infer`, `dh⁽²⁾`."""
    base = symbol.base
    if symbol.mark:
        base = base[0] + ABOVE[symbol.mark] + base[1:]
    number = "" if symbol.number is None else str(symbol.number)
    above = f"_{symbol.above}" if symbol.above else ""
    part = f"⁽{str(symbol.part).translate(RAISED)}⁾" if symbol.part else ""
    return f"{base}{number}{above}{part}"


def latex_symbol(symbol: Symbol, latex: Mapping[str, str]) -> str:
    r"""The symbol without subscripts; `latex` spells the tensors of a derivative."""
    return latex_access(symbol, (), lambda name, _: latex[name])


def latex_access(
    symbol: Symbol, subscripts: Sequence[str], named: Callable[[str, Sequence[str]], str]
) -> str:
    """The symbol with subscripts, in a derivative shared out to what is differentiated, then by what."""
    if not symbol.is_fraction or symbol.quotient is None:
        return subscripted(_simple(symbol, named), subscripts)
    rest, parts = list(subscripts), []
    for name, rank in (symbol.quotient.of, *symbol.quotient.by):
        parts.append(named(name, rest[:rank]))
        rest = rest[rank:]
    order = len(symbol.quotient.by)
    above = rf"\partial^{{{order}}}" if order > 1 else r"\partial"
    below = r" \, ".join(rf"\partial {part}" for part in parts[1:])
    written = rf"\frac{{{above} {parts[0]}}}{{{below}}}"
    return rf"\left( {written} \right)^{{({symbol.part})}}" if symbol.part else written


def subscripted(symbol: str, subscripts: Sequence[str]) -> str:
    """A symbol with subscripts, in parentheses where it has some of its own, or where they could be its."""
    if not subscripts:
        return symbol
    base = f"({symbol})" if "_" in symbol or all(s.isdigit() for s in subscripts) else symbol
    joint = "" if all(re.fullmatch(r"\w'*|\\[a-z]+ ?", s) for s in subscripts) else ", "
    return f"{base}_{{{joint.join(subscripts)}}}"


def _simple(symbol: Symbol, named: Callable[[str, Sequence[str]], str]) -> str:
    """All but a fraction, without subscripts."""
    if symbol.latex is not None:
        return symbol.latex
    if symbol.quotient is not None:
        by = named(symbol.quotient.by[0][0], ())
        written = rf"\delta_{{{by}}}" if symbol.notation == "delta" else rf"\mathrm{{d}}{by}"
        return rf"\left( {written} \right)^{{({symbol.part})}}" if symbol.part else written
    written = upright(symbol.base) if symbol.upright else name_latex(symbol.base)
    if symbol.mark:
        written = rf"\{symbol.mark}{{{written.strip()}}}"
    if symbol.number is not None:
        head = f"{{{written}}}" if "_" in written else written  # one subscript at a time
        written = f"{head}_{{{symbol.number}}}"
    return rf"{written}^{{\mathrm{{{symbol.above}}}}}" if symbol.above else written


def name_latex(name: str) -> str:
    r"""A name as mathematics: `W1` is W_{1}, `beta` is \beta, `s_p` is s_{p}, `mask` is upright."""
    stem = name.rstrip("'")
    if stem != name:
        return name_latex(stem).rstrip() + name[len(stem) :]
    if name.endswith("²"):
        return name_latex(name[:-1]).rstrip() + "^{2}"
    hat = ABOVE["hat"]
    if hat in name:
        return rf"\hat{{{name_latex(name.replace(hat, '')).strip()}}}"
    name = LETTERS.get(name, name)
    if name in GREEK:
        return rf"\{name} "
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name
    split = re.fullmatch(r"([^\W\d_]+)_?(\d+)", name) or re.fullmatch(r"([^\W_]+)_(\w+)", name)
    words = split is not None and len(split[1]) > 1 and split[1] not in GREEK and len(split[2]) > 1
    if split and not (words and not split[2].isdigit()):
        head, tail = name_latex(split[1]), split[2]
        head = f"{{{head}}}" if "_" in head else head  # one subscript at a time
        return f"{head}_{{{tail if tail.isdigit() else name_latex(tail)}}}"
    return upright(name)


def upright(name: str) -> str:
    """A name as it is, in upright letters."""
    return rf"\mathrm{{{escaped(name)}}}"


def escaped(text: str) -> str:
    """Text with every sign that LaTeX reads as a command written out."""
    for sign in "_&%#$":
        text = text.replace(sign, "\\" + sign)
    return text


def bare(written: str) -> str:
    """What a reader sees of a symbol: without what only groups it."""
    return re.sub(r"[{}\s]", "", written)
