"""Equal layers of NumPy stages: how their arrays are found by a number, and where layers must stay apart."""

from __future__ import annotations

import numpy as np
import pytest
from tree_code import code, lines

import symbp as bp
from symbp.api import source
from symbp.codegen.printer import text
from symbp.targets.loading import load
from symbp.targets.numpy.layers import AnyLayer, Kept, layered


def kept(*names: str) -> list[Kept]:
    return [Kept(name, "tensors", f'"{name}"', ()) for name in names]


def free(name: str) -> str:
    return name


def test_arrays_are_found_by_the_layers_number() -> None:
    rows = [f"np.add(h{k - 1}, W{k}, out=h{k})  # ({k})\nnp.add(t, h{k})  # ({k})" for k in range(2, 6)]
    names = kept("h1", "h2", "h3", "h4", "h5", "W2", "W3", "W4", "W5")
    (layer,) = layered(code("\n".join(rows)), names, free)
    assert isinstance(layer, AnyLayer)
    assert text(layer.range) == "range(2, 6)"
    assert {array.name: text(array.node) for array in layer.arrays} == {
        "h_below": 'tensors[f"h{layer - 1}"]',
        "W": 'tensors[f"W{layer}"]',
        "h": 'tensors[f"h{layer}"]',
    }
    assert lines(layer.body) == [
        "np.add(h_below, W, out=h)  # (2) to (5)",
        "np.add(t, h)  # (2) to (5)",
    ]


def test_numbers_that_fall_or_go_by_other_steps() -> None:
    rows = []
    for k in (1, 2, 3):
        rows += [f"np.add(a{10 - 2 * k}, b{k}, out=c{4 * k + 1})  # (1)", f"np.tanh(c{4 * k + 1})  # (2)"]
    names = kept("a8", "a6", "a4", "b1", "b2", "b3", "c5", "c9", "c13")
    (layer,) = layered(code("\n".join(rows)), names, free)
    assert isinstance(layer, AnyLayer)
    assert text(layer.range) == "range(3)"
    assert [array.key for array in layer.arrays] == [
        'f"a{8 - 2 * layer}"',
        'f"b{layer + 1}"',
        'f"c{4 * layer + 5}"',
    ]


def test_layers_that_share_a_local_name_stay_as_they_are() -> None:
    names = kept("h1", "h2", "h3", "h4", "h5")
    pairs = [(f"np.add(h{k}, t, out=h{k + 1})  # ({k})", f"t = h{k}.T  # ({k})") for k in (1, 2, 3, 4)]
    shared = code("\n".join(line for pair in pairs for line in pair))
    assert layered(shared, names, free) == shared
    own = code("\n".join(line for add, turned in pairs for line in (turned, add)))
    assert len(layered(own, names, free)) == 1
    after = code("np.add(t, h1, out=h1)  # (9)")
    assert layered([*own, *after], names, free) == [*own, *after]


def test_keys_that_are_not_numbered_alike_keep_layers_apart() -> None:
    rows = code("\n".join(f"np.tanh(h{k})  # ({k})\nnp.exp(h{k})  # ({k})" for k in (1, 2, 3)))
    names = [Kept(f"h{k}", "gradients", f'"{key}"', ()) for k, key in ((1, "W1"), (2, "W3"), (3, "W4"))]
    assert layered(rows, names, free) == rows


def blocks(layers: int) -> bp.Network:
    """Residual blocks that are declared one by one, with a mask that all of them read."""
    N, D = bp.dims("N D")
    h, m, t = bp.input("x", (N, D)), bp.input("m", (N, D)), bp.target("t", (N, 2))
    for _ in range(layers):
        inner = bp.nn.Sequential(bp.nn.LayerNorm(), bp.nn.Dense(8, activation="gelu"), bp.nn.Dense(D))
        h = h + m * inner(h)
    return bp.Network("blocks", loss=bp.mse(bp.nn.Dense(2)(h), t))


@pytest.mark.slow
@pytest.mark.parametrize("layers", [2, 5])
def test_modules_with_layers_as_functions_have_the_right_gradients(layers: int) -> None:
    module_text = source(blocks(layers), target="numpy", optimizer=bp.optim.SGD(0.1), sizes={"D": 3})
    assert module_text.count("def _backward_layer(") == (layers > 2)
    module = load(module_text, f"blocks{layers}")
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=(4, 3)), "m": rng.normal(size=(4, 3)), "t": rng.normal(size=(4, 2))}
    report = module.check_gradients(**data)
    assert all(row["ok"] for row in report), report
    state = module.init_state(module.init_params(0))
    losses = [float(module.train_step(state, **data)) for _ in range(20)]
    assert losses[-1] < losses[0]
