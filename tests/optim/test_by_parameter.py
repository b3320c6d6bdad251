"""Updates that tell parameters apart, over fifty steps: groups beside PyTorch's, LAMB by its equations."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

import symbp as bp
from symbp.api import source
from symbp.errors import GenerationError, UsageError

N, D, H = bp.dims("N D H")
SIZES = {"D": 3, "H": 4}
RNG = np.random.default_rng(11)
BATCHES = [{"x": RNG.normal(size=(6, 3)), "y": RNG.normal(size=6)} for _ in range(50)]


def network() -> bp.Network:
    """A scale and an offset between two weights."""
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, b = bp.param("W", (D, H)), bp.param("b", (H,))
    s = bp.param("s", (H,), bp.optim.initial.constant(0.8))
    v = bp.param("v", (H,), bp.optim.initial.normal(0.7))
    return bp.Network("scaled", loss=bp.mse(bp.tanh(s * bp.tanh(x @ W + b)) @ v, y))


NET = network()


def trained(target, rule, batches=BATCHES, dtype="float64", **more):
    module = bp.compile(NET, target=target, dtype=dtype, optimizer=rule, sizes=SIZES)
    state = module.init_state(module.init_params(0), **more)
    for batch in batches:
        module.train_step(state, **{k: a.astype(dtype) for k, a in batch.items()})
    return state


def start():
    module = bp.compile(NET, target="numpy", dtype="float64", optimizer=bp.optim.SGD(), sizes=SIZES)
    return {k: np.array(a) for k, a in module.init_params(0).items()}, module.loss_and_gradients


def same(found, expected, tolerance=1e-10):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


GROUPS = {"offset, scale": {"weight_decay": 0}, "v": {"lr": 0.004, "weight_decay": 0.5}, "W": "frozen"}
OWN = {"W": None, "b": (0.05, 0.0), "s": (0.05, 0.0), "v": (0.004, 0.5)}  # rate, decay


def by_torch(name, clip=None):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    params, _ = start()
    p = {k: torch.tensor(a, requires_grad=OWN[k] is not None) for k, a in params.items()}
    groups = [{"params": [p[k]], "lr": own[0], "weight_decay": own[1]} for k, own in OWN.items() if own]
    peer = getattr(torch.optim, name)(groups)
    for batch in BATCHES:
        x, y = torch.tensor(batch["x"]), torch.tensor(batch["y"])
        peer.zero_grad()
        ((torch.tanh(p["s"] * torch.tanh(x @ p["W"] + p["b"])) @ p["v"] - y) ** 2).mean().backward()
        trained = [t for t in p.values() if t.requires_grad]
        if clip:  # PyTorch's own adds 1e-6 to the norm
            norm = torch.sqrt(sum((t.grad**2).sum() for t in trained))
            for t in trained:
                t.grad *= min(1.0, clip / float(norm))
        peer.step()
    return {k: a.detach().numpy() for k, a in p.items()}


@pytest.mark.slow
def test_groups_as_pytorch_has_them():
    """The norm that is clipped is that of what is trained."""
    adamw = bp.optim.AdamW(0.05, weight_decay=0.2, clip_norm=0.5, groups=GROUPS)
    same(trained("numpy", adamw).params, by_torch("AdamW", clip=0.5))
    same(trained("numpy", bp.optim.SGD(0.05, weight_decay=0.2, groups=GROUPS)).params, by_torch("SGD"))


def lamb(lr, beta1, beta2, eps, own_decay):
    """Algorithm 2 of You et al. 2020, with ratio 1 where a norm is 0."""
    params, gradients = start()
    m = {k: np.zeros_like(a) for k, a in params.items()}
    v = {k: np.zeros_like(a) for k, a in params.items()}
    for t, batch in enumerate(BATCHES, 1):
        g = gradients(params, **batch)[1]
        for k in params:
            m[k] = beta1 * m[k] + (1 - beta1) * g[k]
            v[k] = beta2 * v[k] + (1 - beta2) * g[k] ** 2
            r = m[k] / (1 - beta1**t) / (np.sqrt(v[k] / (1 - beta2**t)) + eps)
            u = r + own_decay.get(k, 0) * params[k]
            norms = np.linalg.norm(params[k]), np.linalg.norm(u)
            params[k] = params[k] - lr * (norms[0] / norms[1] if all(norms) else 1.0) * u
    return params


@pytest.mark.slow
def test_lamb_by_its_equations():
    rule = bp.optim.LAMB(0.02, 0.8, 0.9, weight_decay=0.1, groups={"offset": {"weight_decay": 0}})
    expected = lamb(0.02, 0.8, 0.9, 1e-6, {"W": 0.1, "s": 0.1, "v": 0.1})
    same(trained("numpy", rule).params, expected)


@pytest.mark.slow
def test_numba_takes_the_same_steps():
    decay = {"W": 0.1, "b": 0.1, "s": 0.1, "v": 0.1}
    found = trained("numba", bp.optim.LAMB(0.02, 0.8, 0.9, weight_decay=0.1))
    same(found.params, lamb(0.02, 0.8, 0.9, 1e-6, decay))
    adamw = bp.optim.AdamW(0.05, weight_decay=0.2, clip_norm=0.5, groups=GROUPS)
    same(trained("numba", adamw).params, trained("numpy", adamw).params)
    same(trained("numba", adamw, threads=2).params, trained("numpy", adamw).params)


@pytest.mark.slow
def test_numba_takes_the_same_steps_in_single_precision():
    rule = bp.optim.LAMB(0.02, clip_norm=0.5, groups=GROUPS)
    expected = trained("numpy", rule, BATCHES[:10]).params
    for target in ("numpy", "numba"):
        found = trained(target, rule, BATCHES[:10], "float32").params
        assert found["v"].dtype == np.float32
        same(found, expected, 2e-4)


@pytest.mark.slow
def test_plain_takes_the_same_steps(tmp_path):
    """All examples in one batch, so that an epoch is a step."""
    rule = bp.optim.AdamW(0.05, weight_decay=0.2, clip_norm=0.5, groups=GROUPS)
    bp.generate(NET, str(tmp_path / "plain.py"), target="plain", optimizer=rule, sizes=SIZES)
    plain, (before, _) = runpy.run_path(str(tmp_path / "plain.py")), start()
    same(plain["train"](before, **BATCHES[0], epochs=20), trained("numpy", rule, BATCHES[:1] * 20).params)


@pytest.mark.slow
def test_what_is_frozen_stays_to_the_bit():
    before, _ = start()
    after = trained("numpy", bp.optim.Adam(0.05, weight_decay=0.1, groups={"W, s": "frozen"})).params
    changed = {k for k in before if not np.array_equal(before[k], after[k])}
    assert changed == {"b", "v"}


@pytest.mark.slow
@pytest.mark.parametrize("groups", [{"b": "frozen"}, {"offset": {"lr": 0.5}}])
def test_a_scalar_is_a_parameter_like_any_other(groups):
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w, b = bp.param("w", (D,)), bp.param("b", ())
    net = bp.Network("line", loss=bp.mse(x @ w + b, y))
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1, groups=groups), sizes={"D": 3})
    state = module.init_state({"w": np.ones(3), "b": 0.25})
    _, slopes = module.loss_and_gradients(state.params, **BATCHES[0])
    right = 0.25 - 0.5 * slopes["b"] * ("offset" in groups)
    module.train_step(state, **BATCHES[0])
    assert state.params["b"] == pytest.approx(right, rel=1e-12)
    np.testing.assert_allclose(state.params["w"], 1 - 0.1 * slopes["w"], rtol=1e-12)


@pytest.mark.slow
def test_a_frozen_parameter_doesnt_alter_the_others():
    """Beside a rule without groups, whose gradient isn't clipped: the same numbers, bit for bit."""
    rule = bp.optim.Adam(0.05, groups={"v": {"lr": 0.05}})
    same(trained("numpy", rule).params, trained("numpy", bp.optim.Adam(0.05)).params, 0)


