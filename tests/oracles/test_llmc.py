"""GPT-2 as llm.c trains it: a declaration with `nn` gives its logits, loss, gradients and AdamW steps.

`train_gpt2.c` in double precision, a tiny configuration with random parameters; its gradients are written by
hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from where import oracles

import symbp as bp

PARAMETERS = {
    "wte": "tokens_E", "wpe": "positions_E", "ln1w": "gamma1", "ln1b": "beta1", "attprojw": "Wo4",
    "attprojb": "bo4", "ln2w": "gamma4", "ln2b": "beta4", "fcw": "W5", "fcb": "b5", "fcprojw": "W6",
    "fcprojb": "b6", "lnfw": "gamma6", "lnfb": "beta6",
}  # fmt: skip
MATRICES = ("attprojw", "fcw", "fcprojw")  # stored as (layers, out, in)
QKV = (("Wq1", "bq1"), ("Wk2", "bk2"), ("Wv3", "bv3"))


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return dict(np.load(oracles("llmc/gpt2_tiny.npz")))


@pytest.fixture(scope="module", params=["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def trained(stored: dict[str, Any], request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """The training module, and its state at the stored parameters."""
    length, vocabulary, layers, heads, width, *_ = map(int, stored["cfg"])
    N, T = bp.dims("N T")
    V, C, L = bp.dim("V", vocabulary), bp.dim("C", width), bp.dim("L", layers)
    tok, y = bp.tokens("tok", (N, T), vocabulary=V), bp.labels("y", (N, T), classes=V)
    logits = bp.nn.GPT(V, C, heads, L, length=length)(tok)
    loss = bp.cross_entropy(logits, y, from_logits=True)
    net = bp.Network("gpt2", loss=loss, outputs={"logits": logits})
    module = bp.compile(net, target=request.param, optimizer=bp.optim.AdamW(1e-3, weight_decay=0.01))
    return module, module.init_state(ours(stored, "p", heads))


def ours(stored: dict[str, Any], kind: str, heads: int) -> dict[str, Any]:
    """llm.c's arrays under our names, in our layout: x·W in place of x·Wᵀ, heads as an axis of their own."""
    found = {}
    for theirs, name in PARAMETERS.items():
        array = stored[f"{kind}_{theirs}"]
        found[name] = array.swapaxes(1, 2) if theirs in MATRICES else array
    layers, _, width = stored[f"{kind}_qkvw"].shape
    found["Wo4"] = found["Wo4"].reshape(layers, heads, width // heads, width)
    weights = stored[f"{kind}_qkvw"].reshape(layers, 3, heads, width // heads, width)
    offsets = stored[f"{kind}_qkvb"].reshape(layers, 3, heads, width // heads)
    for part, (weight, offset) in enumerate(QKV):
        found[weight] = np.moveaxis(weights[:, part], -1, 1)
        found[offset] = offsets[:, part]
    return found


def close(found: Any, expected: Any, scale: Any, what: str, tolerance: float = 1e-12) -> None:
    """‖a − b‖ ≤ 1e-12·‖scale‖; the offset of the keys, whose gradient is 0, which llm.c finds up to rounding,
    is measured with those of queries and values."""
    error = np.linalg.norm(np.asarray(found) - np.asarray(expected)) / np.linalg.norm(np.asarray(scale))
    assert error <= tolerance, f"{what}: relative error {error:.1e}"


def together(stored: dict[str, Any], kind: str, name: str, expected: Any) -> Any:
    offsets = {offset for _, offset in QKV}
    return stored[f"{kind}_qkvb"] if name in offsets else expected


@pytest.mark.slow
def test_logits_loss_and_gradients(stored: dict[str, Any], trained: tuple[Any, Any]) -> None:
    module, _ = trained
    heads = int(stored["cfg"][3])
    parameters = ours(stored, "p", heads)
    data = {"tok": stored["tokens"], "y": stored["targets"]}
    found = module.forward(parameters, tok=data["tok"])
    close(found["logits"], stored["logits"], stored["logits"], "logits")
    loss, gradients = module.loss_and_gradients(parameters, **data)
    assert loss == pytest.approx(stored["losses"][0], rel=1e-12)
    expected = ours(stored, "g", heads)
    assert set(gradients) == set(expected)
    for name, gradient in gradients.items():
        close(gradient, expected[name], together(stored, "g", name, expected[name]), name)


@pytest.mark.slow
def test_steps_of_adamw(stored: dict[str, Any], trained: tuple[Any, Any]) -> None:
    module, state = trained
    *_, steps = map(int, stored["cfg"])
    losses = [module.train_step(state, tok=stored["tokens"], y=stored["targets"]) for _ in range(steps)]
    np.testing.assert_allclose(losses, stored["losses"], rtol=1e-12)
    # The keys' offset has gradient 0; llm.c's rounding there is what Adam's step follows.
    keys = QKV[1][1]
    expected = ours(stored, "f", int(stored["cfg"][3]))
    for name in sorted(set(expected) - {keys}):
        close(state.params[name], expected[name], expected[name], name)
