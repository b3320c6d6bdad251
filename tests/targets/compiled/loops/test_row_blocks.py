"""NumPy steps in blocks of rows: the step of all rows at once, in a workspace of the stated size."""

from __future__ import annotations

import random
import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.api import plan, source
from symbp.targets.compiled import row_blocks
from symbp.targets.loading import load

N = bp.dim("N")
D, H, K, L = bp.dim("D", 3), bp.dim("H", 4), bp.dim("K", 5), bp.dim("L", 3)
n, h, i, j, k, l, d = bp.indices("n h i j k l d")  # noqa: E741
ROWS = 11  # of the batch


def classifier() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, b1, W2 = bp.param("W1", (D, H)), bp.param("b1", (H,)), bp.param("W2", (H, K))
    p = bp.softmax(bp.dropout(bp.tanh(x @ W1 + b1), 0.25) @ W2)
    loss = bp.cross_entropy(p, y)
    return bp.Network("plain", loss=loss, outputs={"p": p}, metrics={"accuracy": bp.accuracy(p, y)})


def stack() -> bp.Network:
    """A recurrence over layers: the batch isn't the first axis of what it computes."""
    x, y = bp.input("x", (N, D)), bp.target("y", (N, D))
    W, b = bp.param("W", (L, D, D)), bp.param("b", (L, D))
    g = bp.recurrent("g", (L, N, D))
    z = bp.define(
        "z", [l, n, j], bp.Sum(g.at(l - 1, n, i, outside=x[n, i]) * W[l, i, j], i), ranges={l: L, n: N}
    )
    g = bp.define(g, [l, n, j], bp.tanh(z[l, n, j] + b[l, j]))
    return bp.Network("stack", loss=bp.mse(bp.define("top", [n, j], g[L - 1, n, j]), y))


def own_rows() -> bp.Network:
    """A parameter with a row for each example, beside one that all share."""
    own, shared, y = bp.param("own", (N, D)), bp.param("shared", (D, H)), bp.target("y", (N, H))
    return bp.Network("own", loss=bp.mse(bp.tanh(own @ shared), y))


def heads() -> bp.Network:
    """Two axes to cut, with parameters that have rows along both, along the first, along none."""
    q, p, w = bp.param("q", (N, H, D)), bp.param("p", (N, D)), bp.param("w", (D, K))
    g = bp.input("g", (N, H, K))
    z = bp.define("z", [n, h, k], bp.Sum(q[n, h, d] * p[n, d] * w[d, k], d))
    return bp.Network("heads", loss=(bp.softmax(z) * g).sum())


def random_rows(seed: int) -> bp.Network:
    """A random chain of what happens row by row, with parameters on the way."""
    draw = random.Random(seed)
    sizes = (D, H, K)
    at = draw.randrange(3)
    x = value = bp.input("x", (N, sizes[at]))
    for number in range(draw.randint(3, 6)):
        kind = draw.choice(["dense", "softmax", "norm", "scale", "own", "tanh", "skip"])
        if kind == "dense":
            to = draw.randrange(3)
            value, at = value @ bp.param(f"W{number}", (sizes[at], sizes[to])), to
        elif kind == "softmax":
            value = bp.softmax(value)
        elif kind == "norm":
            square = bp.define(f"square{number}", [n], bp.Sum(value[n, i] ** 2, i))
            value = bp.define(f"norm{number}", [n, i], value[n, i] / bp.sqrt(1 + square[n]))
        elif kind == "scale":
            value = value * bp.param(f"s{number}", (sizes[at],))
        elif kind == "own":
            value = value + bp.param(f"v{number}", (N, sizes[at]))
        elif kind == "skip":
            total = bp.define(f"total{number}", [n], bp.Sum(x[n, j], j))
            value = bp.define(f"skip{number}", [n, i], value[n, i] * total[n])
        else:
            value = bp.tanh(value)
    value = value @ bp.param("V", (sizes[at], K))
    return bp.Network(f"rows{seed}", loss=bp.mse(value, bp.target("t", (N, K))), outputs={"out": value})


NETWORKS = {"classifier": classifier, "stack": stack, "own rows": own_rows, "heads": heads}
RULE = bp.optim.Adam(0.1)


@pytest.fixture
def small_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache so small that one example alone does not fit."""
    monkeypatch.setattr(row_blocks, "CACHED", 8)


def made(net: bp.Network, *blocks: int) -> ModuleType:
    """The module of a network with so many rows in its blocks, however few these are; or one for all rows."""
    text = source(net, target="numpy", dtype="float64", optimizer=RULE)
    found = re.search(r"^BLOCKS = (.*)$", text, re.MULTILINE)
    assert found is not None
    sizes = re.findall(r'"(\w+)": \d+', found[1])
    table = dict(zip(sizes, blocks or [1 << 30] * len(sizes), strict=True))
    text = re.sub(r"^BLOCKS = .*$", f"BLOCKS = {table}", text, flags=re.MULTILINE)
    return load(re.sub(r"^FEWEST = .*$", "FEWEST = 2", text, flags=re.MULTILINE), "blocks")


def arrays(net: bp.Network, rows: int = ROWS) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and data."""
    rng, sizes = np.random.default_rng(0), {"N": rows, **net.system.bound}
    params, data = {}, {}
    for tensor in net.system.leaves:
        shape = [int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in tensor.shape]
        value = rng.integers(0, 5, shape) if tensor.integer else rng.normal(size=shape)
        if tensor in net.system.parameters:
            params[tensor.name] = value
        elif tensor.role.value in ("input", "target"):
            data[tensor.name] = value
    return params, data


