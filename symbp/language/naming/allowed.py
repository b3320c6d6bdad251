"""Which names a user may give: they end up in source code, so nothing else may pass.

Enters: a name. Leaves: the same name, or a DeclarationError. Must not know: tensors or networks.
"""

from __future__ import annotations

import keyword
import re

from symbp.errors import DeclarationError
from symbp.language.naming.frames import here

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def problem(name: object) -> str | None:
    """Why the name can't be used, or None."""
    if not isinstance(name, str):
        return f"a name is a string, not {type(name).__name__}"
    if not _NAME.match(name):
        return "a name is letters, digits and underscores, and starts with a letter"
    if keyword.iskeyword(name):
        return "it is a word of Python's own"
    return None


def check_name(name: object, what: str = "a tensor") -> str:
    """The name, if it can be the name of something in source code.

    Raises DeclarationError otherwise: not an identifier, or a keyword.
    """
    why = problem(name)
    if why is not None:
        raise DeclarationError(
            f"{name!r} can't be the name of {what}: {why}",
            where=here(),
            help="choose another name, such as W1 or hidden",
        )
    return str(name)
