"""The reverse sweep: differentiation as a transposition of a system of indexed equations.

Enters: a system, the tensor to differentiate, the tensors to differentiate by.
Leaves: the system with adjoint equations at its end; the result is again a system, so sweeps compose.
Must not know: closed forms (`derive.search`), any op.

For every equation `t[i] = reduce_r body` and every access `X[e(i, r)]` in it,

    adjoint X[a] += Σ_{i, r} adjoint t[i] · ∂body/∂access · [a = e(i, r)]

(Laue, Mitterreiter and Giesen 2018, with subscripts inverted instead of deltas carried along).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.derive.sweep.inverted_reads import invert
from symbp.derive.sweep.matrix_adjoints import leaf_adjoint
from symbp.derive.sweep.ranges import within_all, within_ranges
from symbp.errors import DerivationError
from symbp.ir.expr import Access, Expr, Guard, Index, parts_of, unused_index, value_accesses
from symbp.ir.labels import Differential
from symbp.ir.partial import partial
from symbp.ir.system import Equation, Reduction, Role, System, Tensor

LETTERS = "ijklmpqrsuvwabcdefgh"


@dataclass(frozen=True)
class AdjointSystem:
    """The joint system, the tensor that holds each derivative, and what the output doesn't depend on."""

    system: System
    gradients: Mapping[str, str]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class _Contribution:
    """One summand of an adjoint: `Σ_left body`, over the axes of the tensor that was read."""

    axes: tuple[Index, ...]
    body: Expr
    left: tuple[Index, ...]
    extents: Mapping[Index, Expr]


def adjoints(
    system: System, output: str, wrt: Sequence[str], *, cotangent: str | None = None, ones: bool = False
) -> AdjointSystem:
    """∂ output / ∂ each of `wrt`, as equations `dX[…] = …` after those of the system.

    A scalar output is seeded with 1; any output may be given a `cotangent`, the name of a leaf of its
    shape (then the result is the vector-Jacobian product), or be summed up (`ones`: ∂(Σ output)). Tensors
    that the output doesn't depend on get the equation `dX[…] = 0` and are listed in `unused`.

    Raises DerivationError: an output with axes and no cotangent, an unknown tensor.
    """
    return _Sweep(system, output, tuple(wrt), cotangent, ones).run()


