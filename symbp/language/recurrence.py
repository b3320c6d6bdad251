"""Recurrences: a tensor that is read, at earlier positions of an axis, before its equation is known.

Enters: a shape, then the equation. Leaves: the announced tensor, then its definition; every read of the one
is a read of the other. Must not know: ops, networks, the direction or the axis of the recurrence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.expr import Expr, Index
from symbp.ir.system import Role
from symbp.language.naming.frames import here
from symbp.language.node import Hint, Later, counted, display
from symbp.language.notation import checked_indices, formula, stated_ranges
from symbp.language.sizes import as_shape
from symbp.language.tensor import Operand, Tensor


def recurrent(name: str | None, shape: Any, hint: Hint | None = None) -> Tensor:
    """Announces a tensor that its own equation reads at earlier (or later) positions of one axis:

        h = bp.recurrent("h", (N, T, H))
        r = bp.define("r", [n, t, j], bp.Sum(h.at(n, t - 1, i, outside=0) * U[i, j], i), ranges={t: T})
        h = bp.define(h, [n, t, j], bp.tanh(a[n, t, j] + r[n, t, j]))

    `outside` is the value before the first step. Tensors that need each other (an LSTM's h and c) are
    announced both. All earlier steps may be read where a condition says that they are earlier, as
    `bp.Sum(bp.where(s < t, h[n, s, i], 0), s)` or `h[n, child[t], i]` under `child[t] < t`: they are
    remembered, T·T of them. Without a name it is called by its `hint`.
    """
    return Tensor.leaf(name, as_shape(shape), Role.HIDDEN, later=Later(), hint=hint or Hint())


def define(
    name: str | Tensor,
    plain: Index | Sequence[Index],
    body: Operand,
    ranges: Mapping[Index, Any] | None = None,
) -> Tensor:
    """The tensor `name[plain] = body`, in index notation, or the definition of an announced tensor.

    `ranges` says how far an index runs where no tensor is read at that index alone, or that it ends before
    an axis that it reads, at all sizes. A reduction inside a
    larger formula becomes an equation of its own. Raises DeclarationError and ShapeError.
    """
    left = checked_indices(name.name if isinstance(name, Tensor) else name, plain)
    stated = stated_ranges(left, ranges)
    if isinstance(name, Tensor):
        return define_announced(
            name, left, body, rule="definition", ranges=stated, may_end=stated, lettered=True
        )
    return formula(
        left, body, ranges=stated, may_end=stated, rule="definition", name=name, lettered=True, kept=True
    )


def define_announced(
    announced: Tensor,
    plain: Sequence[Index],
    body: Operand,
    *,
    rule: str,
    ranges: Mapping[Index, Expr] | None = None,
    **more: Any,
) -> Tensor:
    """The definition of an announced tensor: indices run as far as its shape says.

    Raises DeclarationError: not announced, or defined already; ShapeError: another number of indices.
    """
    later = announced.later
    if later is None or later.definition is not None:
        problem = "has its equation already" if later else "was not announced"
        raise DeclarationError(
            f"{display(announced)} {problem}",
            where=here(),
            help='announce a tensor that is read before its equation, once: bp.recurrent("h", (N, T, H))',
        )
    if len(plain) != announced.rank:
        raise ShapeError(
            f"{display(announced)} is announced with {counted(announced.rank, 'axis', 'axes')} and defined "
            f"with {counted(len(plain), 'index', 'indices')}",
            where=here(),
            details=(f"announced at {announced.origin}",),
        )
    known = dict(zip(plain, announced.shape, strict=True)) | dict(ranges or {})
    found = formula(
        plain, body, ranges=known, rule=rule, name=announced.name, hint=announced.hint, kept=True, **more
    )
    later.definition = found
    return found