def steps(module: ModuleType, net: bp.Network) -> tuple[list[float], Any]:
    params, data = arrays(net)
    state = module.init_state(params, seed=3)
    return [module.train_step(state, **data) for _ in range(3)], state


def check_blocks(net: bp.Network, *blocks: int) -> None:
    losses, whole = steps(made(net), net)
    module = made(net, *blocks)
    found, state = steps(module, net)
    assert len(next(iter(state.workspace.values())).runs) > 1
    np.testing.assert_allclose(found, losses, rtol=1e-12)
    np.testing.assert_allclose(state.gradients.flat, whole.gradients.flat, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(state.params.flat, whole.params.flat, rtol=1e-9, atol=1e-11)
    again, other = steps(module, net)
    assert again == found
    assert (other.params.flat == state.params.flat).all()


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 4, 5])
@pytest.mark.parametrize("name", ["classifier", "stack", "own rows"])
def test_steps_in_blocks_are_the_steps_of_all_rows(name: str, rows: int) -> None:
    check_blocks(NETWORKS[name](), rows)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_rows(seed: int) -> None:
    check_blocks(random_rows(seed), 3)


@pytest.mark.few(slow=12)
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 60))
def test_more_random_rows(seed: int) -> None:
    check_blocks(random_rows(seed), 1 + seed % 5)


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [(1, 1), (1, 3), (1, 4)])
@pytest.mark.usefixtures("small_cache")
def test_the_next_axis_is_cut_where_one_example_fills_the_cache(blocks: tuple[int, int]) -> None:
    assert made(heads()).CUT == {"q": 2, "p": 1, "g": 2}
    check_blocks(heads(), *blocks)


@pytest.mark.slow
def test_gradients_are_those_of_the_interpreter() -> None:
    net = stack()
    params, data = arrays(net)
    module = made(net, 4)
    state = module.init_state(params)
    loss = module.train_step(state, **data)
    derivation = bp.derive(net)
    from symbp.ir.evaluation.vector import run

    values = run(derivation.system, {**params, **data}, {"N": ROWS, **net.system.bound})
    assert loss == pytest.approx(float(values["loss"]), rel=1e-12)
    for name, tensor in derivation.gradients.items():
        np.testing.assert_allclose(state.gradients[name], values[tensor], rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "blocks"), [(4, (4, 3)), (11, (11,)), (5, (5, 1))])
def test_the_workspace_is_that_of_the_blocks_and_of_their_gradients(
    rows: int, blocks: tuple[int, ...]
) -> None:
    net = stack()
    _, state = steps(made(net, rows), net)
    (step,) = state.workspace.values()
    found = plan(net, target="numpy", dtype="float64", optimizer=RULE)
    expected = [int(found.peak.subs(dict.fromkeys(found.peak.free_symbols, size))) for size in blocks]
    assert found.added == state.gradients.flat.size
    assert step.nbytes == sum(expected) + found.added * 8 * (len(blocks) > 1)


def test_few_blocks_are_one() -> None:
    net = own_rows()
    module = load(source(net, target="numpy", dtype="float64", optimizer=RULE), "blocks")
    most = module.BLOCKS["N"]
    assert module._rows((3 * most, 3 * most)) == [3 * most]
    assert module._rows((3 * most + 1, 3 * most + 1)) == [most]


@pytest.mark.slow
def test_what_is_not_finite_is_named() -> None:
    net = classifier()
    module = made(net, 4)
    params, data = arrays(net)
    params["W2"][:] = 1e308
    state = module.init_state(params)
    with pytest.raises(module.NotFinite, match="not finite; the step was not taken") as raised:
        module.train_step(state, **data)
    whole = made(net)
    with pytest.raises(whole.NotFinite) as expected:
        whole.train_step(whole.init_state(params), **data)
    assert (raised.value.equation, raised.value.tensor) == (expected.value.equation, expected.value.tensor)
    assert (state.params["W2"] == params["W2"]).all()


def batch_normed() -> bp.Network:
    x, y, W = bp.input("x", (N, D)), bp.target("y", (N, H)), bp.param("W", (D, H))
    z = x @ W
    return bp.Network("normed", loss=bp.mse(z - z.mean(0), y))


def decayed() -> bp.Network:
    x, y, W = bp.input("x", (N, D)), bp.target("y", (N, H)), bp.param("W", (D, H))
    return bp.Network("decayed", loss=bp.mse(x @ W, y) + bp.l2_penalty(0.3, W))


@pytest.mark.parametrize("make", [batch_normed, decayed])
def test_what_needs_all_rows_has_no_blocks(make: Any) -> None:
    text = source(make(), target="numpy", dtype="float64", optimizer=RULE)
    assert "BLOCKS" not in text
    assert "rows" not in text.partition("# ---- Arrays that come in")[0]
