"""An LSTM is one recurrence: neither deriving nor the text of its module knows how many steps there are."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbp as bp

STEPS = 1024
NUMBER = re.compile(r"\d[\d,]*")


def network(steps: int) -> bp.Network:
    N, D, H = bp.dim("N"), bp.dim("D", 3), bp.dim("H", 5)
    x, y = bp.input("x", (N, bp.dim("T", steps), D)), bp.target("y", (N, 2))
    p = bp.nn.Dense(2)(bp.nn.LSTM(H, return_sequences=False)(x))
    return bp.Network("lstm", loss=bp.mse(p, y))


@pytest.mark.slow
def test_it_has_one_text() -> None:
    long = bp.derive(network(STEPS))
    short = bp.derive(network(4))
    for target in ("numpy", "numba"):
        texts = [
            bp.source(network(steps), target=target, optimizer=bp.optim.SGD(0.1), derivation=derivation)
            for steps, derivation in ((STEPS, long), (4, short))
        ]
        # how large the workspace is at these sizes, and where arrays start in it, is their own
        plain = [re.sub(r"(?m)^ *workspace.*$", "", text) for text in texts]
        plain = [re.sub(r'(?m)^( *"\w+": \(\d, ).*?, \(', r"\1(", text) for text in plain]
        assert NUMBER.sub("#", plain[0]) == NUMBER.sub("#", plain[1])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_its_gradients_over_a_thousand_steps(target: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: gradients not compared")
    module = bp.compile(network(STEPS), target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(0)
    parameters = module.init_params(0)
    data = {"x": rng.normal(size=(2, STEPS, 3)), "y": rng.normal(size=(2, 2))}
    loss, gradients = module.loss_and_gradients(parameters, **data)
    given = {name: torch.tensor(np.array(a), requires_grad=True) for name, a in parameters.items()}
    theirs = torch.nn.LSTM(3, 5, batch_first=True, dtype=torch.float64)
    values = {
        "weight_ih_l0": given["W1"].flatten(1).T,
        "weight_hh_l0": given["U1"].flatten(1).T,
        "bias_ih_l0": given["b1"].flatten(),
        "bias_hh_l0": torch.zeros(20, dtype=torch.float64),
    }
    states, _ = torch.func.functional_call(theirs, values, torch.tensor(data["x"]))
    expected = ((states[:, -1] @ given["W2"] + given["b2"] - torch.tensor(data["y"])) ** 2).mean()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, given[name].grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
