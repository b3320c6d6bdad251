"""Slips in sums and indices: a sum that is missing or along the wrong axis, subscripts exchanged or shifted.

Enters: a workshop. Leaves: repairs. Must not know: what tensors are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from symbp.read.grammar.syntax import (
    Call,
    Keyword,
    Name,
    Number,
    Product,
    Read,
    Reduction,
    Total,
    Tree,
)
from symbp.verify.grading.slips.rewrite import exchanged
from symbp.verify.grading.slips.workshop import NOWHERE, Repair, Workshop, name, number, reads, subscripted

MOST_ORDERS = 6


def missing_sums(shop: Workshop) -> Iterator[Repair]:
    """The whole, or a part, summed over what it shouldn't have any more."""
    left = set[str]()
    for subscript in shop.answer.subscripts or ():
        left |= {subscript.name} if isinstance(subscript, Name) else set()
    over = sorted(shop.free(shop.tree) - left)
    for count in range(len(over), 0, -1):
        for names in itertools.combinations(over, count):
            hint = f"the sum over {', '.join(names)} is missing"
            yield Repair("missing sum", hint, Reduction(NOWHERE, "sum", names, shop.tree))
    yield from _longer(shop)
    value = shop.value(shop.tree)
    if value is not None and value.rank:
        shape = _words(shop, value.shape)
        for axis in range(value.rank):
            whole = Call(NOWHERE, "sum", (shop.tree, _axis(axis)))
            yield Repair("missing sum", f"the sum over {shape[axis]} is missing", whole)
        yield Repair(
            "missing sum", "the sum over all elements is missing", Call(NOWHERE, "sum", (shop.tree,))
        )
    for part in shop.parts:
        inner = shop.value(part) if isinstance(part, (Name, Product, Total, Read)) else None
        for axis in range(inner.rank if inner is not None and part is not shop.tree else 0):
            assert inner is not None
            shape, summed = _words(shop, inner.shape), Call(NOWHERE, "sum", (part, _axis(axis)))
            tree = exchanged(shop.tree, part, summed)
            yield Repair("missing sum", f"a sum over {shape[axis]} is missing", tree)


def _longer(shop: Workshop) -> Iterator[Repair]:
    """A sum over one index more."""
    free = {
        n.name
        for r in reads(shop.tree)
        for s in r.subscripts
        if s is not None
        for n in s.walk()
        if isinstance(n, Name)
    }
    for part in shop.parts:
        if isinstance(part, Reduction) and part.op == "sum":
            for extra in sorted(free & set(shop.judge.names.letters) - set(part.indices)):
                new = replace(part, indices=(*part.indices, extra))
                tree = exchanged(shop.tree, part, new)
                yield Repair("missing sum", f"the sum runs over {extra}, too", tree)


def _axis(axis: int) -> Tree:
    return Keyword(NOWHERE, "axis", number(axis))


def _words(shop: Workshop, shape: tuple[int, ...]) -> list[str]:
    """The size of each axis."""
    place = shop.judge.screen
    letters = place.sheet.reading.sizes
    known = {value: letters.get(size, size) for size, value in place.point.sizes.items()}
    return [f"the axis of {known.get(length, length)}" for length in shape]


