"""Slips in what stands at all: a term that is missing or too many, a factor that is.

Enters: a workshop. Leaves: repairs. Must not know: transposes, sums.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from symbp.errors import FormulaError
from symbp.ir.printer import equation_text
from symbp.read.grammar import parse_equation
from symbp.read.grammar.syntax import Equation, Name, Product, Read, Reduction, Total, Tree
from symbp.verify.grading.slips.rewrite import everywhere, exchanged, throughout
from symbp.verify.grading.slips.workshop import NOWHERE, Repair, Workshop, call, name, source, times

MOST_TERMS = 5  # of an equation, of which some may be missing
MOST_MISSING = 3


def missing_terms(shop: Workshop) -> Iterator[Repair]:
    """Terms of the page's own equation more; what is to be predicted or given, taken away or added."""
    terms = _terms(shop)
    for minus, term in terms:
        yield Repair("missing term", "a term is missing", _longer(shop, shop.tree, [(minus, term)]))

        def longer(node: Tree, minus: bool = minus, term: Tree = term) -> Iterator[Tree]:
            if isinstance(node, Total):
                yield replace(node, terms=(*node.terms, (minus, term)))

        for tree in everywhere(shop.tree, longer):
            yield Repair("missing term", "a term is missing", tree)
    for count in range(2, 1 + min(len(terms), MOST_MISSING)):
        for some in itertools.combinations(terms[:MOST_TERMS], count):
            yield Repair("missing term", "terms are missing", _longer(shop, shop.tree, some))
    targets, leaves = shop.judge.names.targets, shop.judge.sheet.system.leaves
    for leaf in (*targets, *(leaf.name for leaf in leaves if leaf.name not in targets)):
        plain = shop.spelled.get(leaf)
        for part in shop.parts if plain is not None else ():
            for minus, like in itertools.product((True, False), _like(shop, part, plain or "", leaf)):
                tree = exchanged(shop.tree, part, Total(NOWHERE, ((False, part), (minus, like))))
                yield Repair("missing term", f"a term with {plain} is missing", tree)


def _longer(shop: Workshop, tree: Tree, terms: Iterable[tuple[bool, Tree]]) -> Tree:
    """A whole with more terms, which are elements: so it is its elements where it is a matrix."""
    free = set[str]().union(*(shop.free(term) for _, term in terms))
    letters = next((e.indices for e in _written(shop)), ())
    if free and shop.answer.subscripts is None and not shop.free(tree):
        tree = Read(NOWHERE, tree, tuple(map(name, letters)))
    return Total(NOWHERE, ((False, tree), *terms))


def _like(shop: Workshop, part: Tree, plain: str, leaf: str) -> Iterator[Tree]:
    """The tensor with subscripts as the part has them, the first or the last."""
    if not isinstance(part, Read):
        yield name(plain)
        return
    rank = len(shop.shapes[leaf])
    rank += int(shop.judge.screen.bound(leaf) is not None and leaf in shop.judge.names.integers)
    subscripts = part.subscripts
    for some in dict.fromkeys((subscripts[:rank], subscripts[len(subscripts) - rank :])):
        yield Read(NOWHERE, name(plain), some) if some else name(plain)


def _written(shop: Workshop) -> Iterator[Equation]:
    """The page's equations for the target, under the names of answers."""
    indices = {letter: letter for letter in shop.judge.names.letters}

    def called(node: Tree) -> Tree | None:
        return name(shop.spelled.get(node.name, node.name)) if isinstance(node, Name) else None

    for line in shop.judge.sheet.reading.lines:
        if line.target != shop.answer.target or line.fixed:
            continue
        try:
            written = parse_equation(equation_text(line.equation), indices)
        except FormulaError:
            continue
        yield replace(written, body=throughout(written.body, called))


def _distributed(node: Tree) -> list[tuple[bool, Tree]]:
    """The terms of a sum, also of one that is multiplied or divided."""
    if isinstance(node, Total):
        return [(minus != other, part) for minus, term in node.terms for other, part in _distributed(term)]
    if isinstance(node, Product) and node.op in ("·", "*", "/"):
        rights = _distributed(node.right) if node.op != "/" else [(False, node.right)]
        pairs = itertools.product(_distributed(node.left), rights)
        return [(a != b, replace(node, left=left, right=right)) for (a, left), (b, right) in pairs]
    return [(False, node)]


def _terms(shop: Workshop) -> list[tuple[bool, Tree]]:
    """The terms of the page's equation for the target, with the subscripts of the answer."""
    found = list[tuple[bool, Tree]]()
    for equation in _written(shop):
        body, bound = equation.body, list[Reduction]()
        while isinstance(body, Reduction) and body.op == "sum":
            bound.append(body)
            body = body.body
        whole = _distributed(body)
        for minus, term in whole if len(whole) > 1 else ():
            for reduction in reversed(bound):
                term = replace(reduction, body=term)
            found.append((minus, term))
        inner = [node for node in equation.body.walk() if isinstance(node, Total) and node is not body]
        found += [pair for node in inner for pair in node.terms]
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
        if not subscripts and tensor in shop.judge.names.targets and len(shop.shapes[tensor]) + 1 == rank:
            yield call("onehot", name(plain))
        for own in subscripts:
            if len(own) == len(shop.shapes[tensor]):
                yield Read(NOWHERE, name(plain), own)
