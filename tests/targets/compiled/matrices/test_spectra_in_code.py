"""Determinants of singular matrices, eigenvalues and singular values that coincide: both targets beside
PyTorch, and beside closed forms where PyTorch has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from shares import each_target

import symbp as bp
from symbp.errors import DerivationError, ShapeError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: gradients not compared")

B, M, N, T = bp.dims("B M N T")
b, t, i, k = bp.indices("b t i k")
TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
DIAGONALS = {"apart": [0.5, 1, 2, 3], "equal": [1, 1, 1, 2], "all equal": [2, 2, 2, 2], "zeros": [0, 0, 1, 1]}


def gradient(net: Any, target: str, a: Any, dtype: str = "float64") -> tuple[float, Any]:
    module = bp.compile(net, target=target, dtype=dtype, optimizer=bp.optim.SGD(0.1))
    loss, gradients = module.loss_and_gradients({"A": a.astype(dtype)})
    assert gradients["A"].dtype == dtype
    return float(loss), gradients["A"]


def symmetric(diagonal: list[float], seed: int = 0) -> Any:
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    return q @ np.diag(diagonal) @ q.T


def exp_trace(s: Any) -> Any:
    return torch.matrix_exp(s).diagonal(dim1=-2, dim2=-1).sum()


SPECTRAL: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exponential": (lambda x: bp.exp(x).sum(), exp_trace),
    "power": (lambda x: (x**3).sum(), lambda s: torch.trace(s @ s @ s)),
    "volume": (lambda x: bp.log(1 + x).sum(), lambda s: torch.logdet(s + torch.eye(4, dtype=s.dtype))),
    "root": (
        lambda x: bp.log(bp.exp(x).sum()) * (x * x).sum(), lambda s: torch.log(exp_trace(s)) * (s * s).sum()
    ),
}  # fmt: skip
"""Functions of all eigenvalues that PyTorch has without them: derivatives exist where eigenvalues
coincide."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "target"), each_target(SPECTRAL))
def test_invariant_functions_of_eigenvalues(name: str, target: str) -> None:
    ours, theirs = SPECTRAL[name]
    net = bp.Network("spectral", loss=ours(bp.eigvalsh(bp.param("A", (N, N)))))
    skew = 0.1 * np.triu(np.ones((4, 4)), 1)
    for diagonal in DIAGONALS.values():
        a = symmetric(diagonal) + skew - skew.T  # the symmetric part alone counts
        leaf = torch.tensor(a, requires_grad=True)
        expected = theirs((leaf + leaf.T) / 2)
        expected.backward()
        for dtype, tolerance in (("float64", 1e-9), ("float32", 2e-4)):
            loss, found = gradient(net, target, a, dtype)
            np.testing.assert_allclose(loss, expected.item(), rtol=tolerance)
            np.testing.assert_allclose(
                found, leaf.grad, rtol=tolerance, atol=tolerance * float(leaf.grad.abs().max())
            )


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_eigenvalues_of_a_batch(target: str) -> None:
    """The largest eigenvalue of each, and a penalty of the two largest together."""
    lam = bp.eigvalsh(bp.param("A", (B, N, N)))
    loss = (lam[:, -1] ** 2).sum() + bp.tanh(lam[:, -1] * lam[:, -2]).sum()
    net = bp.Network("largest", loss=loss)
    a = np.stack([symmetric([0.5, 1, 2, 3], seed) / 2 for seed in range(3)])
    loss, found = gradient(net, target, a)
    leaf = torch.tensor(a, requires_grad=True)
    values = torch.linalg.eigvalsh((leaf + leaf.mT) / 2)
    expected = (values[:, -1] ** 2).sum() + (values[:, -1] * values[:, -2]).tanh().sum()
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    np.testing.assert_allclose(found, leaf.grad, rtol=1e-9, atol=1e-12)


