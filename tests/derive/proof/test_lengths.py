"""A proof with lengths of windows is found in a moment: powers of 1/(N·(D − K + 3)·(E − K + 3)) were written
out, for a minute, in the derivation of a convolution before a batch norm."""

from __future__ import annotations

import sympy

from symbp.derive.proof.prove import _terms, _vanishes, _with_lengths
from symbp.ir.build import sizes

N, D, E, K = sizes("N D E K")
count = N * (D - K + 3) * (E - K + 3)


def test_a_number_of_elements_is_one_product_of_lengths_however_it_is_written() -> None:
    written = _with_lengths(1 / sympy.expand(count) - 1 / count)
    assert written == 0
    assert _terms(_with_lengths(sympy.expand(count) ** -2)) == 1
    assert _with_lengths(1 / (K - D - 3) + 1 / (D - K + 3)) == 0


def test_powers_below_the_line_cancel() -> None:
    s, t = sympy.symbols("s t")
    v = t / sympy.expand(count) - s**2 / sympy.expand(count) ** 2
    assert _vanishes(v * count**2 - t * sympy.expand(count) + s**2)
    assert not _vanishes(v * count**2 - t * sympy.expand(count) - s**2)
