r"""What people type, in the spelling that the grammar reads: `hₙⱼ`, `h_{nj}`.

Enters: the text of an answer. Leaves: text that says the same. Must not know: what names stand for.

Nothing here decides what an answer means: what isn't known stays as it is, and is refused with a caret.
"""

from __future__ import annotations

import re
from collections.abc import Container

INDEX = dict(zip("ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "aehijklmnoprstuvx", strict=True))
LOWERED = f"[{''.join(INDEX)}]+"
JOINED = re.compile(r"_\{([a-z]{2,})\}")


def is_latex(text: str) -> bool:
    """Whether an answer is LaTeX."""
    return "\\" in text or ")_{" in text


def typed(text: str, letters: Container[str]) -> str:
    """An answer that isn't LaTeX; `letters` are the indices of its page."""
    found = re.sub(rf"([Σ∑Π∏])({LOWERED})", lambda m: f"{m[1]}_{','.join(_on_the_line(m[2]))} ", text)
    found = re.sub(LOWERED, lambda m: _subscripted(_on_the_line(m[0])), found)
    return JOINED.sub(lambda m: _apart(m, letters), found)


def _on_the_line(lowered: str) -> list[str]:
    return [INDEX[sign] for sign in lowered]


def _subscripted(indices: list[str]) -> str:
    return f"_{{{indices[0]}}}" if len(indices) == 1 else f"[{','.join(indices)}]"


def _apart(joined: re.Match[str], letters: Container[str]) -> str:
    """`_{nj}` as `[n,j]`, where n and j are indices, and nj is none."""
    run = joined[1]
    is_run = run not in letters and all(letter in letters for letter in run)
    return f"[{','.join(run)}]" if is_run else joined[0]
