"""Gradients of several steps together, and a mean of the parameters over the updates."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

import symbp as bp
from symbp.api import source
from symbp.errors import GenerationError, UsageError

N, D, H = bp.dims("N D H")
SIZES = {"D": 3, "H": 4}
RNG = np.random.default_rng(5)
BATCHES = [{"x": RNG.normal(size=(6, 3)), "y": RNG.normal(size=6)} for _ in range(50)]
K = 4


def network() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, b, v = bp.param("W", (D, H)), bp.param("b", (H,)), bp.param("v", (H,), bp.optim.initial.normal(0.7))
    return bp.Network("line", loss=bp.mse(bp.tanh(x @ W + b) @ v, y))


NET = network()


def trained(target, rule, dtype="float64", batches=BATCHES):
    """The parameters after each step, and the state."""
    module = bp.compile(NET, target=target, dtype=dtype, optimizer=rule, sizes=SIZES)
    state, found = module.init_state(module.init_params(0)), []
    for batch in batches:
        module.train_step(state, **{k: a.astype(dtype) for k, a in batch.items()})
        found.append({k: np.array(a) for k, a in state.params.items()})
    return found, state


def start():
    module = bp.compile(NET, target="numpy", dtype="float64", optimizer=bp.optim.SGD(), sizes=SIZES)
    return {k: np.array(a) for k, a in module.init_params(0).items()}


def same(found, expected, tolerance=1e-10):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


def by_torch(rate):
    """NAdam on the mean of the gradients of each K batches, and a mean of the parameters, fading by 0.9."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        p = {k: torch.nn.Parameter(torch.tensor(a)) for k, a in start().items()}
        peer = torch.optim.NAdam(list(p.values()), lr=1.0)
        total, weights, found, means = dict.fromkeys(p, 0.0), 0.0, [], []
        for step, batch in enumerate(BATCHES, 1):
            x, y = torch.tensor(batch["x"]), torch.tensor(batch["y"])
            loss = ((torch.tanh(x @ p["W"] + p["b"]) @ p["v"] - y) ** 2).mean()
            (loss / K).backward()
            if step % K == 0:
                peer.param_groups[0]["lr"] = rate(step // K)
                peer.step()
                peer.zero_grad()
                total = {k: 0.9 * total[k] + a.detach().numpy() for k, a in p.items()}
                weights = 0.9 * weights + 1
            found.append({k: a.detach().numpy().copy() for k, a in p.items()})
            means.append({k: a / weights for k, a in total.items()} if weights else None)
        return found, means
    finally:
        torch.set_default_dtype(before)


def nadam():
    schedule = bp.optim.schedules.step_decay(5, 0.5)
    return bp.optim.NAdam(0.05, accumulate=K, ema=0.9, schedule=schedule)


@pytest.mark.slow
def test_accumulated_gradients_and_a_mean_as_with_pytorch():
    """An update counts as a step, for the schedule, too; between updates nothing moves."""
    expected, means = by_torch(lambda update: 0.05 * 0.5 ** ((update - 1) // 5))
    found, state = trained("numpy", nadam())
    for ours, theirs in zip(found, expected, strict=True):
        same(ours, theirs)
    same(state.moments["ema"], means[-1])
    before = start()
    assert all(np.array_equal(found[K - 2][name], before[name]) for name in before)


@pytest.mark.slow
def test_numba_takes_the_same_steps():
    (*_, found), state = trained("numba", nadam())
    (*_, expected), other = trained("numpy", nadam())
    same(found, expected)
    same(state.moments["ema"], other.moments["ema"])


def test_the_first_mean_is_the_first_update_and_parameters_may_be_told_apart():
    rule = bp.optim.LAMB(0.02, ema=0.99, accumulate=2, groups={"offset": {"lr": 0.01}})
    (_, found), state = trained("numpy", rule, "float32", BATCHES[:2])
    same(state.moments["ema"], found, 1e-6)
    assert not np.array_equal(found["W"], start()["W"].astype(np.float32))


def test_a_norm_is_clipped_of_the_mean_of_gradients():
    once = bp.optim.SGD(0.1, clip_norm=0.3)
    several = bp.optim.SGD(0.1, clip_norm=0.3, accumulate=3)
    (*_, found), _ = trained("numpy", several, batches=BATCHES[:1] * 6)
    (*_, expected), _ = trained("numpy", once, batches=BATCHES[:1] * 2)
    same(found, expected)
    with pytest.raises(GenerationError, match="leave clip_norm or accumulate out"):
        source(NET, optimizer=several, target="plain", sizes=SIZES)


@pytest.mark.slow
def test_plain_accumulates_and_refuses_a_mean_that_it_would_not_return(tmp_path):
    """All examples in one batch, so that an epoch is a step."""
    rule = bp.optim.Adam(0.05, accumulate=3)
    bp.generate(NET, str(tmp_path / "plain.py"), target="plain", optimizer=rule, sizes=SIZES)
    plain = runpy.run_path(str(tmp_path / "plain.py"))
    (*_, expected), _ = trained("numpy", rule, batches=BATCHES[:1] * 10)
    same(plain["train"](start(), **BATCHES[0], epochs=10), expected)
    with pytest.raises(GenerationError, match="would drop ema"):
        bp.generate(NET, str(tmp_path / "b.py"), target="plain", optimizer=bp.optim.SGD(ema=0.9), sizes=SIZES)


def test_the_settings_make_the_rule_again():
    rule = bp.optim.LAMB(accumulate=2, ema=0.5, groups={"offset": {"weight_decay": 0}})
    again = bp.optim.LAMB(**rule.settings)
    assert again.system.equations == rule.system.equations
    assert (again.groups, again.hyper) == (rule.groups, rule.hyper)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "accumulate must be a positive integer, not 0"),
        ({"ema": 1}, "ema must be at least 0 and below 1"),
        ({"ema": 0.9, "groups": {"W": "frozen"}}, "no mean is kept of frozen parameters"),
    ],
)
def test_refused(options, message):
    with pytest.raises(UsageError) as error:
        bp.optim.Adam(**options)
    assert message in str(error.value)
