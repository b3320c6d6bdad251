"""Names in generated code: a tensor or a size keeps its own unless Python or the module needs that name.

Enters: the names of tensors and sizes. Leaves: `Names`, a mapping to identifiers that clash with nothing; a
derivation whose sizes have identifiers. Must not know: targets.

What the module needs is read off its own text, the parts under `symbp/emit/parts`. A tensor's identifier is a
variable of a few functions, and its own name stays the key in parameters and data. A size is a global or an
argument: where it has to give way its identifier is `size_` and its name, so that the key is found again.
"""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from symbp.derive.derivation import Derivation
from symbp.emit.splice import INTERNAL, Part
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
PREFIX = "size_"


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


def interface(parts: Iterable[Part], data: Collection[str], sizes: Collection[str]) -> list[Part]:
    """The parts with those options renamed that come in beside data or sizes of the same name, in functions
    that take both: `seed` is then `seed_`."""
    given = {"sizes": frozenset(sizes)}
    clashes = {
        name: own & given.get(rest, frozenset(data)) for name, (rest, own) in _open_functions().items()
    }
    clashes = {name: words for name, words in clashes.items() if words}
    return [replace(p, text=_renamed(p.text, clashes)) for p in parts] if clashes else list(parts)


def _renamed(text: str, clashes: Mapping[str, frozenset[str]]) -> str:
    """The text of a part where such options of functions have an underscore more, as have calls with them."""
    places: list[tuple[int, int, str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name in clashes:
            words = clashes[node.name]
            for inner in ast.walk(node):
                word = inner.id if isinstance(inner, ast.Name) else getattr(inner, "arg", None)
                if isinstance(inner, (ast.Name, ast.arg)) and word in words:
                    places.append((inner.lineno, inner.col_offset, str(word)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in clashes:
            for given in node.keywords:
                if given.arg in clashes[node.func.id]:
                    places.append((given.lineno, given.col_offset, str(given.arg)))
    lines = [line.encode() for line in text.split("\n")]
    for row, column, word in sorted(set(places), reverse=True):
        end = column + len(word)
        lines[row - 1] = lines[row - 1][:end] + b"_" + lines[row - 1][end:]
    return "\n".join(line.decode() for line in lines)


@cache
def own_names() -> frozenset[str]:
    """What the parts of a module call their functions, classes, tables and imports."""
    found: set[str] = set()
    for tree in _parts():
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                if not (getattr(node, "module", None) or "").startswith(INTERNAL):
                    found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.Assign):
                found |= {
                    t.id for target in node.targets for t in ast.walk(target) if isinstance(t, ast.Name)
                }
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return frozenset(found)


@cache
def _open_functions() -> Mapping[str, tuple[str, frozenset[str]]]:
    """The functions that take whatever the data or the sizes are called: as what, and their own arguments."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for tree in _parts():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.args.kwarg is not None:
                own = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                found[node.name] = node.args.kwarg.arg, frozenset(argument.arg for argument in own)
    return found


@cache
def _parts() -> tuple[ast.Module, ...]:
    files = sorted(resources.files(INTERNAL).iterdir(), key=lambda file: file.name)
    return tuple(ast.parse(f.read_text(encoding="utf-8")) for f in files if f.name.endswith(".py"))
