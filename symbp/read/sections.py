"""The parts of a page, in the order in which it is read.

Enters: a derivation. Leaves: names of tensors by part. Must not know: equations' forms, formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbp.derive.derivation import Derivation


@dataclass(frozen=True)
class Part:
    """What is defined under a title. `pairs`: the second tensor stands for the first there; `verb` says
    how."""

    title: str
    targets: tuple[str, ...]
    pairs: Mapping[str, str] = field(default_factory=dict)
    verb: str = "is"


def parts(derivation: Derivation) -> tuple[Part, ...]:
    """The parts that have something in them. Beside the backward pass, equations go by what first needs them:
    the loss, the outputs and the gradients; the buffers' next values; what differs at inference; the rest,
    which only measures."""
    system = derivation.system
    backward = tuple(e.target for e in derivation.backward)
    trained = [*system.outputs, *([system.loss] if system.loss else []), *derivation.gradients.values()]
    left, stages = [e.target for e in derivation.forward], []
    for wanted in ([*trained, *backward], system.updates.values(), system.inference.values()):
        needed = system.resting(wanted)
        stages.append(tuple(name for name in left if name in needed))
        left = [name for name in left if name not in needed]
    forward, updates, inference = stages
    found = (
        Part("Forward", forward),
        Part("Backward", backward),
        Part("Buffers after a step", updates, system.updates, "becomes"),
        Part("Inference", inference, system.inference),
        Part("Metrics", tuple(left)),
    )
    return tuple(part for part in found if part.targets or part.pairs)