class _Sweep:
    def __init__(
        self, system: System, output: str, wrt: tuple[str, ...], cotangent: str | None, ones: bool
    ) -> None:
        self.system, self.output, self.wrt, self.cotangent = system, output, wrt, cotangent
        self.seeded = ones or cotangent is not None
        if not self.seeded and system.tensor(output).shape:
            raise DerivationError(
                f"{output} is not a scalar",
                details=(str(system.tensor(output)),),
                help="differentiate a scalar loss, or give a cotangent of the output's shape",
            )
        self.taken = set(system.by_name)
        self.active = _active(system, output, wrt)
        self.names = {t.name: self.fresh(f"d{t.name}") for t in system.tensors if t.name in self.active}
        self.tensors: list[Tensor] = []
        self.helpers: list[Equation] = []
        self.contributions: dict[str, list[_Contribution]] = {name: [] for name in self.names}

    def fresh(self, name: str) -> str:
        """A tensor name that nothing has yet."""
        candidate, count = name, 1
        while candidate in self.taken:
            count += 1
            candidate = f"{name}_{count}"
        self.taken.add(candidate)
        return candidate

    def run(self) -> AdjointSystem:
        if self.output in self.names and self.seeded:
            tensor = self.system.tensor(self.output)
            axes = self.axes_of(self.output)
            seed: Expr = sympy.Integer(1)
            if self.cotangent is not None:
                seed = self.system.at(self.cotangent, *axes)
            extents = dict(zip(axes, tensor.shape, strict=True))
            self.contributions[self.output].append(_Contribution(axes, seed, (), extents))
        for equation in self.system.equations:
            if equation.target in self.active and not equation.constant:
                self.transpose(equation)
        equations: list[Equation] = []
        for tensor in _reversed_definition_order(self.system, self.active):
            equations += self.collect(tensor)
        unused = tuple(name for name in self.wrt if name not in self.names)
        for name in unused:
            equations.append(self.zero(self.system.tensor(name)))
        joint = self.system.extended(self.tensors, (*self.helpers, *equations))
        return AdjointSystem(joint, {name: self.names[name] for name in self.wrt}, unused)

    # --- the transposition of one equation
    def transpose(self, equation: Equation) -> None:
        """Adds the contribution of every access in the equation to the adjoint of its tensor."""
        weight, scope = self.route(equation)
        extents = dict(equation.extents)
        for access, local in self.local_derivatives(equation.body, extents):
            if access.name not in self.active or local == 0:
                continue
            axes = self.axes_of(access.name)
            clash: dict[Index, Index] = {}
            for index in scope:
                if index in axes:
                    clash[index] = unused_index(index, (*axes, *scope, *clash.values()))
            new_scope = [clash.get(i, i) for i in scope]
            read = access.xreplace(clash)
            inverse = invert(
                read.subscripts,
                axes,
                self.system.tensor(access.name).shape,
                new_scope,
                {clash.get(i, i): e for i, e in extents.items() if i in scope},
                self.spare_indices((*axes, *new_scope)),
            )
            body = (weight * local).xreplace(clash).xreplace(dict(inverse.solution))
            body = sympy.Mul(body, *inverse.guards)
            if body == 0:
                continue
            body = within_ranges(body, lambda name: self.system.tensor(name).shape, inverse.extents)
            self.contributions[access.name].append(_Contribution(axes, body, inverse.left, inverse.extents))

    def route(self, equation: Equation) -> tuple[Expr, tuple[Index, ...]]:
        """What multiplies ∂body/∂access, and over which indices: the adjoint of the target, and the
        reduction's own derivative (1 for a sum, the argmax's guards for a max, the product of the others for
        a product, its rule for a leaf of linear algebra)."""
        if equation.leaf is not None:
            return self.leaf(equation)
        if equation.target == self.output and not self.seeded:
            weight: Expr = sympy.Integer(1)
        else:
            weight = Access(self.names[equation.target], *equation.indices)
        if equation.op == "max":
            for component, index in enumerate(equation.reduced):
                where_max = self.argmax(equation, component)
                weight *= Guard("=", index, where_max.at(*equation.indices))
        elif equation.op == "prod":
            weight *= self.product_of_others(equation)
        return weight, equation.all_indices

    def leaf(self, equation: Equation) -> tuple[Expr, tuple[Index, ...]]:
        """The adjoint of the matrix in a leaf of linear algebra, after the equations that it needs."""

        def adjoint(*subscripts: Expr) -> Expr:
            is_loss = equation.target == self.output and not self.seeded
            return sympy.Integer(1) if is_loss else Access(self.names[equation.target], *subscripts)

        known = (*self.system.equations, *self.helpers)
        rule = leaf_adjoint(equation, adjoint, known, self.fresh)
        for tensor, helper in rule.helpers:
            self.tensors.insert(len(self.helpers), tensor)
            self.helpers.append(helper)
        return rule.weight, rule.scope

    def local_derivatives(self, body: Expr, extents: Mapping[Index, Expr]) -> list[tuple[Access, Expr]]:
        """(access, ∂body/∂access) for every access of the body, those in outside values included: an
        outside value gets its share under the guard that the read left its range."""
        found: list[tuple[Access, Expr]] = []
        for access in value_accesses(body):
            local = partial(body, access)
            found.append((access, local))
            if access.outside is not None and parts_of(access.outside, Access):
                shape = self.system.tensor(access.name).shape
                for missed in _complement(within_all(access, shape, extents)):
                    for inner, derivative in self.local_derivatives(access.outside, extents):
                        found.append((inner, local * derivative * missed))
        return found

    def argmax(self, equation: Equation, component: int) -> Tensor:
        """The integer tensor that says where the maximum lies along one reduced index (made once)."""
        index = equation.reduced[component]
        suffix = f"_{index.name}" if len(equation.reduced) > 1 else ""
        reduction = Reduction("argmax", equation.reduced, component)
        for tensor, known in zip(self.tensors, self.helpers, strict=False):
            if known.body == equation.body and known.reduction == reduction and known.where == equation.where:
                return tensor
        name = self.fresh(f"{equation.target}_argmax{suffix}")
        tensor = Tensor(name, equation.shape, Role.HIDDEN, integer=True)
        self.tensors.insert(len(self.helpers), tensor)
        self.helpers.append(
            equation.with_(
                target=name, reduction=reduction, rule=f"where the maximum of {equation.target} lies"
            )
        )
        return tensor

    def product_of_others(self, equation: Equation) -> Expr:
        """`others[i, r] = Π_{r' ≠ r} body(r')`: no division, so that zeros are harmless."""
        scope = equation.all_indices
        twins: dict[Index, Index] = {}
        for index in equation.reduced:
            twins[index] = unused_index(index, (*scope, *twins.values()))
        flat, flat_twin, stride = sympy.Integer(0), sympy.Integer(0), sympy.Integer(1)
        for index in reversed(equation.reduced):
            flat, flat_twin = flat + stride * index, flat_twin + stride * twins[index]
            stride = stride * equation.extents[index]
        name = self.fresh(f"{equation.target}_others")
        where = (*[g.xreplace(twins) for g in equation.where], Guard("!=", flat_twin, flat))
        others = Equation(
            name,
            scope,
            equation.body.xreplace(twins),
            Reduction("prod", tuple(twins.values())),
            where,
            equation.ranges + tuple(equation.extents[i] for i in equation.reduced),
            rule=f"product of the other factors of {equation.target}",
        )
        tensor = Tensor(name, others.shape)
        self.tensors.insert(len(self.helpers), tensor)
        self.helpers.append(others)
        return sympy.Mul(tensor.at(*scope), *equation.where)

    # --- adding up
    def collect(self, tensor: Tensor) -> list[Equation]:
        """The equations that define the adjoint of a tensor from its contributions."""
        name = self.names[tensor.name]
        found = self.adjoint(tensor)
        parts = self.contributions[tensor.name]
        if tensor.name == self.output and not self.seeded:
            return []
        if not parts:
            return [self.zero(tensor)]
        axes = parts[0].axes
        rule = "chain rule"
        equations: list[Equation] = []
        maps: Expr = sympy.Integer(0)
        for count, part in enumerate(parts):
            extents = tuple(part.extents[i] for i in (*axes, *part.left))
            reduction = Reduction("sum", part.left) if part.left else None
            if len(parts) == 1:
                self.tensors.append(found)
                return [Equation(name, axes, part.body, reduction, (), extents, rule=rule)]
            if reduction is None:
                maps += part.body
                continue
            partial_name = self.fresh(f"{name}_{count + 1}")
            summand = Differential(self.output, tensor.name, self.cotangent, part=True)
            self.tensors.append(Tensor(partial_name, tensor.shape, Role.ADJOINT, differential=summand))
            equations.append(Equation(partial_name, axes, part.body, reduction, (), extents, rule=rule))
            maps += Access(partial_name, *axes)
        self.tensors.append(found)
        equations.append(Equation(name, axes, maps, None, (), tensor.shape, rule="sum of the contributions"))
        return equations

    def adjoint(self, tensor: Tensor) -> Tensor:
        """The adjoint of a tensor, which says what it is."""
        role = Role.GRADIENT if tensor.role is Role.PARAMETER else Role.ADJOINT
        what = Differential(self.output, tensor.name, self.cotangent)
        return Tensor(self.names[tensor.name], tensor.shape, role, differential=what)

    def zero(self, tensor: Tensor) -> Equation:
        name = self.names.setdefault(tensor.name, self.fresh(f"d{tensor.name}"))
        self.tensors.append(self.adjoint(tensor))
        axes = self.axes_of(tensor.name)
        return Equation(name, axes, sympy.Integer(0), None, (), tensor.shape, rule="not read by the loss")

    # --- indices
    def axes_of(self, name: str) -> tuple[Index, ...]:
        """The indices of an adjoint: those of the tensor's definition, or of its first plain read."""
        if name in self.system.defining:
            return self.system.defining[name].indices
        rank = len(self.system.tensor(name).shape)
        for equation in self.system.equations:
            for access in equation.reads:
                subs = access.subscripts
                if access.name == name and all(isinstance(s, Index) for s in subs) and len(set(subs)) == rank:
                    return tuple(subs)
        return tuple(Index(letter) for letter in LETTERS[:rank])

    def spare_indices(self, taken: Iterable[Index]) -> list[Index]:
        names = {i.name for i in taken}
        return [Index(letter) for letter in LETTERS if letter not in names]


