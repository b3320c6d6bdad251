"""Index notation: splitting into equations, ranges, conditions, and what a formula may not hold."""

import numpy as np
import pytest
import sympy

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.interpret import evaluate

N, D, H = bp.dims("N D H")
n, i, j = bp.indices("n i j")


def lines(*tensors):
    outputs = {tensor.name: tensor for tensor in tensors}
    net = bp.Network("net", loss=bp.param("w0", ()), outputs=outputs)
    return [str(e) for e in net.system.equations if e.target != "loss"]


def test_a_reduction_inside_a_formula_has_its_own_equation():
    x, W, b = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("b", (H,))
    z = bp.define("z", [n, j], bp.Sum(x[n, i] * W[i, j], i) + b[j])
    s = bp.define("s", [n], bp.log(bp.Sum(bp.exp(z[n, j]), j)))
    assert lines(s) == [
        "s_z[n,j] = Σ_i x[n,i]·W[i,j]",
        "z[n,j] = s_z[n,j] + b[j]",
        "s_s[n] = Σ_j exp(z[n,j])",
        "s[n] = log(s_s[n])",
    ]


def test_numbers_and_sizes_go_into_a_sum():
    x = bp.input("x", (N, D))
    v = bp.define("v", [n], bp.Sum(x[n, i] ** 2, i) / D)
    assert lines(v) == ["v[n] = Σ_i x[n,i]²/D"]


def test_a_summed_index_may_be_used_outside():
    x = bp.input("x", (D,))
    y = bp.define("y", [i], x[i] / bp.Sum(x[i], i))
    assert lines(y) == ["s_y = Σ_i x[i]", "y[i] = x[i]/s_y"]


def test_a_summed_index_that_is_also_on_the_left():
    x = bp.input("x", (D,))
    y = bp.define("y", [i], bp.Sum(x[i] ** 2, i), ranges={i: D})
    assert lines(y) == ["s_y = Σ_i x[i]²", "y[i] = s_y"]


def test_the_diagonal_and_one_tensor_read_twice():
    a = bp.input("a", (N, N))
    k, m = bp.indices("k m")
    trace = bp.define("trace", [], bp.Sum(a[k, k], k))
    skew = bp.define("skew", [k, m], a[k, m] - a[m, k])
    assert lines(trace, skew) == ["trace = Σ_k a[k,k]", "skew[k,m] = a[k,m] - a[m,k]"]


def test_a_convolution_with_its_range():
    x, w = bp.input("x", (N, 28)), bp.param("w", (5,))
    p = bp.index("p", 5)
    y = bp.define("y", [n, i], bp.Sum(w[p] * x[n, i + p], p), ranges={i: 24})
    net = bp.Network("net", loss=y.sum())
    assert str(net.system.equations[0]) == "y[n,i] = Σ_p x[n,i + p]·w[p]"
    assert sorted(net.system.bound.values()) == [5, 24, 28]


def test_conditions_remove_elements():
    a = bp.input("a", (N, N))
    k, m = bp.indices("k m")
    low = bp.define("low", [k], bp.Sum(a[k, m], m, where=m <= k))
    top = bp.define("top", [k], bp.Max(a[k, m], m, where=[m < k, bp.unequal(m, 0)]))
    off = bp.define("off", [k], bp.Prod(a[k, m], m, where=bp.unequal(k, m)))
    assert lines(low, top, off) == [
        "low[k] = Σ_m [m ≤ k]·a[k,m]",
        "top[k] = max_m a[k,m] where [m < k], [m ≠ 0]",
        "off[k] = Π_m a[k,m] where [k ≠ m]",
    ]
    rng = np.random.default_rng(0)
    array = rng.normal(size=(4, 4))
    net = bp.Network("net", loss=low.sum(), outputs={"low": low, "off": off})
    values = evaluate(net.system, {"a": array}, {"N": 4})
    np.testing.assert_allclose(values["low"].astype(float), np.tril(array).sum(axis=1))
    away = np.where(np.eye(4, dtype=bool), 1, array).prod(axis=1)
    np.testing.assert_allclose(values["off"].astype(float), away)


def test_conditions_on_tensors():
    x, t = bp.input("x", (N, D)), bp.input("t", (D,))
    y = bp.where((x > 0) & (x < t), x, -1)
    net = bp.Network("net", loss=y.sum(), outputs={"y": y})
    rng = np.random.default_rng(1)
    xs, ts = rng.normal(size=(5, 3)), rng.normal(size=3)
    got = evaluate(net.system, {"x": xs, "t": ts}, {"N": 5, "D": 3})["y"].astype(float)
    np.testing.assert_allclose(got, np.where((xs > 0) & (xs < ts), xs, -1))


