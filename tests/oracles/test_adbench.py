"""ADBench's unit test of the Gaussian mixture.

ADBench compares to 1e-8. Its results are printed whole, from code with hand-written derivatives in double
precision, so here 1e-12 of the largest entry is asked for.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from oracle_mixture import below_diagonal, gaussian_mixture
from oracle_modules import TARGETS, loss_and_gradients, trained
from where import oracles


def compare(found: Any, expected: Any, what: str) -> None:
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * abs(expected).max(), err_msg=what)


@pytest.mark.parametrize("target", TARGETS)
def test_gaussian_mixture(target: str) -> None:
    """The log-likelihood plus the logarithm of the prior; q and l stand beside each other in `icf`."""
    case = json.loads(oracles("adbench/gmm_test.json").read_text())
    icf, size = np.asarray(case["icf"]), case["d"]
    values = {
        "x": np.asarray(case["x"]),
        "mu": np.asarray(case["means"]),
        "alpha": np.asarray(case["alphas"]),
    }
    values |= {"q": icf[:, :size], "l": icf[:, size:], "at": below_diagonal(size)}
    values |= {"gamma": case["gamma"], "m": float(case["m"])}
    value, gradients = loss_and_gradients(trained(gaussian_mixture(prior_sign=1), target), values)
    compare(value, case["expected_objective"], "value")
    by_icf = np.concatenate([gradients["q"], gradients["l"]], axis=1)
    flat = np.concatenate([gradients["alpha"], gradients["mu"].ravel(), by_icf.ravel()])
    compare(flat, case["expected_gradient"], "gradient")