def _complement(guards: Sequence[Expr]) -> list[Expr]:
    """Disjoint lazy products that together are 1 − Π guards."""
    terms, so_far = [], sympy.Integer(1)
    for guard in guards:
        if isinstance(guard, Guard):
            terms.append(so_far * guard.complement())
            so_far *= guard
    return [term for term in terms if term != 0]


def _active(system: System, output: str, wrt: Sequence[str]) -> frozenset[str]:
    """The tensors on a differentiable path from one of `wrt` to the output."""
    for name in (output, *wrt):
        system.tensor(name)
    readers: dict[str, list[str]] = {}
    read_by: dict[str, list[str]] = {}
    for equation in system.equations:
        if equation.constant or equation.op == "argmax" or system.tensor(equation.target).integer:
            continue
        for name in _value_names(equation):
            readers.setdefault(name, []).append(equation.target)
            read_by.setdefault(equation.target, []).append(name)
    return _closure(wrt, readers) & _closure((output,), read_by)


def _value_names(equation: Equation) -> list[str]:
    """The tensors whose values the body passes on differentiably, outside values included."""
    names: dict[str, None] = {}
    stack = [equation.body]
    while stack:
        for access in value_accesses(stack.pop()):
            names[access.name] = None
            if access.outside is not None:
                stack.append(access.outside)
    return list(names)


