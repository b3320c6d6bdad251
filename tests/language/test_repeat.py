"""A block repeated over depth: what is stacked, what is shared, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.language.repeat import repeat

N, D, L = bp.dim("N"), bp.dim("D", 4), bp.dim("L", 3)


def equations(net: bp.Network) -> list[str]:
    return [str(e) for e in net.system.equations]


def test_what_differs_from_layer_to_layer_has_the_layer_as_its_first_axis() -> None:
    x, scale = bp.input("x", (N, D)), bp.param("scale", (D,))

    def block(below: bp.Tensor) -> bp.Tensor:
        shared = (scale * 2).named("shared")  # the same in every layer
        return (below + bp.tanh(below @ bp.param("W", (D, D)) * shared)).named("h")

    net = bp.Network("net", loss=repeat(block, x, L).sum())
    shapes = {t.name: ", ".join(map(str, t.shape)) for t in net.system.parameters}
    assert shapes == {"scale": "D", "W": "L, D, D"}
    assert equations(net) == [
        "shared[i] = 2·scale[i]",
        "z1[j,n,i] = Σ_k h[j - 1,n,k | x[n,k]]·W[j,k,i]",
        "h1[j,n,i] = tanh(z1[j,n,i]·shared[i])",
        "h[j,n,i] = h1[j,n,i] + h[j - 1,n,i | x[n,i]]",
        "loss = Σ_n,i h[L - 1,n,i]",
    ]


@pytest.mark.slow
def test_its_text_does_not_grow_with_its_depth() -> None:
    x = bp.input("x", (N, D))
    texts = []
    for depth in (2, 12):
        block = bp.nn.Residual(bp.nn.Dense(D, activation="relu"))
        net = bp.Network("net", loss=repeat(block, x, bp.dim("L", depth)).sum())
        texts.append(bp.derive(net).text().replace(f"L = {depth},", "L,"))
    assert texts[0] == texts[1]


def one_by_one(block: Callable[..., Any], parameters: dict[str, Any], x: Any) -> Any:
    for layer in range(3):
        x = block(x, **{name: array[layer] for name, array in parameters.items()})
    return x


def compare(block: Any, shape: tuple[int, ...], theirs: Callable[..., Any]) -> None:
    """Values as the blocks one by one give them, gradients by the complex step."""
    x = bp.input("x", (N, *shape))
    y = repeat(block, x, L)
    net = bp.Network("net", loss=(y * y).sum(), outputs={"y": y})
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    parameters = module.init_params(0)
    for k, array in enumerate(parameters.values()):
        array += np.random.default_rng(k).normal(size=array.shape)
    given = np.random.default_rng(9).normal(size=(2, *shape))
    found = module.forward(parameters, x=given)["y"]
    np.testing.assert_allclose(found, one_by_one(theirs, dict(parameters), given), rtol=1e-11)
    report = bp.check(net, sizes={"N": 2}, methods=["complex step"], module=module)
    assert report.ok


@pytest.mark.slow
def test_time_inside_of_depth() -> None:
    def theirs(x: Any, W1: Any, U1: Any, b1: Any) -> Any:
        h, states = np.zeros((2, 3)), []
        for step in x.swapaxes(0, 1):
            h = np.tanh(step @ W1 + h @ U1 + b1)
            states.append(h)
        return np.stack(states, 1)

    compare(bp.nn.RNN(3), (4, 3), theirs)


@pytest.mark.slow
def test_reads_beyond_the_input_of_a_layer() -> None:
    def theirs(x: Any, W1: Any, b1: Any) -> Any:
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
        windows = np.stack([padded[:, :, p : p + x.shape[2]] for p in range(3)], -1)  # (N, C, L, 3)
        return np.tanh(np.einsum("nclp,fcp->nfl", windows, W1) + b1[:, None])

    compare(bp.nn.Conv1d(2, 3, padding=1, activation="tanh"), (2, 5), theirs)


@pytest.mark.slow
def test_each_layer_has_its_own_running_statistics_and_masks() -> None:
    x, y = bp.input("x", (N, D)), bp.target("y", (N, D))
    block = bp.nn.Sequential(bp.nn.Dense(4), bp.nn.BatchNorm(), bp.nn.Dropout(0.25))
    out = repeat(block, x, L)
    net = bp.Network("net", loss=bp.mse(out, y), outputs={"out": out})
    assert {t.name: str(t.shape[0]) for t in net.system.leaves if t.role.value in ("buffer", "random")} == {
        "mean1": "L", "var1": "L", "mask1": "L",
    }  # fmt: skip
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    state = module.init_state(module.init_params(0))
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(8, 4)), "y": rng.normal(size=(8, 4))}
    first = module.train_step(state, **data)
    for _ in range(20):
        last = module.train_step(state, **data)
    assert last < first
    assert len({round(float(v), 6) for v in state.buffers["var1"][:, 0]}) == 3
    a, b = (module.predict(state.params, state.buffers, x=data["x"])["out"] for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_refused() -> None:
    x = bp.input("x", (N, D))
    with pytest.raises(ShapeError, match="sizes of two axes differ"):
        repeat(bp.nn.Dense(5), x, L)
    with pytest.raises(ShapeError, match="keeps the shape of its input"):
        repeat(lambda h: h.sum(1), x, L)
    with pytest.raises(DeclarationError, match="computes its result from its input"):
        repeat(lambda h: h, x, L)
    with pytest.raises(DeclarationError, match="computes its result from its input"):
        repeat(lambda _: x * 2, x, L)
    with pytest.raises(DeclarationError, match="a block gives a tensor, not 3"):
        repeat(lambda _: 3, x, L)  # type: ignore[arg-type, return-value]
    with pytest.raises(DeclarationError, match="can't be 0"):
        bp.nn.Repeat(bp.nn.Dense(4), 0)
    with pytest.raises(DeclarationError, match="derivative inside of a block"):
        repeat(lambda h: bp.grad(bp.tanh(h), h) * 1, x, L)
