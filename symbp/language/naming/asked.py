"""What a network is asked for: its loss, outputs and metrics, in both modes, and the buffers' next values.

Enters: the tensors that a user names. Leaves: `Keys`, over graphs without modes. Must not know: the names
that tensors get, letters, sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from symbp.errors import DeclarationError
from symbp.ir.system import Role
from symbp.language.axes import axes
from symbp.language.modes import Mode
from symbp.language.naming.frames import here
from symbp.language.node import Node, display, settled
from symbp.language.tensor import Tensor

SUFFIX = "_infer"


@dataclass(frozen=True)
class Keys:
    """The loss, the outputs in training and the metrics, by name; `inference` holds what stands for a loss or
    an output at inference, by its serial. `updates` are the buffers with their next values. By serials,
    `counterparts` maps a tensor of inference to the one of training that it stands for, `moved` a tensor of
    the declaration to what it is in training, `origins` what stands for a tensor to that tensor, and `called`
    the training branch of a mode that has a name to that name."""

    loss: Tensor
    outputs: Mapping[str, Tensor]
    metrics: Mapping[str, Tensor]
    inference: Mapping[int, Tensor] = field(default_factory=dict)
    updates: tuple[tuple[Node, Node], ...] = ()
    counterparts: Mapping[int, int] = field(default_factory=dict)
    moved: Mapping[int, int] = field(default_factory=dict)
    origins: Mapping[int, int] = field(default_factory=dict)
    called: Mapping[int, str] = field(default_factory=dict)

    def place(self, node: Node) -> tuple[int, int]:
        """Sorts tensors by where they were declared."""
        return self.origins.get(node.serial, node.serial), node.serial

    @property
    def trained(self) -> tuple[Node, ...]:
        """What a training step computes, each once."""
        return _once((self.loss, *self.outputs.values()))

    def all(self) -> tuple[Node, ...]:
        """Everything that is asked for, each once."""
        late = (*(value for _, value in self.updates), *self.inference.values(), *self.metrics.values())
        return _once((*self.trained, *late))

    def role(self, node: Node) -> Role:
        """The role of a computed tensor."""
        at_inference = [self.inference[t.serial] for t in self.outputs.values() if t.serial in self.inference]
        wanted = (
            (Role.OUTPUT, [*self.outputs.values(), *at_inference]),
            (Role.METRIC, [*self.metrics.values(), *self.inference.values()]),
            (Role.NEXT, [value for _, value in self.updates]),
        )
        if node.serial == self.loss.serial:
            return Role.LOSS
        held = (role for role, group in wanted if node.serial in {t.serial for t in group})
        return next(held, Role.HIDDEN)


def _once(tensors: Iterable[Node]) -> tuple[Node, ...]:
    return tuple({t.serial: t for t in tensors}.values())


def resolved(
    loss: Tensor, outputs: Mapping[str, Tensor], metrics: Mapping[str, Tensor], nodes: list[Node]
) -> Keys:
    """What is asked for, in graphs without modes; `nodes` are all that the declaration reaches, in order.

    Raises DeclarationError: an output that nothing computes.
    """
    training, inference = Mode(nodes, training=True), Mode(nodes, training=False)
    copies = _Copies()
    chosen = Keys(
        copies.own(None, training.of(loss)),
        {key: copies.own(key, training.of(tensor)) for key, tensor in outputs.items()},
        {key: copies.own(key, inference.of(tensor)) for key, tensor in metrics.items()},
    )
    pairs = [(loss, chosen.loss), *((tensor, chosen.outputs[key]) for key, tensor in outputs.items())]
    differing = {
        own.serial: copies.computed(inference.of(tensor))
        for tensor, own in pairs
        if inference.of(tensor).serial != training.of(tensor).serial
    }
    updates = tuple(
        (training.of(node), copies.computed(training.of(node.following)))
        for node in nodes
        if node.following is not None
    )
    return replace(
        chosen,
        inference=differing,
        updates=updates,
        counterparts={node.serial: serial for serial, node in differing.items()}
        | _counterparts(nodes, training, inference, chosen),
        moved={n.serial: training.of(n).serial for n in nodes if training.of(n).serial != n.serial},
        origins=training.origins | inference.origins,
        called={training.of(n).serial: n.alias for n in nodes if n.branches is not None and n.alias},
    )


def _counterparts(nodes: list[Node], training: Mode, inference: Mode, keys: Keys) -> dict[int, int]:
    """For each tensor of inference what it is in training; where training has no such tensor, the other
    branch of the mode that it is a branch of."""
    trained = {node.serial for node in reached(keys.trained)}
    found: dict[int, int] = {}
    for node in sorted(nodes, key=lambda n: (n.branches is not None, n.serial)):
        late, first = inference.of(node).serial, training.of(node).serial
        if late != first and first in trained:
            found.setdefault(late, first)
    return found


class _Copies:
    """Copies of what answers to another name already, or is no result of an equation."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def own(self, key: str | None, tensor: Tensor) -> Tensor:
        """The tensor, or a copy under the key where it has another name or another key already."""
        given = tensor.alias or tensor.name
        if tensor.is_leaf and given == key:
            raise DeclarationError(
                f"{key} can't be an output: nothing computes it",
                where=here(),
                help="give the output another name",
            )
        if tensor.is_leaf or tensor.serial in self._taken or (key is not None and given not in (None, key)):
            tensor = _copy(tensor, "output")
        self._taken.add(tensor.serial)
        return tensor

    def computed(self, tensor: Node) -> Tensor:
        """The tensor, or a copy of a leaf."""
        assert isinstance(tensor, Tensor)
        return _copy(tensor, "copy") if tensor.is_leaf else tensor