def wrong_axes(shop: Workshop) -> Iterator[Repair]:
    """Another axis, all of them, or no sum at all."""
    for part in shop.parts:
        if isinstance(part, Call) and part.function in ("sum", "mean", "max", "softmax"):
            value = shop.value(part.arguments[0])
            for axis in range(value.rank if value is not None else 0):
                others = (a for a in part.arguments[1:] if isinstance(a, Keyword) and a.name != "axis")
                new = Call(part.span, part.function, (part.arguments[0], _axis(axis), *others))
                tree = exchanged(shop.tree, part, new)
                yield Repair("wrong axis", f"{part.function} runs along the wrong axis", tree)
            if part.function != "softmax":
                tree = exchanged(shop.tree, part, part.arguments[0])
                yield Repair("sum too many", f"this {part.function} isn't needed", tree)
        if isinstance(part, Call) and part.function[:3] in ("row", "col"):
            other = {"row": "col", "col": "row"}[part.function[:3]] + part.function[3:]
            tree = exchanged(shop.tree, part, replace(part, function=other))
            yield Repair("wrong axis", f"{part.function} runs along the wrong axis", tree)
        if isinstance(part, Reduction) and part.op == "sum":
            for fewer in itertools.combinations(part.indices, len(part.indices) - 1):
                new_body = replace(part, indices=fewer) if fewer else part.body
                gone = next(i for i in part.indices if i not in fewer)
                tree = exchanged(shop.tree, part, new_body)
                yield Repair("sum too many", f"{gone} is not summed over", tree)
            for place, old in enumerate(part.indices):
                for letter in sorted(shop.judge.names.letters - set(part.indices)):
                    names = (*part.indices[:place], letter, *part.indices[place + 1 :])
                    tree = exchanged(shop.tree, part, replace(part, indices=names))
                    yield Repair("wrong index", f"the sum doesn't run over {old}", tree)


def permuted(shop: Workshop) -> Iterator[Repair]:
    """The subscripts of an element in another order; one subscript for another."""
    for part in list(reads(shop.tree)):
        named = part.tensor.name if isinstance(part.tensor, Name) else "a tensor"
        for order in itertools.islice(itertools.permutations(part.subscripts), 1, MOST_ORDERS):
            new = subscripted(part, order)
            tree = exchanged(shop.tree, part, new)
            yield Repair("transpose", f"the subscripts of {named} stand in the wrong order", tree)
    letters = sorted({*shop.free(shop.tree), *_bound(shop.tree)})
    for part in list(reads(shop.tree)):
        if not isinstance(part, Read):
            continue
        named = part.tensor.name if isinstance(part.tensor, Name) else "a tensor"
        for place, subscript in enumerate(part.subscripts):
            for letter in letters:
                if isinstance(subscript, Name) and subscript.name != letter:
                    new = subscripted(
                        part, (*part.subscripts[:place], name(letter), *part.subscripts[place + 1 :])
                    )
                    tree = exchanged(shop.tree, part, new)
                    yield Repair(
                        "wrong index", f"{subscript.name} stands where {letter} belongs at {named}", tree
                    )


def _bound(tree: Tree) -> set[str]:
    return {i for node in tree.walk() if isinstance(node, Reduction) for i in node.indices}


def shifted(shop: Workshop) -> Iterator[Repair]:
    """A subscript one further, or one less far."""
    for part in list(reads(shop.tree)):
        named = part.tensor.name if isinstance(part.tensor, Name) else "a tensor"
        for place, subscript in enumerate(part.subscripts):
            if subscript is None or not any(isinstance(n, Name) and n.name != ":" for n in subscript.walk()):
                continue
            for step in (1, -1, 2, -2):
                moved = _moved(subscript, step)
                subscripts = (*part.subscripts[:place], moved, *part.subscripts[place + 1 :])
                tree = exchanged(shop.tree, part, subscripted(part, subscripts))
                yield Repair("index off by one", f"a subscript of {named} is off by {abs(step)}", tree)


def _moved(subscript: Tree, step: int) -> Tree:
    """The subscript plus a number, in one sum."""
    terms = subscript.terms if isinstance(subscript, Total) else ((False, subscript),)
    rest, offset = [], Fraction(step)
    for minus, term in terms:
        if isinstance(term, Number):
            offset += -term.value if minus else term.value
        else:
            rest.append((minus, term))
    if offset:
        rest.append((offset < 0, number(abs(offset))))
    if len(rest) == 1 and not rest[0][0]:
        return rest[0][1]
    return Total(NOWHERE, tuple(rest))
