"""Gradients of any NumPy function beside numeric derivatives."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError

rng = np.random.default_rng(0)
X, W, V = rng.normal(size=(5, 4)), rng.normal(size=4), rng.normal(size=(40, 30))


def squares(x, w):
    return np.sum((x @ w) ** 2) / len(x)


def by_squares(x, w):
    d = 2 * (x @ w) / len(x)
    return np.outer(d, w), x.T @ d


def softmax(u):
    return np.exp(u - u.max()) / np.exp(u - u.max()).sum()


RIGHT = {
    "in order": (squares, by_squares, (X, W)),
    "by name": (
        squares, lambda x, w: dict(zip(("grad_x", "dw"), by_squares(x, w), strict=True)), {"x": X, "w": W}
    ),
    "with its value": (squares, lambda x, w: (squares(x, w), by_squares(x, w)), (X, W)),
    "one array": (lambda u: np.log(np.exp(u).sum()), softmax, (V,)),
    "a number": (np.sin, np.cos, (0.3,)),
    "beside what isn't real": (lambda x, n: np.sum(x**n), lambda x, n: n * x ** (n - 1), (X, 3)),
    "kinks near": (lambda u: np.maximum(u, 0).sum(), lambda u: (u > 0) * 1.0, (V,)),
    "near the end of a domain": (lambda u: np.log(u).sum(), lambda u: 1 / u, (np.abs(V) + 1e-3,)),
    "far from 0": (lambda x: 1e6 + np.sum(x**2), lambda x: 2 * x, (X,)),
    "tiny": (lambda x: 1e-12 * np.sum(x**2), lambda x: 2e-12 * x, (X,)),
    "large": (lambda x: np.sum(x**2), lambda x: 2 * x, (1e6 * X,)),
    "single precision": (
        lambda u: np.tanh(u).astype(np.float32).sum(), lambda u: 1 - np.tanh(u) ** 2, (V.astype(np.float32),)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_right_gradients(case):
    bp.assert_gradient(*RIGHT[case])


def one_off(u):
    found = softmax(u)
    found[7, 11] *= 1.01
    return found


WRONG = {
    "a factor": (squares, lambda x, w: (by_squares(x, w)[0] / 2, by_squares(x, w)[1]), (X, W), "0.5 times"),
    "a sign": (np.sin, lambda x: -np.cos(x), (0.3,), "its sign is the other one"),
    "a transpose": (
        squares,
        lambda x, w: (by_squares(x, w)[0].T, by_squares(x, w)[1]),
        (X, W),
        "it is transposed",
    ),
    "one of two": (squares, lambda x, w: {"x": by_squares(x, w)[0]}, (X, W), "gives no gradient by w"),
    "integers": (lambda x: np.sum(x**2), lambda x: (2 * x).astype(int), (X,), "int64, where float64"),
    "no number": (lambda x: np.sum(x**2), lambda x: 2 * x / 0, (X,), "no finite numbers"),
    "one of many elements": (lambda u: np.log(np.exp(u).sum()), one_off, (V,), "along a random direction"),
    "chance": (
        lambda x: np.sum(x**2),
        lambda x: 2 * x + rng.normal(size=x.shape),
        (X,),
        "not the same twice",
    ),
    "chance in the function": (
        lambda x: np.sum(x) + rng.normal(),
        np.ones_like,
        (X,),
        "isn't the same twice",
    ),
    "another value": (squares, lambda x, w: (0.0, by_squares(x, w)), (X, W), "own value is 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_gradients(case):
    *given, said = WRONG[case]
    with pytest.raises(AssertionError, match=said):
        bp.assert_gradient(*given)


def test_kinks_are_counted_and_not_compared():
    at = np.array([0.0, 1.0, -2.0, 0.0])
    report = bp.check_function(lambda x: np.abs(x).sum(), np.sign, (at,))
    assert report.ok
    assert "2 at a kink, not compared" in str(report)
    with pytest.raises(AssertionError, match="a kink everywhere"):
        bp.assert_gradient(lambda x: abs(x), np.zeros_like, (0.0,))


def test_writing_to_arguments_is_a_note():
    def writing(x):
        x += 1
        return np.ones_like(x)

    assert bp.check_function(np.sum, writing, (X,)).notes == ("it writes to its arguments: a",)


@pytest.mark.parametrize(
    ("function", "given", "said"),
    [
        (lambda x: x, (X,), "array of shape \\(5, 4\\), not one real number"),
        (lambda n: n, (3,), "no argument is of real numbers"),
        (lambda x: x[7], (X,), "fails with IndexError"),
    ],
)
def test_what_has_no_gradient(function, given, said):
    with pytest.raises(UsageError, match=said):
        bp.check_function(function, lambda x: x, given)


def with_mapping(params, x):
    return np.sum((x @ params["w"] + params["b"]) ** 2)


def by_mapping(params, x):
    d = 2 * (x @ params["w"] + params["b"])
    return {"w": x.T @ d, "b": d.sum(), "n": 0}


def test_arrays_in_mappings_and_lists() -> None:
    given = {"w": W, "b": 0.5, "rate": "fast"}
    assert bp.check_function(with_mapping, by_mapping, (given, X), wrt="params").ok
    report = bp.check_function(with_mapping, by_mapping, {"params": given, "x": X})
    assert (report.ok, report["dx"].verdict) == (False, "missing")
    report = bp.check_function(
        lambda layers, x: np.sum((x @ layers[0] * layers[1]) ** 2),
        lambda layers, x: [2 * x.T @ (x @ layers[0] * layers[1] ** 2), 2 * x @ layers[0] * layers[1]],
        ([W, X[:, 0]], X),
        wrt="layers",
    )
    assert [row.verdict for row in report.rows] == ["right", "wrong"]
    with pytest.raises(UsageError, match="called 'param'"):
        bp.check_function(with_mapping, by_mapping, (given, X), wrt="param")


def test_what_cannot_be_compared_is_no_pass() -> None:
    report = bp.check_function(lambda u: np.maximum(u, 0).sum(), lambda u: (u > 0) * 1.0, (np.zeros(3),))
    assert "nothing was compared" in str(report)
    report = bp.check_function(lambda u: int(u.sum()), np.zeros_like, (X,))
    assert "gives a whole number" in str(report)

    def spoils(u):
        u *= 2
        return np.sum(u**2)

    report = bp.check_function(spoils, lambda u: 8 * u, (X,))
    assert report.ok
    assert "spoils writes to its arguments: u" in str(report)
    with pytest.raises(UsageError, match="no function"):
        bp.check_function(np.sum, np.ones(3), (X,))
