"""Training and inference: what stands for a tensor in each mode, and what a buffer becomes after a step.

Enters: tensors of a declaration. Leaves: tensors that carry both modes, buffers that carry their next value;
for a network, the same graph once for each mode. Must not know: ops, names, how a network is lowered.

Where both modes compute alike they share their nodes; a node that rests on a mode has a twin at inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Access, Expr
from symbp.ir.shapes import Witness
from symbp.ir.system import Role
from symbp.language.bodies import rewrite
from symbp.language.naming.frames import here
from symbp.language.node import Joined, Label, Later, Node, display, fresh_serial, node_of, settled
from symbp.language.sizes import Unifier
from symbp.language.tensor import Tensor

N = TypeVar("N", bound=Node)


def mode(*, train: Tensor, infer: Tensor) -> Tensor:
    """`train` while the network is trained, `infer` when it predicts or is evaluated: two tensors of one
    shape. Inside of either branch other modes mean the same mode.

    Raises DeclarationError: not two tensors, or an integer tensor beside a real one; ShapeError.
    """
    for key, branch in (("train", train), ("infer", infer)):
        if not isinstance(branch, Tensor):
            raise DeclarationError(
                f"{key} of a mode must be a tensor, not {type(branch).__name__}",
                where=here(),
                help="bp.mode(train=…, infer=…) takes two tensors of one shape",
            )
    if train.integer != infer.integer:
        raise DeclarationError(
            f"one branch of the mode holds integers, the other reals: {display(train)}, {display(infer)}",
            where=here(),
        )
    joined = _same_shape("the two branches of the mode", train, infer)
    return Tensor.leaf(
        None, train.shape, Role.HIDDEN, integer=train.integer, branches=(train, infer), joined=joined
    )


def update(buffer: Tensor, value: Tensor) -> Tensor:
    """The same buffer, which takes `value` after each training step: `mean = bp.update(mean, 0.9 * mean +
    0.1 * x.mean(0))`. Use what is returned; the value is computed from the buffer as it was. No gradient
    flows into it.

    Raises DeclarationError: not a buffer, one with a next value already, not a tensor; ShapeError.
    """
    if not isinstance(buffer, Tensor) or buffer.role is not Role.BUFFER:
        what = f"{display(buffer)}, {buffer.role.value}" if isinstance(buffer, Tensor) else repr(buffer)
        raise DeclarationError(
            f"only a buffer can be updated, not {what}",
            where=here(),
            help='declare it: mean = bp.buffer("mean", (D,))',
        )
    if buffer.following is not None:
        raise DeclarationError(
            f"{display(buffer)} has a next value already",
            where=here(),
            details=(f"the first is declared at {buffer.following.origin}",),
            help="a buffer takes one value after a step: combine the two",
        )
    if not isinstance(value, Tensor) or value.integer:
        raise DeclarationError(
            f"the next value of {display(buffer)} must be a real tensor, not {value!r}", where=here()
        )
    joined = _same_shape(f"{display(buffer)} and its next value", buffer, value)
    return replace(buffer, following=value, joined=joined)


def _same_shape(what: str, first: Tensor, second: Tensor) -> Joined:
    """The extents that must agree. Raises ShapeError where they can't."""
    names = [display(first), display(second)]
    if names[0] == names[1]:
        names[1] += " (2)"
    named = list(zip(names, (first, second), strict=True))
    if first.rank != second.rank:
        raise ShapeError(
            f"{what} have different numbers of axes",
            where=here(),
            details=tuple(f"{name}: ({', '.join(map(str, t.shape))})" for name, t in named),
            help="the two must have one shape",
        )
    sides = [
        [Witness(extent, f"axis {axis} of {name}") for axis, extent in enumerate(tensor.shape)]
        for name, tensor in named
    ]
    joined = tuple(zip(*sides, strict=True))
    unifier = Unifier()
    for one, other in joined:
        unifier.join(what, one, other, here())
    return joined


class Mode:
    """The graph of a declaration in one mode: `of(node)` is what stands for a node there.

    `nodes` are all of the declaration. What rests on a mode is a new node, and `origins` maps it to the one
    that it was, by serials. (SymPy keeps one object for equal expressions, so that two nodes of one serial
    would be taken for each other.)
    """

    def __init__(self, nodes: Sequence[Node], *, training: bool) -> None:
        self._training = training
        moved = _resting_on_modes(nodes)
        # New nodes are announced before they are defined, because recurrences read in circles.
        self._announced = {
            n.serial: replace(n, serial=fresh_serial(), equation=None, quotient=None, later=Later())
            for n in nodes
            if n.serial in moved and n.branches is None
        }
        self.origins = {new.serial: serial for serial, new in self._announced.items()}
        for node in nodes:
            if node.serial in self._announced:
                new = self._announced[node.serial]
                assert new.later is not None
                new.later.definition = self._reading(node, new.serial)

    def of(self, node: N) -> N:
        """What stands for the node in this mode."""
        return settled(self._read(node))  # type: ignore[return-value]

    def _reading(self, node: Node, serial: int) -> Node:
        """The node over what stands for its operands."""
        named = node if self._training else replace(node, alias=None, name=None)
        node, subject = replace(named, serial=serial, later=None), node.hint.subject
        if subject is not None:
            node = replace(node, hint=replace(node.hint, subject=self._read(subject)))
        if node.quotient is not None:
            of, by = node.quotient
            return replace(node, quotient=(self._read(of), self._read(by)))
        assert node.equation is not None

        def spell(access: Access, subscripts: tuple[Expr, ...], outside: Expr | None) -> Expr:
            return type(access)(Label(self._read(node_of(access))), *subscripts, outside=outside)

        equation = node.equation.with_(
            body=rewrite(node.equation.body, spell),
            where=tuple(rewrite(guard, spell) for guard in node.equation.where),
        )
        return replace(node, equation=equation)

    def _read(self, node: Node) -> Node:
        """What an equation reads in this mode: it may be defined later."""
        node = settled(node)
        while node.branches is not None:
            node = settled(node.branches[0 if self._training else 1])
        return self._announced.get(node.serial, node)


def _resting_on_modes(nodes: Sequence[Node]) -> frozenset[int]:
    """The modes, and the nodes that rest on one, by serials."""
    readers: dict[int, list[int]] = {}
    for node in nodes:
        for operand in node.operands:
            readers.setdefault(operand.serial, []).append(node.serial)
    found: set[int] = set()
    stack = [node.serial for node in nodes if node.branches is not None]
    while stack:
        serial = stack.pop()
        if serial not in found:
            found.add(serial)
            stack += readers.get(serial, ())
    return frozenset(found)
