"""A network whose target is standardised in the loss, and whose prediction comes back in the target's units.

Enters: a network with one real target and one output that predicts it. Leaves: the same network with
ŷ = (y − mean)/scale in its loss and output·scale + mean as its output; mean and scale are buffers that start
from the training data. Must not know: data, which op a loss is made of.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

import sympy

from symbp.errors import UsageError
from symbp.ir.expr import Index
from symbp.ir.system import Equation, Fact, Role, System, Tensor
from symbp.ir.training import Initial
from symbp.language.network import Network
from symbp.language.variants.standardised_inputs import MEAN, SCALE, STANDARD

WHY = "the loss sees targets around 0, of deviation 1, and predictions come back in the target's units"


def standardised_target(net: Network) -> Network:
    """The network with its real target standardised in the loss, by a mean and a deviation of the training
    data that are saved with the parameters; outputs and metrics stay in the target's own units.

    Raises UsageError: no such target or several, no output or several that may predict it, a metric or an
    output that is made from what the loss alone should see.
    """
    target, output = _pair(net)
    system = _standardised(net.system, target, output, net.name)
    mean = Initial("mean", of=target.name, axis=_features(target), reason=WHY)
    scale = replace(mean, distribution="deviation", shift=sympy.S.One)
    initial = {**net.initial, MEAN.format(target.name): mean, SCALE.format(target.name): scale}
    found = object.__new__(Network)
    for name, value in {**vars(net), "system": system, "initial": initial}.items():
        object.__setattr__(found, name, value)
    return found


def _pair(net: Network) -> tuple[Tensor, Tensor]:
    """The target, and the output that predicts it."""
    system = net.system
    targets = [t for t in system.with_role(Role.TARGET) if not t.integer and not t.facts]
    if len(targets) != 1:
        many = f"{len(targets)} real targets" if targets else "no real target"
        raise UsageError(f"one target is standardised, and {net.name} has {many}")
    (target,) = targets
    fitting = [name for name in system.outputs if system.tensor(name).shape == target.shape]
    if len(fitting) != 1:
        said = f"{len(fitting)} outputs ({', '.join(fitting)})" if fitting else "no output"
        raise UsageError(
            f"{net.name} has {said} of the shape of {target.name}, so none comes back in its units",
            help="declare the prediction, and nothing else of its shape, as an output: outputs={…}",
        )
    return target, system.tensor(fitting[0])


def _features(y: Tensor) -> int | None:
    return None if len(y.shape) == 1 else len(y.shape) - 1


def _standardised(system: System, y: Tensor, output: Tensor, net: str) -> System:
    """The system with ŷ in the loss and the output behind it, in training and, where that is another one, at
    inference."""
    outputs = {output.name: STANDARD.format(output.name)}
    outputs |= {name: STANDARD.format(name) for name in [system.inference.get(output.name, output.name)]}
    mean, scale, standard = (form.format(y.name) for form in (MEAN, SCALE, STANDARD))
    added = (mean, scale, standard, *outputs.values())
    taken = [name for name in added if name in system.by_name or name in system.sizes]
    if taken:
        raise UsageError(f"a standardised {y.name} would need the name {taken[0]!r}, which is taken")
    loss = str(system.loss)
    within = system.resting([loss, system.inference.get(loss, loss)])
    _refuse_shared(system, within, y, tuple(outputs), net)
    axis = _features(y)
    kept = () if axis is None else (y.shape[axis],)
    buffers = (
        Tensor(mean, kept, Role.BUFFER, origin=y.origin),
        Tensor(scale, kept, Role.BUFFER, facts=frozenset({Fact("positive")}), origin=y.origin),
    )

    def measures(indices: tuple[Index, ...]) -> tuple[sympy.Expr, ...]:
        return tuple(buffer.at(*([] if axis is None else [indices[axis]])) for buffer in buffers)

    own = system.defining[output.name].indices
    m, s = measures(own)
    equations = [_equation(standard, own, (y.at(*own) - m) / s, y, "standardised target")]
    hidden = {name: replace(system.tensor(name), name=to, role=Role.HIDDEN) for name, to in outputs.items()}
    for equation in system.equations:
        inside = equation.target in within
        equations.append(equation.renamed({y.name: standard, **outputs}) if inside else equation)
        if equation.target in outputs:
            m, s = measures(equation.indices)
            body = hidden[equation.target].at(*equation.indices) * s + m
            equations.append(_equation(equation.target, equation.indices, body, y, "target's units"))
    tensors = (*system.tensors, *buffers, replace(y, name=standard, role=Role.HIDDEN), *hidden.values())
    return system.with_(tensors=tensors, equations=tuple(equations))


def _equation(name: str, indices: tuple[Index, ...], body: sympy.Expr, y: Tensor, rule: str) -> Equation:
    return Equation(name, indices, body, ranges=y.shape, rule=rule, origin=y.origin)


def _refuse_shared(system: System, within: Set[str], y: Tensor, outputs: tuple[str, ...], net: str) -> None:
    """Raises UsageError where something that is looked at is made from what only the loss should see."""
    missing = [name for name in outputs if name not in within or name not in system.defining]
    if missing:
        raise UsageError(
            f"the loss of {net} doesn't read the output {missing[0]}, so nothing standardises it"
        )
    own = {y.name, *outputs}
    changed = {name for name in within - own if own & set(system.ancestors(name))}
    asked = {*system.outputs, *system.metrics, *system.updates.values(), *system.inference.values()}
    losses = {system.loss, system.inference.get(str(system.loss))}
    bad = sorted(
        ((asked & changed) - losses)
        | {e.target for e in system.equations if e.target not in within and changed & set(e.read_names)}
        | {name for name, pair in system.derivatives.items() if (own | changed) & set(pair)}
    )
    if bad:
        raise UsageError(
            f"{bad[0]} of {net} is made from what the loss sees, which would be of a standardised {y.name}",
            help="declare metrics from the prediction and the target themselves: bp.rmse(prediction, y)",
        )
