"""The adjoints of the leaves of linear algebra: the only derivatives that are written by hand anywhere.

Enters: an equation that is a leaf, the adjoint of its target. Leaves: the adjoint of each element of the
leaf's matrix, as a scalar expression over equations in index notation; further sweeps differentiate these
like any others, so derivatives of every order follow. Must not know: the sweep, closed forms, ops.

A leaf has no body that could be differentiated, so its rule is a fact about it. With G the adjoint of the
result (Giles 2008, "Collected matrix derivative results for forward and reverse mode", section 2):

    X = M⁻¹          −Xᵀ G Xᵀ
    d = det M        g·C, with C the cofactors of M
    d = log|det M|   g·M⁻ᵀ

d·M⁻ᵀ are the cofactors, too, where M has an inverse; but the determinant is a polynomial, and where it is 0
its derivative is as good as elsewhere. That of the cofactors, C = d·M⁻ᵀ, is taken where M has an inverse
only:

    C = cof M        tr(GᵀC)·M⁻ᵀ − C Gᵀ M⁻ᵀ

and for the Cholesky factor L of (M + Mᵀ)/2 (Murray 2016, "Differentiation of the Cholesky decomposition",
section 3.1), with Φ the lower triangle, its diagonal halved, and S = L⁻ᵀ Φ(Lᵀ G) L⁻¹:

    L = chol M       (S + Sᵀ)/2

and for eigenvalues λ of (M + Mᵀ)/2 and singular values σ, with their vectors (ibid., sections 3.1 and 3.2),

    λ                V diag(g) Vᵀ
    σ                U diag(g) Vᵀ

which holds for functions that don't tell equal values apart also where values are equal: then so are their g,
and the sum over them doesn't depend on the choice of vectors. The vectors themselves jump there; they are not
differentiated.

All elements of a matrix are independent, whatever facts say of their values: a symmetric matrix gets the
derivative by each of its n² elements. Where only some are free, the declaration says which (`S[i,j]` read
from the triangle of a parameter), and the chain rule turns this gradient into that of the free elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sympy

from symbp.errors import DerivationError
from symbp.ir.expr import Access, Expr, Guard, Index, unused_index
from symbp.ir.matrices import MATRIX_LEAVES
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Reduction, ReductionOp, Role, Tensor


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
    name, helpers = _beside(leaf, "cofactors", leaf.equation)
    return LeafAdjoint(leaf.adjoint(*leaf.batch) * Access(name, *leaf.own), leaf.own, helpers)


def _of_logdet(leaf: _Leaf) -> LeafAdjoint:
    k, column = leaf.equation.reduced
    name, helpers = _beside(leaf, "inverse", leaf.equation)
    return LeafAdjoint(leaf.adjoint(*leaf.batch) * Access(name, *leaf.batch, column, k), leaf.own, helpers)


def _of_cofactors(leaf: _Leaf) -> LeafAdjoint:
    (i, j), (k, column) = leaf.equation.result, leaf.equation.reduced
    target, batch, extents = leaf.equation.target, leaf.batch, leaf.equation.extents
    inverse, found = _beside(leaf, "inverse", leaf.equation)
    size = Equation(
        leaf.fresh(f"d{target}_total"),
        batch,
        leaf.adjoint(*batch, i, j) * Access(target, *batch, i, j),
        Reduction("sum", (i, j)),
        (),
        tuple(extents[x] for x in (*batch, i, j)),
        rule=f"{target} times its adjoint",
    )
    total = Tensor(size.target, size.shape, Role.ADJOINT)
    right = leaf.product(
        leaf.fresh(f"d{target}_right"), j, column,
        leaf.adjoint(*batch, i, j) * Access(inverse, *batch, column, i), i,
        f"adjoint of {target}, transposed, times the inverse, transposed",
    )  # fmt: skip
    whole = leaf.product(
        leaf.fresh(f"d{target}_whole"), k, column,
        Access(target, *batch, k, j) * Access(right[0].name, *batch, j, column), j,
        f"{target} times that",
    )  # fmt: skip
    weight = Access(total.name, *batch) * Access(inverse, *batch, column, k) - Access(
        whole[0].name, *leaf.own
    )
    return LeafAdjoint(weight, leaf.own, (*found, (total, size), right, whole))


def _of_eigenvalues(leaf: _Leaf) -> LeafAdjoint:
    return _of_values(leaf, "eigenvectors", "eigenvectors")


def _of_singular_values(leaf: _Leaf) -> LeafAdjoint:
    return _of_values(leaf, "left_vectors", "right_vectors")


def _of_values(leaf: _Leaf, left: ReductionOp, right: ReductionOp) -> LeafAdjoint:
    (value,), (k, column) = leaf.equation.result, leaf.equation.reduced
    first, helpers = _beside(leaf, left, leaf.equation)
    second, more = (first, ()) if right == left else _beside(leaf, right, leaf.equation)
    weight = leaf.adjoint(*leaf.batch, value)
    weight *= Access(first, *leaf.batch, k, value) * Access(second, *leaf.batch, column, value)
    return LeafAdjoint(weight, (*leaf.own, value), (*helpers, *more))


def _of_vectors(leaf: _Leaf) -> LeafAdjoint:
    raise DerivationError(
        "the vectors of eigenvalues and singular values are not differentiated",
        where=leaf.equation.origin,
        details=(equation_text(leaf.equation),),
        help="they jump where values coincide: first derivatives of the values need no more than the vectors "
        "themselves, second derivatives are not supported",
    )


def _of_cholesky(leaf: _Leaf) -> LeafAdjoint:
    (i, _), (k, column) = leaf.equation.result, leaf.equation.reduced
    target, batch = leaf.equation.target, leaf.batch
    own = leaf.equation.with_(
        indices=batch,
        body=Access(target, *leaf.own),
        ranges=tuple(leaf.equation.extents[x] for x in leaf.own),
    )
    inverse, found = _beside(leaf, "inverse", own)
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
    "cofactors": _of_cofactors,
    "logdet": _of_logdet,
    "cholesky": _of_cholesky,
    "eigenvalues": _of_eigenvalues,
    "eigenvectors": _of_vectors,
    "singular_values": _of_singular_values,
    "left_vectors": _of_vectors,
    "right_vectors": _of_vectors,
}


def _beside(
    leaf: _Leaf, op: ReductionOp, equation: Equation
) -> tuple[str, tuple[tuple[Tensor, Equation], ...]]:
    """The tensor that holds another leaf of an equation's matrix, and its equation if it is a new one."""
    batch, reduced, axes = leaf.batch, equation.reduced, MATRIX_LEAVES[op].result
    form = _form(equation.body, batch, reduced)
    sides = dict(zip(("row", "column"), (equation.extents[x] for x in reduced), strict=True))
    values = leaf.equation.result[-1:]  # where there are values, how many of them
    extents = tuple(equation.extents[x] for x in batch)
    extents += tuple(sides[axis] if axis in sides else leaf.equation.extents[values[0]] for axis in axes)
    extents += tuple(sides.values())
    for other in leaf.known:
        theirs = other.indices[: len(other.indices) - len(axes)]
        if other.op == op and _form(other.body, theirs, other.reduced) == form and other.ranges == extents:
            return other.target, ()
    taken = [*batch, *reduced]
    result = []
    for _ in axes:
        letters = (Index(x) for x in "ijklpqrsuvw")
        result.append(next((x for x in letters if x not in taken), unused_index(Index("i"), taken)))
        taken.append(result[-1])
    plain = isinstance(equation.body, Access)
    name = leaf.fresh(f"{equation.body.name if plain else equation.target}_{op}")
    found = Equation(
        name,
        (*batch, *result),
        equation.body,
        Reduction(op, reduced),
        (),
        extents,
        rule=f"{op.replace('_', ' ')}, for the derivative of {leaf.equation.target}",
    )
    return name, ((Tensor(name, found.shape), found),)


def _form(body: Expr, batch: tuple[Index, ...], reduced: tuple[Index, ...]) -> Expr:
    """A matrix up to the names of its indices."""
    own = (*batch, *reduced)
    return sympy.sympify(body).xreplace({index: Index(f"_{place}") for place, index in enumerate(own)})
