"""Slips inside a slope that is written out, as that of gelu's approximation by tanh."""

import numpy as np
import pytest

import symbp as bp
from symbp.verify.against import check_against

C, K = np.sqrt(2 / np.pi), 0.044715


@pytest.fixture(scope="module")
def derivation():
    N, H = bp.dims("N H")
    x, y = bp.input("x", (N, H)), bp.target("y", (N, H))
    b = bp.param("b", (H,))
    return bp.derive(bp.Network("gated", loss=bp.mse(bp.gelu(x + b, approximate="tanh"), y)))


def answered(inner):
    def code(x, y, b):
        z = x + b
        t = np.tanh(C * (z + K * z**3))
        h = z * (1 + t) / 2
        dh = 2 * (h - y) / y.size
        dz = dh * ((1 + t) / 2 + inner(z, t))
        return np.mean((h - y) ** 2), {"dh": dh, "b": dz.sum(0)}

    return code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inner", "slip", "said"),
    [
        (lambda z, t: z * (1 - t**2) * C * (1 + 3 * K * z**2) / 2, "", ""),
        (lambda z, t: z * (1 - t**2) * C / 2, "missing slope", "the factor 1 + 0.134145·"),
        (lambda z, t: z * (1 - t**2) * C * (1 + K * z**2) / 2, "factor", "3"),
        (lambda z, t: z * (1 - t**2) * (1 + 3 * K * z**2) / 2, "factor", "the factor sqrt(2/π) is"),
        (lambda z, t: z * (1 - t) * C * (1 + 3 * K * z**2) / 2, "wrong slope", "tanh("),
        (lambda z, t: z * (1 - t**2) * C * (1 + 3 * K * z) / 2, "wrong slope", "² belongs"),
    ],
)
def test_what_is_wrong_inside_a_slope_is_named(derivation, inner, slip, said):
    report = check_against(derivation, answered(inner))
    assert report.ok is not bool(slip), report
    if slip:
        row = report[report.first]
        assert (row.slip, said in row.repair) == (slip, True), report
