"""The adjoints of the leaves of linear algebra: the only derivatives that are written by hand anywhere.

Enters: an equation that is a leaf, the adjoint of its target. Leaves: the adjoint of each element of the
leaf's matrix, as a scalar expression over equations in index notation; further sweeps differentiate these
like any others, so derivatives of every order follow. Must not know: the sweep, closed forms, ops.

A leaf has no body that could be differentiated, so its rule is a fact about it. With G the adjoint of the
result (Giles 2008, "Collected matrix derivative results for forward and reverse mode", section 2):

    X = M⁻¹          −Xᵀ G Xᵀ
    d = det M        g·d·M⁻ᵀ
    d = log|det M|   g·M⁻ᵀ

and for the Cholesky factor L of (M + Mᵀ)/2 (Murray 2016, "Differentiation of the Cholesky decomposition",
section 3.1), with Φ the lower triangle, its diagonal halved, and S = L⁻ᵀ Φ(Lᵀ G) L⁻¹:

    L = chol M       (S + Sᵀ)/2

All elements of a matrix are independent, whatever facts say of their values: a symmetric matrix gets the
derivative by each of its n² elements. Where only some are free, the declaration says which (`S[i,j]` read
from the triangle of a parameter), and the chain rule turns this gradient into that of the free elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.system import Equation, Reduction, Role, Tensor


@dataclass(frozen=True)
class LeafAdjoint:
    """`Σ weight`, over what `scope` has beside batch, row and column, is the adjoint of the matrix's element;
    it reads the `helpers`, equations with their tensors that are not in the system yet."""

    weight: Expr
    scope: tuple[Index, ...]
    helpers: tuple[tuple[Tensor, Equation], ...] = ()


def leaf_adjoint(
    equation: Equation,
    adjoint: Callable[..., Expr],
    known: Iterable[Equation],
    fresh: Callable[[str], str],
) -> LeafAdjoint:
    """The adjoint of the matrix in a leaf's equation, at the equation's own indices.

    `adjoint(*subscripts)` is the adjoint of the target, `known` are the equations of the system, among which
    an inverse that is needed may already be; `fresh` makes a name for a new tensor.
    """
    return _RULES[equation.op or ""](_Leaf(equation, adjoint, tuple(known), fresh))


@dataclass(frozen=True)
class _Leaf:
    """The leaf's equation, with what its rule needs to write equations beside it."""

    equation: Equation
    adjoint: Callable[..., Expr]
    known: tuple[Equation, ...]
    fresh: Callable[[str], str]

    @property
    def batch(self) -> tuple[Index, ...]:
        return self.equation.indices[: len(self.equation.indices) - len(self.equation.result)]

    @property
    def own(self) -> tuple[Index, ...]:
        return (*self.batch, *self.equation.reduced)

    def product(
        self, name: str, rows: Index, columns: Index, body: Expr, summed: Index, rule: str
    ) -> tuple[Tensor, Equation]:
        """`name[batch, rows, columns] = Σ_summed body`."""
        extents = dict(self.equation.extents)
        indices = (*self.batch, rows, columns)
        ranges = tuple(extents[i] for i in (*indices, summed))
        equation = Equation(name, indices, body, Reduction("sum", (summed,)), (), ranges, rule=rule)
        return Tensor(name, equation.shape, Role.ADJOINT), equation


def _of_inverse(leaf: _Leaf) -> LeafAdjoint:
    (i, j), (k, column) = leaf.equation.result, leaf.equation.reduced
    target, batch = leaf.equation.target, leaf.batch
    right = leaf.product(
        leaf.fresh(f"d{target}_right"), i, column,
        leaf.adjoint(*batch, i, j) * Access(target, *batch, column, j), j,
        f"adjoint of {target} times its transpose",
    )  # fmt: skip
    weight = -Access(target, *batch, i, k) * Access(right[0].name, *batch, i, column)
    return LeafAdjoint(weight, (*leaf.own, i), (right,))


