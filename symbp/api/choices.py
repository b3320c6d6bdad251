"""What may be chosen by its name.

Enters: a name, the known ones. Leaves: the name, or an error that lists them.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbp.errors import UsageError, choose


def one_of(what: str, chosen: str, known: Iterable[str]) -> str:
    """The choice. Raises UsageError: none of the known ones."""
    if chosen not in known:
        raise UsageError(f"there is no {what} {chosen!r}", help=choose(chosen, known))
    return chosen
