"""Methods of a check by the names that people give them.

Enters: names. Leaves: those of `METHODS`. Must not know: what a method does.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbp.errors import UsageError, choose

ALSO = {"ridders": "central differences", "duals": "dual numbers"}
"""What methods are called, too."""


def methods_named(asked: str | Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The methods of a text, between commas, or of several: with hyphens or blanks; the start of a
    name will do, and `all` is every one. Raises UsageError: a name that fits none, or several."""
    parts = asked.split(",") if isinstance(asked, str) else [*asked]
    if [_plain(part) for part in parts] == ["all"]:
        return tuple(known)
    return tuple(dict.fromkeys(_one(part, known) for part in parts))


def _one(part: str, known: Sequence[str]) -> str:
    asked = _plain(part)
    fitting = [name for name in known if asked and _plain(name).startswith(asked)]
    exact = [name for name in fitting if _plain(name) == asked]
    exact = exact or [name for also, name in ALSO.items() if also == asked]
    if len(exact or fitting) != 1:
        choices = (name.replace(" ", "-") for name in fitting or known)
        raise UsageError(
            f"there is no method {part.strip()!r}",
            help=choose(asked.replace(" ", "-"), choices, "choose of"),
        )
    return (exact or fitting)[0]


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", " ").replace("_", " ")
