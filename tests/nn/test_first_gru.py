"""The GRU with its reset gate before the matrix, and what a layer of one state refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: layers not compared")
nn = bp.nn

N = bp.dim("N")


def first_gru(x: Any, W: Any, U: Any, b: Any, xp: Any) -> list[Any]:
    """The states of Cho et al. (2014): the reset gate before the matrix. Arrays of NumPy or PyTorch."""
    h, states = xp.zeros((len(x), U.shape[0])) if xp is np else x.new_zeros(len(x), U.shape[0]), []
    for t in range(x.shape[1]):
        r, z = (1 / (1 + xp.exp(-(x[:, t] @ W[:, k] + h @ U[:, k] + b[k]))) for k in range(2))
        h = (1 - z) * xp.tanh(x[:, t] @ W[:, 2] + (r * h) @ U[:, 2] + b[2]) + z * h
        states.append(h)
    return states


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_the_first_gru_in_both_directions(target: str) -> None:
    x, g = bp.input("x", (N, 4, 2)), bp.input("g", (N, 4, 6))
    states = nn.GRU(3, reset_after=False, bidirectional=True, name="r")(x)
    net = bp.Network("net", loss=(states * g).sum(), outputs={"states": states})
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=(3, 4, 2)), "g": rng.normal(size=(3, 4, 6))}
    parameters = {k: rng.normal(size=a.shape) for k, a in module.init_params(0).items()}
    assert parameters.keys() == {"r_W", "r_U", "r_b", "r_back_W", "r_back_U", "r_back_b"}

    def both(x: Any, values: dict[str, Any], xp: Any, stack: Any) -> Any:
        ahead = first_gru(x, *(values[f"r_{k}"] for k in "WUb"), xp)
        turned = x[:, ::-1] if xp is np else x.flip(1)
        back = first_gru(turned, *(values[f"r_back_{k}"] for k in "WUb"), xp)
        return stack([stack(ahead), stack(back[::-1])])

    found = module.forward(parameters, x=data["x"])["states"].reshape(3, 4, 2, 3)
    by_hand = both(data["x"], parameters, np, np.stack)
    np.testing.assert_allclose(found, by_hand.transpose(2, 1, 0, 3), rtol=1e-11, atol=1e-13)
    tensors = {k: torch.tensor(a, requires_grad=True) for k, a in parameters.items()}
    theirs = both(torch.tensor(data["x"]), tensors, torch, torch.stack)
    (theirs.permute(2, 1, 0, 3).reshape(3, 4, 6) * torch.tensor(data["g"])).sum().backward()
    for name, gradient in module.loss_and_gradients(parameters, **data)[1].items():
        expected = tensors[name].grad.numpy()
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_only_an_lstm_has_cells() -> None:
    x, h = bp.input("x", (N, 4, 2)), bp.input("h", (N, 3))
    with pytest.raises(DeclarationError, match="only an LSTM has a second state"):
        nn.GRU(3)(x, initial=(h, h))
