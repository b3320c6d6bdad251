"""The character models on a long text beside PyTorch: the same net, initial weights, batches and update.

The text is found by `SYMBP_TEXT`, by default `../shared/data/tinyshakespeare.txt` beside the checkout.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import symbp as bp
from symbp.cli.data import sizes_of
from symbp.gallery import find

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow
TEXT = Path(os.environ.get("SYMBP_TEXT", Path(__file__).parents[3] / "shared/data/tinyshakespeare.txt"))
STEPS, BATCH, HELD = 40, 16, 32
RATE = 3e-3


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pieces():
    """(batches to train on, in order; a part of the end of the text that they don't see)"""
    if not TEXT.is_file():
        pytest.skip(f"there is no text {TEXT}")
    text = bp.data.characters(TEXT.read_text(encoding="utf-8"))
    batches = [{n: a[k * BATCH : (k + 1) * BATCH] for n, a in text.items()} for k in range(STEPS)]
    return batches, {n: a[-HELD:] for n, a in text.items()}


def lstm(p, x):
    """The logits of `char_lstm` from torch.nn.LSTM."""
    E = p["table"].shape[1]
    H = p["U"].shape[0]
    cell = torch.nn.LSTM(E, H, batch_first=True, dtype=torch.float64)
    weights = {
        "weight_ih_l0": p["W"].reshape(E, 4 * H).T,
        "weight_hh_l0": p["U"].reshape(H, 4 * H).T,
        "bias_ih_l0": p["b"].reshape(4 * H),
        "bias_hh_l0": torch.zeros(4 * H, dtype=torch.float64),
    }
    h, _ = torch.func.functional_call(cell, weights, (p["table"][x],))
    return h @ p["R"] + p["c"]


def gpt(p, x):
    """The logits of `gpt` from torch.nn.functional: blocks with layer norm before attention and before the
    feed-forward net, the output tied to the embedding."""
    F = torch.nn.functional
    width = p["tokens_E"].shape[1]
    h = p["tokens_E"][x] + p["positions_E"]
    for k in range(len(p["gamma1"])):
        a = F.layer_norm(h, (width,), p["gamma1"][k], p["beta1"][k])
        q, key, v = (
            torch.einsum("ntj,jlm->nltm", a, p[f"W{name}"][k]) + p[f"b{name}"][k][:, None, :]
            for name in ("q1", "k2", "v3")
        )
        o = F.scaled_dot_product_attention(q, key, v, is_causal=True)
        h = h + torch.einsum("nltm,lmj->ntj", o, p["Wo4"][k]) + p["bo4"][k]
        a = F.layer_norm(h, (width,), p["gamma4"][k], p["beta4"][k])
        a = F.gelu(a @ p["W5"][k] + p["b5"][k], approximate="tanh")
        h = h + a @ p["W6"][k] + p["b6"][k]
    return F.layer_norm(h, (width,), p["gamma6"], p["beta6"]) @ p["tokens_E"].T


def trained_by_torch(net, start, optimizer, batches, held):
    """(losses of the steps, loss on what is held out)"""
    p = {name: torch.tensor(values, requires_grad=True) for name, values in start.items()}
    update = optimizer(list(p.values()), lr=RATE)

    def loss_on(batch):
        logits = net(p, torch.from_numpy(batch["x"]))
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(batch["y"]).flatten())

    losses = []
    for batch in batches:
        update.zero_grad()
        loss = loss_on(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(p.values()), 1.0)
        update.step()
        losses.append(loss.item())
    with torch.no_grad():
        return losses, loss_on(held).item()


@pytest.mark.parametrize(
    ("name", "net", "ours", "theirs"),
    [
        ("char_lstm", lstm, bp.optim.Adam, torch.optim.Adam),
        ("gpt", gpt, bp.optim.AdamW, torch.optim.AdamW),
    ],
    ids=["char_lstm", "gpt"],
)
def test_validation_loss_on_a_long_text_is_pytorchs(pieces, name, net, ours, theirs):
    batches, held = pieces
    system = find(name).load().net
    text = {n: np.concatenate([held[n], *(b[n] for b in batches)]) for n in held}
    module = bp.compile(system, optimizer=ours(RATE, clip_norm=1.0), sizes=sizes_of(system.system, text, {}))
    start = module.init_params(0)
    losses, expected = trained_by_torch(net, start, theirs, batches, held)
    state = module.init_state(start)
    found = [module.train_step(state, **batch) for batch in batches]
    np.testing.assert_allclose(found, losses, rtol=1e-3)
    loss = module.evaluate(state.params, **held)["loss"]
    print(f"{name}: {loss:.6f}, PyTorch's {expected:.6f}, at the start {found[0]:.4f}")
    assert abs(loss - expected) <= 0.01 * expected
    assert loss < 0.9 * found[0]
