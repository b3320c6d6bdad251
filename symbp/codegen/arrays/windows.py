"""Reads at sums of indices, with zeros outside: windows that slide over an array with a border of zeros.

Enters: an access whose subscripts are affine. Leaves: a value, or None where it has another form.
Must not know: convolutions, or what else windows are for.
"""

from __future__ import annotations

from symbp.codegen.arrays.frame import Frame, Variable
from symbp.codegen.arrays.values import Value
from symbp.ir.expr import Access


def windows(access: Access, variable: Variable, frame: Frame) -> Value | None:
    """The windows of an array with a border, or None."""
    return None
