"""Who is called what in a network: the author's names first, then names that say what a tensor is for.

Enters: the nodes of a declaration, what the user asked for, the frame that the user writes in. Leaves: a
name for each node, by serial. Must not know: ops by name, index letters, sizes.

In order: the declared name, `.named`, the name of the output or metric, the first variable not starting with
an underscore that holds it, `loss`, the layer's number (`z1`, `h1`), role and consumer (`s_p`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FrameType

from symbp.errors import DeclarationError
from symbp.ir.expr import Access
from symbp.ir.labels import Label
from symbp.ir.system import Equation, Role
from symbp.language.naming.allowed import problem
from symbp.language.naming.asked import SUFFIX, Keys
from symbp.language.naming.frames import variables
from symbp.language.node import Hint, Node, operands_of


def given_names(nodes: Sequence[Node], keys: Keys, frame: FrameType | None) -> dict[int, str]:
    """The names that the author gave, in whatever way.

    Raises DeclarationError: one name for two tensors, with both lines.
    """
    names: dict[int, str] = {}
    owner: dict[str, Node] = {}
    keyed = {t.serial: key for group in (keys.outputs, keys.metrics) for key, t in group.items()}
    for node in nodes:
        name = node.name if node.is_leaf else _given(node, keyed, keys.called)
        if name is None:
            continue
        if name in owner:
            raise _twice(name, owner[name], node)
        names[node.serial], owner[name] = name, node
    _check_gradients(owner)
    open_ = {node.serial for node in nodes if node.serial not in names}
    for name, value in variables(frame):
        if isinstance(value, Node) and name not in owner and problem(name) is None:
            serial = keys.moved.get(value.serial, value.serial)
            if serial in open_:
                names[serial], owner[name] = name, value
                open_.discard(serial)
    if keys.loss.serial in open_ and "loss" not in owner:
        names[keys.loss.serial], owner["loss"] = "loss", keys.loss
    for buffer, value in keys.updates:
        called = names.get(buffer.serial, buffer.name)
        name = f"{called}_next"
        if called is not None and value.serial not in names and name not in owner:
            names[value.serial], owner[name] = name, value
    return names


def _given(node: Node, keyed: Mapping[int, str], called: Mapping[int, str]) -> str | None:
    return node.alias or node.name or keyed.get(node.serial) or called.get(node.serial)


def _twice(name: str, first: Node, second: Node) -> DeclarationError:
    return DeclarationError(
        f"{name} is declared twice in one network",
        where=second.origin,
        details=(f"first: {first.origin}", f"again: {second.origin}"),
        help="give one of the two tensors another name",
    )


def _check_gradients(owner: Mapping[str, Node]) -> None:
    """`dW1` is what the gradient of W1 is called; nobody else may be."""
    for name, node in owner.items():
        if node.role is Role.PARAMETER and f"d{name}" in owner:
            raise DeclarationError(
                f"d{name} is the name of {name}'s gradient",
                where=owner[f"d{name}"].origin,
                help="give the tensor another name",
            )


def all_names(
    leaves: Sequence[Node],
    computed: Sequence[Node],
    derivatives: Sequence[Node],
    bodies: Mapping[int, Equation],
    given: Mapping[int, str],
) -> dict[int, str]:
    """The given names, and one for each leaf, equation and derivative (`du_dx`) that has none."""
    naming = _Naming(dict(given))
    layers = _layers(computed, bodies)
    for leaf in leaves:
        if leaf.serial not in naming.names:
            reader = next((n for n in computed if leaf.serial in _reads(bodies[n.serial])), None)
            naming.take(leaf, f"{leaf.hint.letter}{layers[reader.serial] if reader is not None else 1}")
    for node in computed:
        if node.serial in naming.names:
            continue
        if node.hint.style == "layer":
            naming.take(node, f"{node.hint.letter}{layers[node.serial]}")
        elif node.hint == Hint() and any(_is_product(o) for o in operands_of(bodies[node.serial])):
            naming.take(node, f"a{layers[node.serial]}")  # a pre-activation: a product with an offset
        elif node.hint.style == "bare":
            naming.take(node, node.hint.letter)
    readers = _readers(computed, bodies)
    subjects: dict[int, str] = {}
    for node in reversed(computed):
        if node.serial not in naming.names:
            subjects[node.serial] = _subject(node, readers.get(node.serial), naming.names, subjects)
    for node in computed:
        if node.serial in subjects:
            naming.take(node, f"{node.hint.letter}_{subjects[node.serial]}")
    for node in derivatives:
        if node.quotient is not None and node.serial not in naming.names:
            of, order = _differentiated(node.quotient[0], bodies)
            power = "" if order == 1 else order
            naming.take(node, f"d{power}{naming.names[of.serial]}_d{naming.names[node.quotient[1].serial]}")
    return naming.names


def labels(
    keys: Keys,
    leaves: Sequence[Node],
    computed: Sequence[Node],
    bodies: Mapping[int, Equation],
    given: Mapping[int, str],
    names: Mapping[int, str],
) -> dict[int, Label]:
    """What a page calls each tensor, by serial: as its author does; else by the letter of its definition,
    with the layer's number where names have it. A leaf keeps the name under which its values are passed."""
    layers = _layers(computed, bodies)
    found = {serial: Label(name, given=True) for serial, name in given.items()}
    found |= {leaf.serial: Label(names[leaf.serial], given=True) for leaf in leaves}
    for node in computed:
        if node.serial in found:
            continue
        number = layers[node.serial] if node.hint.style == "layer" else None
        letter = node.hint.letter
        if node.hint == Hint() and any(_is_product(o) for o in operands_of(bodies[node.serial])):
            letter, number = "a", layers[node.serial]
        found[node.serial] = Label(letter, number)
    for late, first in keys.counterparts.items():
        if late in found and first in found and late not in given:
            found[late] = replace(found[first], stands_for=names[first])
    return found


