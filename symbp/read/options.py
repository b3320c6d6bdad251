"""How a page is to be read: the notation of derivatives, the layout of matrices, where indices start.

Enters: what a reader asks for. Leaves: one frozen value that goes through all of a page. Must not know: what
is done for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from symbp.errors import UsageError, choose

Derivatives = Literal["partial", "delta", "d"]
Layout = Literal["rows", "columns"]
NOTATIONS: tuple[str, ...] = get_args(Derivatives)
LAYOUTS: tuple[str, ...] = get_args(Layout)
ORIGINS = (0, 1)


@dataclass(frozen=True)
class Options:
    """`notation`: the derivative of the loss by W as ∂loss/∂W, as δ (by what is computed; by a parameter as
    ∂loss/∂W), or as dW; without it each format has its own. `layout`: examples are rows of matrices, or their
    columns. `origin`: what indices start at.

    Raises UsageError: none of these.
    """

    notation: Derivatives | None = None
    layout: Layout = "rows"
    origin: int = 0

    def __post_init__(self) -> None:
        _check("notation", self.notation, (None, *NOTATIONS))
        _check("layout", self.layout, LAYOUTS)
        _check("origin", self.origin, ORIGINS)


def _check(what: str, chosen: object, known: tuple[object, ...]) -> None:
    if isinstance(chosen, bool) or chosen not in known:
        help = choose(chosen, (one for one in known if one is not None))
        raise UsageError(f"the {what} of a page can't be {chosen!r}", help=help)


PLAIN = Options()
