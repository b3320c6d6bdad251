"""A system in which the derivative by any tensor is one by a leaf: each gets a leaf added to it.

Enters: a system, names of tensors. Leaves: a system of the same values where the new leaves are 0.
Must not know: who differentiates it.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbp.ir.expr import unused_name
from symbp.ir.system import Equation, Role, System, Tensor


def perturbed(system: System, names: Iterable[str]) -> tuple[System, dict[str, str]]:
    """The system, and the leaf that is added to each of the tensors that isn't a leaf itself."""
    extra: dict[str, str] = {}
    for name in names:
        if name in system.defining:
            system, extra[name] = _with_leaf(system, name)
    return system, extra


def _with_leaf(system: System, name: str) -> tuple[System, str]:
    """`t = …` as `t_0 = …`, `t = t_0 + d_t`."""
    tensor, equation = system.tensor(name), system.defining[name]
    leaf = unused_name(f"d_{name}", system.by_name)
    inner = unused_name(f"{name}_0", system.by_name)
    body = tensor.at(*equation.indices).with_(name=inner) + tensor.at(*equation.indices).with_(name=leaf)
    added = Equation(name, equation.indices, body, None, (), equation.shape)
    hidden = Tensor(inner, tensor.shape, Role.HIDDEN)
    equations: list[Equation] = []
    for e in system.equations:
        equations += [e.with_(target=inner), added] if e is equation else [e]
    tensors = (*system.tensors, Tensor(leaf, tensor.shape, Role.INPUT), hidden)
    return system.with_(tensors=tensors, equations=tuple(equations)), leaf
