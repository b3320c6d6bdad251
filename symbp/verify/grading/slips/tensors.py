"""Slips in names: the wrong layer's activation, the derivative by what comes after an activation.

Enters: a workshop. Leaves: repairs. Must not know: products, sums.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from symbp.read.grammar.syntax import Call, Power, Product, Total, Tree
from symbp.verify.grading.slips.rewrite import exchanged, throughout
from symbp.verify.grading.slips.workshop import Repair, Workshop, factors, name


def renamed(shop: Workshop) -> Iterator[Repair]:
    """Another tensor at one place."""
    for part in shop.tree.walk():
        old = shop.tensor(part)
        if old is None:
            continue
        for new, plain in _others(shop, old):
            tree = exchanged(shop.tree, part, name(plain))
            yield Repair(*_said(shop, old, new, plain), tree)


def throughout_renamed(shop: Workshop) -> Iterator[Repair]:
    """Another tensor wherever one stands: also in a slope such as h·(1 − h), where one alone is no repair."""
    for old in dict.fromkeys(filter(None, map(shop.tensor, shop.tree.walk()))):
        count = sum(shop.tensor(node) == old for node in shop.tree.walk())
        for new, plain in _others(shop, old):
            if count == 1 and not _in_slope(shop, old):
                continue

            def changed(node: Tree, old: str = old, plain: str = plain) -> Tree | None:
                return name(plain) if shop.tensor(node) == old else None

            tree = throughout(shop.tree, changed)
            slope = _in_slope(shop, old)
            related = any({a.before, a.after} == {old, new} for a in shop.activations)
            if slope and related:
                hint = f"the derivative of the activation is taken at {_plain(shop, old)}, not at {plain}"
                yield Repair("derivative at the wrong place", hint, tree)
            else:
                yield Repair(*_said(shop, old, new, plain), tree)


def swapped(shop: Workshop) -> Iterator[Repair]:
    """Two tensors, each in the other's place."""
    used = list(dict.fromkeys(filter(None, map(shop.tensor, shop.tree.walk()))))
    for one, other in itertools.combinations(used, 2):
        plain = {one: _plain(shop, other), other: _plain(shop, one)}

        def changed(node: Tree, plain: dict[str, str] = plain) -> Tree | None:
            tensor = shop.tensor(node)
            return name(plain[tensor]) if tensor in plain else None

        hint = f"{plain[other]} and {plain[one]} stand in each other's place"
        yield Repair("exchanged", hint, throughout(shop.tree, changed))


def _others(shop: Workshop, old: str) -> list[tuple[str, str]]:
    """Tensors that may be meant, those of the same shape first."""
    shape = shop.shapes.get(old, ())
    rank, target = len(shape), shop.answer.target
    found = [
        (n, p) for n, p in shop.spelled.items() if n not in (old, target) and len(shop.shapes[n]) == rank
    ]
    return sorted(found, key=lambda pair: shop.shapes[pair[0]] != shape)


def _plain(shop: Workshop, tensor: str) -> str:
    return shop.spelled.get(tensor, tensor)


def _said(shop: Workshop, old: str, new: str, plain: str) -> tuple[str, str]:
    """What the slip is called, and the hint."""
    was, by = _plain(shop, old), shop.derivatives
    if old in by and new in by:
        if any(a.after == by[old] and a.before == by[new] for a in shop.activations):
            return "missing derivative of an activation", f"{was} still has to go back through the activation"
        return "wrong derivative", f"{was} stands where another derivative belongs"
    hidden = {a.after for a in shop.activations} | {a.before for a in shop.activations}
    if any({a.before, a.after} == {old, new} for a in shop.activations):
        where = "before" if any(a.before == old for a in shop.activations) else "behind"
        return (
            "wrong side of an activation",
            f"{was} is what stands {where} the activation: {plain} belongs there",
        )
    if old in hidden or new in hidden:
        return "the wrong layer's activation", f"{was} stands where that of another layer belongs"
    return "wrong tensor", f"{was} stands where another tensor belongs"


def _in_slope(shop: Workshop, tensor: str) -> bool:
    """Whether a tensor stands in what looks like the derivative of an activation: f'(z), 1 − h², h·(1 − h),
    1 − tanh(z)²."""
    for node in shop.tree.walk():
        inside = any(shop.tensor(inner) == tensor for inner in node.walk())
        if inside and isinstance(node, Call) and node.function.endswith("'"):
            return True
        if inside and isinstance(node, Total) and len(node.terms) == 2 and _is_one_minus(shop, node, tensor):
            return True
        if inside and type(node).__name__ == "Bracket":
            return True
    return False


def _is_one_minus(shop: Workshop, node: Total, tensor: str) -> bool:
    (first, one), (second, rest) = node.terms
    number = getattr(one, "value", None) == 1 and not first and second
    inner = rest.base if isinstance(rest, Power) else rest
    plain = list(factors(inner)) if isinstance(inner, Product) else [inner]
    return number and all(any(shop.tensor(n) == tensor for n in f.walk()) for f in plain)
