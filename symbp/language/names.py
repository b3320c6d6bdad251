"""Which names a user may give: they end up in source code, so nothing else may pass.

Enters: a name. Leaves: the same name, or a DeclarationError. Must not know: tensors or networks.
"""

from __future__ import annotations

import builtins
import keyword
import re

from symbp.errors import DeclarationError
from symbp.language.frames import here

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")

# What generated modules call their own things: modules, arguments and entry points of their interface.
_OWN = """
    np numpy math numba nb njit prange scipy sys os json time argparse pathlib params buffers
    training seed masks state data epochs batch_size validation callback history threads path sizes
    step theta gradient moments init_params init_buffers init_state forward loss_and_gradients
    train_step fit predict evaluate save load check_gradients main self cls
"""
RESERVED = frozenset(_OWN.split())


def problem(name: object) -> str | None:
    """Why the name can't be used, or None."""
    if not isinstance(name, str):
        return f"a name is a string, not {type(name).__name__}"
    if not _NAME.match(name):
        return "a name is letters, digits and underscores, and starts with a letter"
    if keyword.iskeyword(name):
        return "it is a word of Python's own"
    if hasattr(builtins, name):
        return "it is one of Python's built-in functions"
    if name in RESERVED:
        return "generated code uses it for itself"
    return None


def check_name(name: object, what: str = "a tensor") -> str:
    """The name, if it can be the name of something in source code.

    Raises DeclarationError otherwise: not an identifier, a keyword, a built-in, or reserved.
    """
    why = problem(name)
    if why is not None:
        raise DeclarationError(
            f"{name!r} can't be the name of {what}: {why}",
            where=here(),
            help="choose another name, such as W1 or hidden",
        )
    return str(name)
