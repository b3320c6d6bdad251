"""Activations that split an axis: gated linear units and maxout.

Enters: tensors. Leaves: tensors with a shorter axis. Must not know: derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symbp.errors import ShapeError
from symbp.ir.build import where
from symbp.ir.expr import Expr, FloorDiv, Guard, Index
from symbp.ir.shapes import Witness
from symbp.language.axes import axes, axis_numbers
from symbp.language.naming.frames import here
from symbp.language.node import Joined, display
from symbp.language.notation import Max, formula
from symbp.language.sizes import value_of
from symbp.language.tensor import Tensor
from symbp.ops.activations import FAMILY, HIDDEN
from symbp.ops.registry import example, op


@op(FAMILY, example("N 2*H"), example("2*N H", axis=0))
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """a·σ(b) with a and b the halves of one axis (Dauphin et al. 2017). Raises ShapeError: an odd axis."""
    return gated(x, axis, lambda a, b: a / (1 + sympy.exp(-b)), "gated linear unit")


@op(FAMILY, example("N 2*H"))
def swiglu(x: Tensor, axis: int = -1) -> Tensor:
    """a·σ(a)·b with a and b the halves of one axis (Shazeer 2020)."""
    return gated(x, axis, lambda a, b: a / (1 + sympy.exp(-a)) * b, "swiglu")


@op(FAMILY, example("N 2*H"))
def geglu(x: Tensor, axis: int = -1) -> Tensor:
    """gelu(a)·b with a and b the halves of one axis (Shazeer 2020)."""
    return gated(x, axis, lambda a, b: a * (1 + sympy.erf(a / sympy.sqrt(2))) / 2 * b, "geglu")


@op(FAMILY, example("N 2*H"), analytic=False, kinks="derivative 0 by both halves where a = 0")
def reglu(x: Tensor, axis: int = -1) -> Tensor:
    """relu(a)·b with a and b the halves of one axis (Shazeer 2020)."""
    return gated(x, axis, lambda a, b: where(Guard(">", a, 0), a, 0) * b, "reglu")


@op(
    FAMILY,
    example("N 3*H", pieces=3),
    analytic=False,
    kinks="at a tie the first piece gets all",
)
def maxout(x: Tensor, pieces: int = 2, axis: int = -1) -> Tensor:
    """The largest of each `pieces` neighbours along one axis (Goodfellow et al. 2013).

    Raises ShapeError: an axis that the number of pieces doesn't divide.
    """
    plain, position = axes(x.rank), axis_numbers(x, axis)[0]
    part = Index("q")
    there: list[Expr] = [*plain]
    there[position] = pieces * plain[position] + part
    ranges = {plain[position]: divided(x, position, pieces, "maxout"), part: sympy.Integer(pieces)}
    return formula(
        plain,
        Max(x.at(*there), part),
        ranges=ranges,
        joined=without_rest(x, position, pieces),
        rule="maxout",
        hint=HIDDEN,
        kept=True,
    )


def gated(x: Tensor, axis: int, gate: Callable[[Expr, Expr], Expr], rule: str) -> Tensor:
    """`gate` of the two halves of one axis, the first half first."""
    plain, position = axes(x.rank), axis_numbers(x, axis)[0]
    half = divided(x, position, 2, rule)
    second: list[Expr] = [*plain]
    second[position] = plain[position] + half
    body = gate(x.at(*plain), x.at(*second))
    return formula(
        plain,
        body,
        ranges={plain[position]: half},
        parts=[plain[position]],
        joined=without_rest(x, position, 2),
        rule=rule,
        hint=HIDDEN,
        kept=True,
    )


def without_rest(x: Tensor, position: int, pieces: Any) -> Joined:
    """What an axis must obey to be parted into equal pieces: they are all of it, a pair of extents for
    `joined`."""
    extent, count = x.shape[position], sympy.sympify(pieces)
    axis = f"axis {position} of {display(x)}"
    return (
        (Witness(count * FloorDiv(extent, count), f"{pieces} equal parts of {axis}"), Witness(extent, axis)),
    )


def divided(x: Tensor, position: int, pieces: int, what: str) -> Expr:
    """The extent of an axis over a number of pieces. Raises ShapeError where it leaves a rest."""
    extent = x.shape[position]
    quotient = sympy.expand(extent / pieces)
    if all(term.as_coeff_Mul()[0].is_Integer for term in sympy.Add.make_args(quotient)):
        return quotient
    value = value_of(extent)
    if value is not None and value % pieces:
        raise ShapeError(
            f"{what} parts an axis into {pieces}, and {pieces} doesn't divide {value}",
            where=here(),
            details=(f"{display(x)}: ({', '.join(map(str, x.shape))})",),
            help=f"give axis {position} a multiple of {pieces}",
        )
    return FloorDiv(extent, sympy.Integer(pieces))