def _of_det(leaf: _Leaf) -> LeafAdjoint:
    by_log = _of_logdet(leaf)
    return LeafAdjoint(
        by_log.weight * Access(leaf.equation.target, *leaf.batch), by_log.scope, by_log.helpers
    )


def _of_logdet(leaf: _Leaf) -> LeafAdjoint:
    k, column = leaf.equation.reduced
    name, helpers = _inverse_of(leaf, leaf.equation)
    return LeafAdjoint(leaf.adjoint(*leaf.batch) * Access(name, *leaf.batch, column, k), leaf.own, helpers)


def _of_cholesky(leaf: _Leaf) -> LeafAdjoint:
    (i, _), (k, column) = leaf.equation.result, leaf.equation.reduced
    target, batch = leaf.equation.target, leaf.batch
    own = leaf.equation.with_(
        indices=batch,
        body=Access(target, *leaf.own),
        ranges=tuple(leaf.equation.extents[x] for x in leaf.own),
    )
    inverse, found = _inverse_of(leaf, own)
    half = Guard("<", column, k) + Guard("=", k, column) / 2
    phi = leaf.product(
        leaf.fresh(f"d{target}_phi"), k, column,
        Access(target, *batch, i, k) * leaf.adjoint(*batch, i, column) * half, i,
        f"lower triangle of {target}ᵀ times its adjoint, the diagonal halved",
    )  # fmt: skip
    right = leaf.product(
        leaf.fresh(f"d{target}_right"), k, column,
        Access(phi[0].name, *batch, k, i) * Access(inverse, *batch, i, column), i,
        f"times the inverse of {target}",
    )  # fmt: skip
    whole = leaf.product(
        leaf.fresh(f"d{target}_whole"), k, column,
        Access(inverse, *batch, i, k) * Access(right[0].name, *batch, i, column), i,
        f"the inverse of {target} transposed, times that",
    )  # fmt: skip
    name = whole[0].name
    weight = (Access(name, *batch, k, column) + Access(name, *batch, column, k)) / 2
    return LeafAdjoint(weight, leaf.own, (*found, phi, right, whole))


_RULES: Mapping[str, Callable[[_Leaf], LeafAdjoint]] = {
    "inverse": _of_inverse,
    "det": _of_det,
    "logdet": _of_logdet,
    "cholesky": _of_cholesky,
}


def _inverse_of(leaf: _Leaf, equation: Equation) -> tuple[str, tuple[tuple[Tensor, Equation], ...]]:
    """The tensor that holds the inverse of an equation's matrix, and its equation if it is a new one."""
    batch, reduced = leaf.batch, equation.reduced
    form = _form(equation.body, batch, reduced)
    extents = tuple(equation.extents[x] for x in (*batch, *reduced))
    for other in leaf.known:
        theirs = other.indices[:-2]
        if other.op != "inverse" or _form(other.body, theirs, other.reduced) != form:
            continue
        if extents == tuple(other.extents[x] for x in (*theirs, *other.reduced)):
            return other.target, ()
    taken = (*batch, *reduced)
    row, column = [Index(x) for x in "ijklpqrsuvw" if Index(x) not in taken][:2]
    plain = isinstance(equation.body, Access)
    name = leaf.fresh(f"{equation.body.name if plain else equation.target}_inverse")
    n = extents[-1]
    inverse = Equation(
        name,
        (*batch, row, column),
        equation.body,
        Reduction("inverse", reduced),
        (),
        (*extents[: len(batch)], n, n, n, n),
        rule=f"inverse, for the derivative of {leaf.equation.target}",
    )
    return name, ((Tensor(name, inverse.shape), inverse),)


def _form(body: Expr, batch: tuple[Index, ...], reduced: tuple[Index, ...]) -> Expr:
    """A matrix up to the names of its indices."""
    own = (*batch, *reduced)
    return sympy.sympify(body).xreplace({index: Index(f"_{place}") for place, index in enumerate(own)})
