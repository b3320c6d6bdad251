"""A tensor by which is differentiated is a leaf to its readers: their other forms hold whatever its value is.

Enters: a system, names of tensors that it defines. Leaves: the system whose readers of these read leaves, and
what brings the tensors back. Must not know: what is done to the system in between.

log p of p = softmax a may be computed as a − logsumexp a, and of two equal tensors only one need be computed.
The loss stays what it was, and so do its derivatives by leaves; its derivative by p doesn't.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbp.derive.definitions import fresh_name
from symbp.derive.derivation import Ground, Step
from symbp.ir.expr import rename
from symbp.ir.groups import groups
from symbp.ir.system import Equation, Role, System


@dataclass(frozen=True)
class Parted:
    """`system` has leaves in the place of tensors; `names` says of which."""

    system: System
    names: Mapping[str, str] = field(default_factory=dict)
    outputs: frozenset[str] = frozenset()  # that were none

    def joined(self, system: System) -> System:
        """A form of the system with the tensors themselves."""
        if not self.names:
            return system
        for name in self.names.values():
            system = _with_twin(system, name)
        whole = system.without(self.names).renamed(self.names)
        found = whole.with_(outputs=tuple(name for name in whole.outputs if name not in self.outputs))
        return found.with_(equations=tuple(e for group in groups(found) for e in group.equations))

    def steps(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """Steps that speak of the tensors themselves."""
        return tuple(step.renamed(self.names) for step in steps) if self.names else tuple(steps)

    def grounds(self, grounds: Sequence[Ground]) -> tuple[Ground, ...]:
        """What such steps stand on."""
        return tuple(
            replace(ground, before=self.joined(ground.before), after=self.joined(ground.after))
            for ground in grounds
        )


def _with_twin(system: System, name: str) -> System:
    """The system with a tensor of the same definition for those who read the tensor in the place of another
    one that had the same value: they aren't among its readers."""
    if not any(name in equation.read_names for equation in system.equations):
        return system
    twin = fresh_name(system, f"{name}_too")
    tensor = replace(system.tensor(name), name=twin, label=None, differential=None)
    others = [e if name not in e.read_names else _reading(e, {name: twin}) for e in system.equations]
    equations = (system.defining[name].with_(target=twin), *others)
    return system.with_(tensors=(*system.tensors, tensor), equations=equations)


def _reading(equation: Equation, names: Mapping[str, str]) -> Equation:
    where = tuple(rename(guard, names) for guard in equation.where)
    return equation.with_(body=rename(equation.body, names), where=where)


def parted(system: System, names: Iterable[str]) -> Parted:
    """The system in which these tensors, as far as it defines them, are leaves to all that read them."""
    chosen = [n for n in names if n in system.defining and any(n in e.read_names for e in system.equations)]
    leaves: dict[str, str] = {}
    for name in chosen:
        leaf = fresh_name(system, f"{name}_given")
        leaves[name] = leaf
        tensor = replace(
            system.tensor(name), name=leaf, role=Role.INPUT, facts=frozenset(), differential=None
        )
        system = system.with_(tensors=(tensor, *system.tensors))
    if not leaves:
        return Parted(system)

    new = tuple(name for name in leaves if name not in system.outputs)
    apart = system.with_(
        equations=tuple(_reading(e, leaves) for e in system.equations), outputs=(*system.outputs, *new)
    )
    return Parted(apart, {leaf: name for name, leaf in leaves.items()}, frozenset(new))
