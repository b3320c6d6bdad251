"""Slips in products: a transpose, the order of factors, elements for matrices, shapes that spread.

Enters: a workshop. Leaves: repairs. Must not know: what tensors are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbp.read.grammar.syntax import Call, Keyword, Name, Product, Read, Subscripted, Total, Transpose, Tree
from symbp.verify.grading.slips.rewrite import exchanged, throughout
from symbp.verify.grading.slips.workshop import (
    NOWHERE,
    Repair,
    Workshop,
    call,
    name,
    number,
    source,
    turned,
)

MATRICES = ("@", "·", "*")
REDUCING = ("sum", "mean", "max")


def _shown(shop: Workshop, node: Tree) -> str:
    text = source(node, shop.answer.right)
    return text if 0 < len(text) <= 24 else "a factor"


def transposes(shop: Workshop) -> Iterator[Repair]:
    """One transpose more or less: of the whole, of a factor, of a tensor; then of both factors."""
    yield Repair("transpose", "the whole stands transposed", turned(shop.tree))
    for part in shop.parts:
        product = isinstance(part, Product) and part.op in MATRICES
        if product or isinstance(part, (Name, Transpose, Call, Total)):
            tree = exchanged(shop.tree, part, turned(part))
            gone = isinstance(part, Transpose)
            said = _shown(shop, part.operand if isinstance(part, Transpose) else part)
            hint = f"{said} must not be transposed" if gone else f"{said} must be transposed"
            yield Repair("transpose", hint, tree)
    for part in shop.parts:
        if isinstance(part, Product) and part.op in MATRICES:
            both = replace(part, left=turned(part.left), right=turned(part.right))
            tree = exchanged(shop.tree, part, both)
            yield Repair("transpose", "the transposes of both factors are exchanged", tree)


def orders(shop: Workshop) -> Iterator[Repair]:
    """The factors of a matrix product in the other order, with or without transposes."""
    for part in shop.parts:
        if not isinstance(part, Product) or part.op not in MATRICES:
            continue
        for left, right, hint in (
            (part.right, part.left, "the factors stand in the wrong order"),
            (part.right, turned(part.left), "the factors stand in the wrong order, and a transpose is wrong"),
            (turned(part.right), part.left, "the factors stand in the wrong order, and a transpose is wrong"),
            (
                turned(part.right),
                turned(part.left),
                "the factors stand in the wrong order, and so do the transposes",
            ),
        ):
            new = Product(part.span, "@", left, right)
            tree = exchanged(shop.tree, part, new)
            yield Repair("order of factors", hint, tree)
    for part in shop.parts:
        if isinstance(part, Product) and part.op == "⋆":
            tree = exchanged(shop.tree, part, replace(part, left=part.right, right=part.left))
            yield Repair("order of factors", "the kernel stands behind the image", tree)


def associated(shop: Workshop) -> Iterator[Repair]:
    """Products that go from left to right, where parentheses were meant."""
    for part in shop.parts:
        inner = part.left if isinstance(part, Product) else None
        if isinstance(part, Product) and isinstance(inner, Product) and part.op != inner.op:
            new = Product(
                part.span, inner.op, inner.left, Product(part.span, part.op, inner.right, part.right)
            )
            tree = exchanged(shop.tree, part, new)
            hint = "products go from left to right: parentheses are missing"
            yield Repair("missing parentheses", hint, tree)


def kinds_of_products(shop: Workshop) -> Iterator[Repair]:
    """A product of elements in the place of one of matrices, or the other way round."""
    for part in shop.parts:
        if not isinstance(part, Product) or part.op not in ("@", "·", "*", "⊙"):
            continue
        left, right = part.left, part.right
        if part.op != "@" and part.op != "·":
            hint = f"elements are multiplied where the product of matrices belongs, in {_shown(shop, part)}"
            pairs = [(left, right), (turned(left), right), (left, turned(right)), (right, left)]
            pairs += [(turned(right), left), (right, turned(left))]
            for a, b in pairs:
                new = Product(part.span, "@", a, b)
                tree = exchanged(shop.tree, part, new)
                yield Repair("elementwise for matrix product", hint, tree)
        if part.op != "⊙" and not (part.op == "*" and shop.answer.loose):
            hint = f"matrices are multiplied where elements at the same place belong, in {_shown(shop, part)}"
            for a, b in ((left, right), (turned(left), right), (left, turned(right))):
                new = Product(part.span, "⊙", a, b)
                tree = exchanged(shop.tree, part, new)
                yield Repair("matrix for elementwise product", hint, tree)


def spread(shop: Workshop) -> Iterator[Repair]:
    """A column (N, 1) beside a vector (N): NumPy makes a table of (N, N) of them without a word; a sum of
    rows beside a table, which NumPy takes for a row of it; a vector for each row beside a table."""
    yield from _columns(shop)
    for part in shop.parts:
        if isinstance(part, Call) and part.function in REDUCING and len(part.arguments) > 1:
            kept = replace(part, arguments=(*part.arguments, Keyword(NOWHERE, "keepdims", name("True"))))
            hint = f"{_shown(shop, part)} lost its axis and spreads along another one: keepdims=True"
            yield Repair("broadcasting", hint, exchanged(shop.tree, part, kept))
        value = shop.value(part) if isinstance(part, (Name, Read, Call)) else None
        if value is None or value.rank != 2 or 1 not in value.shape:
            continue
        flat = call("sum", part, Keyword(NOWHERE, "axis", number(value.shape.index(1))))
        hint = f"{_shown(shop, part)} is a column: beside a vector it spreads to a square table"
        yield Repair("broadcasting", hint, exchanged(shop.tree, part, flat))


def _columns(shop: Workshop) -> Iterator[Repair]:
    """Vectors, one or all, as columns: `mu[:, None]`."""
    names = {node.name for node in shop.tree.walk() if isinstance(node, Name) and _is_vector(shop, node)}
    for some in dict.fromkeys([*(frozenset({n}) for n in sorted(names)), frozenset(names)] if names else ()):

        def column(node: Tree, some: frozenset[str] = some) -> Tree | None:
            if isinstance(node, (Read, Subscripted)):
                return node
            if isinstance(node, Name) and node.name in some:
                return Read(NOWHERE, node, (name(":"), name("None")))
            return None

        shown = ", ".join(f"{n}[:, None]" for n in sorted(some))
        hint = f"a number for each row is a column beside a table: {shown}"
        yield Repair("broadcasting", hint, throughout(shop.tree, column))


def _is_vector(shop: Workshop, node: Name) -> bool:
    tensor = shop.tensor(node)
    return tensor is not None and len(shop.judge.sheet.shape(tensor)) == 1
