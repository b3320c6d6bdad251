"""Bounds of subscripts: what is never negative, for all sizes."""

from __future__ import annotations

import sympy

from symbp.ir.bounds import never_negative
from symbp.ir.expr import FloorDiv, Index, Size


def test_a_multiple_of_a_quotient_is_no_more_than_what_is_divided() -> None:
    S = Size("S")
    last = FloorDiv(S - 2, 2)  # of the windows of 2 in an image whose side may be odd
    assert never_negative(S - 1 - (2 * last + 1), {})
    assert not never_negative(S - 2 - (2 * last + 1), {})
    assert not never_negative(S - 1 - (3 * last + 1), {})


def test_a_quotient_in_a_quotient_is_not_taken_for_zero() -> None:
    D, i = Size("D"), Index("i")
    half = FloorDiv(2 * FloorDiv(D, sympy.Integer(8)), sympy.Integer(2))
    assert not never_negative(i - half, {i: D})
    assert not never_negative(-half, {})
