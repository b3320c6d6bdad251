"""Derivatives of any function: the bound on their error holds, kinks and noise are seen for what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symbp.verify.ridders import Estimate, derivative_along, noise_along, repeats


def along(f: Callable[[Any], Any], x: Any) -> Estimate:
    x = np.asarray(x, float)
    return derivative_along(lambda at: f(at["x"]), {"x": x}, {"x": np.ones(x.shape)})


def single(x: Any) -> Any:
    return np.sin(np.asarray(x, np.float32))


@pytest.mark.parametrize(
    ("f", "x", "slope", "relative"),
    [
        (np.sin, 0.7, np.cos(0.7), 1e-13),
        (np.exp, 3.0, np.exp(3.0), 1e-13),
        (lambda x: np.exp(50 * x), 0.1, 50 * np.exp(5.0), 1e-10),
        (np.log, 1e-6, 1e6, 1e-12),  # a step beyond which there is no value
        (np.sin, 1e4, np.cos(1e4), 1e-11),
        (lambda x: np.sin(1000 * x), 0.7, 1000 * np.cos(700.0), 1e-10),  # what long steps can't resolve
        (lambda x: np.abs(x - 1e-3), 0.0, -1.0, 1e-12),  # a kink beside the point
        (lambda x: np.maximum(x - 0.03, 0) + np.sin(x), 0.0, 1.0, 1e-10),
        (lambda x: np.round(3 * x) + x, 0.7, 1.0, 1e-12),
        (lambda x: x**2 + 1e8, 0.5, 1.0, 1e-6),
        (single, 0.7, np.cos(0.7), 1e-4),
        (lambda x: np.float64(single(x)), 0.7, np.cos(0.7), 1e-4),  # single precision, well hidden
    ],
)
def test_the_error_is_bounded(f: Any, x: float, slope: float, relative: float) -> None:
    found = along(f, x)
    assert abs(found.value - slope) <= found.error <= 100 * relative * abs(slope)
    assert abs(found.value - slope) <= relative * abs(slope)
    assert not found.kink
    assert found.agrees(slope)
    assert not found.agrees(slope * (1 + 200 * relative))


@pytest.mark.parametrize("f", [np.abs, lambda x: np.maximum(x, 0) + 5, lambda x: np.sqrt(np.abs(x))])
def test_a_kink_at_the_point_is_named(f: Any) -> None:
    assert along(f, 0.0).kink


def test_results_are_judged_element_by_element() -> None:
    found = along(lambda x: np.stack([np.abs(x[0]), x[0] ** 2, x[1] ** 3, 0 * x[0]]), [0.0, 2.0])
    assert found.kink.tolist() == [True, False, False, False]
    assert np.allclose(found.value[1:], [0, 12, 0], rtol=1e-12)


def test_nothing_is_known_where_there_are_no_values() -> None:
    found = along(lambda x: np.log(x - 1), 0.5)
    assert np.isinf(found.error)
    assert not found.agrees(2.0)


def test_a_function_may_refuse_beside_the_point() -> None:
    def refusing(x: Any) -> Any:
        if abs(x - 1) > 1e-2:
            raise ValueError("too far")
        return x**3

    assert along(refusing, 1.0).agrees(3.0)
    with pytest.raises(ValueError, match="too far"):
        along(refusing, 2.0)


def test_noise_is_measured() -> None:
    def noise(f: Any, x: float) -> float:
        return float(noise_along(lambda at: f(at["x"]), {"x": np.array(x)}, {"x": np.array(1.0)}))

    assert noise(np.sin, 0.7) < 1e-14
    assert 1e-8 < noise(lambda x: np.float64(single(x)), 0.7) < 1e-5
    assert 1e-9 < noise(lambda x: (x + 1e8) ** 1 - 1e8, 0.7) < 1e-5


def test_a_function_that_answers_otherwise_each_time() -> None:
    rng = np.random.default_rng(0)
    at = {"x": np.array(1.0)}
    assert repeats(lambda at: np.sqrt(at["x"] - 2), at)
    assert not repeats(lambda at: at["x"] + 1e-9 * rng.normal(), at)


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e5])
@pytest.mark.parametrize("distance", [1e-7, 2e-6, 2e-3, 0.05])
def test_a_kink_in_reach_of_long_steps_never_makes_a_sure_wrong_slope(distance: float, offset: float) -> None:
    """|x| between long steps on both sides has the slope x/h: halving the step doubles it, which looks like a
    series. Beside a large offset the short step is all rounding and contradicts nothing."""
    found = along(lambda x: 1e-3 * np.abs(x) - offset, distance)
    assert found.kink or abs(found.value - 1e-3) <= found.error


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e5])
def test_a_kink_at_the_point_is_named_though_a_shorter_step_drowns_in_rounding(offset: float) -> None:
    assert along(lambda x: 3e-3 * np.maximum(x, 0) - offset, 0.0).kink
