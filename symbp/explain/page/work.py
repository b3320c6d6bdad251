"""What an equation takes as it stands: operations, and bytes that are read and written, in the sizes.

Enters: equations and tensors of a page. Leaves: expressions. Must not know: how code is generated, which
fuses equations and keeps values at hand: `symbp plan` says what that takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod, free_indices
from symbp.ir.system import Equation, Tensor
from symbp.read.display import Along, Reduced

BYTES = 8  # of a double
ALONG = 4  # operations of a softmax for each element: subtract, exponential, sum, divide


@dataclass(frozen=True)
class Work:
    """Operations and bytes, as expressions in the sizes."""

    operations: Expr
    bytes: Expr


def work(equation: Equation, tensors: Mapping[str, Tensor]) -> Work:
    """Each node of the body counts once for each place of its indices; each tensor is read once."""
    extents = dict(equation.extents)
    body = sum(_operations(equation.body, extents), sympy.Integer(0))
    if equation.reduction is not None:  # as many additions as there are terms
        body += _volume(equation.all_indices, extents)
    moved = [_elements(tensors[name]) for name in dict.fromkeys((equation.target, *equation.read_names))]
    return Work(sympy.expand(body), sympy.expand(BYTES * sympy.Add(*moved)))


def _elements(tensor: Tensor) -> Expr:
    return sympy.Mul(*tensor.shape)


def _volume(indices: Iterable[Index], extents: Mapping[Index, Expr]) -> Expr:
    return sympy.Mul(*[extents[index] for index in indices if index in extents])


def _operations(e: Expr, extents: Mapping[Index, Expr]) -> Iterable[Expr]:
    """The operations of the nodes, each over the box of its own indices; none in subscripts."""
    if isinstance(e, (Access, FloorDiv, Mod)) or not e.args:
        return
    if isinstance(e, Guard):
        yield _box(e, extents)
        return
    if isinstance(e, Reduced):
        inner = {**extents, **e.extents}
        yield from _operations(e.body, inner)
        yield _volume({*free_indices(e.body), *e.indices}, inner)
        return
    if isinstance(e, Along):
        yield from _operations(e.body, extents)
        yield ALONG * _box(e, extents)
        return
    if e.is_Mul:
        factors = [f for f in sympy.Mul.make_args(e) if f != -1]
        constants = [f for f in factors if not f.atoms(Access, Index)]
        count = len(factors) - max(0, len(constants) - 1)  # what holds for all elements is computed once
        yield (count - 1) * _box(e, extents)
    elif e.is_Add:
        yield (len(e.args) - 1) * _box(e, extents)
    elif e.atoms(Access):
        yield _box(e, extents)
    for argument in e.args:
        if isinstance(argument, sympy.Expr) and not (e.is_Pow and argument == -1):
            yield from _operations(argument, extents)


def _box(e: Expr, extents: Mapping[Index, Expr]) -> Expr:
    return _volume(sorted(free_indices(e), key=str), extents)
