"""A training is examined: ill networks have their cause named, healthy ones raise no alarm."""

import json
from functools import cache

import more_nets
import numpy as np
import pytest
from ill_nets import ADAM, ILL, SGD, WELL, Trained, classifier, clouds, line, regression

import symbp as bp
from symbp.errors import DataError, UsageError
from symbp.gallery import GALLERY
from symbp.optim import initial as start
from symbp.verify.health import examine
from symbp.verify.health.prepare import prepared
from symbp.verify.health.rates import range_test
from symbp.verify.health.report import as_json, text
from symbp.verify.health.setting import started
from symbp.verify.health.sites import sites
from symbp.verify.health.training import moments

QUICK = ("raw_inputs", "rate_of_100", "dead_by_offset", "rate_too_low")
QUICK_WELL = ("shallow", "last layer from 0")


derived = cache(bp.derive)


def setting_of(case, **options):
    return prepared(derived(case.net), case.optimizer, case.data, batch_size=case.batch_size, **options)


def quick(names, kept):
    return [n if n in kept else pytest.param(n, marks=pytest.mark.long) for n in names]


BY_NAME = {case.__name__: (case, cause) for case, cause in ILL.items()}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", quick(BY_NAME, QUICK))
def test_the_cause_is_named_first(name):
    case, cause = BY_NAME[name]
    problems = examine(setting_of(case())).problems
    assert [finding.rule for finding in problems][:1] == [cause]


@pytest.mark.parametrize("name", quick(WELL, QUICK_WELL))
def test_no_alarm_where_nothing_is_wrong(name):
    health = examine(setting_of(WELL[name]()))
    assert not health.problems, text(health)


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", [*more_nets.ILL, *more_nets.WELL])
def test_networks_that_no_threshold_was_chosen_on(name, seed):
    case, cause = more_nets.ILL.get(name) or (more_nets.WELL[name], None)
    problems = examine(setting_of(case(), seed=seed)).problems
    assert [finding.rule for finding in problems][:1] == ([cause] if cause else [])


@pytest.mark.slow
def test_offsets_that_learn_frequencies_are_no_learning():
    """Nothing comes through from the inputs, but the loss falls to what frequent classes alone give."""
    data = clouds()
    rarer = {**data, "y": np.where(np.arange(256) % 4 > 0, 0, data["y"])}
    net = classifier(layers=8, init=start.normal(0.02))
    problems = examine(setting_of(Trained(net, rarer, SGD(0.3))), with_range=False).problems
    assert [finding.rule for finding in problems][:1] == ["start too small"]


def test_targets_that_are_all_the_same():
    data = {**clouds(), "y": np.zeros(256, int)}
    (problem,) = examine(setting_of(Trained(classifier(), data, ADAM(1e-2))), with_range=False).problems
    assert problem.rule == "targets without information"


def test_a_low_rate_is_told_without_a_range_test():
    case = Trained(classifier(), clouds(), SGD(1e-6))
    (problem,) = examine(setting_of(case), with_range=False).problems
    assert problem.rule == "learning rate too low"
    assert "--lr" in problem.advice


@cache
def shallow():
    return setting_of(Trained(classifier(), clouds(), ADAM(1e-2)))


def test_steps_are_those_of_the_training_module():
    case = Trained(classifier(), clouds(), ADAM(1e-2))
    module = bp.compile(case.net, optimizer=case.optimizer)
    setting = shallow()
    state = module.init_state(module.init_params(setting.seed))
    for moment, _ in zip(moments(setting), range(5), strict=False):
        loss = module.train_step(state, **setting.batch_at(moment.step.number))
        assert loss == pytest.approx(moment.step.loss, rel=1e-12)
        for name, array in moment.params.items():
            np.testing.assert_allclose(array, state.params[name], rtol=1e-9, atol=1e-12)


def test_norms_are_those_of_what_happens():
    setting = shallow()
    before, _ = started(setting)
    moment = next(moments(setting))
    for name, array in before.items():
        moved = np.linalg.norm(moment.params[name] - array)
        assert moment.step.update[name] == pytest.approx(moved)
        assert moment.step.weight[name] == pytest.approx(np.linalg.norm(array))


def test_two_causes_one_behind_the_other():
    case = Trained(classifier(init=start.zeros), clouds(), SGD(300))
    rules = [finding.rule for finding in examine(setting_of(case)).problems]
    assert rules == ["zero start", "learning rate too high"]


def test_a_remedy_has_its_figures_and_its_line():
    health = examine(setting_of(ILL_ZERO()))
    (problem,) = health.problems
    assert problem.about == ("W1", "V")
    assert "init=bp.optim.initial.glorot_normal" in problem.advice
    before, after = (float(part.split()[0]) for part in problem.proof.split("→ ")[1:3])
    assert after < 0.5 * before


