"""Facts about leaves as a user states them: what is accepted, refused, and what the module makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError
from symbp.language.leaves import KINDS

N, D = bp.dims("N D")


def quadratic(*, facts: Any, target: str = "numpy") -> Any:
    """Σ (xA)ᵀ·(xA) − tr(A): a module whose gradient of A isn't symmetric by itself."""
    x, A, c = bp.input("x", (N, D)), bp.param("A", (D, D), facts=facts), bp.param("c", (D,))
    h = x @ A
    net = bp.Network("quadratic", loss=((h - c) ** 2).sum(), outputs={"h": h})
    return bp.compile(net, target=target, dtype="float64", optimizer=bp.optim.SGD(0.01), sizes={"D": 4})


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_is_one_of_inputs_and_of_parameters(kind: str) -> None:
    x = bp.input("x", (D, D), facts=kind)
    w = bp.param("w", (D, D), init=bp.optim.initial.constant(1), facts=(kind,))
    net = bp.Network("facts", loss=(x * w).sum())
    for name in ("x", "w"):
        assert net.system.tensor(name).fact(kind) is not None


@pytest.mark.parametrize("kind", ["symmetric", "lower triangular", "upper triangular"])
@pytest.mark.parametrize("shape", [(D,), (N, D)])
def test_a_matrix_s_fact_needs_a_square_matrix(kind: str, shape: Any) -> None:
    with pytest.raises(DeclarationError, match=rf"x can't be {kind}"):
        bp.input("x", shape, facts=kind)


def test_a_parameter_that_is_binary_must_say_how_it_starts() -> None:
    with pytest.raises(DeclarationError, match="w is binary, and starts as nothing that is"):
        bp.param("w", (D,), facts="binary")


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("symmetric", lambda a: np.array_equal(a, a.T)),
        ("lower triangular", lambda a: np.array_equal(a, np.tril(a))),
        ("upper triangular", lambda a: np.array_equal(a, np.triu(a))),
    ],
)
def test_parameters_start_with_their_fact_and_are_checked(kind: str, holds: Any) -> None:
    module = quadratic(facts=kind)
    params = module.init_params(0)
    x = np.random.default_rng(0).standard_normal((3, 4))
    assert holds(params["A"])
    assert np.count_nonzero(params["A"]) >= 10
    assert np.isfinite(module.loss_and_gradients(params, x=x)[0])
    assert all(row["ok"] for row in module.check_gradients())
    wrong = {"A": np.arange(16.0).reshape(4, 4), "c": np.zeros(4)}
    for call in (module.init_state, lambda p: module.loss_and_gradients(p, x=x)):
        with pytest.raises(module.DataError, match=f"A must be {kind}"):
            call(wrong)


@pytest.mark.parametrize("kind", ["symmetric", "lower triangular", "upper triangular"])
def test_data_are_checked(kind: str) -> None:
    s, w = bp.input("S", (N, D, D), facts=kind), bp.param("w", (D,))
    net = bp.Network("form", loss=((s @ w) ** 2).sum())
    module = bp.compile(net, target="numpy", dtype="float64", optimizer=bp.optim.SGD(0.1), sizes={"D": 3})
    full = np.random.default_rng(0).standard_normal((2, 3, 3))
    made = {"symmetric": full + full.swapaxes(1, 2), "lower triangular": np.tril(full)}
    good = made.get(kind, np.triu(full))
    params = module.init_params(0)
    assert np.isfinite(module.loss_and_gradients(params, S=good)[0])
    with pytest.raises(module.DataError, match=f"S must be {kind}"):
        module.loss_and_gradients(params, S=full)
    assert all(row["ok"] for row in module.check_gradients())
