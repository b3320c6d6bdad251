"""Takes the parts apart: their text without docstring and imports, and the imports that the module needs.

Enters: names of files under `symbp/emit/parts`. Leaves: `Part`s. Must not know: what the parts do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from symbp.ir.system import Tensor

INTERNAL = "symbp.emit.parts"
_PIECE = re.compile(r"^( *)# <(\w+)>\n(.*?)^\1# </\2>\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Part:
    """The text of a part, its first docstring line as a title, and its imports from outside."""

    title: str
    text: str
    imports: tuple[str, ...]
    names: tuple[tuple[str, str], ...]  # (module, name) of `from module import name`


@cache
def part(name: str, pieces: tuple[str, ...] = ()) -> Part:
    """A part by the name of its file, with the pieces that are asked for and no others; a piece stands
    between the lines `# <piece>` and `# </piece>`."""
    source = resources.files(INTERNAL).joinpath(f"{name}.py").read_text(encoding="utf-8")
    source = _PIECE.sub(lambda found: found[3] if found[2] in pieces else "", source)
    tree = ast.parse(source)
    dropped: set[int] = set()
    imports: list[str] = []
    names: list[tuple[str, str]] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            imports += [f"import {a.name}" + (f" as {a.asname}" if a.asname else "") for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            if not (node.module or "").startswith(INTERNAL):
                names += [(node.module or "", a.name) for a in node.names]
        elif node is not tree.body[0]:
            continue
        dropped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = [line for k, line in enumerate(source.splitlines(), 1) if k not in dropped]
    text = "\n".join(
        re.sub(r"  # (noqa|type: ignore)\S*( \w+)*(\[[^\]]*\])?( \([^)]*\))?$", "", line) for line in lines
    )
    title = (ast.get_docstring(tree) or "").splitlines()[0].split(":")[0].rstrip(".")
    return Part(title, text.strip(), tuple(imports), tuple(names))


def arrays_part(data: Iterable[Tensor], pieces: Collection[str]) -> Part:
    """The part that checks arrays, with the pieces that the network needs; of masks, −∞ passes."""
    return part("arrays", (*pieces, *(("masks",) if any(t.fact("mask") for t in data) else ())))


def import_lines(
    parts: Sequence[Part], extra: Sequence[str] = (), more: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """All imports of some parts, sorted: the standard library, then what is installed."""
    plain = sorted({*extra, *(line for p in parts for line in p.imports)})
    grouped: dict[str, set[str]] = {}
    for module, name in (*more, *(pair for p in parts for pair in p.names)):
        grouped.setdefault(module, set()).add(name)
    future = [f"from __future__ import {', '.join(sorted(grouped.pop('__future__', {'annotations'})))}"]
    froms = [f"from {module} import {', '.join(sorted(found))}" for module, found in sorted(grouped.items())]
    installed = [line for line in plain if line.split()[1] in ("numpy", "numba", "scipy")]
    standard = [line for line in plain if line not in installed]
    return [*future, "", *standard, *froms, "", *installed]


@cache
def function_text(name: str, function: str) -> str:
    """One function or class of a part, with its decorators."""
    return _function(part(name).text, function)


def replaced(whole: Part, other: Part, names: Sequence[str]) -> Part:
    """A part with some of its functions as another part has them."""
    if not names:
        return whole
    text = whole.text
    for name in names:
        text = text.replace(_function(whole.text, name), _function(other.text, name))
    return Part(whole.title, text, whole.imports, whole.names)


def without(whole: Part, names: Sequence[str]) -> Part:
    """A part without some of its functions."""
    text = whole.text
    for name in names:
        text = text.replace(_function(whole.text, name), "")
    return Part(whole.title, text, whole.imports, whole.names)


def _function(text: str, name: str) -> str:
    """One function or class of a text, with its decorators."""
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise KeyError(f"there is no function {name}")


HELPERS = {
    "numpy": ("numpy_helpers", "numpy_special"),
    "numba float32": ("numba_helpers", "numba_float32"),
    "numba float64": ("numba_helpers", "numba_float64"),
}
"""The parts from which modules of a target take the functions that their lines call."""


def function_texts(target: str, functions: Iterable[str]) -> list[str]:
    """Functions for the lines of a target, with Numba for those of a dtype, and the functions that they
    call, sorted by name."""
    homes = {function: name for name in HELPERS[target] for function in _functions(name)}
    found: dict[str, str] = {}
    pending = sorted(functions)
    while pending:
        function = pending.pop()
        if function not in found:
            found[function] = function_text(homes[function], function)
            called = set(re.findall(r"\b_\w+(?=\()", found[function]))
            pending += sorted(called & homes.keys())
    return [found[function] for function in sorted(found)]


def numba_kernels(dtype: str, called: Iterable[str]) -> list[Part]:
    """The kernels that lines of the Numba target stand on, for those of their functions that are called."""
    texts = function_texts(f"numba {dtype}", set(called) - {"_product"})
    found = [Part("Functions of one element", "\n\n\n".join(texts), (), ())] if texts else []
    return [*found, *(part(f"numba_{name}") for name in ("vectors", "products") if "_product" in called)]


@cache
def _functions(name: str) -> tuple[str, ...]:
    return tuple(node.name for node in ast.parse(part(name).text).body if isinstance(node, ast.FunctionDef))


@cache
def takes_out(function: str) -> bool:
    """Whether a function for the lines of NumPy fills an array that it is given as `out`."""
    for name in HELPERS["numpy"]:
        for node in ast.parse(part(name).text).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return any(argument.arg == "out" for argument in node.args.args)
    return False
