"""Slips with derivatives of functions: one that is missing, that of another function, a softmax taken as
elementwise.

Enters: a workshop. Leaves: repairs. Must not know: transposes, sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbp.read.display import Along
from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    Keyword,
    Name,
    Number,
    Power,
    Product,
    Read,
    Reduction,
    Relation,
    Subscripted,
    Total,
    Tree,
)
from symbp.verify.grading.slips.rewrite import everywhere, exchanged
from symbp.verify.grading.slips.workshop import (
    NOWHERE,
    Activation,
    Repair,
    Workshop,
    base,
    call,
    factors,
    minus,
    name,
    number,
    square,
    times,
)

FUNCTIONS = ("tanh", "sigmoid", "sigma", "relu", "softplus", "exp", "sin", "cos", "log", "softmax")
WORDS = {"sigmoid": "σ", "sigma": "σ"}


def slope(function: str, after: Tree, before: Tree) -> Tree:
    """The derivative of a function by what is saved of it."""
    match function:
        case "tanh":
            return minus(number(1), square(after))
        case "sigmoid":
            return times(after, minus(number(1), after))
        case "relu":
            return Bracket(NOWHERE, Relation(NOWHERE, ">", before, number(0)))
        case "softplus":
            return call("sigma", before)
        case "exp":
            return after
        case _:
            return call(f"{function}'", before)


def missing_slopes(shop: Workshop) -> Iterator[Repair]:
    """The whole, or a part, times the derivative of an activation."""
    for activation in shop.activations:
        after, before = (shop.spelled.get(n) for n in (activation.after, activation.before))
        if after is None or before is None:
            continue
        said = WORDS.get(activation.function, activation.function)
        hint = f"the derivative of {said} is missing"
        for part in shop.parts:
            if not isinstance(part, (Name, Read, Subscripted, Product, Total, Call, Reduction)):
                continue
            for factor in _factor(shop, activation, after, before, part):
                new = times(part, factor)
                tree = exchanged(shop.tree, part, new)
                yield Repair("missing derivative of an activation", hint, tree)


def _factor(shop: Workshop, activation: Activation, after: str, before: str, part: Tree) -> Iterator[Tree]:
    """The derivative at the subscripts of a part."""
    value = shop.value(part)
    if value is None:
        return
    if not value.index:
        if all(fixed is None for fixed in activation.fixed):
            yield slope(activation.function, name(after), name(before))
        return
    rank = len(shop.shapes[activation.after])
    for node in part.walk():
        if isinstance(node, Read) and len(node.subscripts) == rank:
            free = iter(node.subscripts)
            inner = [number(f) if f is not None else next(free) for f in activation.fixed]
            yield slope(
                activation.function,
                Read(NOWHERE, name(after), node.subscripts),
                Read(NOWHERE, name(before), tuple(inner)),
            )


def functions(shop: Workshop) -> Iterator[Repair]:
    """Another function, or the derivative of another one."""

    def other(node: Tree) -> Iterator[Tree]:
        if isinstance(node, Call) and node.function.rstrip("'") in FUNCTIONS:
            for function in FUNCTIONS:
                if function != node.function.rstrip("'"):
                    yield replace(node, function=function + node.function[len(node.function.rstrip("'")) :])
            turned = node.function[:-1] if node.function.endswith("'") else f"{node.function}'"
            yield replace(node, function=turned)

    for tree in everywhere(shop.tree, other):
        yield Repair("wrong function", "one function, or the derivative of one, stands for another", tree)

    def slopes(node: Tree) -> Iterator[Tree]:
        for kind, of, rest in _slopes_of(node):
            for activation in shop.activations:
                before = shop.spelled.get(activation.before)
                if (
                    shop.tensor(base(of)) == activation.after
                    and activation.function != kind
                    and before is not None
                ):
                    inner = replace(of, tensor=name(before)) if isinstance(of, Read) else name(before)
                    yield times(*rest, slope(activation.function, of, inner))

    for tree in everywhere(shop.tree, slopes):
        yield Repair("wrong function", "this is the derivative of another function than the page's", tree)


def _slopes_of(node: Tree) -> Iterator[tuple[str, Tree, list[Tree]]]:
    """Of which function a part looks like the derivative, the value that is saved of it, other factors."""
    if isinstance(node, Total) and len(node.terms) == 2:
        (first, one), (second, rest) = node.terms
        if isinstance(one, Number) and one.value == 1 and not first and second:
            if isinstance(rest, Power):
                yield "tanh", rest.base, []
            if isinstance(rest, Product) and _same(rest.left, rest.right):
                yield "tanh", rest.left, []
    products = (factors(node), factors(node, dots=False)) if isinstance(node, Product) else ()
    for of, parts in ((factor, product) for product in products for factor in product):
        for other in parts:
            if not isinstance(other, Total) or len(other.terms) != 2 or not other.terms[1][0]:
                continue
            if isinstance(other.terms[0][1], Number) and _same(other.terms[1][1], of):
                yield "sigmoid", of, [p for p in parts if p is not of and p is not other]


def _same(one: Tree, other: Tree) -> bool:
    """Whether two parts say the same, wherever they stand."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Name) and isinstance(other, Name):
        return one.name == other.name
    if isinstance(one, Number) and isinstance(other, Number):
        return one.value == other.value
    children, others = one.children(), other.children()
    return len(children) == len(others) and bool(children) and all(map(_same, children, others))


def jacobians(shop: Workshop) -> Iterator[Repair]:
    """p·(1 − p) in the place of a softmax's Jacobian: v ⊙ p ⊙ (1 − p) becomes p ⊙ (v − Σ v ⊙ p)."""
    for line in shop.judge.sheet.reading.lines:
        if not isinstance(line.equation.body, Along) or line.equation.op is not None:
            continue
        place = line.equation.indices.index(line.equation.body.args[2])

        def changed(node: Tree, target: str = line.target, place: int = place) -> Iterator[Tree]:
            yield from _jacobian(shop, node, target, place)

        for tree in everywhere(shop.tree, changed):
            hint = "each softmax rests on all its arguments: its Jacobian has entries beside the diagonal"
            yield Repair("softmax taken as elementwise", hint, tree)


def _jacobian(shop: Workshop, node: Tree, target: str, place: int) -> Iterator[Tree]:
    parts = factors(node) if isinstance(node, Product) else []
    soft = [p for p in parts if shop.tensor(base(p)) == target]
    slopes = [p for p in parts if isinstance(p, Total) and any(shop.tensor(n) == target for n in p.walk())]
    rest = [p for p in parts if p not in soft and p not in slopes]
    if not soft or not rest:
        return
    p, v = soft[0], times(*rest)
    if isinstance(p, Read):
        index = p.subscripts[place]
        if isinstance(index, Name):
            yield times(p, minus(v, Reduction(NOWHERE, "sum", (index.name,), times(v, p))))
        return
    for axis in (place, -1):
        inner = call("sum", times(v, p), _keyword("axis", axis), _true())
        yield times(p, minus(v, inner))


def _keyword(word: str, axis: int) -> Tree:
    value = number(axis) if axis >= 0 else Total(NOWHERE, ((True, number(-axis)),))
    return Keyword(NOWHERE, word, value)


def _true() -> Tree:
    return Keyword(NOWHERE, "keepdims", name("True"))
