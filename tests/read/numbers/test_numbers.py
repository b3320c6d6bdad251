"""The numbers of a page are those of its equations, and its derivatives those of central differences."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError, UsageError
from symbp.ir.evaluation.vector import run
from symbp.read.numbers import numbers, worked_example
from symbp.read.reading import reading

QUICK = ("neuron", "mlp", "crf")
NETS = [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in sorted(bp.gallery.GALLERY)]


@pytest.mark.slow
@pytest.mark.few(slow=10)
@pytest.mark.parametrize("name", NETS)
def test_every_net_of_the_gallery(known, name):
    """Every derivative on the page, by what only the page has, too, is what central differences give, and
    what the computation gives."""
    derivation = known(name)
    found = worked_example(derivation, small=True)
    assert set(found.values) == set(found.reading.derivation.system.by_name)
    assert found.differences
    assert found.worst < 1e-6
    authors = {letter: name for name, letter in found.reading.sizes.items()}
    sizes = {authors.get(name, name): extent for name, extent in found.sizes.items()}
    computed = run(derivation.system, found.leaves, sizes)
    for name, array in found.gradients.items():
        np.testing.assert_allclose(array, computed[derivation.gradients[name]], rtol=1e-9, atol=1e-13)


@pytest.fixture(scope="module")
def net():
    N, D, K = bp.dim("N"), bp.dim("D", 2), bp.dim("K", 3)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W = bp.param("W", (D, K))
    p = bp.softmax(x @ W)
    return bp.derive(bp.Network("small", loss=bp.cross_entropy(p, y), outputs={"p": p}))


GIVEN = {"x": [[1, 2], [3, -1]], "y": [0, 2], "W": [[0.1, 0.2, -0.1], [0.3, 0.0, 0.5]]}


def test_arrays_give_sizes_their_values(net):
    found = numbers(net, GIVEN)
    x, W, y = (np.array(GIVEN[name]) for name in ("x", "W", "y"))
    shares = np.exp(x @ W)
    shares /= shares.sum(1, keepdims=True)
    right = x.T @ (shares - np.eye(3)[y]) / 2
    assert found.sizes["N"] == 2
    np.testing.assert_allclose(found["p"], shares)
    np.testing.assert_allclose(found.gradients["W"], right)
    np.testing.assert_allclose(found.differences["dW"], right, atol=1e-9)
    assert found.loss == pytest.approx(-np.log(shares[[0, 1], y]).mean())


def test_a_row_for_each_line(net):
    found = numbers(net, GIVEN)
    assert [row.number for row in found.rows] == [line.number for line in found.reading.lines]
    gradient = next(row for row in found.rows if row.name == "dW")
    np.testing.assert_array_equal(gradient.value, found["dW"])
    np.testing.assert_array_equal(gradient.difference, found.differences["dW"])
    assert all(row.difference is None for row in found.rows if row.name in ("p", "loss"))


def test_both_readings_agree(net):
    computed = numbers(reading(net, style="computed"), GIVEN)
    np.testing.assert_allclose(computed["dW"], numbers(net, GIVEN)["dW"], rtol=1e-12)


@pytest.mark.slow
def test_lines_that_define_a_part(known):
    """The gates of an LSTM are one tensor, and four lines."""
    found = worked_example(known("char_lstm"), small=True, sizes={"T": 2})
    parts = [row for row in found.rows if row.line.fixed]
    whole = found[parts[0].name]
    together = np.stack([row.value for row in parts if row.name == parts[0].name], axis=2)
    np.testing.assert_array_equal(together, whole)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"W": None}, DataError, ["no array for W", "missing: W"]),
        ({"W": [[1.0] * 3] * 3}, DataError, ["wrong shape", "(D, K) where D = 2", "given: (3, 3)", "by x"]),
        ({"W": [1.0, 2]}, DataError, ["wrong shape", "(D, K)", "given: (2,)", "2 axes are declared"]),
        ({"y": [0, 1, 2]}, DataError, ["y", "wrong shape", "N = 2 is by x, whose shape is (2, 2)"]),
        ({"y": [0, 3]}, DataError, ["out of its range", "3 at [1]", "from 0 to 2"]),
        ({"y": [0, 0.5]}, DataError, ["y holds integers", "0.5 at [1]"]),
        ({"x": [[1, 2], [3]]}, DataError, ["no array of numbers"]),
        ({"x": [[1, "a"], [3, 4]]}, DataError, ["no array of numbers"]),
        ({"x": [[1, float("nan")], [3, 4]]}, DataError, ["not a number"]),
        ({"w": [1]}, UsageError, ["nothing called 'w'", "did you mean W?"]),
        ({"p": [1]}, UsageError, ["p is computed"]),
    ],
)
def test_what_is_refused(net, change, error, words):
    arrays = {k: v for k, v in {**GIVEN, **change}.items() if v is not None}
    with pytest.raises(error) as refusal:
        numbers(net, arrays)
    for word in words:
        assert word in str(refusal.value)


def test_sizes_that_are_refused(net):
    with pytest.raises(UsageError, match="no size 'Q'"):
        net.values(sizes={"Q": 2})
    with pytest.raises(DataError, match="wrong shape"):
        numbers(net, GIVEN, sizes={"N": 3})


def test_an_example_is_drawn_for_what_is_left_out(net):
    found = net.values({"x": [[1.0, 2.0]]}, seed=4)
    assert found.drawn == {"y", "W"}
    assert found.sizes["N"] == 1
    assert net.values({"x": [[1.0, 2.0]]}, seed=4)["W"].tolist() == found["W"].tolist()
    assert net.values({"x": [[1.0, 2.0]]}, seed=5)["W"].tolist() != found["W"].tolist()


@pytest.mark.slow
def test_an_example_can_be_followed(known):
    found = worked_example(known("mlp"), small=True)
    assert all(2 <= extent <= 3 for extent in found.sizes.values())
    for name, array in found.leaves.items():
        assert (np.round(array, 2) == array).all(), name
        assert len(np.unique(array)) > 1, name
    assert worked_example(known("mlp")).sizes["H"] == 64


def test_what_is_declared_of_values_is_kept():
    N, D = bp.dims("N D")
    t, S = bp.target("t", (N, D), facts="sums to one"), bp.input("S", (N, N), facts="symmetric")
    w, u = bp.param("w", (N, D)), bp.input("u", (D,), facts="positive")
    loss = bp.mean((S @ (w - t)) ** 2) + bp.sum(bp.log(u))
    derivation = bp.derive(bp.Network("facts", loss=loss))
    for seed in range(5):
        found = worked_example(derivation, seed=seed)
        np.testing.assert_allclose(found["t"].sum(1), 1)
        np.testing.assert_array_equal(found["S"], found["S"].T)
        assert (found["u"] > 0).all()
    with pytest.raises(DataError, match="isn't what it is declared"):
        derivation.values({"t": [[0.5, 0.5, 0.5], [0, 0, 1]]})
    with pytest.raises(DataError, match="isn't what it is declared"):
        derivation.values({"S": [[0.5, 0.5], [0, 1]]})


def test_a_wrong_derivative_is_seen(net):
    """The differences are of the declared loss, not of what was derived."""
    wrong = net.system.with_(
        equations=tuple(e.with_(body=2 * e.body) if e.target == "dW" else e for e in net.system.equations)
    )
    found = numbers(bp.Derivation(net.name, net.declared, wrong, net.gradients), GIVEN)
    assert found.worst > 0.01
