"""CTC and the linear-chain CRF: lengths, repeats, what doesn't fit, second derivatives, both targets."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from sequence_counterparts import SEQUENCES as COUNTERPARTS

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.vector import Run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: sequence losses not compared")
N, T, S, K = bp.dims("N T S K")
STEP = 1e-30
derived = functools.cache(bp.derive)

# Repeated letters, lengths below the axes, one sequence without letters, one that just fits.
LABELS = np.array([[1, 1, 3], [2, 3, 2], [3, 3, 3], [1, 2, 3]])
STEPS, LETTERS = np.array([6, 5, 3, 4]), np.array([3, 3, 2, 0])
SIZES = {"N": 4, "T": 6, "S": 3, "K": 4}


@functools.cache
def ctc_net(logits: bool = True, **options: Any) -> bp.Network:
    x, y = bp.param("x", (N, T, K)), bp.labels("y", (N, S), classes=K)
    steps, letters = bp.labels("steps", (N,), classes=T + 1), bp.labels("letters", (N,), classes=S + 1)
    return bp.Network("net", loss=bp.ctc(x, y, steps, letters, from_logits=logits, **options))


def ctc_values(seed: int = 10) -> dict[str, Any]:
    x = np.random.default_rng(seed).normal(size=(4, 6, 4)) * 2
    return {"x": x, "y": LABELS, "steps": STEPS, "letters": LETTERS}


@functools.cache
def crf_net() -> bp.Network:
    x, y, w = bp.param("x", (N, T, K)), bp.labels("y", (N, T), classes=K), bp.param("w", (K, K))
    start, end = bp.param("start", (K,)), bp.param("end", (K,))
    lengths = bp.labels("lengths", (N,), classes=T + 1)
    return bp.Network("net", loss=bp.crf(x, y, w, start, end, lengths, "sum"))


def crf_values() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    shapes = {"x": (3, 4, 3), "w": (3, 3), "start": (3,), "end": (3,)}
    real: dict[str, Any] = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return real | {"y": rng.integers(0, 3, (3, 4)), "lengths": np.array([4, 1, 2])}


CASES = {
    "ctc": (ctc_net, ctc_values, ["y", "steps", "letters"], SIZES, {"reduction": "mean"}),
    "crf": (
        crf_net,
        crf_values,
        ["y", "w", "start", "end", "lengths"],
        {"N": 3, "T": 4, "K": 3},
        {"reduction": "sum"},
    ),
}


def by_torch(name: str) -> tuple[float, dict[str, Any]]:
    _, values, order, _, options = CASES[name]
    given = {key: torch.tensor(value) for key, value in values().items()}
    reals = {key: t.requires_grad_() for key, t in given.items() if t.is_floating_point()}
    loss = COUNTERPARTS[name](given["x"], *(given[key] for key in order), **options)
    loss.backward()
    return loss.item(), {key: t.grad.numpy() for key, t in reals.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradients(name: str) -> None:
    net, values, _, sizes, _ = CASES[name]
    loss, gradients = by_torch(name)
    derivation = derived(net())
    run = Run(derivation.system, values(), sizes)
    assert float(run.tensor("loss")) == pytest.approx(loss, rel=1e-12)
    for key, gradient in derivation.gradients.items():
        np.testing.assert_allclose(run.tensor(gradient), gradients[key], rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_second_derivatives_are_those_of_the_complex_step(name: str) -> None:
    net, values, _, sizes, _ = CASES[name]
    point, rng = values(), np.random.default_rng(3)
    along = {t.name: rng.normal(size=point[t.name].shape) for t in net().system.parameters}
    products = bp.hvp(net())
    found = Run(products.system, point | {f"v_{key}": v for key, v in along.items()}, sizes)
    first = derived(net())
    moved = Run(first.system, point | {key: point[key] + 1j * STEP * v for key, v in along.items()}, sizes)
    for key, gradient in first.gradients.items():
        expected = moved.tensor(gradient).imag / STEP
        product = found.tensor(products.gradients[key])
        np.testing.assert_allclose(product, expected, rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("name", CASES)
def test_generated(name: str, target: str) -> None:
    net, values, _, sizes, _ = CASES[name]
    loss, gradients = by_torch(name)
    declared, point = net(), values()
    module = bp.compile(
        declared, target=target, optimizer=bp.optim.SGD(0.1), sizes=sizes, derivation=derived(declared)
    )
    names = [t.name for t in declared.system.parameters]
    data = {key: value for key, value in point.items() if key not in names}
    found, computed = module.loss_and_gradients({key: point[key] for key in names}, **data)
    assert found == pytest.approx(loss, rel=1e-12)
    for key, gradient in computed.items():
        np.testing.assert_allclose(gradient, gradients[key], rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.slow
def test_ctc_of_log_probabilities() -> None:
    """Here PyTorch's gradient is that by logits; the complex step knows better."""
    values = ctc_values()
    values["x"] -= np.log(np.exp(values["x"]).sum(-1, keepdims=True))
    derivation = derived(ctc_net(logits=False, reduction="sum"))
    v = np.random.default_rng(2).normal(size=values["x"].shape)
    moved = Run(derivation.system, values | {"x": values["x"] + 1j * STEP * v}, SIZES)
    gradient = Run(derivation.system, values, SIZES).tensor(derivation.gradients["x"])
    assert np.sum(gradient * v) == pytest.approx(complex(moved.tensor("loss")).imag / STEP, rel=1e-11)
    occupied = gradient.sum(-1)  # at each step that counts, some state is occupied: −Σ_k γ[n,t,k] = −1
    counts = np.arange(6) < STEPS[:, None]
    np.testing.assert_allclose(occupied, -1.0 * counts, atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("zero", [False, True])
def test_labels_that_do_not_fit(zero: bool) -> None:
    """Two equal letters need a blank between them: two steps are too few. The others keep their gradients."""
    net = ctc_net(zero_infinity=zero, reduction="sum")
    derivation = derived(net)
    values = ctc_values() | {"steps": np.array([6, 5, 2, 4])}
    run = Run(derivation.system, values, SIZES)
    given = [torch.tensor(values[key]) for key in ("y", "steps", "letters")]
    x = torch.tensor(values["x"], requires_grad=True)
    loss = COUNTERPARTS["ctc"](x, *given, zero_infinity=True, reduction="sum")
    loss.backward()
    assert float(run.tensor("loss")) == (pytest.approx(loss.item(), rel=1e-12) if zero else np.inf)
    np.testing.assert_allclose(run.tensor(derivation.gradients["x"]), x.grad.numpy(), rtol=1e-9, atol=1e-12)
    assert not run.tensor(derivation.gradients["x"])[2].any()


def test_another_blank() -> None:
    values = ctc_values()
    values |= {"y": LABELS - 1, "letters": np.array([3, 3, 2, 1])}
    run = Run(ctc_net(blank=3, reduction="sum").system, values, SIZES)
    given = [torch.tensor(values[key]) for key in ("x", "y", "steps", "letters")]
    expected = COUNTERPARTS["ctc"](*given, blank=3, reduction="sum")
    assert float(run.tensor("loss")) == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.slow
def test_no_steps() -> None:
    """An empty sequence without labels is certain; a CRF without steps has nothing to say."""
    values = ctc_values() | {"steps": np.array([0, 5, 3, 4]), "letters": np.array([0, 3, 2, 0])}
    run = Run(ctc_net(reduction="sum").system, values, SIZES)
    rest = {key: value[1:] for key, value in values.items()}
    without = Run(ctc_net(reduction="sum").system, rest, SIZES | {"N": 3})
    assert float(run.tensor("loss")) == pytest.approx(float(without.tensor("loss")), rel=1e-14)
    values = crf_values() | {"lengths": np.array([0, 0, 0])}
    derivation = derived(crf_net())
    run = Run(derivation.system, values, {"N": 3, "T": 4, "K": 3})
    assert float(run.tensor("loss")) == 0
    assert not any(run.tensor(gradient).any() for gradient in derivation.gradients.values())


X, Y = bp.param("x", (N, T, K)), bp.labels("y", (N, S), classes=K)
REFUSED = {
    "blank can't be -1": lambda: bp.ctc(X, Y, blank=-1),
    "blank can't be 4": lambda: bp.ctc(bp.param("x", (N, T, 4)), bp.labels("y", (N, S), classes=4), blank=4),
    "knows no reduction": lambda: bp.ctc(X, Y, reduction="max"),
    "integer labels": lambda: bp.crf(X, bp.param("q", (N, T)), bp.param("w", (K, K))),
    "the steps of ctc": lambda: bp.ctc(X, Y, steps=bp.param("steps", (N,))),
    "3 axes and integer labels with 2": lambda: bp.ctc(X, bp.labels("z", (N,), classes=K)),
    "knows no likelihood": lambda: bp.elbo(X, X, X, X, "poisson"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message: str) -> None:
    with pytest.raises((DeclarationError, ShapeError), match=message):
        REFUSED[message]()


def test_transitions_of_another_size() -> None:
    x, y = bp.param("x", (N, T, 4)), bp.labels("y", (N, T), classes=4)
    with pytest.raises(ShapeError) as error:
        bp.crf(x, y, bp.param("w", (5, 5)))
    assert "axis 1 of w: 5" in str(error.value)


@pytest.mark.parametrize("steps", [3, 7])
def test_labels_of_another_length(steps: int) -> None:
    """A condition beside one read bounds no other: y[n, t] stands alone, y[n, t − 1] under t > 0."""
    x, y = bp.param("x", (N, 5, 4)), bp.labels("y", (N, steps), classes=4)
    with pytest.raises(ShapeError, match=f"axis 1 of y: {steps}"):
        bp.crf(x, y, bp.param("w", (4, 4)))
