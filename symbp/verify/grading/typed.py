r"""What people type, in the spelling that the grammar reads: `hₙⱼ`, `h_{nj}`, LaTeX that symbp doesn't print.

Enters: the text of an answer. Leaves: text that says the same. Must not know: what names stand for.

Nothing here decides what an answer means: what isn't known stays as it is, and is refused with a caret.
"""

from __future__ import annotations

import re
from collections.abc import Container

NAMED = r"\\?[A-Za-z]+(?:_\{[^{}]*\})?"  # a symbol in LaTeX, in parentheses before its subscripts
LOSS = r"(?:L|J|loss|\\ell|\\mathcal\{L\}|\\mathrm\{loss\}|\\text\{loss\})"
D = r"(?:\\mathrm\{d\}|d)"
INDEX = dict(zip("ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "aehijklmnoprstuvx", strict=True))
LOWERED = f"[{''.join(INDEX)}]+"
FUNCTIONS = r"\\(?:tanh|cosh|sinh|exp|log|ln|sin|cos|sigma)"
JOINED = re.compile(r"_\{([a-z]{2,})\}")
COMMANDS = (
    (r"\\tag\{\d+\}", ""),
    (r"\\(?:bigl|bigr|Bigl|Bigr|big|Big)(?![A-Za-z])\s*", ""),
    (r"\\(?:left|right)(?![A-Za-z])\s*", ""),
    (rf"({FUNCTIONS})\s*\^\s*(?:\{{(\d)\}}|(\d))\s*(\([^()]*\))", r"\1\4^{\2\3}"),
    (rf"\\nabla_\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}\s*{LOSS}?", r"\\frac{\\partial L}{\\partial \1}"),
    (rf"\\nabla_([A-Za-z])\s*{LOSS}?", r"\\frac{\\partial L}{\\partial \1}"),
    (rf"\\frac\{{\s*{D}\s*{LOSS}\s*\}}\{{\s*{D}\s*", r"\\frac{\\partial L}{\\partial "),
    (rf"\\frac\{{\s*\\partial\s*{LOSS}\s*\}}", r"\\frac{\\partial L}"),
    (r"\^\s*(?:\\top|\{?\\intercal\}?|\{T\}|T(?![A-Za-z])|\{\\mathsf\{?\s*T\}?\})", r"^{\\top}"),
    (r"([_^])\s*([A-Za-z0-9])", r"\1{\2}"),
    (rf"\((?!{NAMED}\)_)", r"\\left( "),
    (r"\)(?!_)", r" \\right)"),
    (r"\[", r"\\left[ "),
    (r"\]", r" \\right]"),
    (r"\\times|\\;|\\:|\\ ", r"\\,"),
    (r"\\!", ""),
)  # fmt: skip


def is_latex(text: str) -> bool:
    """Whether an answer is LaTeX."""
    return "\\" in text or ")_{" in text


def typed(text: str, letters: Container[str]) -> str:
    """An answer that isn't LaTeX; `letters` are the indices of its page."""
    found = re.sub(rf"([Σ∑Π∏])({LOWERED})", lambda m: f"{m[1]}_{','.join(_on_the_line(m[2]))} ", text)
    found = re.sub(LOWERED, lambda m: _subscripted(_on_the_line(m[0])), found)
    return JOINED.sub(lambda m: _apart(m, letters), found)


def commands(latex: str) -> str:
    """LaTeX as symbp prints it, of what people type."""
    found = latex.strip().strip("$").replace("&", "").removesuffix("\\\\").strip()
    for pattern, spelling in COMMANDS:
        found = re.sub(pattern, spelling, found)
    return found


def _on_the_line(lowered: str) -> list[str]:
    return [INDEX[sign] for sign in lowered]


def _subscripted(indices: list[str]) -> str:
    return f"_{{{indices[0]}}}" if len(indices) == 1 else f"[{','.join(indices)}]"


def _apart(joined: re.Match[str], letters: Container[str]) -> str:
    """`_{nj}` as `[n,j]`, where n and j are indices, and nj is none."""
    run = joined[1]
    is_run = run not in letters and all(letter in letters for letter in run)
    return f"[{','.join(run)}]" if is_run else joined[0]
