"""Scales start at 1, what is divided by or logged away from 0, offsets at 0."""

from __future__ import annotations

import pytest

import symbp as bp

N, D, H = bp.dim("N"), bp.dim("D", 3), bp.dim("H", 8)


def shifts(net: bp.Network) -> dict[str, float]:
    """The constant that each parameter starts at which starts at one."""
    return {name: float(i.shift) for name, i in net.initial.items() if i.distribution == "constant"}


def test_a_factor_of_everything_starts_at_one() -> None:
    x, t = bp.input("x", (N, D)), bp.target("t", (N,))
    W, g, s, v = bp.param("W", (D, H)), bp.param("g", (H,)), bp.param("s", ()), bp.param("v", (H,))
    b = bp.param("b", (H,))
    net = bp.Network("scaled", loss=bp.mse(bp.tanh(g * (x @ W) * s + b) @ v, t))
    assert shifts(net) == {"g": 1, "s": 1, "b": 0}


def test_what_is_divided_by_or_logged_starts_away_from_zero() -> None:
    x, t = bp.input("x", (N,)), bp.target("t", (N,))
    A, tau, c, a = (bp.param(name, ()) for name in ("A", "tau", "c", "a"))
    net = bp.Network("decay", loss=bp.mse(A * bp.exp(-x / tau) + c, t) + bp.log(a) ** 2)
    assert shifts(net) == {"A": 1, "tau": 1, "c": 0, "a": 1}


@pytest.mark.parametrize("name", ["u", "v"])
def test_no_product_of_two_zeros(name: str) -> None:
    x, t = bp.input("x", (N, D)), bp.target("t", (N, D))
    u, v = bp.param("u", (D,)), bp.param("v", (D,))
    start = bp.Network("product", loss=bp.mse(u * v * x, t)).initial[name]
    assert start.scale != 0 or start.shift != 0


def test_matrices_are_not_all_alike() -> None:
    tokens = bp.tokens("w", (N,), vocabulary=7)
    E, C = bp.param("E", (7, 3)), bp.param("C", (7, 3))
    score = (bp.embedding(tokens, E) * bp.embedding(tokens, C)).sum(1)
    assert shifts(bp.Network("skipgram", loss=bp.mean(bp.softplus(-score)))) == {}
