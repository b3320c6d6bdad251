"""How parameters start by default: found from the equations, whatever the ops are called."""

import numpy as np
import pytest

import symbp as bp

N, T, D, H, K = bp.dims("N T D H K")


def started(value):
    """How the parameters of a network with this value start, and the scales as text."""
    net = bp.Network("net", loss=(value**2).mean())
    return {name: (start.distribution, str(start.scale)) for name, start in net.initial.items()}


@pytest.mark.parametrize(
    "passed", [bp.relu, bp.gelu, bp.silu, bp.leaky_relu, bp.softplus, lambda z: bp.where(z > 0, z, 0)]
)
def test_a_weight_into_a_rectifier_starts_as_he_says(passed):
    x, W, b = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("b", (H,))
    assert started(passed(x @ W + b)) == {"W": ("normal", "sqrt(2)/sqrt(D)"), "b": ("constant", "0")}


@pytest.mark.parametrize("passed", [bp.tanh, bp.sigmoid, bp.softsign, lambda z: z, bp.abs])
def test_any_other_as_glorot_says(passed):
    x, W, b = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("b", (H,))
    assert started(passed(x @ W + b))["W"] == ("uniform", "sqrt(6)/sqrt(D + H)")


def test_a_vector_that_weighs_is_a_weight():
    x, w, b = bp.input("x", (N, D)), bp.param("w", (D,)), bp.param("b", ())
    assert started(x @ w + b) == {"w": ("uniform", "sqrt(6)/sqrt(D + 1)"), "b": ("constant", "0")}


def test_a_kernel_takes_in_its_window():
    x = bp.input("x", (N, 3, 8, 8))
    C, c = bp.param("C", (16, 3, 5, 5)), bp.param("c", (16,))
    found = bp.Network("net", loss=(bp.tanh(bp.conv2d(x, C, c)) ** 2).mean())
    scale = found.initial["C"].scale.subs(
        {s: found.system.bound[s.name] for s in found.initial["C"].scale.free_symbols}
    )
    assert float(scale) == pytest.approx(np.sqrt(6 / (3 * 25 + 16 * 25)))
    assert found.initial["c"].distribution == "constant"


def test_gates_count_as_outputs_and_their_offsets_are_offsets():
    x = bp.input("x", (N, T, D))
    W, U, b = bp.param("W", (D, 4, H)), bp.param("U", (H, 4, H)), bp.param("b", (4, H))
    found = started(bp.lstm(x, W, U, b))
    assert found["W"] == ("uniform", "sqrt(6)/sqrt(D + 4*H)")
    assert found["b"] == ("constant", "0")


def test_repeated_layers_start_as_each_of_them():
    n, l, i, j = bp.indices("n l i j")  # noqa: E741
    L = bp.dim("L")
    x, W, b = bp.input("x", (N, H)), bp.param("W", (L, H, H)), bp.param("b", (L, H))
    h = bp.recurrent("h", (L, N, H))
    z = bp.define("z", [l, n, j], bp.Sum(h.at(l - 1, n, i, outside=x[n, i]) * W[l, i, j], i), ranges={l: L})
    h = bp.define(h, [l, n, j], bp.tanh(z[l, n, j] + b[l, j]))
    found = started(bp.define("top", [n, j], h[L - 1, n, j]))
    assert found == {"W": ("uniform", "sqrt(3)/sqrt(H)"), "b": ("constant", "0")}


def test_a_table_is_a_matrix_and_a_factor_of_all_is_1():
    x, n, t, i = bp.tokens("x", (N, T), vocabulary=K), *bp.indices("n t i")
    assert started(bp.embedding(x, bp.param("E", (K, D))))["E"] == ("uniform", "sqrt(6)/sqrt(D + K)")
    y, G = bp.input("y", (N, D, H)), bp.param("G", (D, H))
    assert at(bp.define("g", [n, t, i], y[n, t, i] * G[t, i]))["G"] == 1


def at(value):
    """The constants at which parameters start, by name."""
    net = bp.Network("net", loss=(value**2).mean())
    return {name: float(s.shift) for name, s in net.initial.items() if s.distribution == "constant"}