SHAPES = {"tall": (5, 3), "wide": (3, 5), "square": (4, 4)}


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "target"), each_target(SHAPES))
def test_functions_of_singular_values(shape: str, target: str) -> None:
    """A smooth penalty and the nuclear norm; beside PyTorch where all are apart, and where some coincide
    beside the polynomial Σ σ⁴ = ‖AᵀA‖² and U·Vᵀ."""
    m, n = SHAPES[shape]
    sigma = bp.svdvals(bp.param("A", (m, n)))
    rng = np.random.default_rng(4)
    a = rng.normal(size=(m, n))
    for ours, theirs in (
        (sigma.sum(), lambda s: s.sum()),
        (bp.log(1 + sigma**2).sum(), lambda s: torch.log1p(s**2).sum()),
        (((sigma[:1] - 2 * sigma[1:2]) ** 2).sum(), lambda s: (s[0] - 2 * s[1]) ** 2),
    ):
        loss, found = gradient(bp.Network("spectral", loss=ours), target, a)
        leaf = torch.tensor(a, requires_grad=True)
        expected = theirs(torch.linalg.svdvals(leaf))
        expected.backward()
        np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
        np.testing.assert_allclose(found, leaf.grad, rtol=1e-9, atol=1e-12)
    u, _, v = np.linalg.svd(a, full_matrices=False)
    count = min(m, n)
    for values in ([2.0, 2.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0], [3.0, 3.0, 3.0, 3.0]):
        equal = u @ np.diag(values[:count]) @ v
        quartic = bp.Network("quartic", loss=(sigma**4).sum())
        _, found = gradient(quartic, target, equal)
        np.testing.assert_allclose(found, 4 * equal @ equal.T @ equal, rtol=1e-9, atol=1e-12)
        if min(values[:count]) > 0:
            _, found = gradient(bp.Network("nuclear", loss=sigma.sum()), target, equal)
            np.testing.assert_allclose(found, u @ v, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_sizes_that_stay_open(target: str) -> None:
    """With `tall` said, a matrix with fewer rows has zeros behind its singular values, of derivative 0."""
    sigma = bp.svdvals(bp.param("A", (M, N)), tall=True)
    net = bp.Network("open_sizes", loss=(bp.sqrt(1 + sigma) - 1).sum())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    for shape in ((5, 2), (2, 4)):
        a = np.random.default_rng(2).normal(size=shape)
        loss, gradients = module.loss_and_gradients({"A": a})
        leaf = torch.tensor(a, requires_grad=True)
        expected = ((1 + torch.linalg.svdvals(leaf)).sqrt() - 1).sum()
        expected.backward()
        np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
        np.testing.assert_allclose(gradients["A"], leaf.grad, rtol=1e-9, atol=1e-12)


def test_nothing_says_how_many_singular_values_there_are() -> None:
    with pytest.raises(ShapeError, match="the smaller of M and N singular values") as error:
        bp.svdvals(bp.param("A", (M, N)))
    assert "tall=True" in str(error.value)
    assert bp.svdvals(bp.param("A", (2 * N, N))).shape == (N,)
    assert bp.svdvals(bp.param("A", (N, N + 1))).shape == (N,)


@pytest.mark.parametrize("make", [bp.eigvalsh, bp.svdvals])
def test_second_derivatives_are_refused(make: Any) -> None:
    net = bp.Network("second", loss=(make(bp.param("A", (N, N))) ** 3).sum())
    with pytest.raises(DerivationError, match="vectors of eigenvalues and singular values") as error:
        bp.derive(net, order=2)
    assert "second derivatives are not supported" in str(error.value)


def minors(a: Any) -> Any:
    """The cofactors by their definition."""
    n = len(a)
    return np.array(
        [
            [(-1) ** (r + c) * np.linalg.det(np.delete(np.delete(a, r, 0), c, 1)) for c in range(n)]
            for r in range(n)
        ]
    )


@pytest.mark.parametrize("target", TARGETS)
def test_the_determinant_of_a_singular_matrix(target: str) -> None:
    """Its gradient are the cofactors: of rank n − 1 not 0, of lower rank 0."""
    det = bp.det(bp.param("A", (N, N)))
    net = bp.Network("volume", loss=3 * det + det**2)
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(3)
    left, right = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    ranks = [4, 3, 2, 1, 0]
    cases = [left[:, :rank] @ right[:rank] for rank in ranks]
    cases += [np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros((2, 2)), np.zeros((1, 1)), np.array([[2.0]])]
    cases += [np.diag([1e-9, 1.0, 1.0, 1e3]), np.ones((3, 3))]
    for a in cases:
        loss, gradients = module.loss_and_gradients({"A": a})
        value, cofactors = np.linalg.det(a), minors(a) if len(a) > 1 else np.ones((1, 1))
        np.testing.assert_allclose(loss, 3 * value + value**2, rtol=1e-11, atol=1e-13)
        scale = np.abs(a).max() ** (len(a) - 1)
        np.testing.assert_allclose(gradients["A"], (3 + 2 * value) * cofactors, rtol=1e-9, atol=1e-13 * scale)
    state = module.init_state({"A": np.array([[1.0, 2.0], [2.0, 4.0]])})
    module.train_step(state)
    np.testing.assert_allclose(state.params["A"], [[1 - 1.2, 2 + 0.6], [2 + 0.6, 4 - 0.3]], rtol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_determinants_of_a_batch(target: str) -> None:
    net = bp.Network("volumes", loss=bp.tanh(bp.det(bp.param("A", (B, N, N)))).sum())
    a = np.random.default_rng(1).normal(size=(3, 3, 3))
    a[1, 2] = a[1, 0] + a[1, 1]
    loss, found = gradient(net, target, a)
    cofactors = np.stack([minors(x) for x in a])
    np.testing.assert_allclose(loss, np.tanh(np.linalg.det(a)).sum(), rtol=1e-12)
    expected = cofactors / np.cosh(np.linalg.det(a))[:, None, None] ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)


def test_second_derivatives_of_a_determinant() -> None:
    """Right where there is an inverse; not numbers where there is none, and no step is taken."""
    a = bp.param("A", (N, N))
    slope = bp.grad(bp.det(a), a)
    net = bp.Network("slope", loss=(slope * slope).sum())
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    value = np.random.default_rng(8).normal(size=(3, 3))
    loss, gradients = module.loss_and_gradients({"A": value})
    leaf = torch.tensor(value, requires_grad=True)
    (first,) = torch.autograd.grad(torch.det(leaf), leaf, create_graph=True)
    (first**2).sum().backward()
    np.testing.assert_allclose(loss, (minors(value) ** 2).sum(), rtol=1e-10)
    np.testing.assert_allclose(gradients["A"], leaf.grad, rtol=1e-8)
    state = module.init_state({"A": np.ones((3, 3))})
    with pytest.raises(module.NotFinite, match="A_inverse"):
        module.train_step(state)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_eigenvalues_in_a_recurrence(target: str) -> None:
    """S[t] = A + A·λ-weighted parts of S[t − 1]: at each step the whole spectrum of the one before."""
    a, h = bp.param("A", (N, N)), bp.recurrent("h", (T, N, N))
    before = bp.define("S", [t, i, k], h.at(t - 1, i, k, outside=0) + a[i, k] + a[k, i], ranges={t: T})
    lam = bp.eigvalsh(before)
    r = bp.index("r")
    weight = bp.define("w", [t], bp.Sum(bp.tanh(lam[t, r]), r))
    h = bp.define(h, [t, i, k], bp.tanh(weight[t]) * before[t, i, k] / 2)
    net = bp.Network("spectra", loss=(h * h).sum() + (lam**3).sum() / 9, outputs={"h": h})
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1), sizes={"T": 3})
    value = np.random.default_rng(2).normal(size=(3, 3)) / 2
    loss, gradients = module.loss_and_gradients({"A": value})
    leaf = torch.tensor(value, requires_grad=True)
    state, expected = torch.zeros_like(leaf), 0
    for _ in range(3):
        s = state + leaf + leaf.T
        values = torch.linalg.eigvalsh(s)
        state = torch.tanh(values.tanh().sum()) * s / 2
        expected = expected + (state**2).sum() + (values**3).sum() / 9
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-11)
    np.testing.assert_allclose(gradients["A"], leaf.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("make", [bp.eigvalsh, bp.svdvals])
def test_what_is_not_finite_has_no_spectrum(make: Any, target: str) -> None:
    net = bp.Network("spectrum", loss=(make(bp.param("A", (N, N))) ** 2).sum())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    loss, gradients = module.loss_and_gradients({"A": np.array([[1.0, np.nan], [0.0, 1.0]])})
    assert np.isnan(loss)
    assert np.isnan(gradients["A"]).any()
