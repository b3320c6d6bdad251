"""What a search by value asks: neither a factor nor the order of axes changes it."""

from __future__ import annotations

import numpy as np

from symbp.derive.proof.value import Value, orders
from symbp.ir.expr import Size

A, B = Size("A"), Size("B")


def test_a_factor_and_the_order_of_axes_change_no_invariant() -> None:
    first = np.random.default_rng(1).normal(size=(2, 3, 4))
    turned = Value([-3 * np.transpose(first, (2, 0, 1))])
    assert Value([first]).invariants == turned.invariants != []
    assert Value([first]).invariants != Value([first**2]).invariants


def test_what_is_zero_or_no_number_has_no_invariants() -> None:
    assert Value([np.zeros(3)]).invariants == []
    assert Value([np.array([1.0, np.nan])]).invariants == []
    assert Value([np.zeros(3), np.ones(3)]).invariants != []


def test_axes_are_ordered_by_their_sizes() -> None:
    assert list(orders((A, B, A), (B, A, A))) == [(1, 0, 2), (1, 2, 0)]
    assert list(orders((A, B), (A, A))) == []