x, g, s, b = bp.input("x", (N, D)), bp.param("g", (D,)), bp.param("s", ()), bp.param("b", (D,))


@pytest.mark.parametrize(
    ("made", "starts"),
    [
        (lambda: bp.tanh(g * x * s), {"g": 1, "s": 1}),
        (lambda: g * x + b, {"g": 1, "b": 0}),
        (lambda: bp.layer_norm(x, g, b), {"g": 1, "b": 0}),
        (lambda: x + s * bp.tanh(x), {"s": 0}),
        (lambda: x + s * g * bp.tanh(x), {"s": 1, "g": 1}),
        (lambda: bp.where(x > 0, x, s * x), {"s": 0}),
        (lambda: bp.exp(-x / s), {"s": 1}),
        (lambda: bp.log(s) + x, {"s": 1}),
        (lambda: bp.sqrt(s + 1e-5) + x, {"s": 1}),
        (lambda: (x - b) / g, {"b": 0, "g": 1}),
        (lambda: bp.exp(s) * x, {"s": 0}),
        (lambda: bp.tanh(s) * x, {"s": 1}),
        (lambda: x**s, {"s": 1}),
        (lambda: bp.sigmoid(x - s), {"s": 0}),
    ],
    ids=range(14),
)
def test_what_is_no_weight_starts_where_the_net_learns(made, starts):
    assert at(made()) == starts


def test_a_factor_behind_a_definition_starts_at_1():
    n, i = bp.indices("n i")
    shown = bp.define("shown", [n, i], bp.tanh(g[i]), ranges={n: N})
    half = bp.define("half", [n, i], x[n, i] * shown[n, i])
    assert at(half) == {"g": 1}


def test_a_masked_weight_is_a_weight():
    m, W = bp.input("m", (D, H), "binary"), bp.param("W", (D, H))
    masked = (W * m).named("masked")
    assert started(bp.tanh(x @ masked)) == {"W": ("uniform", "sqrt(6)/sqrt(D + H)")}


def test_a_positive_parameter_starts_positive():
    found = bp.Network("net", loss=(x * bp.param("t", (D,), facts="positive")).sum()).initial["t"]
    assert (float(found.shift), found.reason) == (1, "it must be positive")


@pytest.mark.slow
def test_a_scaled_net_learns_from_where_it_starts():
    W, v, t = bp.param("W", (D, H)), bp.param("v", (H,)), bp.target("t", (N,))
    k, scale = bp.param("k", (H,)), bp.param("scale", ())
    net = bp.Network("scaled", loss=bp.mse(bp.tanh(k * (x @ W) * scale) @ v, t))
    module = bp.compile(net, optimizer=bp.optim.SGD(0.01), sizes={"D": 3, "H": 8})
    rng = np.random.default_rng(0)
    _, found = module.loss_and_gradients(
        module.init_params(seed=0), x=rng.normal(size=(6, 3)), t=rng.normal(size=6)
    )
    assert all(np.abs(gradient).max() > 1e-6 for gradient in found.values())


def test_what_the_author_says_comes_first():
    x = bp.input("x", (N, D))
    W = bp.param("W", (D, H), init=bp.optim.initial.constant(2))
    assert started(bp.relu(x @ W))["W"] == ("constant", "0")


def test_the_derivation_shows_starts_with_their_reasons():
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b, V = bp.param("W", (D, H)), bp.param("b", (H,)), bp.param("V", (H, K))
    d = bp.derive(bp.Network("net", loss=bp.cross_entropy(bp.softmax(bp.relu(x @ W + b) @ V), y)))
    page = d.text()
    assert "W: normal with the deviation sqrt(2/D)\n      a rectifier passes half of the variance" in page
    assert "V: uniform within ±sqrt(6/(H + K))\n      keeps variances" in page
    assert "b: 0\n      an offset" in page
    assert r"$W$: normal with the deviation $\sqrt{\frac{2}{D}}$; a rectifier" in d.latex()
    assert '"distribution": "normal"' in d.json()
