"""Caches that are tuples, lists of steps, tuples in tuples: their arrays are known by shape and value."""

import numpy as np
import pytest

import symbp as bp
from symbp.verify.against import check_against
from symbp.verify.against.returned.kept import kept


@pytest.fixture(scope="module")
def derivation():
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.target("y", (N, K))
    W, b = bp.param("W", (D, H)), bp.param("b", (H,))
    V, c = bp.param("V", (H, K)), bp.param("c", (K,))
    h = bp.tanh(x @ W + b)
    return bp.derive(bp.Network("small", loss=bp.mse(bp.sigmoid(h @ V + c), y)))


def unmended(*_):
    """No repair is sought."""


def forward(x, y, W, b, V, c, squash=np.tanh):
    h = squash(x @ W + b)
    q = 1 / (1 + np.exp(-(h @ V + c)))
    return np.mean((q - y) ** 2), (x, (h, q), y, V, q - y, "tanh", None)


def backward(dout, cache, factor=1.0, mean=True):
    x, (h, q), y, V, error, _, _ = cache
    dq = dout * (2 * error / y.size if mean else error)
    du = dq * q * (1 - q)
    da = (du @ V.T) * (1 - h**2) * factor
    return ((x.T @ da, da.sum(0)), (h.T @ du, du.sum(0))), (du, {"strange": da})


def by_layers(dout, *cache):
    return backward(dout, cache)[0]


def wrongly(dout, cache):
    (W, V), more = backward(dout, cache, 2.0)
    return (*W, *V), more


def without_mean(dout, cache):
    (W, V), _ = backward(dout, cache, mean=False)
    return (*W, *V)


def through_another(x, y, W, b, V, c):
    return forward(x, y, W, b, V, c, squash=lambda u: u / (1 + np.abs(u)))


def flat(dout, cache):
    (W, V), more = backward(dout, cache)
    return (*W, *V), more


def test_arrays_of_a_cache_without_names_are_compared(derivation):
    report = check_against(derivation, (forward, flat), find_repair=unmended)
    assert report.ok, report
    assert (report["h"].theirs, report["da1"].theirs) == ("cache[1][0]", "strange")
    assert check_against(derivation, (forward, by_layers), find_repair=unmended).ok


def test_the_first_wrong_one_without_a_name_is_named(derivation):
    report = check_against(derivation, (through_another, flat), find_repair=unmended)
    assert (report.first, report[report.first].theirs) == ("h", "cache[1][0]"), report
    report = check_against(derivation, (forward, wrongly), find_repair=unmended)
    assert (report.first, report[report.first].theirs) == ("da1", "strange"), report


def test_what_was_kept_before_the_mistake_is_right(derivation):
    report = check_against(derivation, (forward, without_mean), find_repair=unmended)
    assert {row.theirs for row in report.wrong} == {"c", "V", "W", "b"}, report


def test_what_holds_arrays_may_hold_more():
    step = lambda t: (np.full(2, t), {"h": np.full(3, t)}, (np.ones(1), "tanh"))  # noqa: E731
    found = kept([step(t) for t in range(4)])
    assert {n: a.shape for n, a in found.items() if n in ("cache[:][0]", "h", "cache[:][2][0]")} == {
        "cache[:][0]": (4, 2),
        "h": (4, 3),
        "cache[:][2][0]": (4, 1),
    }
    assert found["cache[3][0]"].tolist() == [3, 3]
    layers = kept((np.ones((2, 3)), [np.ones(2), np.ones(3)], None))
    assert {n: a.shape for n, a in layers.items()} == {
        "cache[0]": (2, 3),
        "cache[1][0]": (2,),
        "cache[1][1]": (3,),
    }
