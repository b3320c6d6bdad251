"""Derivatives beyond the gradient: Hessian-vector products, Hessians, Jacobians; all by sweeping again.

Enters: a system. Leaves: a system with more equations, and the names of the tensors asked for.
Must not know: closed forms, ops.

A Jacobian is a vector-Jacobian product whose vector runs over the unit vectors: the cotangent is a leaf
`v`, everything that depends on it gets the indices of the unit vector in front, and `v[e]` becomes `[o = e]`.
Sweeping the vector-Jacobian product again, by its cotangent, gives the Jacobian-vector product: forward mode
without a forward sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy

from symbp.derive.sweep.reverse import LETTERS, adjoints
from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.labels import Differential, Label
from symbp.ir.system import Equation, Reduction, Role, System, Tensor


@dataclass(frozen=True)
class AskedDerivative:
    """One derivative asked for: the tensor that holds ∂ of / ∂ by; its axes are those of `of`, then `by`."""

    of: str
    by: str
    tensor: str


def with_leaf(system: System, name: str, like: str) -> System:
    """The system with one more input of the shape of `like`."""
    label = Label(name, given=True)
    return system.extended([Tensor(name, system.tensor(like).shape, Role.INPUT, label=label)], [])


def hessian_vector_products(
    system: System, gradients: dict[str, str], loss: str
) -> tuple[System, dict[str, str], dict[str, str]]:
    """`Σ_b ∂²loss/∂a∂b · v_b` for each a that has a gradient.

    Returns the joint system, a ↦ the tensor of its product, and a ↦ the leaf that holds its direction.
    """
    directions: dict[str, str] = {}
    terms: Expr = sympy.Integer(0)
    for name, gradient in gradients.items():
        directions[name] = _fresh(system, f"v_{name}")
        system = with_leaf(system, directions[name], name)
        axes = tuple(Index(letter) for letter in LETTERS[: len(system.tensor(name).shape)])
        part = _fresh(system, f"{loss}_along_{name}")
        body = system.at(gradient, *axes) * system.at(directions[name], *axes)
        shape = system.tensor(name).shape
        reduction = Reduction("sum", axes) if axes else None
        rule = f"derivative of {loss} along {directions[name]}"
        equation = Equation(part, (), body, reduction, (), shape, rule=rule)
        system = system.extended([Tensor(part, (), Role.ADJOINT)], [equation])
        terms += Access(part)
    slope = _fresh(system, f"{loss}_along")
    total = Equation(slope, (), terms, rule=f"derivative of {loss} along the direction")
    system = system.extended([Tensor(slope, (), Role.ADJOINT)], [total])
    second = adjoints(system, slope, list(gradients))
    joint = _as_backward(second.system, system)
    products = {name: _fresh(joint, f"Hv_{name}") for name in gradients}
    joint = joint.renamed({second.gradients[name]: product for name, product in products.items()})
    return joint, products, directions


def jacobian_blocks(
    system: System, of: str, by: Sequence[str], *, forward: bool = False, letter: str = "J", label: str = ""
) -> tuple[System, list[AskedDerivative]]:
    """∂ of / ∂ each of `by`, in reverse mode (the output's indices run along), or in forward mode; the
    blocks are called `J_of_by`, with another `letter` or `label` for `of` if given."""
    joint, blocks = _jacobian_blocks(system, of, by, forward)
    named = [replace(b, tensor=_fresh(joint, f"{letter}_{label or of}_{b.by}")) for b in blocks]
    names = {old.tensor: new.tensor for old, new in zip(blocks, named, strict=True)}
    return joint.renamed(names), named


def _jacobian_blocks(
    system: System, of: str, by: Sequence[str], forward: bool
) -> tuple[System, list[AskedDerivative]]:
    blocks: list[AskedDerivative] = []
    if not forward:
        seed = _fresh(system, f"v_{of}")
        swept = adjoints(with_leaf(system, seed, of), of, by, cotangent=seed)
        joint = along_unit_vectors(swept.system, seed)
        return _as_backward(joint, system), [AskedDerivative(of, name, swept.gradients[name]) for name in by]
    for name in by:
        seed = _fresh(system, f"v_{of}")
        swept = adjoints(with_leaf(system, seed, of), of, [name], cotangent=seed)
        direction = _fresh(swept.system, f"v_{name}")
        again = adjoints(
            with_leaf(swept.system, direction, name), swept.gradients[name], [seed], cotangent=direction
        )
        needed = _without(again.system, seed, again.gradients[seed])
        joint = along_unit_vectors(needed, direction, last=True)
        system = _as_backward(joint, system)
        blocks.append(AskedDerivative(of, name, again.gradients[seed]))
    return system, blocks


def along_unit_vectors(system: System, leaf: str, *, last: bool = False) -> System:
    """The system with `leaf[e]` replaced by `[o = e]`; all that depends on it gets the indices o in front
    (or behind, with `last`)."""
    shape = system.tensor(leaf).shape
    dependent = _dependent(system, leaf)
    taken = {i.name for e in system.equations for i in e.all_indices} | set(system.by_name)
    units = tuple(_unit_indices(len(shape), taken))

    def lift(access: Access) -> Expr:
        if access.name == leaf:
            return sympy.Mul(*[Guard("=", u, s) for u, s in zip(units, access.subscripts, strict=True)])
        subs = (*access.subscripts, *units) if last else (*units, *access.subscripts)
        return type(access)(access.name, *subs, outside=access.outside)

    equations = []
    for equation in system.equations:
        if equation.target not in dependent:
            equations.append(equation)
            continue
        plain, reduced = len(equation.indices), equation.ranges[len(equation.indices) :]
        indices = (*equation.indices, *units) if last else (*units, *equation.indices)
        own = equation.ranges[:plain]
        ranges = (*own, *shape, *reduced) if last else (*shape, *own, *reduced)
        body = equation.body.replace(
            lambda e: isinstance(e, Access) and (e.name == leaf or e.name in dependent), lift
        )
        equations.append(equation.with_(indices=indices, body=body, ranges=ranges))
    tensors = [
        t
        if t.name not in dependent
        else replace(
            t,
            shape=(*t.shape, *shape) if last else (*shape, *t.shape),
            facts=frozenset(),
            differential=_lifted(t.differential, leaf, last),
        )
        for t in system.tensors
        if t.name != leaf
    ]
    return system.with_(tensors=tuple(tensors), equations=tuple(equations))


def _lifted(found: Differential | None, leaf: str, last: bool) -> Differential | None:
    """What a derivative times `leaf` is, once that runs over unit vectors: the derivative itself, if its own
    axes come last; else nothing that has a name."""
    if found is None or found.along != leaf or last:
        return None
    return replace(found, along=None, whole=True)


def _dependent(system: System, leaf: str) -> set[str]:
    readers: dict[str, list[str]] = {}
    for equation in system.equations:
        for name in equation.read_names:
            readers.setdefault(name, []).append(equation.target)
    found: set[str] = set()
    stack = [leaf]
    while stack:
        for reader in readers.get(stack.pop(), ()):
            if reader not in found:
                found.add(reader)
                stack.append(reader)
    return found


def _without(system: System, leaf: str, wanted: str) -> System:
    """The system without `leaf` and what depends on it; `wanted` must not."""
    dropped = _dependent(system, leaf)
    assert wanted not in dropped, "a vector-Jacobian product is linear in its cotangent"
    keep = tuple(e for e in system.equations if e.target not in dropped)
    return system.with_(
        tensors=tuple(t for t in system.tensors if t.name != leaf and t.name not in dropped), equations=keep
    )


def _as_backward(joint: System, before: System) -> System:
    """Marks what a sweep added as backward, whatever roles its helpers have."""
    known = set(before.by_name)
    return joint.with_(
        tensors=tuple(
            t
            if t.name in known or t.name not in joint.defining or t.integer
            else replace(t, role=Role.ADJOINT if t.role is Role.HIDDEN else t.role)
            for t in joint.tensors
        )
    )


def _unit_indices(rank: int, taken: set[str]) -> list[Index]:
    """Letters from o on, for the axes of the unit vector; none that an index or a tensor has."""
    letters = [c for c in "opqrstuvw" + LETTERS if c not in taken]
    return [Index(c) for c in letters[:rank]]


def _fresh(system: System, name: str) -> str:
    candidate, count = name, 1
    while candidate in system.by_name:
        count += 1
        candidate = f"{name}_{count}"
    return candidate
