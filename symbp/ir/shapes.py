"""Shape inference: the range of every index of an equation, and a message when two ranges disagree.

Enters: an equation without ranges, the tensors it reads, ranges that the author stated.
Leaves: the equation with `ranges`. Must not know: how anything is evaluated or derived.

A plain subscript gives its index the extent of that axis. An index that only occurs inside sums or
quotients of subscripts has no such witness; its range must be stated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy

from symbp.errors import ShapeError
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices, parts_of
from symbp.ir.system import Equation, Tensor


@dataclass(frozen=True)
class Witness:
    """One reason why an index has an extent."""

    extent: Expr
    why: str


def witnesses(
    equation: Equation, tensors: Mapping[str, Tensor], parts: Collection[Index] = ()
) -> Iterator[tuple[Index, Witness]]:
    """Every (index, extent) that a plain subscript of the equation states. A tensor read with an outside
    value states nothing, nor does a read of an index that a guard beside it bounds (`[m < A]·x[n, m]`): such
    reads may leave their range on purpose. An index of `parts` runs over a part of the axes that it reads."""
    target = tensors.get(equation.target)
    if target is not None:
        for axis, (index, extent) in enumerate(zip(equation.indices, target.shape, strict=False)):
            yield index, Witness(extent, f"axis {axis} of {equation.target}")
    for access in equation.reads:
        tensor = tensors.get(access.name)
        if tensor is None or access.outside is not None:
            continue
        bounded = bounded_beside(access, equation).union(parts)
        for axis, (subscript, extent) in enumerate(zip(access.subscripts, tensor.shape, strict=False)):
            if isinstance(subscript, Index) and subscript not in bounded:
                yield subscript, Witness(extent, f"axis {axis} of {access.name}")


@lru_cache(maxsize=16384)
def _bounded(*conditions: Expr) -> frozenset[Index]:
    """The indices that relations between integers mention."""
    found: set[Index] = set()
    for e in conditions:
        for guard in parts_of(e, Guard):
            if guard.op == "<=" and guard.lhs.is_integer and guard.rhs.is_integer:
                found |= free_indices(guard)
    return frozenset(found)


def bounded_beside(access: Access, equation: Equation) -> frozenset[Index]:
    """The indices that relations between integers mention beside each place at which something is read."""
    if not _bounded(equation.body, *equation.where):
        return frozenset()
    places: list[frozenset[Index]] = []

    def walk(e: Expr, around: frozenset[Index]) -> None:
        if e == access:
            places.append(around)
        if not e.has(access):
            return
        for k, arg in enumerate(e.args):
            beside = _bounded(*e.args[:k], *e.args[k + 1 :]) if e.is_Mul else frozenset()
            walk(arg, around | beside)

    for k, e in enumerate((equation.body, *equation.where)):
        walk(e, _bounded(*(g for place, g in enumerate(equation.where, 1) if place != k)))
    return frozenset.intersection(*places) if places else frozenset()


def infer_ranges(
    equation: Equation,
    tensors: Mapping[str, Tensor],
    stated: Mapping[Index, Expr] | None = None,
    parts: Collection[Index] = (),
) -> Equation:
    """The equation with the range of each of its indices.

    Raises ShapeError: a read with the wrong number of subscripts, an undeclared tensor, an index over two
    ranges, an index without a range, or an index that is neither plain nor reduced.
    """
    _check_reads(equation, tensors)
    found: dict[Index, Witness] = {
        index: Witness(extent, "the stated range") for index, extent in (stated or {}).items()
    }
    for index, witness in witnesses(equation, tensors, parts):
        first = found.setdefault(index, witness)
        if sympy.expand(first.extent - witness.extent) != 0:
            raise ShapeError(
                f"index {index} runs over two different ranges in the definition of {equation.target}",
                where=equation.origin,
                details=(f"{first.why}: {first.extent}", f"{witness.why}: {witness.extent}"),
                help="use another index for one of them, or make the sizes agree",
            )
    for access in equation.reads:  # a plain subscript of a guarded read is the weakest witness
        for axis, subscript in enumerate(access.subscripts):
            tensor = tensors[access.name]
            if isinstance(subscript, Index) and subscript not in found:
                found[subscript] = Witness(tensor.shape[axis], f"axis {axis} of {access.name}")
    _square(equation, found)
    missing = [i for i in equation.all_indices if i not in found]
    if missing:
        raise ShapeError(
            f"nothing says how far index {missing[0]} runs in the definition of {equation.target}",
            where=equation.origin,
            help=f"state its range, {{{missing[0]}: …}}, or read a tensor at a plain subscript {missing[0]}",
        )
    return equation.with_(ranges=tuple(found[i].extent for i in equation.all_indices))


def _square(equation: Equation, found: dict[Index, Witness]) -> None:
    """The matrix of a leaf of linear algebra is square, and so is what the leaf gives; or what it gives has
    the matrix's rows or columns."""
    if equation.leaf is None:
        return
    if not equation.leaf.square:
        matrix = dict(zip(("row", "column"), equation.reduced, strict=False))
        for index, axis in zip(equation.result, equation.leaf.result, strict=True):
            if axis in matrix and matrix[axis] in found:
                found.setdefault(index, found[matrix[axis]])
        return
    sides = (*equation.reduced, *equation.result)
    first = next((found[i] for i in sides if i in found), None)
    for index in sides if first else ():
        assert first is not None
        other = found.setdefault(index, Witness(first.extent, "a square matrix"))
        if sympy.expand(first.extent - other.extent) != 0:
            raise ShapeError(
                f"{equation.target} is the {equation.op} of a matrix that is not square",
                where=equation.origin,
                details=(f"{first.why}: {first.extent}", f"{other.why}: {other.extent}"),
                help="only a square matrix has one; for a least-squares solution solve (XᵀX) w = Xᵀy",
            )


def _check_reads(equation: Equation, tensors: Mapping[str, Tensor]) -> None:
    for access in equation.reads:
        if access.name not in tensors:
            raise ShapeError(
                f"{equation.target} reads {access.name}, which is not declared",
                where=equation.origin,
                details=("declared: " + (", ".join(tensors) or "nothing"),),
            )
        _check_rank(equation, access, tensors[access.name])
    free = free_indices(equation.body).union(*[free_indices(g) for g in equation.where])
    loose = sorted(free - set(equation.all_indices), key=lambda i: i.name)
    if loose:
        raise ShapeError(
            f"index {loose[0]} of {equation.target}'s definition is neither on the left nor reduced over",
            where=equation.origin,
            help=f"reduce over it (Sum(…, {loose[0]})) or add it to the indices of {equation.target}",
        )


def _check_rank(equation: Equation, access: Access, tensor: Tensor) -> None:
    if len(access.subscripts) != len(tensor.shape):
        raise ShapeError(
            f"{access} has {len(access.subscripts)} subscripts, {tensor.name} has {len(tensor.shape)} axes",
            where=equation.origin,
            details=(str(tensor),),
        )
