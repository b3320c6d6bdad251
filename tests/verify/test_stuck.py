"""Parameters that get no gradient where they start are a warning that names them."""

from __future__ import annotations

from typing import Any

import pytest

import symbp as bp

N, D, H = bp.dims("N D H")
initial = bp.optim.initial
x, y = bp.input("x", (N, D)), bp.target("y", (N, H))


def warnings(p: Any) -> tuple[str, ...]:
    return bp.derive(bp.Network("net", loss=bp.mse(p, y))).warnings


def test_two_factors_that_are_both_0() -> None:
    W = bp.param("W", (D, H))
    u, v = (bp.param(name, (H,), init=initial.zeros) for name in "uv")
    (warning,) = warnings((x @ W) * u * v)
    assert warning.startswith(
        "W, u, v get no gradient where parameters start, and none after a step; another start"
    )


def test_a_layer_before_one_that_is_0() -> None:
    W, V = bp.param("W", (D, H)), bp.param("V", (H, H), init=initial.zeros)
    (warning,) = warnings(bp.tanh(x @ W) @ V)
    assert warning.startswith("W gets no gradient where parameters start, until others have moved")


def test_dead_rectifiers() -> None:
    W, b = bp.param("W", (D, H)), bp.param("b", (H,), init=initial.constant(-100))
    (warning,) = warnings(bp.relu(x @ W + b))
    assert warning.startswith("W, b get no gradient")


def test_the_page_shows_it() -> None:
    W, V = bp.param("W", (D, H)), bp.param("V", (H, H), init=initial.zeros)
    page = bp.derive(bp.Network("net", loss=bp.mse(bp.tanh(x @ W) @ V, y))).text()
    assert "warning: W gets no gradient" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mlp", "neuron", "linear_regression", "vae", "resnet_mlp", "word2vec", "moe", "ssm", "crf"]
)
def test_no_warning_in_the_gallery(name: str) -> None:
    from symbp.gallery import GALLERY

    assert bp.derive(GALLERY[name].load().net).warnings == ()


def test_nor_where_nothing_is_wrong() -> None:
    W, V, u, v = bp.param("W", (D, H)), bp.param("V", (H, H)), bp.param("u", (H,)), bp.param("v", (H,))
    assert warnings(bp.relu(x @ W) @ V * u * v) == ()
    assert warnings(bp.relu(x @ W + u) @ V + v) == ()
