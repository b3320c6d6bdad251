"""A tiny net written out: a name, a value and an equation for each element of each tensor.

Enters: the numbers of a textbook's page. Leaves: numbers of a page whose tensors are all scalars: w₅, not
W[0,1]. Must not know: formats, how values were given.

What the author named stays, down to the last gate of a circuit, and each has its derivative: the local
derivatives of those that read it, times theirs, added up. Nothing is simplified across equations, so each
backward equation can be followed along the wires of the circuit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import UsageError
from symbp.read.numbers.numbers import Numbers, evaluated
from symbp.read.reading import reading
from symbp.read.scalar.backward import with_derivatives
from symbp.read.scalar.elements import Elements, scalar_system
from symbp.read.scalar.names import element_names

MOST = 200  # elements, forward


def _chosen(derivation: Derivation, shapes: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The names that the author gives elements of tensors that are on the page."""
    return {name: own for name, own in derivation.choices.elements.items() if name in shapes}


def written_out(found: Numbers) -> Numbers:
    """The same net at the same point, each element by itself. Raises UsageError: a net of too many elements,
    no gradients of a loss, an equation that has no elements of its own (a matrix function, an argmax)."""
    derivation = found.reading.computable.derivation
    page, loss = derivation.system, derivation.system.loss
    if loss is None or not derivation.is_gradient:
        raise UsageError("only the gradients of a loss are written out", help="derive them: bp.derive(net)")
    wanted = [name for name in (*page.outputs, loss) if name in page.by_name]
    needed = page.resting(wanted)
    shapes = {
        t.name: found.values[t.name].shape
        for t in page.tensors
        if t.name in needed and not t.integer and t.name in found.values
    }
    count = sum(prod(shape) for shape in shapes.values())
    if count > MOST:
        raise UsageError(
            f"written out, {found.name} has {count:,} numbers before the first gradient; at most {MOST} can "
            "be read",
            help="choose smaller sizes (sizes=…, --size H=2), or all of them small (small=True, --small)",
        )
    names = element_names(shapes, found.reading.symbols.text, _chosen(derivation, shapes))
    elements = Elements(page, found.values, found.sizes, names)
    equations = [e for e in page.equations if e.target in needed]
    forward = scalar_system(elements, equations, wanted)
    shares = {name: own for e in equations for name, own in elements.shares(e).items()}
    joint, gradients = with_derivatives(forward, shares)
    plain = Derivation(derivation.name, forward, joint, gradients)
    values = {
        name: np.asarray(found.values[tensor][at])
        for (tensor, at), name in elements.by_place.items()
        if tensor not in page.defining
    }
    leaves = {t.name for t in forward.leaves}
    values = {name: value for name, value in values.items() if name in leaves}
    drawn = {name for (tensor, _), name in elements.by_place.items() if tensor in found.drawn}
    scalars = evaluated(reading(plain, style="computed"), values, {}, frozenset(drawn & leaves))
    places = {name: place for place, name in elements.by_place.items()}
    return replace(scalars, whole=found, elements=places)
