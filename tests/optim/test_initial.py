"""How parameters start: published scales, with a reason each."""

import pytest

import symbp as bp
from symbp.optim import initial

SHAPE = bp.dims("D H")


@pytest.mark.parametrize(
    ("make", "distribution", "scale"),
    [
        (initial.glorot_uniform, "uniform", "sqrt(6)/sqrt(D + H)"),
        (initial.glorot_normal, "normal", "sqrt(2)/sqrt(D + H)"),
        (initial.he_normal, "normal", "sqrt(2)/sqrt(D)"),
        (initial.zeros, "constant", "0"),
        (initial.default, "uniform", "sqrt(6)/sqrt(D + H)"),
    ],
)
def test_scales(make, distribution, scale):
    found = make(SHAPE)
    assert (found.distribution, str(found.scale), str(found.shift)) == (distribution, scale, "0")
    assert found.reason


def test_stacked_matrices_start_as_each_of_them():
    L = bp.dims("L")
    assert str(initial.glorot_uniform((*L, *SHAPE)).scale) == "sqrt(6)/sqrt(D + H)"


def test_vectors_start_at_zero():
    assert initial.default(SHAPE[:1]) == initial.zeros(SHAPE[:1])
