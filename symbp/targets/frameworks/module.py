"""The text of a framework's module: constants, helpers, the loss.

Enters: a system as it was declared, a spelling. Leaves: source text. Must not know: frameworks, files.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import sympy

from symbp.codegen.arguments import used_names
from symbp.codegen.printer import text
from symbp.codegen.tree import Node
from symbp.errors import GenerationError
from symbp.ir.system import Role, System
from symbp.rendering import render
from symbp.targets.frameworks.forward import FUNCTION, Page, loss_function, page
from symbp.targets.frameworks.spelling import Speller, Spelling


@dataclass(frozen=True)
class Module:
    """Source text with the function `loss`, and which tensor each of its arguments is, None of a table of
    tensors by their names."""

    text: str
    arguments: Mapping[str, str | None]


def module(system: System, spelling: Spelling, constants: Mapping[str, float], title: str) -> Module:
    """The loss of a system, where nothing is differentiated yet.

    Raises GenerationError: an operation that the framework hasn't, a constant without a value, a size that no
    array tells.
    """
    functions = _functions(spelling)
    taken = {word for line in spelling.imports for word in line.split()} | {*functions, "jax", "tf"}
    made = page(system, taken)
    tree = loss_function(made)
    bound = frozenset(made.sizes.values())
    spelled = Speller(spelling, bound, _has_infinite_values(system))(tree)
    helpers = _called(spelled, functions)
    lines = _constants(made, used_names([spelled]), constants)
    texts = [*map(inspect.getsource, helpers), text(spelled)]
    source = render(
        "frameworks/module.py.j2",
        {
            "title": title,
            "words": spelling.words,
            "uses_math": any("math." in part for part in texts),
            "imports": spelling.imports,
            "constants": lines,
            "functions": texts,
        },
    )
    identifiers = {identifier: name for name, identifier in made.tensors.items()}
    given = [a.id for a in tree.arguments]
    return Module(source, {a: identifiers.get(a) for a in given})


def _has_infinite_values(system: System) -> bool:
    """Whether a value may be -∞ where nothing rests on it: the logarithm of 0 then is one, of no slope."""
    masks = any(t.fact("mask") for t in system.leaves)
    return masks or any(a in (sympy.oo, -sympy.oo) for e in system.equations for a in _numbers(e.body))


def _numbers(body: Any) -> Any:
    return (part for part in sympy.preorder_traversal(body) if part.is_number)


def _functions(spelling: Spelling) -> dict[str, Callable[..., Any]]:
    return dict(inspect.getmembers(import_module(spelling.helpers), inspect.isfunction))


def _called(tree: Node, functions: Mapping[str, Callable[..., Any]]) -> list[Callable[..., Any]]:
    """The helpers that a tree calls, and those that these call, in the order of their file."""
    stack = [name for name in tree.calls() if name in functions]
    found: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += [other for other in functions[name].__code__.co_names if other in functions]
    return sorted((functions[name] for name in found), key=lambda f: int(f.__code__.co_firstlineno))


def _constants(page: Page, used: set[str], hyper: Mapping[str, float]) -> list[str]:
    """Sizes that have a value, and the network's constants."""
    bound = page.system.bound
    known = [(page.sizes[n], bound[n]) for n in page.system.sizes if n in bound and page.sizes[n] in used]
    lines: list[str] = []
    for k in range(0, len(known), 8):
        names, values = zip(*known[k : k + 8], strict=True)
        lines.append(f"{', '.join(names)} = {', '.join(map(repr, values))}")
    for tensor in page.system.with_role(Role.HYPER):
        if page.tensors[tensor.name] in used:
            if tensor.name not in hyper:
                raise GenerationError(
                    f"the hyperparameter {tensor.name} has no value",
                    help=f"give the network one: hyper={{{tensor.name!r}: …}}",
                )
            lines.append(f"{page.tensors[tensor.name]} = {float(hyper[tensor.name])!r}")
    return lines


__all__ = ["FUNCTION", "Module", "module"]