def _closure(start: Iterable[str], edges: Mapping[str, Sequence[str]]) -> frozenset[str]:
    seen: set[str] = set()
    stack = list(start)
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack += edges.get(name, ())
    return frozenset(seen)


def _reversed_definition_order(system: System, active: frozenset[str]) -> list[Tensor]:
    """Active tensors so that each comes after those that read it (recurrences aside): targets in reverse
    order of their equations, and each leaf right after the tensors that are read together with it first; the
    matrix of an inverse or a factor last among them, since its adjoint is made of theirs (`A⁻¹B`)."""
    place = {equation.target: k for k, equation in enumerate(system.equations)}
    release: dict[str, int] = {}
    for equation in system.equations:
        beside = [place[name] for name in equation.read_names if name in place and name in active]
        for name in equation.read_names:
            release.setdefault(name, max(beside, default=place[equation.target]))
    matrices = {name for equation in system.equations if equation.leaf for name in equation.read_names}
    released: dict[int, list[Tensor]] = {}
    for leaf in sorted(system.leaves, key=lambda leaf: leaf.name in matrices):
        if leaf.name in active:
            released.setdefault(release[leaf.name], []).append(leaf)
    order = []
    for k, equation in reversed(list(enumerate(system.equations))):
        if equation.target in active:
            order.append(system.tensor(equation.target))
        order += released.get(k, [])
    return order
