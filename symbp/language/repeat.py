"""A block repeated over depth: one recurrence over the layer index, with stacked parameters.

Enters: what a block does to one tensor. Leaves: the same equations with the layer as the first axis of all
that differs from layer to layer; their number does not grow with the depth. Must not know: ops, layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.build import where
from symbp.ir.expr import Access, Expr, Guard, Index, unused_index
from symbp.ir.shapes import Witness
from symbp.ir.system import Role
from symbp.language.axes import axes
from symbp.language.bodies import rewrite, same_read
from symbp.language.naming.asked import reached
from symbp.language.naming.frames import here
from symbp.language.node import Joined, Label, Later, Node, display, fresh_serial, node_of, settled
from symbp.language.sizes import Unifier, as_size
from symbp.language.start import distributions
from symbp.language.start.distributions import Initialiser, Shape
from symbp.language.tensor import Tensor

STACKED = (Role.PARAMETER, Role.BUFFER, Role.RANDOM)  # what a block declares for itself


def repeat(block: Callable[[Tensor], Tensor], x: Tensor, count: Any) -> Tensor:
    """block(… block(x)), `count` times, each time with parameters, buffers and random tensors of its own.

    The block is declared once. Its parameters get the layer as their first axis, `W[l,i,j]`, and so does all
    that rests on them or on x. Raises DeclarationError: no tensor, or one that does not rest on the block's
    input; a derivative inside of it; ShapeError: the block changes the shape.
    """
    below = Tensor.leaf(None, x.shape, Role.HIDDEN)
    result = block(below)
    if not isinstance(result, Tensor):
        raise DeclarationError(f"a block gives a tensor, not {result!r}", where=here())
    result = settled(result)
    if result.branches is not None:  # training and inference differ: what either gives is the block's result
        every = axes(result.rank)
        result = Tensor.defined(every, result.at(*every), rule="the block's result", kept=True)
    joined = _same_shape(x, result)
    lifting = _Lifting(below, x, result, as_size(count), joined)
    last, plain = lifting.last, axes(x.rank)
    return Tensor.defined(plain, last.at(lifting.depth - 1, *plain), rule="the last layer")


class _Lifting:
    """The block's equations with one more axis; `last` is the tensor of all layers' results."""

    def __init__(self, below: Tensor, x: Tensor, result: Tensor, depth: Expr, joined: Joined) -> None:
        self.below, self.x, self.depth = below, x, depth
        nodes = [n for n in reached([result], following=True) if n.serial > below.serial]
        lifted = _differing(nodes, below)
        if result.serial not in lifted or result.equation is None:
            raise DeclarationError(
                "a block that is repeated computes its result from its input",
                where=here(),
                details=(f"its result: {display(result)}",),
            )
        for node in nodes:
            if node.serial in lifted and node.quotient is not None:
                raise DeclarationError(
                    "a derivative inside of a block can't be repeated yet",
                    where=node.origin,
                    help="take the derivative outside, or declare the blocks one by one",
                )
        # All are announced first: recurrences read in circles, also through what comes later.
        self._new: dict[int, Node] = {
            n.serial: replace(
                n,
                serial=fresh_serial(),
                shape=(depth, *n.shape),
                equation=None,
                branches=None,
                following=None,
                later=Later(),
            )
            for n in nodes
            if n.serial in lifted
        }
        self._outcome = result.serial
        for node in nodes:
            new = self._new.get(node.serial)
            if new is not None and new.later is not None:
                found = self._lifted(node, new)
                new.later.definition = (
                    replace(found, joined=(*found.joined, *joined), kept=True)
                    if node.serial == result.serial
                    else found
                )
        last = settled(self._new[result.serial])
        assert isinstance(last, Tensor)
        self.last = last

    def _lifted(self, node: Node, new: Node) -> Node:
        """One node with the layer as its first axis."""
        if node.branches is not None:
            train, infer = (self._read(settled(branch)) for branch in node.branches)
            return replace(new, later=None, branches=(train, infer))
        facts = frozenset(f if f.axis is None else replace(f, axis=f.axis + 1) for f in node.facts)
        if node.equation is None:
            following = None if node.following is None else self._read(settled(node.following))
            start = _per_layer(node.init or distributions.default) if node.role is not Role.RANDOM else None
            layout = node.layout and node.layout.of_layers(self)
            return replace(new, later=None, facts=facts, init=start, following=following, layout=layout)
        equation = node.equation
        layer = Index("l")
        if layer in equation.all_indices:
            layer = unused_index(layer, equation.all_indices)

        def spell(access: Access, subscripts: tuple[Expr, ...], outside: Expr | None) -> Expr:
            return self._access(access, layer, subscripts, outside)

        equation = equation.with_(
            indices=(layer, *equation.indices),
            body=rewrite(equation.body, spell),
            where=tuple(rewrite(guard, spell) for guard in equation.where),
            ranges=(self.depth, *equation.ranges),
        )
        hint = node.hint
        if hint.subject is not None:
            hint = replace(hint, subject=self._read(settled(hint.subject)))
        return replace(new, later=None, equation=equation, hint=hint)

    def _access(
        self, access: Access, layer: Index, subscripts: tuple[Expr, ...], outside: Expr | None
    ) -> Expr:
        node = node_of(access)
        if node.serial == self.below.serial:
            outcome = Label(self._new[self._outcome])
            first = self.x.at(*subscripts, outside=outside)
            if outside is None:
                return Access(outcome, layer - 1, *subscripts, outside=first)
            # what lies outside of the tensor is told from what lies before the first layer
            return where(
                Guard("<=", 1, layer), Access(outcome, layer - 1, *subscripts, outside=outside), first
            )
        new = self._new.get(node.serial)
        if new is None:
            return same_read(access, subscripts, outside)
        return type(access)(Label(new), layer, *subscripts, outside=outside)

    def _read(self, node: Node) -> Node:
        return self._new.get(node.serial, node)


def _differing(nodes: Iterable[Node], below: Tensor) -> frozenset[int]:
    """The nodes, by serial, that differ from layer to layer: they rest on the block's input, or on what it
    declares for itself."""
    nodes = list(nodes)
    readers: dict[int, list[int]] = {}
    for node in nodes:
        for operand in (*node.operands, *([node.following] if node.following is not None else [])):
            readers.setdefault(operand.serial, []).append(node.serial)
    found: set[int] = set()
    stack = [below.serial, *(n.serial for n in nodes if n.is_leaf and n.role in STACKED)]
    while stack:
        serial = stack.pop()
        if serial not in found:
            found.add(serial)
            stack += readers.get(serial, ())
    return frozenset(found - {below.serial})


def _per_layer(start: Initialiser) -> Initialiser:
    """Each layer starts as a block on its own would."""

    def begin(shape: Shape) -> Any:
        return start(shape[1:])

    return begin


def _same_shape(x: Tensor, result: Tensor) -> Joined:
    """The extents that agree. Raises ShapeError where they can't."""
    if x.rank != result.rank:
        raise ShapeError(
            "a block that is repeated keeps the shape of its input",
            where=here(),
            details=tuple(
                f"{name}: ({', '.join(map(str, t.shape))})" for name, t in (("input", x), ("result", result))
            ),
        )
    pairs = tuple(
        (Witness(a, f"axis {k} of the block's input"), Witness(b, f"axis {k} of its result"))
        for k, (a, b) in enumerate(zip(x.shape, result.shape, strict=True))
    )
    unifier = Unifier()
    for one, other in pairs:
        unifier.join("the repeated block", one, other, here())
    return pairs