@pytest.mark.slow
def test_a_schedule_moves_all_rates_in_proportion():
    text = source(
        NET,
        optimizer=bp.optim.SGD(0.1, schedule=bp.optim.schedules.cosine(20), groups={"v": {"lr": 0.01}}),
        sizes=SIZES,
    )
    assert "theta_next[k,i] = theta[k,i] - rate·lr_share[k]·gradient[k,i]" in text
    assert "Update of each entry i of each parameter k:" in text
    assert "parts = (0, 20, 1.0), (20, 24, 0.1)" in text


@pytest.mark.slow
def test_the_diagnosis_takes_the_steps_of_the_module():
    from symbp.language.parts import with_parts
    from symbp.verify.health.training import _Optimizer

    params, gradients = start()
    rule = with_parts(bp.optim.LAMB(0.02, clip_norm=0.5, groups=GROUPS), NET.system)
    reference = _Optimizer(rule, params)
    for batch in BATCHES[:5]:
        params = reference.step(params, gradients(params, **batch)[1], None)
    same(params, trained("numpy", rule, BATCHES[:5]).params)


@pytest.mark.few(fast=1)
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"w": "frozen"}, "no parameter is named 'w'"),
        ({"*": "frozen"}, "all parameters are frozen"),
        ({"W": {"beta1": 0.5}}, "the group 'W' cannot set 'beta1'"),
        ({"W": {"lr": 0}}, "lr of the group 'W' must be positive"),
        ({"W": {"weight_decay": -1}}, "weight_decay of the group 'W' must not be negative"),
        ({"W": {"weight_decay": 0.1}}, "sets weight_decay, which the optimizer hasn't"),
        ({"W": "cold"}, "must be \"frozen\" or settings, not 'cold'"),
    ],
)
def test_refused(groups, message):
    with pytest.raises(UsageError) as error:
        source(NET, optimizer=bp.optim.Adam(groups=groups), sizes=SIZES)
    assert message in str(error.value)


@pytest.mark.slow
def test_refused_where_it_has_no_code():
    with pytest.raises(GenerationError, match="a plain module has no LAMB, which reads the norm of each"):
        source(NET, optimizer=bp.optim.LAMB(), target="plain", sizes=SIZES)
    with pytest.raises(GenerationError, match="W has a size without value"):
        source(NET, optimizer=bp.optim.LAMB())
