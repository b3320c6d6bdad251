"""Slips in what stands at all: a term that is missing or too many, a factor that is.

Enters: a workshop. Leaves: repairs. Must not know: transposes, sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbp.errors import FormulaError
from symbp.ir.printer import equation_text
from symbp.read.grammar import parse_equation
from symbp.read.grammar.syntax import Name, Product, Read, Reduction, Total, Tree
from symbp.verify.grading.slips.rewrite import everywhere, exchanged, throughout
from symbp.verify.grading.slips.workshop import NOWHERE, Repair, Workshop, name, source, times


def missing_terms(shop: Workshop) -> Iterator[Repair]:
    """A term of the page's own equation more; what is to be predicted, taken away or added anywhere."""
    for minus, term in _terms(shop):
        whole = Total(NOWHERE, ((False, shop.tree), (minus, term)))
        yield Repair("missing term", "a term is missing", whole)

        def longer(node: Tree, minus: bool = minus, term: Tree = term) -> Iterator[Tree]:
            if isinstance(node, Total):
                yield replace(node, terms=(*node.terms, (minus, term)))

        for tree in everywhere(shop.tree, longer):
            yield Repair("missing term", "a term is missing", tree)
    for target in shop.judge.names.targets:
        plain = shop.spelled.get(target)
        if plain is None:
            continue
        for part in shop.parts:
            for minus in (True, False):
                new = Total(NOWHERE, ((False, part), (minus, _like(shop, part, plain, target))))
                tree = exchanged(shop.tree, part, new)
                yield Repair("missing term", f"a term with {plain} is missing", tree)


def _like(shop: Workshop, part: Tree, plain: str, target: str) -> Tree:
    """The tensor with subscripts as the part has them."""
    if not isinstance(part, Read):
        return name(plain)
    rank = len(shop.shapes[target])
    rank += int(shop.judge.screen.bound(target) is not None and target in shop.judge.names.integers)
    return Read(NOWHERE, name(plain), part.subscripts[:rank])


def _terms(shop: Workshop) -> list[tuple[bool, Tree]]:
    """The terms of the page's equation for the target, with the subscripts of the answer."""
    indices = {letter: letter for letter in shop.judge.names.letters}
    found = list[tuple[bool, Tree]]()

    def called(node: Tree) -> Tree | None:
        return name(shop.spelled.get(node.name, node.name)) if isinstance(node, Name) else None

    for line in shop.judge.sheet.reading.lines:
        if line.target != shop.answer.target or line.fixed:
            continue
        try:
            written = parse_equation(equation_text(line.equation), indices)
        except FormulaError:
            continue
        body = whole = throughout(written.body, called)
        bound: list[Reduction] = []
        while isinstance(body, Reduction) and body.op == "sum":
            bound.append(body)
            body = body.body
        inner = [node for node in whole.walk() if isinstance(node, Total) and node is not body]
        found += [pair for node in inner for pair in node.terms]
        for minus, term in body.terms if isinstance(body, Total) else ():
            for reduction in reversed(bound):
                term = replace(reduction, body=term)
            found.append((minus, term))
    return found


def needless(shop: Workshop) -> Iterator[Repair]:
    """A term, or a factor, less."""

    def fewer(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Total) and len(node.terms) > 1:
            for place in range(len(node.terms)):
                rest = (*node.terms[:place], *node.terms[place + 1 :])
                yield rest[0][1] if len(rest) == 1 and not rest[0][0] else replace(node, terms=rest)

    for tree in everywhere(shop.tree, fewer):
        yield Repair("term too many", "a term is too many", tree)

    def less(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Product):
            yield node.left
            if node.op not in ("/", "⊘"):
                yield node.right

    for tree in everywhere(shop.tree, less):
        yield Repair("factor too many", "a factor is too many", tree)


def missing_factors(shop: Workshop) -> Iterator[Repair]:
    """The whole, or a term of a sum, times a tensor."""
    parts = [shop.tree, *(t for n in shop.tree.walk() if isinstance(n, Total) for _, t in n.terms)]
    for part in parts:
        value = shop.value(part)
        if value is None:
            continue
        for new in _tensors(shop, part, value.rank):
            tree = exchanged(shop.tree, part, times(part, new))
            where = source(part, shop.answer.right)
            at = f" at {where}" if part is not shop.tree and len(where) < 24 else ""
            yield Repair("missing factor", f"a factor is missing{at}", tree)


def _tensors(shop: Workshop, part: Tree, rank: int) -> Iterator[Tree]:
    subscripts = [n.subscripts for n in part.walk() if isinstance(n, Read)]
    for tensor, plain in shop.spelled.items():
        if tensor == shop.answer.target:
            continue
        if not subscripts and len(shop.shapes[tensor]) == rank:
            yield name(plain)
        for own in subscripts:
            if len(own) == len(shop.shapes[tensor]):
                yield Read(NOWHERE, name(plain), own)
