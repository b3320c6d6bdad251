"""The words of a formula.

Enters: text. Leaves: tokens with their places. Must not know: how they are put together.

Spellings that mean the same become one sign here: `−` is `-`, `.*` is `⊙`; `**` is `.^`, as in NumPy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from symbp.read.grammar.places import Span, error_at
from symbp.read.grammar.syntax import Name, Number, Tree

LONGEST = 10_000  # characters of a formula
MOST_DIGITS = 60  # of a number
LARGEST_POWER = 400  # of ten in a number: beyond it no float is finite

Kind = Literal["number", "name", "reduction", "component", "power", "sign", "method", "einsum", "end"]

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ϵ": "eps", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lam", "μ": "mu", "ν": "nu", "ξ": "xi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi",
    "Ψ": "Psi", "Ω": "Omega", "lambda": "lam", "epsilon": "eps",
}  # fmt: skip
REDUCTIONS = {
    "Σ": "sum", "∑": "sum", "sum": "sum", "Π": "prod", "∏": "prod", "prod": "prod", "max": "max",
    "argsort": "argsort", "eigenvalues": "eigenvalues", "eigenvectors": "eigenvectors",
    "singular values": "singular values", "left vectors": "left vectors", "right vectors": "right vectors",
    "mean": "mean", "argmax": "argmax", "inverse": "inverse", "det": "det", "log|det|": "logdet",
    "cholesky": "cholesky", "cofactors": "cofactors", "softmax": "softmax", "log_softmax": "log_softmax",
    "logsumexp": "logsumexp",
}  # fmt: skip
SAME = {
    "**": ".^", "−": "-", "–": "-", "⋅": "·", "∙": "·", "×": "*", ".*": "⊙", "∘": "⊙", "./": "⊘", "==": "=",
    "<=": "≤", ">=": "≥", "!=": "≠", "′": "'", "’": "'", ".T": "'", "ᵀ": "'", "⊤": "'", "^∘": ".^", "||": "‖",
}  # fmt: skip
OF_MATRICES = ("_{", "}", ":", "⋆", "⊗")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ⊤"  # signs that are letters or digits to Unicode, and stand behind a name
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
NUMPY = re.compile(
    r"(?:np|numpy)\.(?:linalg\.)?(?=[A-Za-z])"
)  # says nothing: functions are known by their names
METHOD = re.compile(r"\.(shape(?=\[)|size(?![A-Za-z0-9_(])|[a-z]+(?=\())")
EINSUM = re.compile(r"""einsum\(\s*(["'])\s*([A-Za-z, ]+->[A-Za-z ]*)\1\s*,""")

_INDEX = "[A-Za-z][A-Za-z0-9]*'*"
RUN = re.compile(
    rf"(Σ|∑|sum|Π|∏|prod|mean)_\{{\s*({_INDEX})\s*=\s*([01])\s*\}}\s*\^\s*(?:\{{\s*([^{{}}]+?)\s*\}}|(\w+))"
)
_LIST = rf"{_INDEX}(?:,{_INDEX})*"
_PATTERN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<reduction>(?:{"|".join(sorted(map(re.escape, REDUCTIONS), key=len, reverse=True))})
        _(?:{_LIST}(?![A-Za-z0-9_'])|\{{\s*{_INDEX}(?:\s*,\s*{_INDEX})*\s*\}}))
    | (?P<number>(?:[0-9]+(?:\.[0-9]+|\.(?![*/^A-Za-z0-9]))?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z_]))
    | (?P<slope>gelu(?:_tanh)?′(?=\())
    | (?P<transpose>\^(?:T(?![A-Za-z0-9_])|\{{T\}}|⊤)|\.T(?![A-Za-z0-9_])|['′’ᵀ⊤])
    | (?P<name>[A-Za-zΑ-Ωα-ωϕϵ](?:[A-Za-z0-9₀-₉]|_(?!\{{))*)
    | (?P<component>(?<=\))_{_INDEX})
    | (?P<ones>𝟏|𝟙)
    | (?P<vulgar>[½⅓⅔¼¾])
    | (?P<norm>(?:‖|\|\|)(?:_(?:[12F](?![A-Za-z0-9_])|\{{[12F]\}})|[₁₂]))
    | (?P<power>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    | (?P<sign>_\{{|\*\*|\^∘|\.\^|\.\*|\./|\|\||//|==|<=|>=|!=|[-+*/^@%()\[\],|=<>·⋅∙×⊙∘⊘−–≤≥≠‖√∞⋆⊗:}}])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One word: `text` is its one spelling; of a number, of a power `value`, of a reduction its `indices`,
    and how many values they have, where that is written (`Σ_{n=1}^{N}`), of the end of a norm its kind."""

    kind: Kind
    text: str
    span: Span
    value: Fraction = Fraction(0)
    indices: tuple[str, ...] = ()
    counts: tuple[Tree, ...] = ()


def tokens(
    text: str,
    names: Mapping[str, str] | None = None,
    *,
    matrices: bool = False,
    numpy: bool = False,
    within: Span | None = None,
) -> tuple[Token, ...]:
    """The words of a formula, the end behind them; `names` are symbols of a page that are no words of their
    own (`dh⁽¹⁾`, `m̂`, the index `j'`), with what they stand for. With `matrices`, the signs of
    matrix notation that no formula has are signs, too; with `numpy`, `np.` before a name, `.sum(` behind a
    value, `einsum("ni,nj->ij",` and `Σ_{n=1}^{N}` are understood. `within` is the part that is read.

    Raises FormulaError: too long, or a sign that is none.
    """
    if len(text) > LONGEST:
        raise error_at(
            text, (LONGEST, LONGEST + 1), f"the formula has {len(text)} characters, more than {LONGEST}"
        )
    known = dict(sorted((names or {}).items(), key=lambda pair: -len(pair[0])))
    start, stop = within or (0, len(text))
    return (*_words(text, (start, stop), known, matrices, numpy), Token("end", "", (stop, stop)))


def _words(text: str, within: Span, names: Mapping[str, str], matrices: bool, numpy: bool) -> Iterator[Token]:
    (position, stop), begun = within, dict[str, list[str]]()
    for symbol in names:
        begun.setdefault(symbol[:1], []).append(symbol)
    while position < stop:
        prefix, typed = NUMPY.match(text, position), _typed(text, position)
        if numpy and prefix is not None:
            position = prefix.end()
            continue
        if numpy and typed is not None:
            yield typed
            position = typed.span[1]
            continue
        found_symbol = next((s for s in begun.get(text[position], ()) if _stands(s, text, position)), None)
        if found_symbol is not None:
            yield Token("name", names[found_symbol], (position, position + len(found_symbol)))
            position += len(found_symbol)
            continue
        match = _PATTERN.match(text, position, stop)
        if match is None or match.lastgroup is None or (match.group() in OF_MATRICES and not matrices):
            raise error_at(text, (position, position + 1), _unknown(text, position))
        span, found, kind = match.span(), match.group(), match.lastgroup
        position = match.end()
        if kind == "number":
            yield Token("number", found, span, _number(text, span))
        elif kind == "name":
            yield Token("name", _name(found), span)
        elif kind == "slope":
            yield Token("name", f"{found[:-1]}_slope", span)
        elif kind == "power":
            digits = found.translate(SUPERSCRIPTS)
            if len(digits) > MOST_DIGITS:
                raise error_at(text, span, "the exponent is too large")
            yield Token("power", found, span, Fraction(int(digits)))
        elif kind == "reduction":
            op = max((name for name in REDUCTIONS if found.startswith(f"{name}_")), key=len)
            indices = found[len(op) + 1 :]
            named = tuple(i.strip() for i in indices.strip("{}").split(","))
            yield Token("reduction", REDUCTIONS[op], span, indices=named)
        elif kind == "vulgar":
            yield Token("number", found, span, Fraction(unicodedata.numeric(found)).limit_denominator(4))
        elif kind == "norm":
            yield Token("sign", "‖", span, indices=(found.rstrip("}")[-1].translate(SUBSCRIPTS),))
        elif kind == "component":
            yield Token("component", found[1:], span)
        elif kind != "space":
            yield Token("sign", {"transpose": "'", "ones": "𝟏"}.get(kind) or SAME.get(found, found), span)


def _typed(text: str, position: int) -> Token | None:
    """A word that only answers have, if one stands at a place."""
    if (method := METHOD.match(text, position)) is not None:
        return Token("method", method[1], method.span())
    if (einsum := EINSUM.match(text, position)) is not None:
        return Token("einsum", einsum[2].replace(" ", ""), einsum.span())
    if (run := RUN.match(text, position)) is None:
        return None
    last = (run[4] or run[5]).replace(" ", "")
    count = last.removesuffix("-1") if run[3] == "0" else last
    if not re.fullmatch(r"[A-Za-z]\w*|[0-9]{1,6}", count) or (run[3] == "0") != last.endswith("-1"):
        what = "a sum runs over a whole axis: from 1 to N, or from 0 to N - 1"
        raise error_at(text, run.span(), what, help="write a condition as a factor, Σ_n [n > 0]·…")
    tree = Number(run.span(), Fraction(count)) if count.isdigit() else Name(run.span(), count)
    return Token("reduction", REDUCTIONS[run[1]], run.span(), indices=(run[2],), counts=(tree,))


def _stands(symbol: str, text: str, position: int) -> bool:
    """Whether a symbol stands at a place, as a word of its own, and no function of what is in parentheses."""
    end = position + len(symbol)
    if not text.startswith(symbol, position):
        return False
    behind = text[end : end + 1]
    if text.startswith("_{", end) or (behind and behind in RAISED):
        return True
    # What stands before a parenthesis is a function, whatever a tensor is called.
    return not (
        behind.isalnum() or behind in ("_", "'", "⁽", "(") or (behind and unicodedata.combining(behind))
    )


def _name(found: str) -> str:
    """A name as symbp prints it: Greek letters written out, digits on the line."""
    letter = GREEK.get(found[0], found[0])
    return GREEK.get(found) or letter + found[1:].translate(SUBSCRIPTS) if found != "π" else "π"


def _number(text: str, span: Span) -> Fraction:
    written = text[span[0] : span[1]]
    digits, _, power = written.lower().partition("e")
    if len(digits) > MOST_DIGITS or len(power) > MOST_DIGITS or abs(int(power or 0)) > LARGEST_POWER:
        raise error_at(text, span, "the number is too long or too large")
    return Fraction(written + ("0" if written.endswith(".") else ""))


def _unknown(text: str, position: int) -> str:
    rest = re.match(r"[0-9.]+([A-Za-z_][A-Za-z0-9_]*)", text[position:])
    if rest:
        return f"a number and a name stand together: write * between them, as before {rest.group(1)}"
    return f"{text[position]!r} has no meaning in a formula"