def test_a_recurrence_like_read_takes_its_outside_value():
    x = bp.input("x", (N,))
    y = bp.define("y", [n], x[n] - x.at(n - 1, outside=0))
    values = evaluate(bp.Network("net", loss=y.sum(), outputs={"y": y}).system, {"x": [1, 4, 9]}, {"N": 3})
    assert values["y"].tolist() == [1, 3, 5]


def test_an_embedding_reads_by_labels():
    V = bp.dim("V", 50)
    E, t = bp.param("E", (V, D)), bp.labels("t", (N,), classes=V)
    e = bp.define("e", [n, i], E[t[n], i])
    assert lines(e) == ["e[n,i] = E[t[n],i]"]


def test_a_scalar_stands_for_its_element():
    x, rate = bp.input("x", (N,)), bp.hyper("rate")
    y = bp.define("y", [n], rate * x[n] + 2 * rate)
    assert lines(y) == ["y[n] = rate·x[n] + 2·rate"]


def test_absolute_values_become_guards():
    x = bp.input("x", (N,))
    y = bp.define("y", [n], abs(x[n]))
    root = bp.sqrt(bp.square(x))
    assert lines(y) == ["y[n] = [x[n] > 0]·x[n] - [x[n] < 0]·x[n]"]
    assert not bp.Network("net", loss=root.sum()).system.equations[-1].body.has(sympy.Abs)


x = bp.input("x", (N, D))


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (
            lambda: bp.define("y", [n], x[n, i]),
            "index i of y's definition is neither on the left nor reduced over",
        ),
        (lambda: bp.define("y", [n, n], x[n, n]), "must list distinct indices"),
        (lambda: bp.define("y", [n + 1], x[n, n]), "must list distinct indices"),
        (lambda: bp.define("y", [n], sympy.Symbol("a") * n), "a in a definition is neither"),
        (lambda: bp.define("y", [n, i], sympy.Max(x[n, i], 0)), "Max of SymPy can't stand in a definition"),
        (lambda: bp.define("y", [n], bp.Sum(x[n, i])), "needs the indices that it runs over"),
        (lambda: bp.Sum(x[n, i], i, where=(n == i)), "False is not a condition"),
        (lambda: x[n], "x has 2 axes, but is read with 1 subscript"),
        (lambda: x[:, "i"], "can't be read at 'i' beside a slice"),
        (lambda: bp.define("y", [n, i], x[n, i] + x), "x stands as a whole beside elements"),
        (lambda: bool(x), "no truth value"),
        (lambda: 0 < x < 1, "neither true nor false"),
        (lambda: x + np.ones(3), "not of ndarray"),
        (lambda: np.ones(3) * x, "not of ndarray"),
        (lambda: x + "a", "not of str"),
        (lambda: x * float("inf"), "can't be inf"),
        (lambda: x.sum(2), "no axis=2"),
        (lambda: x @ 3, "needs tensors with axes"),
        (lambda: bp.param("w", (N,), init="he"), "init of w is 'he'"),
        (lambda: bp.hyper("rate", "fast"), "the value of rate must be a number, not 'fast'"),
        (lambda: bp.target("y", (N,), "odd"), "'odd' is no fact that is known"),
    ],
)
def test_refused(declare, message):
    with pytest.raises(DeclarationError) as error:
        declare()
    assert message in str(error.value)
    assert "test_notation.py" in str(error.value)


def test_an_index_over_two_ranges():
    with pytest.raises(ShapeError) as error:
        bp.define("y", [n], x[n, n])
    assert "axis 0 of x: N" in str(error.value)
    assert "axis 1 of x: D" in str(error.value)


def test_an_index_without_a_range():
    w = bp.param("w", (3,))
    with pytest.raises(ShapeError, match="nothing says how far index i runs in the definition of y"):
        bp.define("y", [i], w[i + 1])


def test_a_tensor_is_not_iterable():
    with pytest.raises(TypeError):
        list(x)


def test_divisions_of_subscripts():
    """Python's `//` and `%` of indices are integers: a ring, a flattened axis in its parts."""
    x, W = bp.input("x", (D,)), bp.input("W", (N, 4))
    turned = bp.define("turned", [i], x[(i + 3) % D], ranges={i: D})
    parts = bp.define("parts", [j], W[j // 4, j % 4] * bp.where(bp.equal(j % 2, 0), 1, -1), ranges={j: 4 * N})
    assert lines(turned) == ["turned[i] = x[(i + 3)%D]"]
    net = bp.Network("net", loss=bp.param("w0", ()), outputs={"turned": turned, "parts": parts})
    values = {"x": np.arange(5.0), "W": np.arange(8.0).reshape(2, 4), "w0": np.array(0.0)}
    found = evaluate(net.system, values, sizes={"N": 2, "D": 5})
    np.testing.assert_array_equal(np.asarray(found["turned"], float), np.roll(values["x"], -3))
    np.testing.assert_array_equal(
        np.asarray(found["parts"], float), values["W"].ravel() * np.tile([1.0, -1.0], 4)
    )