def _differentiated(of: Node, bodies: Mapping[int, Equation]) -> tuple[Node, int]:
    """What a derivative is of, and of which order it is: of ∂(Σ u)/∂x or a sum of it, the second of u."""
    order = 1
    while True:
        equation = bodies.get(of.serial)
        copied = equation is not None and isinstance(equation.body, Access)
        source = operands_of(equation)[0] if equation is not None and copied else of
        if source.quotient is None:
            return of, order
        of, order = source.quotient[0], order + 1


def names_at_inference(
    keys: Keys,
    leaves: Sequence[Node],
    computed: Sequence[Node],
    derivatives: Sequence[Node],
    bodies: Mapping[int, Equation],
    names: Mapping[int, str],
) -> dict[int, str]:
    """All names, when those of training are given: what differs at inference is called after what it stands
    for, with a suffix, and the rest as in training."""
    found = dict(names)
    taken = set(found.values())
    for node in (*computed, *derivatives):
        base = names.get(keys.counterparts.get(node.serial, -1))
        if node.serial not in found and base is not None and f"{base}{SUFFIX}" not in taken:
            found[node.serial] = f"{base}{SUFFIX}"
            taken.add(found[node.serial])
    return all_names(leaves, computed, derivatives, bodies, found)


def _subject(node: Node, reader: Node | None, names: Mapping[int, str], subjects: Mapping[int, str]) -> str:
    """What the node is for: the name of its subject, or of its last reader, or of what that one is for."""
    if node.hint.subject is not None:
        return names.get(node.hint.subject.serial, "x")
    if reader is None:
        return "out"
    return names.get(reader.serial) or subjects[reader.serial]


def _readers(computed: Sequence[Node], bodies: Mapping[int, Equation]) -> dict[int, Node]:
    """The last reader of each node."""
    return {serial: node for node in computed for serial in _reads(bodies[node.serial])}


class _Naming:
    """Names given so far; a name that is taken gets a number."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self._taken = set(names.values())

    def take(self, node: Node, base: str) -> None:
        candidates = itertools.chain([base], (f"{base}_{k}" for k in itertools.count(2)))
        name = next(c for c in candidates if c not in self._taken)
        self.names[node.serial] = name
        self._taken.add(name)


def _reads(equation: Equation) -> set[int]:
    return {node.serial for node in operands_of(equation)}


def _is_product(node: Node) -> bool:
    return node.hint == Hint("z", "layer")


def _layers(computed: Sequence[Node], bodies: Mapping[int, Equation]) -> dict[int, int]:
    """Each node's layer: matrix products count up, others belong to the last one that they rest on."""
    numbers: dict[int, int] = {}
    count = 0
    for node in computed:
        if _is_product(node):
            count += 1
            numbers[node.serial] = count
        else:
            below = [numbers[o.serial] for o in operands_of(bodies[node.serial]) if o.serial in numbers]
            numbers[node.serial] = max(below, default=max(count, 1))
    return numbers
