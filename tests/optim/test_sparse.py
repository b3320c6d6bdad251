"""Steps that change only those rows of a table that were looked up, beside PyTorch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import symbp as bp
from symbp.api import source
from symbp.errors import UsageError

N, V, D = bp.dims("N V D")
SIZES = {"V": 7, "D": 3}
RNG = np.random.default_rng(3)
OFTEN = [0.4, 0.3, 0.1, 0.1, 0.05, 0.05, 0]
BATCHES = [{"t": RNG.choice(7, 4, p=OFTEN), "y": RNG.normal(size=4)} for _ in range(50)]


def network() -> bp.Network:
    tokens, y = bp.tokens("t", (N,), vocabulary=V), bp.target("y", (N,))
    E = bp.param("E", (V, D), bp.optim.initial.normal(0.7))
    v = bp.param("v", (D,), bp.optim.initial.normal(0.7))
    return bp.Network("table", loss=bp.mse(bp.tanh(bp.embedding(tokens, E)) @ v, y))


NET = network()
RULES = {
    "SparseAdam": bp.optim.SparseAdam(0.05, groups={"v": "frozen"}),
    "Adagrad": bp.optim.Adagrad(0.05, groups={"table": "sparse", "v": "frozen"}),
    "SGD": bp.optim.SGD(0.05, groups={"E": "sparse", "v": "frozen"}),
}


def trained(target, rule, dtype="float64"):
    module = bp.compile(NET, target=target, dtype=dtype, optimizer=rule, sizes=SIZES)
    state = module.init_state(module.init_params(0))
    for batch in BATCHES:
        module.train_step(state, t=batch["t"], y=batch["y"].astype(dtype))
    return np.array(state.params["E"]), state


def by_torch(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    module = bp.compile(NET, target="numpy", dtype="float64", optimizer=bp.optim.SGD(), sizes=SIZES)
    params = {k: torch.tensor(np.array(a)) for k, a in module.init_params(0).items()}
    table = torch.nn.Embedding(7, 3, sparse=True, _weight=params["E"])
    peer = getattr(torch.optim, name)(table.parameters(), lr=0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of its sparse tensors
        for batch in BATCHES:
            peer.zero_grad()
            found = torch.tanh(table(torch.tensor(batch["t"]))) @ params["v"]
            ((found - torch.tensor(batch["y"])) ** 2).mean().backward()
            peer.step()
    return table.weight.detach().numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_fifty_steps_as_pytorch_takes_them(name):
    np.testing.assert_allclose(trained("numpy", RULES[name])[0], by_torch(name), rtol=1e-10, atol=1e-12)


def test_what_nobody_looks_up_stays_to_the_bit_with_its_moments():
    """Row 6 never is; a usual Adam would leave it, too, but not one with weight decay."""
    before = np.array(
        bp.compile(NET, dtype="float64", optimizer=bp.optim.SGD(), sizes=SIZES).init_params(0)["E"]
    )
    found, state = trained("numpy", bp.optim.AdamW(0.05, weight_decay=0.1, groups={"table": "sparse"}))
    np.testing.assert_array_equal(found[6], before[6])
    assert not state.moments["v"]["E"][6].any()
    assert (found[:6] != before[:6]).all()
    assert not np.allclose(trained("numpy", bp.optim.AdamW(0.05, weight_decay=0.1))[0][6], before[6])


@pytest.mark.slow
def test_numba_takes_the_same_steps():
    rule = bp.optim.SparseAdam(0.05, max_norm=0.9)
    expected = trained("numpy", rule)[0]
    np.testing.assert_allclose(trained("numba", rule)[0], expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(trained("numba", rule, "float32")[0], expected, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bp.optim.SGD(groups={"v": "sparse"}), "v has no rows of which a sparse step could leave"),
        (lambda: bp.optim.LAMB(groups={"E": "sparse"}), "LAMB needs all of a matrix"),
        (lambda: bp.optim.SparseAdam(accumulate=2), "goes with neither accumulate nor ema"),
    ],
)
def test_refused(make, message):
    with pytest.raises(UsageError) as error:
        source(NET, optimizer=make(), sizes=SIZES)
    assert message in str(error.value)
