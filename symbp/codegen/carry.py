"""What a module takes along of the runtime: whole files, or functions with those that they call, and imports.

Enters: names of files under `symbp/runtime`, names of functions. Leaves: `Taken`, text and imports.
Must not know: what the runtime does, networks, templates.

It reads the runtime's own files and no code that was generated. A module is one namespace, so files that
define the same names stand for each other: it takes one of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

RUNTIME = "symbp.runtime"
ROOMS = ("network", "common", "numpy", "numba")  # of what is carried; `array_functions` are of another kind
INSTALLED = ("numpy", "numba", "scipy")

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Import:
    """`import module as alias`, or `from module import name`."""

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name that it makes known."""
        return self.alias or self.name or self.module.partition(".")[0]


@dataclass(frozen=True)
class Taken:
    """Text for a module, what it imports from outside, and the names that it mentions."""

    text: str = ""
    imports: frozenset[Import] = frozenset()
    words: frozenset[str] = frozenset()

    def __add__(self, other: Taken) -> Taken:
        texts = [text for text in (self.text, other.text) if text]
        return Taken("\n\n\n".join(texts), self.imports | other.imports, self.words | other.words)


@dataclass(frozen=True)
class File:
    """A file of the runtime: its lines, what it defines, what it imports from outside."""

    lines: tuple[str, ...]
    definitions: tuple[Definition, ...]
    imports: tuple[Import, ...]

    def text(self, first: Definition, last: Definition) -> str:
        """The lines of some definitions, with decorators, and with comments that stand above."""
        start = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", ()))])
        while self.lines[start - 2].startswith("#"):
            start -= 1
        return "\n".join(self.lines[start - 1 : last.end_lineno])

    def taken(self, first: Definition, last: Definition, definitions: Iterable[Definition]) -> Taken:
        """What a module takes with some definitions, of which it has the text from the first to the last."""
        return Taken(self.text(first, last), self.needed(definitions), frozenset(_words(definitions)))

    def needed(self, definitions: Iterable[Definition]) -> frozenset[Import]:
        """The imports of some definitions."""
        mentioned = _words(definitions)
        return frozenset(i for i in self.imports if i.bound in mentioned)


@cache
def file(name: str) -> File:
    """A file by its path, without the ending: `common/arrays/shapes`."""
    source = resources.files(RUNTIME).joinpath(f"{name}.py").read_text(encoding="utf-8")
    definitions: list[Definition] = []
    imports: list[Import] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            imports += [Import(a.name, alias=a.asname or "") for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports += [Import(node.module or "", a.name, a.asname or "") for a in node.names]
        elif isinstance(node, Definition):
            definitions.append(node)
    outside = [i for i in imports if not i.module.startswith(RUNTIME) and i.module != "__future__"]
    return File(tuple(source.splitlines()), tuple(definitions), tuple(outside))


def _mentioned(definition: Definition) -> Iterator[str]:
    return (node.id for node in ast.walk(definition) if isinstance(node, ast.Name))


def _words(definitions: Iterable[Definition]) -> set[str]:
    return {name for definition in definitions for name in _mentioned(definition)}


def _names(definition: Definition) -> Iterator[str]:
    """What a definition calls what it defines."""
    if isinstance(definition, (ast.FunctionDef, ast.ClassDef)):
        yield definition.name
        return
    targets = definition.targets if isinstance(definition, ast.Assign) else [definition.target]
    yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))


def whole(names: Iterable[str]) -> Taken:
    """All that some files define, in their order."""
    taken = Taken()
    for found in map(file, names):
        body = found.definitions
        taken += found.taken(body[0], body[-1], body)
    return taken


def functions(names: Sequence[str], wanted: Iterable[str]) -> Taken:
    """Functions that some files define, and those that they call, sorted by name."""
    homes = {
        d.name: (file(n), d) for n in names for d in file(n).definitions if isinstance(d, ast.FunctionDef)
    }
    found: set[str] = set()
    pending = sorted(wanted)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += sorted(set(_mentioned(homes[name][1])) & homes.keys())
    taken = Taken()
    for name in sorted(found):
        home, definition = homes[name]
        taken += home.taken(definition, definition, [definition])
    return taken


def reached(sections: Mapping[str, Sequence[str]], wanted: Iterable[str]) -> dict[str, Taken]:
    """Of the files of each section what some names need, directly or not, in the files' order."""
    every = {
        section: [(f, d) for f in map(file, names) for d in f.definitions]
        for section, names in sections.items()
    }
    homes = {name: d for found in every.values() for _, d in found for name in _names(d)}
    pending, needed = [name for name in wanted if name in homes], set[str]()
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending += [other for other in _mentioned(homes[name]) if other in homes]
    return {
        section: _laid_out([(f, d) for f, d in found if needed.intersection(_names(d))])
        for section, found in every.items()
    }


