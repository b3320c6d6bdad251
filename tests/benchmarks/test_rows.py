"""Every row declares, derives and generates, and both targets agree with PyTorch at small sizes."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.rows import ROWS, Row, evaluate

torch = pytest.importorskip("torch")
from benchmarks.layouts import PLAIN, fused_attention  # noqa: E402
from benchmarks.measure import STEPS, TOLERANCE, difference  # noqa: E402
from benchmarks.peers import numpy_reference, symbp_peer, torch_models, torch_peer  # noqa: E402
from symbp.targets.loading import load  # noqa: E402

DISTINCT = [name for name in ROWS if not name.startswith("scale-")] + ["scale-1-16-1"]


def small(name: str) -> Row:
    return ROWS[name].resized(ROWS[name].small)


def generated(row: Row, target: str) -> ModuleType:
    text = symbp_peer.source(row, target, "float64")
    return load(text, row.name.replace("-", "_"))


def autograd(row: Row, params: Any, data: Any) -> tuple[float, dict[str, np.ndarray]]:
    """The loss and its gradients by PyTorch in float64."""
    layout = torch_models.LAYOUTS.get(row.model, PLAIN)
    options = dict(row.options)
    if row.model == "gpt":
        layout, options = fused_attention(row.sizes["H"]), {"heads": row.sizes["H"]}
    leaves = {k: torch.tensor(a, requires_grad=True) for k, a in layout.to(params).items()}
    given = {k: torch.tensor(a) for k, a in data.items()}
    loss = partial(torch_models.MODELS[row.model], **options)(leaves, given)
    loss.backward()
    return loss.item(), layout.back({k: leaf.grad.numpy() for k, leaf in leaves.items()})


def check_gradients(name: str, target: str) -> None:
    row = small(name)
    params, data = row.arrays("float64", seed=3)
    rng = np.random.default_rng(4)
    params = {k: a + 0.3 * rng.normal(size=a.shape) for k, a in params.items()}  # offsets, too, are not zero
    loss, gradients = generated(row, target).loss_and_gradients(params, **data)
    expected, theirs = autograd(row, params, data)
    assert loss == pytest.approx(expected, rel=1e-10)
    scale = max(float(np.abs(g).max()) for g in theirs.values())
    for key, gradient in theirs.items():
        found = np.asarray(gradients[key])
        np.testing.assert_allclose(
            found, gradient.reshape(found.shape), rtol=1e-10, atol=1e-12 * scale, err_msg=key
        )


@pytest.mark.few(slow=6)
@pytest.mark.slow
@pytest.mark.parametrize("name", DISTINCT)
def test_gradients_in_numpy_are_autograds(name: str) -> None:
    check_gradients(name, "numpy")


@pytest.mark.few(slow=6)
@pytest.mark.slow
@pytest.mark.parametrize("name", DISTINCT)
def test_gradients_in_numba_are_autograds(name: str) -> None:
    check_gradients(name, "numba")


@pytest.mark.few(slow=6)
@pytest.mark.slow
@pytest.mark.parametrize("name", DISTINCT)
def test_losses_of_ten_steps_agree_in_float32(name: str) -> None:
    row = small(name)
    steps = {
        "reference": numpy_reference.prepare(row, "float32", 1),
        "numpy": symbp_peer.prepare(row, "float32", 1, "numpy"),
        "numba": symbp_peer.prepare(row, "float32", 1, "numba"),
        "torch": torch_peer.prepare(row, "float32", 1),
    }
    losses = {peer: [step.take() for _ in range(STEPS)] for peer, step in steps.items()}
    for peer, found in losses.items():
        assert difference(found, losses["torch"], signed=row.signed) < TOLERANCE, peer
    assert losses["torch"][-1] < losses["torch"][0]


@pytest.mark.few(fast=8)
@pytest.mark.parametrize("name", ROWS)
def test_rows_declare_themselves(name: str) -> None:
    """Sizes of data and parameters are known, and the same for every peer."""
    row = small(name)
    system, _ = row.declared()
    assert {*row.sizes, *system.bound} == set(system.sizes)
    params, data = row.arrays("float32")
    again, _ = row.arrays("float32")
    assert all(np.array_equal(params[key], again[key]) for key in params)
    assert set(params) == {t.name for t in system.parameters}
    sizes = {**system.bound, **row.sizes}
    for leaf in system.leaves:
        array = params.get(leaf.name, data.get(leaf.name))
        assert array is not None
        assert array.shape == tuple(int(evaluate(extent, sizes)) for extent in leaf.shape)
