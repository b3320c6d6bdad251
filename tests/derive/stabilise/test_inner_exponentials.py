"""A sum of exponentials whose derivative is declared: its readers are shifted without a factor left over."""

import numpy as np
import pytest
import sympy

import symbp as bp

N, T, K = bp.dims("N T K")


def chain() -> bp.Network:
    """The marginals of a chain: the derivative of a recurrence of logarithms of sums."""
    n, t, j, k = bp.indices("n t j k")
    s, A = bp.param("s", (N, T, K)), bp.param("A", (K, K))
    alpha = bp.recurrent("alpha", (N, T, K))
    before = bp.log(bp.Sum(bp.exp(alpha.at(n, t - 1, j, outside=0) + A[j, k]), j))
    alpha = bp.define(alpha, [n, t, k], s[n, t, k] + bp.where(t > 0, before, 0))
    total = bp.define("total", [n], bp.log(bp.Sum(bp.exp(alpha[n, T - 1, k]), k)))
    marginal = bp.grad(total, s)
    return bp.Network("chain", loss=(marginal**2).sum(), outputs={"marginal": marginal})


@pytest.mark.slow
def test_no_product_holds_several_exponentials() -> None:
    for equation in bp.derive(chain()).system.equations:
        for product in equation.body.atoms(sympy.Mul):
            assert sum(isinstance(factor, sympy.exp) for factor in product.args) < 2, str(equation)


@pytest.mark.slow
def test_long_chains_are_finite_in_float32() -> None:
    derivation, rng = bp.derive(chain()), np.random.default_rng(0)
    data = {"s": rng.normal(size=(2, 200, 3)), "A": rng.normal(size=(3, 3))}
    found = {}
    for dtype in ("float32", "float64"):
        module = bp.compile(derivation, dtype=dtype)
        found[dtype] = module.derivatives({name: a.astype(dtype) for name, a in data.items()})
    for name, exact in found["float64"].items():
        scale = np.abs(exact).max()
        assert np.isfinite(found["float32"][name]).all(), name
        np.testing.assert_allclose(found["float32"][name] / scale, exact / scale, atol=1e-3)