def _laid_out(found: Sequence[tuple[File, Definition]]) -> Taken:
    """Definitions as one text: tables below each other, everything else apart."""
    text, before = "", None
    for home, one in found:
        together = isinstance(one, (ast.Assign, ast.AnnAssign)) and isinstance(
            before, (ast.Assign, ast.AnnAssign)
        )
        text += ("\n" if together else "\n\n\n" if before else "") + home.text(one, one)
        before = one
    imports = frozenset(i for home, one in found for i in home.needed([one]))
    return Taken(text, imports, frozenset(_words(one for _, one in found)))


def takes(names: Sequence[str], function: str, argument: str) -> bool:
    """Whether a function of some files has an argument of that name."""
    found = (d for n in names for d in file(n).definitions if isinstance(d, ast.FunctionDef))
    return any(a.arg == argument for d in found if d.name == function for a in d.args.args)


def import_lines(taken: Iterable[Taken], *more: Import) -> list[str]:
    """All imports of a module, sorted: the standard library, then what is installed."""
    every = {*more, *(i for one in taken for i in one.imports)}
    plain = sorted(f"import {i.module}" + (f" as {i.alias}" if i.alias else "") for i in every if not i.name)
    grouped: dict[str, set[str]] = {}
    for i in every:
        if i.name:
            grouped.setdefault(i.module, set()).add(i.name)
    froms = [
        f"from {module} import {', '.join(sorted(names, key=_order))}"
        for module, names in sorted(grouped.items())
    ]
    installed = [line for line in plain if line.split()[1] in INSTALLED]
    standard = [line for line in plain if line not in installed]
    return ["from __future__ import annotations", "", *standard, *froms, "", *installed]


def _order(name: str) -> tuple[int, str]:
    """Where linters want a name to stand: constants, then classes, then functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


@cache
def own_names() -> frozenset[str]:
    """What the runtime calls its functions, classes, tables and imports."""
    files = [file(name) for name in _files()]
    defined = {name for f in files for d in f.definitions for name in _names(d)}
    return frozenset(defined | {i.bound for f in files for i in f.imports} | {"annotations"})


def _files() -> list[str]:
    """Every file of the rooms of which modules take."""
    root = Path(str(resources.files(RUNTIME)))
    found = [path.relative_to(root).with_suffix("") for path in root.rglob("*.py")]
    return sorted(path.as_posix() for path in found if path.parts[0] in ROOMS)


# --- options that give way to data and sizes
@cache
def _open_functions() -> Mapping[str, tuple[str, frozenset[str]]]:
    """The functions that take whatever the data or the sizes are called: as what, and their own arguments."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for name in _files():
        for definition in file(name).definitions:
            if isinstance(definition, ast.FunctionDef) and definition.args.kwarg is not None:
                given = definition.args
                own = (*given.posonlyargs, *given.args, *given.kwonlyargs)
                known = found.get(definition.name, ("", frozenset[str]()))[1]  # in a file that it stands for
                found[definition.name] = definition.args.kwarg.arg, known | {a.arg for a in own}
    return found


def giving_way(data: Collection[str], sizes: Collection[str]) -> Callable[[Taken], Taken]:
    """Renames the options that come in beside data or sizes of the same name, in functions that take both:
    `seed` is then `seed_`."""
    given = {"sizes": frozenset(sizes)}
    clashes = {
        name: own & given.get(rest, frozenset(data)) for name, (rest, own) in _open_functions().items()
    }
    clashes = {name: words for name, words in clashes.items() if words}
    return lambda taken: replace(taken, text=_renamed(taken.text, clashes)) if clashes else taken


def _renamed(text: str, clashes: Mapping[str, frozenset[str]]) -> str:
    """The text of the runtime where such options of functions, also in calls, have an underscore more."""
    places: set[tuple[int, int, str]] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name in clashes:
            words = clashes[node.name]
            for inner in ast.walk(node):
                word = inner.id if isinstance(inner, ast.Name) else getattr(inner, "arg", None)
                if isinstance(inner, (ast.Name, ast.arg)) and word in words:
                    places.add((inner.lineno, inner.col_offset, str(word)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in clashes:
            for keyword in node.keywords:
                if keyword.arg in clashes[node.func.id]:
                    places.add((keyword.lineno, keyword.col_offset, str(keyword.arg)))
    lines = [line.encode() for line in text.split("\n")]
    for row, column, word in sorted(places, reverse=True):
        end = column + len(word)
        lines[row - 1] = lines[row - 1][:end] + b"_" + lines[row - 1][end:]
    return "\n".join(line.decode() for line in lines)
