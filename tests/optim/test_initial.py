"""How parameters start: published scales, with a reason each."""

import runpy

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.optim import initial

SHAPE = bp.dims("D H")


@pytest.mark.parametrize(
    ("make", "distribution", "scale"),
    [
        (initial.glorot_uniform, "uniform", "sqrt(6)/sqrt(D + H)"),
        (initial.glorot_normal, "normal", "sqrt(2)/sqrt(D + H)"),
        (initial.he_normal, "normal", "sqrt(2)/sqrt(D)"),
        (initial.zeros, "constant", "0"),
        (initial.default, "uniform", "sqrt(6)/sqrt(D + H)"),
    ],
)
def test_scales(make, distribution, scale):
    found = make(SHAPE)
    assert (found.distribution, str(found.scale), str(found.shift)) == (distribution, scale, "0")
    assert found.reason


def test_stacked_matrices_start_as_each_of_them():
    L = bp.dims("L")
    assert str(initial.glorot_uniform((*L, *SHAPE)).scale) == "sqrt(6)/sqrt(D + H)"


def test_vectors_start_at_zero():
    assert initial.default(SHAPE[:1]) == initial.zeros(SHAPE[:1])


@pytest.mark.parametrize(
    ("make", "distribution", "scale"),
    [
        (initial.he_uniform, "uniform", "sqrt(6)/sqrt(D)"),
        (initial.lecun_normal, "normal", "1/sqrt(D)"),
        (initial.lecun_uniform, "uniform", "sqrt(3)/sqrt(D)"),
        (initial.orthogonal(2), "orthogonal", "2"),
        (initial.truncated_normal(0.5), "truncated", "1/2"),
    ],
)
def test_more_scales(make, distribution, scale):
    test_scales(make, distribution, scale)


def declared():
    N, D, H = bp.dim("N"), bp.dim("D", 5), bp.dim("H", 3)
    x, y = bp.input("x", (N, D)), bp.target("y", (N, D))
    W, b, U = bp.param("W", (D, H)), bp.param("b", (H,)), bp.param("U", (H, D))
    return bp.Network("net", loss=bp.mse(bp.tanh(x @ W + b) @ U, y))


def test_parameters_start_as_they_are_told_in_every_target(tmp_path):
    """And as the check of starts takes them: the same numbers for the same seed."""
    from symbp.verify.stuck import starting

    ways = {"weight": initial.orthogonal(2), "U": initial.truncated_normal(0.5), "b": initial.constant(0.25)}
    net = bp.restarted(declared(), ways)
    found = bp.compile(net, target="numpy", optimizer=bp.optim.SGD()).init_params(3)
    np.testing.assert_allclose(found["W"].T @ found["W"], 4 * np.eye(3), atol=1e-12)
    assert 0.2 < np.abs(found["U"]).max() <= 1
    assert (found["b"] == 0.25).all()
    rng, system = np.random.default_rng(3), net.system
    for parameter in system.parameters:
        expected = starting(parameter, net.initial[parameter.name], system.bound, rng)
        np.testing.assert_array_equal(found[parameter.name], expected)
    bp.generate(net, str(tmp_path / "plain.py"), target="plain", optimizer=bp.optim.SGD())
    plain = runpy.run_path(str(tmp_path / "plain.py"))["initial_parameters"](np.random.default_rng(3))
    for name, array in plain.items():
        np.testing.assert_allclose(array, found[name])
    bp.generate(net, str(tmp_path / "long.py"), optimizer=bp.optim.SGD(), pieces=("checkpoints",))
    assert "2 * _orthogonal(rng, (D, H))" in (tmp_path / "long.py").read_text(encoding="utf-8")


def test_starts_by_their_names():
    for name in initial.WAYS:
        way = initial.named(name if name not in ("normal", "truncated-normal", "constant") else f"{name}:0.1")
        assert way(SHAPE).reason
    assert float(initial.named("orthogonal:1.5")(SHAPE).scale) == 1.5
    for text, message in (
        ("ortogonal", "did you mean orthogonal"),
        ("normal", "needs a number"),
        ("normal:x", "needs a number"),
    ):
        with pytest.raises(UsageError) as error:
            initial.named(text)
        assert message in str(error.value)
    with pytest.raises(UsageError, match="b is no matrix"):
        bp.restarted(declared(), {"b": initial.orthogonal()})


def test_what_the_equations_do_with_a_parameter_decides():
    """Positive where it must be, a scale at 1, an offset at 0; what gets no gradient is told by its name."""
    N, D = bp.dim("N"), bp.dim("D", 3)
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w, s, b, v = (bp.param(n, (D,)) for n in ("w", "s", "b", "v"))
    p = bp.param("p", (), facts=["positive"])
    h = (bp.tanh(s * x + b) / v) @ w
    net = bp.Network("net", loss=bp.mse(h, y) / p + bp.log(p))
    starts = {name: float(start.shift) for name, start in net.initial.items() if name != "w"}
    assert starts == {"s": 1, "b": 0, "v": 1, "p": 1}
    still = bp.restarted(net, {"w": initial.zeros, "s": initial.zeros})
    (warning,) = bp.derive(still).warnings
    assert warning.startswith("w, s, b, v get no gradient where parameters start, and none after a step")