def _copy(tensor: Tensor, rule: str) -> Tensor:
    plain = axes(tensor.rank)
    return Tensor.defined(plain, tensor.at(*plain), rule=rule, kept=True)


def reached(roots: Iterable[Node], *, following: bool = False) -> list[Node]:
    """Every node that the roots rest on, in both modes and, if `following`, through the buffers' next values;
    and the leaves of what cancelled on the way. In the order of declaration.

    Raises DeclarationError: one tensor with two names, a buffer with two next values.
    """
    found = _reached(roots, following)
    gone, looked = [node for known in found.values() for node in known.beside], set[int]()
    while gone:  # what cancelled may rest on what cancelled before it
        below = {s: node for s, node in _reached(gone, following).items() if s not in looked}
        looked |= set(below)
        found = {**{s: node for s, node in below.items() if node.is_leaf}, **found}
        gone = [node for known in below.values() for node in known.beside]
    return [found[serial] for serial in sorted(found)]


def _reached(roots: Iterable[Node], following: bool) -> dict[int, Node]:
    """Every node that the roots rest on, by serial."""
    found: dict[int, Node] = {}
    stack: list[Node] = [settled(root) for root in roots]
    while stack:
        node = stack.pop()
        known = found.get(node.serial)
        if known is None:
            stack += node.operands
        else:
            node = _merged(known, node)
        if following and node.following is not None and (known is None or known.following is None):
            stack.append(settled(node.following))
        found[node.serial] = node
    return found


def _merged(known: Node, node: Node) -> Node:
    """One tensor as two readers know it: with the name and the next value that either has."""
    if None not in (node.alias, known.alias) and known.alias != node.alias:
        raise DeclarationError(
            f"one tensor is named twice, {' and '.join(sorted((str(known.alias), str(node.alias))))}",
            where=node.origin,
            help="call .named once",
        )
    first, second = known.following, node.following
    if first is not None and second is not None and first.serial != second.serial:
        raise DeclarationError(
            f"{display(node)} is updated twice in one network",
            where=second.origin,
            details=(f"first: {first.origin}", f"again: {second.origin}"),
            help="a buffer takes one value after a step",
        )
    other, node = node, node if known.alias is None else known
    chosen = second if first is None else first
    joined = known.joined if first is not None else other.joined
    return node if node.following is chosen else replace(node, following=chosen, joined=joined)
