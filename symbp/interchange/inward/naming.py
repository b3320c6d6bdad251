"""Names for a declaration out of foreign names: identifiers, each once.

Enters: any text. Leaves: names that symbp and Python allow. Must not know: what is named.
"""

from __future__ import annotations

import builtins
import itertools
import keyword
import re

from symbp import ops

LONGEST = 60
# What a declaration's own file says, and what stands for functions on pages.
RESERVED = frozenset({"bp", "net", "loss", "np", "e", "pi", *ops.__all__, *dir(builtins), *keyword.kwlist})


def cleaned(text: str, otherwise: str) -> str:
    """The text with underscores for what can't stand in a name; `otherwise` in front where it would not start
    with a letter."""
    kept = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:LONGEST].rstrip("_")
    return kept if kept[:1].isalpha() else f"{otherwise}_{kept}".rstrip("_")


def is_plain(text: str) -> bool:
    """Whether somebody chose it as a name: nothing of it would have to be replaced."""
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,40}", text)) and text not in RESERVED


class Names:
    """Names that are taken; gradients are called `dW`, so nothing else is."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(RESERVED | taken)
        self._next: dict[str, itertools.count[int]] = {}

    def free(self, name: str) -> bool:
        """Whether nothing is called so, nor would be its gradient."""
        clash = {name, f"d{name}", name[1:] if name.startswith("d") else name}
        return not clash & self._taken

    def take(self, wanted: str) -> str:
        """The name itself, or with a number behind it."""
        candidates = itertools.chain([wanted], (f"{wanted}_{k}" for k in itertools.count(2)))
        return self._take(next(c for c in candidates if self.free(c)))

    def numbered(self, base: str) -> str:
        """The base with the first number that is free: relu1, relu2, …"""
        base = base.rstrip("0123456789_") or base
        start = self._next.setdefault(base, itertools.count(1))
        return self._take(next(c for c in (f"{base}{k}" for k in start) if self.free(c)))

    def _take(self, name: str) -> str:
        self._taken.add(name)
        return name