def ILL_ZERO():
    return next(case for case in ILL if case.__name__ == "zero_start")()


def test_what_is_not_finite_has_its_equation_and_its_operation():
    N, D = bp.dim("N"), bp.dim("D", 5)
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,), init=start.normal(1))
    n, i = bp.indices("n i")
    a = bp.define("a", [n], bp.log(bp.Sum(x[n, i] * w[i], i)))
    net = bp.Network("logs", loss=bp.mean((a - y) ** 2))
    health = examine(setting_of(Trained(net, line(), SGD(0.1))))
    (problem,) = health.problems
    assert problem.rule == "not finite"
    assert problem.about == ("a",)
    assert "the logarithm of a negative number" in problem.text
    assert health.course.broken.step == 1


def test_the_range_test_finds_where_a_parabola_diverges():
    """θ ← θ − lr·2θ shrinks up to lr = 1 and blows up beyond, whatever the data."""
    w = bp.param("w", (), init=start.constant(3))
    x = bp.input("x", (bp.dim("N"),))
    net = bp.Network("parabola", loss=bp.mean((w + 0 * x) ** 2))
    test = range_test(setting_of(Trained(net, {"x": np.zeros(64)}, SGD(0.1))))
    assert test.rises
    assert 1 < test.rates[-1] < 10  # it takes steps to come back from what had shrunk to nearly 0
    assert 1e-3 < test.suggested < 0.5


def test_a_schedule_is_left_out_of_the_range_test():
    warm = bp.optim.Adam(1e-2, schedule=bp.optim.schedules.constant().after(1000))
    plain, scheduled = (
        range_test(setting_of(Trained(regression(), line(), rule))) for rule in (ADAM(1e-2), warm)
    )
    np.testing.assert_allclose(plain.losses, scheduled.losses, rtol=1e-6)
    assert plain.suggested == scheduled.suggested


def test_bends_are_found_by_their_form():
    N, D = bp.dim("N"), bp.dim("D", 4)
    x, y, b = bp.input("x", (N, D)), bp.target("y", (N, D)), bp.param("b", (D,))
    u = x + b
    flat_to_both = bp.tanh(u) + 1 / (1 + bp.exp(-u)) + bp.sigmoid(u) * x
    flat_to_one = bp.gelu(u) + bp.relu(u) + bp.softplus(u)
    flat_nowhere = u**2 + bp.exp(u) + bp.leaky_relu(u) + 2 * u + bp.log(u**2 + 1)
    for body, bounded in ((flat_to_both, [True] * 3), (flat_to_one, [False] * 3), (flat_nowhere, [])):
        net = bp.Network("bends", loss=bp.mean((body - y) ** 2))
        assert [site.is_bounded for site in sites(net.system)] == bounded


def test_data_are_drawn_where_there_are_none():
    setting = setting_of(Trained(classifier(), None, ADAM(1e-2)))
    assert setting.what == "drawn at random"
    assert setting.data["x"].shape == (32, 8)
    assert set(np.unique(setting.data["y"])) <= set(range(4))


def test_what_cant_be_diagnosed_is_refused():
    net = classifier()
    with pytest.raises(DataError, match="wrong shape"):
        prepared(derived(net), SGD(0.1), {"x": np.zeros((4, 3)), "y": np.zeros(4, int)})
    with pytest.raises(DataError, match="no array for y"):
        prepared(derived(net), SGD(0.1), {"x": np.zeros((4, 8))})
    a, w = bp.input("a", (bp.dim("N"),)), bp.param("w", ())
    products = bp.hvp(bp.Network("square", loss=bp.mean(w**2 * a)))
    with pytest.raises(UsageError, match="only a network with a loss"):
        prepared(products, SGD(0.1))


def test_a_diagnosis_shows_itself():
    found = bp.diagnose(classifier(), clouds(), optimizer=SGD(100), steps=10)
    assert not found.ok
    told = json.loads(json.dumps(found.json(), allow_nan=False))
    assert told["cause"] == "learning rate too high"
    assert len(told["parameters"]["W1"]["gradient"]) == len(told["loss"]) == 10
    assert "ill: learning rate too high" in str(found)
    shown = found._repr_html_()
    assert "<svg" in shown
    assert "learning rate too high" in shown
    assert found.curve().startswith("<svg xmlns")


@pytest.mark.long
@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_is_healthy(name):
    from symbp.cli.data import data_for
    from symbp.cli.target import load_target

    target = load_target(name)
    data = data_for(target, None, None, {}) if target.data else None
    batch = min(target.batch_size or 32, 64)
    rule = target.optimizer or ADAM(1e-3)
    found = bp.diagnose(target.network, data, optimizer=rule, batch_size=batch, range_test=False)
    assert found.ok, str(found)
    assert as_json(found)["cause"] is None
