"""Names in generated code: a tensor keeps its own unless Python or the module needs that name.

Enters: the names of tensors and sizes. Leaves: `Names`, a mapping to identifiers that clash with nothing.
Must not know: targets.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable
from dataclasses import dataclass

RESERVED = frozenset(
    {
        "np", "math", "F32", "DTYPE", "params", "data", "tensors", "gradients",
        "theta", "gradient", "work", "counts", "at", "bounds", "step", "loss_", "finite", "run",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """`tensors` maps a tensor's name to its identifier; `taken` holds every identifier in use."""

    tensors: dict[str, str]
    taken: frozenset[str]

    def free(self, name: str) -> str:
        """`name`, or the first variation of it that no tensor, size or helper has."""
        while name in self.taken or keyword.iskeyword(name):
            name += "_"
        return name


def names_for(tensors: Iterable[str], sizes: Iterable[str], reserved: frozenset[str] = RESERVED) -> Names:
    """Identifiers for tensors; those that would hide a builtin or a name of the module get an underscore."""
    blocked = reserved | set(sizes) | set(dir(builtins))
    found: dict[str, str] = {}
    for name in tensors:
        identifier = name
        while identifier in blocked or keyword.iskeyword(identifier) or identifier in found.values():
            identifier += "_"
        found[name] = identifier
    return Names(found, frozenset(found.values()) | blocked)
