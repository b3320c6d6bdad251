"""A network that takes raw data: its inputs standardised by equations of its own.

Enters: a network. Leaves: the same network behind x̂ = (x − mean)/scale for its real inputs, with mean and
scale as buffers that start from the training data and never change. Must not know: data, targets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import sympy

from symbp.errors import UsageError
from symbp.ir.expr import Index
from symbp.ir.system import Equation, Fact, Role, System, Tensor
from symbp.ir.training import Initial
from symbp.language.network import Network

MEAN, SCALE, STANDARD = "mean_{}", "scale_{}", "standard_{}"
WHY = "the network sees inputs around 0, of deviation 1, and remembers what made them so"


def standardised(net: Network) -> Network:
    """The network with every real input `x` standardised: each feature by its own mean and deviation:
    the columns of a table (N, D), the last axis of sequences (N, T, D), the channels of images (N, C, …).

    Inputs of which facts are known stay as they are. Raises UsageError: no input is left.
    """
    system, initial = net.system, dict(net.initial)
    plain = [t for t in system.with_role(Role.INPUT) if not t.integer and not t.facts]
    if not plain:
        raise UsageError(f"the network {net.name} has no real input to standardise")
    for tensor in plain:
        system = _standardised(system, tensor)
        mean = Initial("mean", of=tensor.name, axis=_features(tensor), reason=WHY)
        initial[MEAN.format(tensor.name)] = mean
        initial[SCALE.format(tensor.name)] = replace(mean, distribution="deviation", shift=sympy.S.One)
    found = object.__new__(Network)
    for name, value in {**vars(net), "system": system, "initial": initial}.items():
        object.__setattr__(found, name, value)
    return found


def standardised_as(net: Network, kept: Collection[str]) -> Network:
    """The network that was trained where such buffers were kept: behind standardised inputs, and before a
    standardised target, if means of them are among `kept` and the network hasn't them itself."""
    from symbp.language.variants.standardised_target import standardised_target

    new = {name for name in kept if name not in net.system.by_name}
    inputs, targets = (
        {MEAN.format(t.name) for t in net.system.with_role(r)} for r in (Role.INPUT, Role.TARGET)
    )
    net = standardised(net) if new & inputs else net
    return standardised_target(net) if new & targets else net


def _standardised(system: System, x: Tensor) -> System:
    """The system in which all that reads `x` reads it standardised; derivatives by x stay those by x."""
    mean, scale, standard = (form.format(x.name) for form in (MEAN, SCALE, STANDARD))
    taken = [name for name in (mean, scale, standard) if name in system.by_name]
    if taken:
        raise UsageError(f"a standardised {x.name} would need the name {taken[0]!r}, which is taken")
    indices = tuple(Index(letter) for letter in _letters(len(x.shape), system))
    axis = _features(x)
    own, kept = ((), ()) if axis is None else ((indices[axis],), (x.shape[axis],))
    buffers = (
        Tensor(mean, kept, Role.BUFFER, origin=x.origin),
        Tensor(scale, kept, Role.BUFFER, facts=frozenset({Fact("positive")}), origin=x.origin),
    )
    body = (x.at(*indices) - buffers[0].at(*own)) / buffers[1].at(*own)
    equation = Equation(standard, indices, body, ranges=x.shape, rule="standardisation", origin=x.origin)
    renamed = system.renamed({x.name: standard})
    tensors = []
    for tensor in renamed.tensors:
        hidden = replace(tensor, role=Role.HIDDEN)
        tensors += [x, *buffers, hidden] if tensor.name == standard else [tensor]
    back = {key: (of, x.name if by == standard else by) for key, (of, by) in renamed.derivatives.items()}
    return renamed.with_(tensors=tuple(tensors), equations=(equation, *renamed.equations), derivatives=back)


def _features(x: Tensor) -> int | None:
    """The axis of the features; None where an example is one number."""
    return {0: None, 1: None, 3: 2}.get(len(x.shape), 1)


def _letters(count: int, system: System) -> list[str]:
    """Letters for indices that no tensor and no size is called."""
    free = [c for c in "nijklmpqrs" if c not in system.by_name and c not in system.sizes]
    return free[:count]
