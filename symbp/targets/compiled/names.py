"""Names in generated code: a tensor or a size keeps its own unless Python or the module needs that name.

Enters: the names of tensors and sizes. Leaves: `Names`, a mapping to identifiers that clash with nothing; a
derivation whose sizes have identifiers. Must not know: targets.

What the module needs is what the runtime defines. A tensor's identifier is a
variable of a few functions, and its own name stays the key in parameters and data. A size is a global or an
argument: where it has to give way its identifier is `size_` and its name, so that the key is found again.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from symbp.codegen.carry import own_names
from symbp.derive.derivation import Derivation
from symbp.ir.expr import Size
from symbp.ir.training import Initial

LOCALS = frozenset(
    {
        "np", "math", "F32", "DTYPE", "params", "data", "tensors", "gradients",
        "theta", "gradient", "work", "counts", "at", "bounds", "step", "loss_", "finite", "run",
    }
)  # fmt: skip
"""The variables of the functions that are written for a network."""
LOCALS_OF_SIZES = frozenset({"rows", "sizes", "rng", "loss", "chunk", "first", "last", "out", "block"})
"""The variables beside these of functions that sizes reach as arguments or globals."""
UNCLEAR = ("l", "O", "I")
"""What linters take for a number."""
PREFIX = "size_"


@dataclass(frozen=True)
class Names:
    """`tensors` maps a tensor's name to its identifier; `taken` holds every identifier in use."""

    tensors: dict[str, str]
    taken: frozenset[str]

    def free(self, name: str) -> str:
        """`name`, or the first variation of it that no tensor, size or helper has."""
        while name in self.taken or keyword.iskeyword(name) or name in UNCLEAR:
            name += "_"
        return name


def names_for(tensors: Iterable[str], sizes: Iterable[str], reserved: Collection[str] | None = None) -> Names:
    """Identifiers for tensors; those that would hide a builtin or a name of the module get an underscore."""
    own = LOCALS | own_names() if reserved is None else frozenset(reserved)
    blocked = own | set(sizes) | set(dir(builtins))
    found: dict[str, str] = {}
    for name in tensors:
        identifier = name
        while identifier in blocked or keyword.iskeyword(identifier) or identifier in found.values():
            identifier += "_"
        found[name] = identifier
    return Names(found, frozenset(found.values()) | blocked)


def key_of(size: str) -> str:
    """What a size is called by whoever uses the module."""
    return size.removeprefix(PREFIX)


def with_identifiers(
    derivation: Derivation, sizes: Mapping[str, int], initial: Mapping[str, Initial], constants: Iterable[str]
) -> tuple[Derivation, dict[str, int], dict[str, Initial]]:
    """The same, where each size is called as in the module's text; `constants` are its globals beside."""
    blocked = LOCALS | LOCALS_OF_SIZES | own_names() | set(dir(builtins)) | set(constants)
    every = dict.fromkeys((*derivation.system.sizes, *derivation.system.bound))
    changed = {name: f"{PREFIX}{name}" for name in every if name in blocked or name.startswith(PREFIX)}
    if not changed:
        return derivation, dict(sizes), dict(initial)
    symbols = {Size(name): Size(new) for name, new in changed.items()}
    starts = {
        name: replace(start, scale=start.scale.xreplace(symbols), shift=start.shift.xreplace(symbols))
        for name, start in initial.items()
    }
    renamed = replace(
        derivation,
        system=derivation.system.resized(changed),
        declared=derivation.declared.resized(changed),
    )
    return renamed, {changed.get(name, name): value for name, value in sizes.items()}, starts
