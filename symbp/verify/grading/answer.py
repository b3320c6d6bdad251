"""An answer read: which tensor it says something of, and what.

Enters: the text of an equation, the names of a page. Leaves: a frozen `Answer`, or FormulaError with a caret.
Must not know: values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbp.errors import FormulaError, meant
from symbp.read.grammar import plain
from symbp.read.grammar.answers import EXAMPLE, is_numpy, parse_answer, refuse, sides
from symbp.read.grammar.blackboard import from_blackboard
from symbp.read.grammar.named import numbered
from symbp.read.grammar.places import error_at
from symbp.read.grammar.syntax import Name, Read, Subscripted, Total, Tree
from symbp.verify.grading.names import Names
from symbp.verify.grading.typed import is_latex, typed

GRADIENT = re.compile(r"(?:grad|∇|nabla)\s*_?\s*[{(]?\s*([^\s{}()\[\]]+)\s*[})]?\s*(?:L|loss|ℒ)?\s*(\[.*)?\Z")


@dataclass(frozen=True)
class Answer:
    """`target[subscripts] = tree`; `right` is the text of the tree, `by` what the target is the derivative of
    the loss by. `loose`: written as code, in which `*` is elementwise."""

    text: str
    left: str
    right: str
    target: str
    subscripts: tuple[Tree, ...] | None
    tree: Tree
    by: str | None
    loose: bool


def read_answer(text: str, names: Names) -> Answer:
    """The answer that the text is. Raises FormulaError: too long, no equation, a name on the left that the
    page hasn't, a sign or a function without a meaning."""
    refuse(text)
    left, right = sides(_plain(text, names) if is_latex(text) else typed(text, names.letters))
    tree = numbered(parse_answer(right, names.spellings), names.places)
    target, subscripts = _target(left, names)
    _says_something(right, tree, target, names)
    by = next((by for by, name in names.sheet.adjoints.items() if name == target), None)
    by = target[1:] if target.startswith("∂") else by
    loose = is_numpy(tree, text)
    return Answer(text.strip(), left.strip(), right.strip(), target, subscripts, tree, by, loose)


def _target(left: str, names: Names) -> tuple[str, tuple[Tree, ...] | None]:
    """The tensor on the left, and its subscripts if it has any."""
    named = GRADIENT.match(left.strip())
    if named is not None:
        left = f"grad_{named[1]}{named[2] or ''}"
    tree = numbered(parse_answer(left, names.spellings), names.places)
    tensor = tree.tensor if isinstance(tree, (Read, Subscripted)) else tree
    if not isinstance(tensor, Name):
        raise error_at(left, tree.span, "on the left stands the name of one tensor", help=EXAMPLE)
    if tensor.name not in names.tensors:
        known = [f"d{plain}" for plain, name in names.forward.items() if names.differentiable(name)]
        help = meant(tensor.name, [*names.tensors]) or f"known gradients: {', '.join(known)}"
        raise error_at(left, tensor.span, f"nothing on the page is called {tensor.name}", help=help)
    target = names.tensors[tensor.name]
    if target in {leaf.name for leaf in names.sheet.system.leaves}:
        raise error_at(
            left, tensor.span, f"{tensor.name} is given: there is nothing to say of it",
            help=f"its gradient is d{tensor.name}",
        )  # fmt: skip
    if not isinstance(tree, (Read, Subscripted)):
        return target, None
    subscripts = tuple(Name(tree.span, ":") if s is None else s for s in tree.subscripts)
    return target, subscripts


def _says_something(right: str, tree: Tree, target: str, names: Names) -> None:
    """Raises FormulaError where the right side is made of the left one, but for a step of a recurrence."""
    given = tree.subscripts if isinstance(tree, (Read, Subscripted)) else ()
    if any(isinstance(node, Total) for s in given if s is not None for node in s.walk()):
        return
    if isinstance(tree, Name) and names.tensors.get(tree.name) == target:
        raise error_at(right, tree.span, f"{tree.name} is what is asked for: it can't stand on both sides")
    for child in tree.children():
        _says_something(right, child, target, names)


def _plain(text: str, names: Names) -> str:
    """The text without LaTeX's commands: as symbp prints it, or as people type it."""
    found = text.strip().strip("$").replace("&", "").removesuffix("\\\\").strip()
    found = re.sub(r"\\tag\{\d+\}", "", found)
    try:
        return plain(found, *names.latex)
    except FormulaError:
        return from_blackboard(found, names.vocabulary)
