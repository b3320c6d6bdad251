"""Each result of a derivation in one line: its matrix notation with what it rests on written in its place.

Enters: a derivation. Leaves: short forms, `∂loss/∂w = Aᵀ·(A·w - b)`. Must not know: formats but text.

Everything is written in its place if the line stays short; else what the forward pass computes anyway keeps
its name; else the equation stands as it is numbered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from symbp.derive.derivation import Derivation
from symbp.explain.document import Document, document, symmetric_names
from symbp.explain.text import PageText, index_form
from symbp.read.matrix.rewrite import count, mapped, nodes, substituted, tidied, with_rows, without_transposes
from symbp.read.matrix.spell import TEXT_SPELLING, matrix_text
from symbp.read.matrix.tree import Named, Node

LONGEST = 100  # characters of a line
MOST_NODES = 80  # of a tree: one that repeats itself grows like a power of two


@dataclass(frozen=True)
class ShortForm:
    """A result: its key (`w`, `w,w`), what it is (`∂loss/∂w`), its matrix notation in one line, or None, and
    the equation in index notation."""

    key: str
    what: str
    matrix: str | None
    index: str

    def __str__(self) -> str:
        return f"{self.what} = {self.matrix}" if self.matrix is not None else f"{self.what}: {self.index}"


def short_forms(derivation: Derivation) -> tuple[ShortForm, ...]:
    """The results of the derivation in the order in which they were asked for."""
    page = document(derivation, style="textbook")
    notation = PageText(page.reading.symbols)
    spelling = replace(TEXT_SPELLING, scalar=notation)
    index = {e.equation.target: index_form(e, notation) for e in page.equations}
    forms = short_trees(derivation, page)
    return tuple(
        ShortForm(
            key,
            str(page.quotients.get(tensor, tensor)),
            None if tree is None else matrix_text(tree, spelling),
            index[tensor],
        )
        for key, tensor in derivation.gradients.items()
        for tree in (forms[tensor],)
    )


def short_trees(derivation: Derivation, page: Document) -> dict[str, Node | None]:
    """The matrix expression of each result, None where its equation has none."""
    shown = {e.equation.target: e.matrix for e in page.equations}
    trees = {name: m.right if m is not None and m.is_whole else None for name, m in shown.items()}
    backward = {equation.target for equation in derivation.backward}
    symmetric = symmetric_names(derivation.system)
    ways = [_definitions(trees, trees.keys(), symmetric), _definitions(trees, backward, symmetric)]
    found: dict[str, Node | None] = {}
    for tensor in derivation.gradients.values():
        candidates = [way[tensor] for way in ways if tensor in way]
        short = [tree for tree in candidates if len(matrix_text(tree)) <= LONGEST]
        found[tensor] = short[0] if short else trees[tensor]
        if any(name in backward and trees[name] is None for name in _names(found[tensor])):
            found[tensor] = None  # it rests on what has no matrix notation
    return found


def _names(tree: Node | None) -> set[str]:
    return set() if tree is None else {node.name for node in nodes(tree) if isinstance(node, Named)}


def _definitions(
    trees: Mapping[str, Node | None], within: Collection[str], symmetric: Collection[str]
) -> dict[str, Node]:
    """The trees of those tensors, those before each written in their places as far as they are small."""
    found: dict[str, Node] = {}
    for name, tree in trees.items():
        if name not in within or tree is None:
            continue
        whole = substituted(tree, found)
        if count(whole) > MOST_NODES:
            continue
        plain = mapped(without_transposes(whole, symmetric), tidied)
        found[name] = with_rows(without_transposes(plain, symmetric), symmetric)
    return found
