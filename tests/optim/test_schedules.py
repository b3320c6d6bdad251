"""Schedules: their numbers, by the formula and beside PyTorch's schedulers, and what is refused."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.ir.evaluation.interpret import evaluate
from symbp.optim import schedules as s
from symbp.optim.names import SCHEDULES

STEPS = 30
T = np.arange(1, STEPS + 1)


def rates(schedule, count=STEPS):
    """The learning rate at each step, read off a step against a gradient of 1."""
    rule = bp.optim.SGD(1.0, schedule=schedule)
    values = {"theta": np.zeros(1), "gradient": np.ones(1), **rule.hyper}
    steps = (evaluate(rule.system, {**values, "step": t}, {"P": 1}) for t in range(1, count + 1))
    return np.array([-float(found["theta_next"][0]) for found in steps])


def test_by_their_formulas():
    np.testing.assert_allclose(rates(s.constant()), 1)
    np.testing.assert_allclose(rates(s.constant().after(6)), np.minimum(T / 6, 1))
    np.testing.assert_allclose(rates(s.step_decay(10, 0.5)), 0.5 ** ((T - 1) // 10))
    np.testing.assert_allclose(rates(s.exponential(0.9)), 0.9 ** (T - 1))
    wave = np.where(T < 20, 0.1 + 0.9 * (1 + np.cos(np.pi * T / 20)) / 2, 0.1)
    np.testing.assert_allclose(rates(s.cosine(20, 0.1)), wave)
    late = np.where(T < 20, (1 + np.cos(np.pi * (T - 5) / 15)) / 2, 0)
    np.testing.assert_allclose(rates(s.cosine(20, warmup=5)), np.where(T < 5, T / 5, late), atol=1e-15)
    line = np.where(T < 20, 1 - (T - 5) / 15, 0)
    np.testing.assert_allclose(rates(s.linear(20, warmup=5)), np.where(T < 5, T / 5, line), atol=1e-15)


def test_a_schedule_begins_when_its_warm_up_is_over():
    """No fall from 1 to where it would be by then."""
    rise = np.array([1, 2, 3, 4]) / 4
    for schedule in (s.exponential(0.8), s.step_decay(3, 0.5), s.cosine(20, 0.1), s.linear(20)):
        found = rates(schedule.after(4))
        np.testing.assert_allclose(found[:4], rise)
        np.testing.assert_allclose(found[4:], rates(schedule)[:-4])


def test_one_cycle_ends_where_it_says_and_stays_there():
    found = rates(s.one_cycle(20, 0.25, 10, 100), 25)
    assert found.argmax() == 4
    np.testing.assert_allclose(found[[0, 4, 19, 24]], [0.1, 1, 1e-3, 1e-3])


# ours, PyTorch's with its settings, and how many calls of it are behind our first step
PEERS = {
    "step": (s.step_decay(7, 0.3), "StepLR", {"step_size": 7, "gamma": 0.3}, 0),
    "exponential": (s.exponential(0.93), "ExponentialLR", {"gamma": 0.93}, 0),
    "one cycle": (s.one_cycle(30), "OneCycleLR", {"max_lr": 1.0, "total_steps": 30}, 0),
    "one cycle, a late peak": (
        s.one_cycle(30, 0.65, 5, 50),
        "OneCycleLR",
        {"max_lr": 1.0, "total_steps": 30, "pct_start": 0.65, "div_factor": 5, "final_div_factor": 50},
        0,
    ),
    "cosine": (s.cosine(31, 0.2), "CosineAnnealingLR", {"T_max": 31, "eta_min": 0.2}, 1),
    "linear": (
        s.linear(20, 0.2),
        "LinearLR",
        {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 20},
        1,
    ),
    "warm-up": (s.constant().after(6), "LinearLR", {"start_factor": 1 / 6, "total_iters": 5}, 0),
}


@pytest.mark.parametrize("name", PEERS)
def test_as_pytorch_has_them(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    schedule, peer_name, settings, behind = PEERS[name]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    peer = getattr(torch.optim.lr_scheduler, peer_name)(optimizer, **settings)
    expected = []
    for _ in range(STEPS + behind):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < STEPS + behind:
            peer.step()
    np.testing.assert_allclose(rates(schedule), expected[behind:], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "plateau"])
def test_by_name_over_steps(name):
    found = rates(s.over(name, STEPS))
    assert found.max() == pytest.approx(1, abs=0.04)
    assert found[-1] == pytest.approx(
        {"constant": 1, "step": 0.01, "exponential": 0.01, "one-cycle": 4e-6}.get(name, 0), rel=0.2, abs=1e-12
    )
    if name != "one-cycle":
        assert rates(s.over(name, STEPS, 5))[0] == pytest.approx(1 / 5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: s.cosine(10, warmup=10), "leaves none of 10 for the cosine"),
        (lambda: s.step_decay(0), "every must be a positive integer"),
        (lambda: s.exponential(0), "factor must be above 0"),
        (lambda: s.exponential(1.5), "factor must be between 0 and 1"),
        (lambda: s.one_cycle(2), "leave none to rise in"),
        (lambda: s.one_cycle(30, 1.0), "or none to fall in"),
        (lambda: s.one_cycle(30, div_factor=0.5), "div_factor must be at least 1"),
        (lambda: s.over("cosine"), "a cosine schedule runs over a number of steps"),
        (lambda: s.over("one-cycle", 30, 3), "rises by itself"),
        (lambda: s.over("plateaus", 30), "there is no schedule 'plateaus'"),
    ],
)
def test_refused(make, message):
    with pytest.raises(UsageError) as error:
        make()
    assert message in str(error.value)
