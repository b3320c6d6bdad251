"""The backward pass in the forms that people write: closed, raw, and as the chain rule gives it.

Enters: a derivation, a point. Leaves: systems with the same values. Must not know: answers, slips.

A slip is one step in one of these forms, and several in the others: a Jacobian that loses its sum is one in
the raw form of a softmax, a variance that counts as a constant is one of a closed batch norm.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from symbp.derive import adjoints
from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Access, Index, accesses, unused_name
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.verify.against.repairs.agreement import same
from symbp.verify.against.repairs.replay.bench import BACKWARD
from symbp.verify.points import Point

MOST = 40  # products that a sum may be of


def sources(derivation: Derivation, point: Point) -> list[System]:
    """The systems, the closed one first."""
    closed = derivation.system
    found = [closed]
    try:
        other = _with_named_sums(closed, point)
        if other is not None:
            found.append(other)
    except (SymbpError, ArithmeticError):
        pass
    if derivation.grounds:
        found.append(derivation.grounds[-1].before)
    declared = derivation.declared
    try:
        if declared.loss is not None:
            found.append(adjoints(declared, declared.loss, list(derivation.gradients)).system)
    except SymbpError:
        pass
    return found


def _with_named_sums(system: System, point: Point) -> System | None:
    """The closed form with helpers as sums of what their readers have: Σ_i do·o of attention is Σ_j dp·p."""
    run = Run(system, point.values, point.sizes)
    adjoint = {t.name for t in system.with_role(*BACKWARD)}
    equations, tensors = list(system.equations), list[Tensor]()
    for k, equation in enumerate(system.equations):
        if equation.target not in adjoint or equation.op is not None:
            continue
        for access in accesses(equation.body):
            inner = system.defining.get(access.name)
            if access.name not in adjoint or inner is None or inner.op != "sum":
                continue
            for name, other in islice(_sums(system, run, equation, access), 1):
                taken = {*system.by_name, *(t.name for t in tensors)}
                helper = Tensor(unused_name(name, taken), inner.shape, Role.ADJOINT)
                tensors.append(helper)
                equations[k] = equations[k].changed({access: helper.at(*access.subscripts)})
                equations.append(other.with_(target=helper.name))
    if not tensors:
        return None
    return system.with_(tensors=(*system.tensors, *tensors), equations=tuple(equations))


def _sums(system: System, run: Run, equation: Equation, access: Access) -> Iterator[tuple[str, Equation]]:
    """Sums over one index of the reader that have the value of what is read: of an adjoint times a tensor."""
    inner, right = system.defining[access.name], run.tensor(access.name)
    left = [i for i in equation.indices if i not in access.subscripts]
    plain = all(isinstance(s, Index) and s in equation.indices for s in access.subscripts)
    if len(left) != 1 or not plain:
        return
    shape = equation.shape
    ours = [t for t in system.tensors if t.shape == shape and not t.integer]
    read = [t for t in ours if t.role in BACKWARD and t.name in equation.read_names]
    others = [t for t in ours if t.role not in BACKWARD]
    axis = equation.indices.index(left[0])
    order = [access.subscripts.index(i) for i in equation.indices if i != left[0]]
    for tensor, other in ((t, o) for t in read for o in others[:MOST]):
        total = np.sum(run.tensor(tensor.name) * run.tensor(other.name), axis=axis)
        ranges = tuple(equation.extents[i] for i in (*access.subscripts, left[0]))
        if inner.shape == ranges[:-1] and same(right.transpose(order), total):
            body = Access(tensor.name, *equation.indices) * Access(other.name, *equation.indices)
            over = Reduction("sum", (left[0],))
            yield (
                f"s_{tensor.name}_{other.name}",
                Equation(access.name, access.subscripts, body, over, (), ranges),
            )
