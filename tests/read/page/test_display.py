"""What only a page has can be evaluated: named functions, sums within a body, a softmax at an index."""

import numpy as np
import pytest
import sympy

from symbp.errors import OutsideDomain
from symbp.ir.evaluation.closures import Closures
from symbp.ir.evaluation.domains import FLOAT
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.expr import Access, Guard, Index, Size
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read import display
from symbp.read.display import Along, Reduced
from symbp.read.grammar.values import FUNCTIONS

N, K, n, k, j = Size("N"), Size("K"), Index("n"), Index("k"), Index("j")
U = np.array([[0.5, -1.0, 2.0], [800.0, 1.0, -3.0]])


def value(body, indices=(n, k), shape=(N, K), at=U):
    """An equation's value over U, or others."""
    u, v = Tensor("u", (N, K), Role.INPUT), Tensor("v", shape)
    system = System((u, v), (Equation("v", indices, body, ranges=shape),))
    return evaluate(system, {"u": at}, {"N": 2, "K": 3})["v"]


@pytest.mark.parametrize(
    "name", ["sigmoid", "relu", "softplus", "gelu", "gelu_slope", "gelu_tanh", "gelu_tanh_slope"]
)
def test_functions_by_their_names(name):
    """As the grammar of formulas has them, which shares nothing with this."""
    places = np.array([[-3.0, -0.5, 0.0], [0.25, 1.0, 4.0]])
    found = value(getattr(display, name)(Access("u", n, k)), at=places)
    right = np.vectorize(FUNCTIONS[name])(places)
    np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-15)


def test_sums_within_a_body():
    u = Access("u", n, j)
    after = Guard("<=", k, j)
    assert value(1 + 2 * Reduced("sum", u, [j], [K]), (n,), (N,)) == pytest.approx(1 + 2 * U.sum(1))
    tails = value(Reduced("sum", u, [j], [K], [after]))
    np.testing.assert_allclose(tails, U[:, ::-1].cumsum(1)[:, ::-1])
    np.testing.assert_allclose(value(Reduced("prod", u, [j], [K]), (n,), (N,)), U.prod(1))
    np.testing.assert_allclose(value(Reduced("max", u, [j], [K]), (n,), (N,)), U.max(1))
    right = [np.log(np.exp(U[0]).sum()), 800.0]  # which doesn't overflow
    np.testing.assert_allclose(value(Reduced("logsumexp", u, [j], [K]), (n,), (N,)), right)
    assert value(Reduced("max", u, [j], [K], [Guard("<", j, 0)]), (n,), (N,)).tolist() == [-np.inf] * 2


def test_a_softmax_at_an_index():
    shares = np.exp(U - U.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    u = Access("u", n, k)
    np.testing.assert_allclose(value(Along("softmax", u, k, K)), shares)
    np.testing.assert_allclose(value(Along("log_softmax", u, k, K))[0], np.log(shares[0]))
    shown = value(Along("softmax", u, k, K, [Guard("<=", k, sympy.Integer(1))]))
    np.testing.assert_allclose(shown[0], [*(np.exp(U[0, :2]) / np.exp(U[0, :2]).sum()), 0])


def test_what_has_no_extents_is_refused():
    with pytest.raises(OutsideDomain, match="how far an index runs"):
        Closures(FLOAT).value(Reduced("sum", sympy.Symbol("u"), [j], [K]))
