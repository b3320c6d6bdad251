"""Slips in numbers: a sign, a factor, a sum for a mean, one size for another, a square.

Enters: a workshop. Leaves: repairs. Must not know: shapes, tensors.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from symbp.read.grammar.syntax import Call, Name, Number, Power, Product, Reduction, Total, Tree
from symbp.verify.grading.slips.rewrite import everywhere, exchanged
from symbp.verify.grading.slips.workshop import (
    NOWHERE,
    Repair,
    Workshop,
    call,
    minus,
    name,
    number,
    source,
    square,
)

CLOSE = 1e-7
MOST_SIZES = 3  # in one factor
NUMBERS = tuple(map(Fraction, ("1", "2", "3", "4", "1/2", "1/3", "1/4")))


def signs(shop: Workshop) -> Iterator[Repair]:
    whole = _negated(shop.tree)
    yield Repair("sign", "the whole has the other sign", whole)

    def flipped(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Total):
            for place, (minus, term) in enumerate(node.terms):
                terms = (*node.terms[:place], (not minus, term), *node.terms[place + 1 :])
                yield replace(node, terms=terms)

    for tree in everywhere(shop.tree, flipped):
        yield Repair("sign", "one term has the wrong sign", tree)


def _negated(tree: Tree) -> Tree:
    if isinstance(tree, Total):
        return replace(tree, terms=tuple((not minus, term) for minus, term in tree.terms))
    return Total(NOWHERE, ((True, tree),))


def scaled(shop: Workshop) -> Iterator[Repair]:
    """The whole times a factor, where all elements ask for the same one."""
    pair = shop.pair()
    if pair is None:
        return
    right, found = pair
    told = np.abs(found) > 1e-12
    if not np.any(told):
        return
    ratios = right[told] / found[told]
    if not np.all(np.abs(ratios - ratios[0]) <= CLOSE * abs(ratios[0])):
        return
    mean = _means(shop)
    if mean is not None:
        yield mean
    yield from _by_roots(shop, ratios[0])
    for top, below, value in sorted(_candidates(shop), key=lambda c: (len(c[0]) + len(c[1]), c[2] != 1)):
        factor = float(value)
        for size, power in ((top, 1), (below, -1)):
            for one in size:
                factor *= float(shop.judge.meaning(shop.judge.screen, shop.answer).size(one)) ** power
        if abs(factor - ratios[0]) <= CLOSE * abs(factor):
            yield _scaling(shop, top, below, value)
        elif abs(factor + ratios[0]) <= CLOSE * abs(factor):
            repair = _scaling(shop, top, below, value)
            hint = f"the sign is wrong, and {repair.hint}"
            yield Repair("sign and factor", hint, _negated(repair.tree))


def _by_roots(shop: Workshop, ratio: float) -> Iterator[Repair]:
    """The whole times, or by, the root of a size."""
    for size in shop.sizes:
        root = float(shop.judge.meaning(shop.judge.screen, shop.answer).size(size)) ** 0.5
        for op, factor, said in (("/", 1 / root, "a division by"), ("⊙", root, "a factor")):
            if abs(factor - ratio) <= CLOSE * abs(factor):
                tree = Product(NOWHERE, op, shop.tree, call("sqrt", name(size)))
                yield Repair("missing factor", f"{said} the root of {size} is missing", tree)


def _candidates(shop: Workshop) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Fraction]]:
    """Sizes above, sizes below, a number."""
    some = [c for n in range(MOST_SIZES) for c in itertools.combinations(shop.sizes, n)]
    for top, below, value in itertools.product(some, some, NUMBERS):
        if len(top) + len(below) <= MOST_SIZES and not set(top) & set(below) and (top or below or value != 1):
            yield top, below, value


def _scaling(shop: Workshop, top: tuple[str, ...], below: tuple[str, ...], value: Fraction) -> Repair:
    tree = shop.tree
    for size in top:
        tree = Product(NOWHERE, "⊙", tree, name(size))
    if value.numerator != 1:
        tree = Product(NOWHERE, "⊙", number(value.numerator), tree)
    under = [*map(name, below), *([number(value.denominator)] if value.denominator != 1 else [])]
    for divisor in under:
        tree = Product(NOWHERE, "/", tree, divisor)
    product = "·".join(top)
    quotient = "·".join(below)
    if top and below and value == 1:
        return Repair("wrong factor", f"{product} divides where {quotient} belongs", tree)
    if below and value == 1:
        what = "sum instead of mean" if not _mentions(shop, below) else "wrong factor"
        return Repair(what, f"the loss is a mean: a division by {quotient} is missing", tree)
    if top and value == 1:
        what = "mean instead of sum" if _mentions(shop, top) else "wrong factor"
        return Repair(what, f"{product} divides once too often", tree)
    if not top and not below:
        missing = value.denominator == 1
        hint = f"a factor {value} is missing" if missing else f"a factor {1 / value} is too many"
        return Repair("missing factor" if missing else "factor too many", hint, tree)
    parts = [str(value) if value != 1 else "", product, f"1/({quotient})" if quotient else ""]
    return Repair("wrong factor", f"the factor {' · '.join(filter(None, parts))} is missing", tree)


def _mentions(shop: Workshop, sizes: tuple[str, ...]) -> bool:
    return any(isinstance(node, Name) and node.name in sizes for node in shop.tree.walk())


def _means(shop: Workshop) -> Repair | None:
    """A mean in the place of a sum, or the other way round."""

    def mean(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Call) and node.function == "sum":
            yield replace(node, function="mean")

    def total(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Call) and node.function == "mean":
            yield replace(node, function="sum")
        if isinstance(node, Reduction) and node.op == "mean":
            yield replace(node, op="sum")

    for change, said in ((mean, "sum instead of mean"), (total, "mean instead of sum")):
        hint = "divide by how many there are" if change is mean else "nothing is to be divided by here"
        for tree in everywhere(shop.tree, change):
            if shop.judge.looks_right(shop.answer, tree):
                return Repair(said, hint, tree)
    return None


def needless_numbers(shop: Workshop) -> Iterator[Repair]:
    """A number or a size that multiplies or divides once too often."""
    for part in shop.parts:
        if not isinstance(part, Product):
            continue
        for kept, gone in ((part.left, part.right), (part.right, part.left)):
            size = isinstance(gone, Name) and gone.name in shop.judge.names.sizes
            if not (size or isinstance(gone, Number)) or (gone is part.left and part.op in ("/", "⊘")):
                continue
            said = gone.name if isinstance(gone, Name) else source(gone, shop.answer.right)
            divides = part.op in ("/", "⊘")
            hint = f"{said} divides once too often" if divides else f"the factor {said} is too many"
            what = ("mean instead of sum" if size else "wrong factor") if divides else "factor too many"
            tree = exchanged(shop.tree, part, kept)
            yield Repair(what, hint, tree)


def constants(shop: Workshop) -> Iterator[Repair]:
    """A number that has a letter: missing, p for 1 - p, or on the wrong side of a fraction."""
    known = shop.judge.names.constants

    def rest(node: Tree) -> str | None:
        """Of which letter a part is 1 less."""
        if isinstance(node, Total) and len(node.terms) == 2 and node.terms[1][0]:
            one, other = node.terms[0][1], node.terms[1][1]
            if isinstance(one, Number) and one.value == 1 and isinstance(other, Name) and other.name in known:
                return other.name
        return None

    for own in known:
        for factor in (minus(number(1), name(own)), name(own)):
            for op, said in (("/", "a division by"), ("⊙", "the factor")):
                what = own if isinstance(factor, Name) else f"1 - {own}"
                scaled = Product(NOWHERE, op, shop.tree, factor)
                yield Repair("missing factor", f"{said} {what} is missing", scaled)
    for part in shop.parts:
        letter = rest(part)
        if letter is not None:
            tree = exchanged(shop.tree, part, name(letter))
            yield Repair("wrong factor", f"1 - {letter} stands where {letter} belongs", tree)
        if isinstance(part, Name) and part.name in known:
            tree = exchanged(shop.tree, part, minus(number(1), part))
            yield Repair("wrong factor", f"{part.name} stands where 1 - {part.name} belongs", tree)
        right = part.right if isinstance(part, Product) else part
        if isinstance(part, Product) and (rest(right) or (isinstance(right, Name) and right.name in known)):
            divides = part.op in ("/", "⊘")
            said = "divides where it multiplies" if divides else "multiplies where it divides"
            tree = exchanged(shop.tree, part, replace(part, op="⊙" if divides else "/"))
            yield Repair("wrong factor", f"{source(right, shop.answer.right)} {said} on the page", tree)


def swapped_sizes(shop: Workshop) -> Iterator[Repair]:
    """Another size, or the root of one."""

    def root(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Name) and node.name in shop.judge.names.sizes:
            yield call("sqrt", node)

    for tree in everywhere(shop.tree, root):
        yield Repair("wrong power", "a size stands where its root belongs", tree)
    for size in shop.sizes:

        def other(node: Tree, size: str = size) -> Iterator[Tree]:
            if isinstance(node, Name) and node.name in shop.judge.names.sizes and node.name != size:
                yield name(size)

        for tree in everywhere(shop.tree, other):
            yield Repair("wrong factor", f"one size stands where {size} belongs", tree)


def terms_scaled(shop: Workshop) -> Iterator[Repair]:
    """One term of a sum times a factor."""
    choices = [(f"a factor {n} is missing in one term", number(n), "⊙") for n in (2, 3, Fraction(1, 2))]
    choices += [(f"a division by {size} is missing in one term", name(size), "/") for size in shop.sizes]
    choices += [(f"{size} divides once too often in one term", name(size), "⊙") for size in shop.sizes]
    for hint, factor, op in choices:

        def scaled_term(node: Tree, factor: Tree = factor, op: str = op) -> Iterator[Tree]:
            if isinstance(node, Total):
                for place, (minus, term) in enumerate(node.terms):
                    scaled = Product(NOWHERE, op, term, factor)
                    yield replace(
                        node, terms=(*node.terms[:place], (minus, scaled), *node.terms[place + 1 :])
                    )

        for tree in everywhere(shop.tree, scaled_term):
            yield Repair("missing factor", hint, tree)


def squares(shop: Workshop) -> Iterator[Repair]:
    """A square that is missing, or one too many; another exponent."""

    def less(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Power) and isinstance(node.exponent, Number):
            yield node.base
            for exponent in (-2, -1, 1, 2, 3, Fraction(1, 2), Fraction(-1, 2)):
                if exponent != node.exponent.value:
                    yield replace(node, exponent=number(exponent))

    def more(node: Tree) -> Iterator[Tree]:
        if not isinstance(node, (Number, Power)):
            yield square(node)

    for tree in everywhere(shop.tree, less):
        yield Repair("wrong power", "an exponent is wrong", tree)
    for part in shop.parts:

        def squared(node: Tree, part: Tree = part) -> Iterator[Tree]:
            if node is part:
                yield from more(node)

        for tree in everywhere(shop.tree, squared):
            where = source(part, shop.answer.right)
            yield Repair(
                "missing square", f"a square is missing{f' at {where}' if len(where) < 20 else ''}", tree
            )
