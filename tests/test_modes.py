"""Random tensors, buffers and the two modes through all stages: derivation, pages, checks, both targets."""

import functools
import json
import re

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.vector import run
from symbp.ir.points.random import drawn
from symbp.ir.points.sampling import sample_point
from symbp.ir.validate import validate
from symbp.lower.memory import plan as memory
from symbp.targets import named
from symbp.targets.compiled.workspace import memory_plan
from symbp.targets.target import Order

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
SIZES = {"D": 5, "H": 7, "K": 3}
MOMENTUM, EPS, KEEP = 0.1, 1e-5, 0.75


def normalised_net():
    """Batch norm in index notation, with running statistics, and dropout."""
    N, D, H, K = bp.dims("N D H K")
    n, i, j = bp.indices("n i j")
    x = bp.input("x", (N, D))
    y = bp.labels("y", (N,), classes=K)
    W1, W2, b2 = bp.param("W1", (D, H)), bp.param("W2", (H, K)), bp.param("b2", (K,))
    gamma = bp.param("gamma", (H,), init=bp.optim.initial.constant(1))
    beta = bp.param("beta", (H,))
    z = bp.define("z", [n, j], bp.Sum(x[n, i] * W1[i, j], i))
    mu = bp.define("mu", [j], bp.Sum(z[n, j], n) / N)
    v = bp.define("v", [j], bp.Sum((z[n, j] - mu[j]) ** 2, n) / N)
    mean = bp.buffer("mean", (H,))
    var = bp.buffer("var", (H,), init=1, facts="nonnegative")
    mean = bp.update(mean, (1 - MOMENTUM) * mean + MOMENTUM * mu)
    var = bp.update(var, (1 - MOMENTUM) * var + MOMENTUM * v * N / (N - 1))
    c = bp.mode(train=(z - mu) / bp.sqrt(v + EPS), infer=(z - mean) / bp.sqrt(var + EPS))
    mask = bp.random("mask", (N, H), p=KEEP)
    u = bp.relu(gamma * c + beta)
    h = bp.mode(train=mask * u / KEEP, infer=u)
    p = bp.softmax(h @ W2 + b2)
    return bp.Network(
        "normalised", loss=bp.cross_entropy(p, y), outputs={"p": p}, metrics={"accuracy": bp.accuracy(p, y)}
    )


def noisy_net():
    """All kinds of draws, a scalar buffer that counts, and an input without axes."""
    N, D = bp.dims("N D")
    x, scale = bp.input("x", (N, D)), bp.input("scale", ())
    w = bp.param("w", (D,))
    noise, mask = bp.random("noise", (N, D), "normal"), bp.random("mask", (D,), p=0.5)
    u = bp.random("u", (N,), "uniform")
    count = bp.buffer("count", ())
    count = bp.update(count, count + 1)
    y = scale * (x + noise) * mask @ w + bp.log(u) + count
    return bp.Network("noisy", loss=(y**2).mean(), outputs={"y": y})


@functools.cache
def derived(make):
    net = make()
    return net, bp.derive(net)


@functools.cache
def module(make, target, dtype="float64"):
    net, derivation = derived(make)
    sizes = {name: SIZES[name] for name in SIZES if name in derivation.system.sizes}
    return bp.compile(
        net, derivation=derivation, target=target, dtype=dtype, optimizer=bp.optim.Adam(0.01), sizes=sizes
    )


def data_of(count, seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.standard_normal((count, SIZES["D"])), "y": rng.integers(0, SIZES["K"], count)}


NOISY = {"x": np.linspace(-1, 1, 20).reshape(4, 5), "scale": np.array(2.0)}


# --- derivation
@pytest.mark.slow
@pytest.mark.parametrize("make", [normalised_net, noisy_net])
def test_systems_are_valid_and_nothing_flows_into_buffers_or_random_tensors(make):
    net, derivation = derived(make)
    validate(net.system)
    validate(derivation.system)
    system = derivation.system
    late = {*system.updates.values(), *system.inference.values(), *system.metrics}
    trained = system.resting(derivation.gradients.values())
    assert not trained & late
    assert set(derivation.gradients) == {t.name for t in system.parameters}
    assert [t.name for t in system.random] == [t.name for t in net.system.random]


@pytest.mark.slow
def test_equations_stand_in_the_order_in_which_a_page_shows_them():
    _, derivation = derived(normalised_net)
    text = derivation.text(reading="computed")
    titles = ["Forward", "Backward", "Buffers after a step", "Inference", "Metrics"]
    places = [text.index(f"\n{title}\n") for title in titles]
    assert places == sorted(places)
    numbers = [int(number) for number in re.findall(r"^ +\((\d+)\)  ", text, re.MULTILINE)]
    assert numbers == list(range(1, len(derivation.system.equations) + 1))
    assert "mean_next[j] = 9·mean[j]/10 + mu[j]/10" in text
    assert "mask: random (N, H), bernoulli(0.75), binary" in text
    assert "Buffers after a step\n  mean becomes mean_next, var becomes var_next\n" in text
    assert "Inference\n  loss is loss_infer, p is p_infer\n" in text
    assert r"$p$ is $p^{\mathrm{infer}}$" in derivation.latex()
    assert json.loads(derivation.json())["stand_for"]["Inference"]["p"] == "p_infer"


def test_the_gradient_is_that_of_the_published_batch_norm():
    """dz from da alone, with the row statistics saved: nothing of rank two is computed beside it."""
    _, derivation = derived(normalised_net)
    rows = [e.target for e in derivation.backward if e.indices and e.indices[0].name == "n"]
    assert len(rows) == 4
    assert (rows[:2], rows[-1]) == (["da1", "dh"], "dz")


@pytest.mark.parametrize("make", [normalised_net, noisy_net])
def test_the_check_draws_masks_and_passes(make):
    net, derivation = derived(make)
    report = bp.check(net, derivation=derivation)
    assert report.ok, str(report)


@pytest.mark.parametrize("make", [normalised_net, noisy_net])
@pytest.mark.parametrize("target", TARGETS)
def test_modules_compute_what_the_derivation_says(make, target):
    net, derivation = derived(make)
    built = module(make, target)
    report = bp.check(net, derivation=derivation, methods=["complex step"], module=built, sizes=built.SIZES)
    assert report.ok, str(report)


# --- PyTorch
def test_gradients_and_running_statistics_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    net, data = module(normalised_net, "numpy"), data_of(11)
    params = net.init_params(3)
    mask = np.random.default_rng(5).integers(0, 2, (11, SIZES["H"])).astype(float)
    layer = torch.nn.BatchNorm1d(SIZES["H"], eps=EPS, momentum=MOMENTUM, dtype=torch.float64)
    leaves = {name: torch.tensor(array.copy(), requires_grad=True) for name, array in params.items()}
    layer.weight, layer.bias = torch.nn.Parameter(leaves["gamma"]), torch.nn.Parameter(leaves["beta"])
    x, y = torch.tensor(data["x"]), torch.tensor(data["y"])

    def loss_of(masked):
        hidden = torch.relu(layer(x @ leaves["W1"])) * masked
        return torch.nn.functional.cross_entropy(hidden @ leaves["W2"] + leaves["b2"], y)

    loss = loss_of(torch.tensor(mask) / KEEP)
    loss.backward()
    found, gradients = net.loss_and_gradients(params, masks={"mask": mask}, **data)
    assert found == pytest.approx(loss.item(), rel=1e-12)
    theirs = {**{n: t.grad for n, t in leaves.items()}, "gamma": layer.weight.grad, "beta": layer.bias.grad}
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, theirs[name].numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
    state = net.init_state(params)
    net.train_step(state, **data)
    np.testing.assert_allclose(state.buffers["mean"], layer.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(state.buffers["var"], layer.running_var.numpy(), rtol=1e-12)
    layer.eval()
    evaluated = net.evaluate(params, state.buffers, **data)["loss"]
    assert evaluated == pytest.approx(loss_of(1.0).item(), rel=1e-12)


# --- modules
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("make", [normalised_net, noisy_net])
def test_no_two_tensors_share_memory_while_both_are_needed(make, fused):
    net, derivation = derived(make)
    order = Order(derivation, bp.optim.SGD(0.1), sizes=derivation.system.bound, constants=net.hyper)
    found = memory_plan(named("numpy").after("programs", order).network, fused=fused)
    sizes = dict(zip(derivation.system.sizes, (3, 4, 5, 6), strict=False))
    memory.validate(found, [sizes])


@pytest.mark.parametrize("target", TARGETS)
def test_masks_are_those_of_the_reference_generator(target):
    """The first loss with a seed is the one with the reference's values given as masks."""
    net = module(noisy_net, target)
    system = derived(noisy_net)[0].system
    shapes = {"noise": (4, 5), "mask": (5,), "u": (4,)}
    masks = drawn({t.name: t.draw for t in system.random}, shapes, seed=9)
    params = net.init_params(1, D=5)
    drawn_loss, _ = net.loss_and_gradients(params, seed=9, **NOISY)
    given_loss, _ = net.loss_and_gradients(params, masks=masks, **NOISY)
    assert drawn_loss == pytest.approx(given_loss, rel=1e-14)
    assert net.loss_and_gradients(params, seed=10, **NOISY)[0] != drawn_loss
    random = net._drawn(list(shapes), {"N": 4, "D": 5}, 9, 0, {}, {})
    for name, array in random.items():
        if name == "noise":  # logarithm and cosine of two libraries differ in the last bit
            np.testing.assert_allclose(array, masks[name], rtol=1e-14)
        else:
            assert np.array_equal(array, masks[name])


@pytest.mark.slow
@pytest.mark.parametrize("make", [normalised_net, noisy_net])
def test_both_targets_stay_together_over_100_steps(make):
    states = []
    for target in ("numpy", "numba"):
        net = module(make, target)
        state = net.init_state(net.init_params(2, **({} if make is normalised_net else {"D": 5})), seed=7)
        for step in range(100):
            net.train_step(state, **(data_of(13, step) if make is normalised_net else NOISY))
        states.append(state)
    first, second = states
    np.testing.assert_allclose(first.params.flat, second.params.flat, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(first.buffers.flat, second.buffers.flat, rtol=1e-12, atol=1e-12)
    assert first.step == second.step == 100


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(target):
    net = module(normalised_net, target)

    def trained(seed):
        state = net.init_state(net.init_params(0), seed=seed)
        net.fit(state, data_of(20), epochs=2, batch_size=8)
        return state.params.flat.copy(), state.buffers.flat.copy()

    first, again, other = trained(1), trained(1), trained(2)
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("target", TARGETS)
def test_each_step_draws_anew_and_counts_up(target):
    net = module(noisy_net, target)
    state = net.init_state({"w": np.zeros(5)}, seed=3)
    state.hyper["lr"] = 0.0
    losses = [net.train_step(state, **NOISY) for _ in range(3)]
    assert len(set(losses)) == 3
    assert float(state.buffers["count"]) == 3.0


@pytest.mark.parametrize("target", TARGETS)
def test_training_goes_on_after_saving_as_if_nothing_had_happened(target, tmp_path):
    net, data = module(normalised_net, target), data_of(20)
    state = net.init_state(net.init_params(0), seed=5)
    net.fit(state, data, epochs=2, batch_size=8)
    net.save(tmp_path / "state.npz", state)
    loaded = net.load(tmp_path / "state.npz")
    assert (loaded.step, loaded.seed) == (state.step, 5)
    assert np.array_equal(loaded.buffers.flat, state.buffers.flat)
    for one in (state, loaded):
        net.fit(one, data, epochs=2, batch_size=8)
    assert np.array_equal(loaded.params.flat, state.params.flat)
    assert np.array_equal(loaded.buffers.flat, state.buffers.flat)


@pytest.mark.parametrize("target", TARGETS)
def test_forward_in_both_modes(target):
    _, derivation = derived(normalised_net)
    built, data = module(normalised_net, target), data_of(9)
    params, buffers = built.init_params(4), built.init_buffers()
    buffers["mean"] = np.linspace(-1, 1, SIZES["H"])
    system = derivation.system
    mask = drawn({"mask": system.tensor("mask").draw}, {"mask": (9, SIZES["H"])}, seed=6)
    expected = run(system, {**dict(params), **dict(buffers), **data, **mask}, {"N": 9, **SIZES})
    training = built.forward(params, buffers, training=True, seed=6, x=data["x"])["p"]
    np.testing.assert_allclose(training, expected["p"], rtol=1e-12)
    predicted = built.predict(params, buffers, **data)["p"]
    np.testing.assert_allclose(predicted, expected[system.inference["p"]], rtol=1e-12)
    found = built.evaluate(params, buffers, **data)
    assert found["loss"] == pytest.approx(float(expected[system.inference["loss"]]), rel=1e-12)
    assert found["accuracy"] == pytest.approx(float(expected["accuracy"]), rel=1e-12)


def test_a_refused_step_leaves_the_buffers_as_they_were():
    net, data = module(normalised_net, "numpy"), data_of(9)
    state = net.init_state(net.init_params(4))
    net.train_step(state, **data)
    before = state.buffers.flat.copy()
    data["x"][0, 0] = np.inf
    with pytest.raises(net.NotFinite):
        net.train_step(state, **data)
    assert np.array_equal(state.buffers.flat, before)
    assert state.step == 1


@pytest.mark.parametrize("target", TARGETS)
def test_a_module_checks_its_gradients_with_masks_held_fixed(target):
    rows = module(normalised_net, target).check_gradients(seed=3)
    assert all(row["ok"] for row in rows), rows


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_masks_do_not_depend_on_the_precision_or_on_the_rest_of_the_batch(dtype):
    net = module(noisy_net, "numpy", dtype)
    names = ["noise", "mask", "u"]
    whole = net._drawn(names, {"N": 8, "D": 5}, 1, 2, {}, {})
    part = net._drawn(names, {"N": 5, "D": 5}, 1, 2, {}, {})
    assert np.array_equal(whole["noise"][:5], part["noise"])
    double = module(noisy_net, "numpy")._drawn(names, {"N": 8, "D": 5}, 1, 2, {}, {})
    assert np.array_equal(whole["mask"], double["mask"])
    np.testing.assert_allclose(whole["noise"], double["noise"], rtol=1e-6)
    assert whole["u"].max() < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"masks": {"msk": 1}}, "msk is no random tensor; the network draws mask"),
        ({"masks": {"mask": np.ones((2, 7))}}, r"mask has shape \(2, 7\)"),
        ({"masks": {"mask": np.full((9, 7), 0.5)}}, "mask must be binary"),
        ({"buffers": {"mean": np.zeros(7)}}, "the network has the buffers mean, var, not mean"),
        ({"buffers": {"mean": np.zeros(7), "var": -np.ones(7)}}, "var must be nonnegative"),
        ({"buffers": {"mean": np.zeros(6), "var": np.ones(7)}}, r"mean has shape \(6,\)"),
    ],
)
def test_masks_and_buffers_that_do_not_fit_are_refused(arguments, message):
    net = module(normalised_net, "numpy")
    with pytest.raises(net.DataError, match=message):
        net.loss_and_gradients(net.init_params(0), **arguments, **data_of(9))


def test_buffers_that_pass_values_on_do_so_at_the_same_time():
    """A shift register: each takes what the one before held."""
    x, w = bp.input("x", ()), bp.param("w", ())
    a, b = bp.buffer("a", ()), bp.buffer("b", (), init=-1)
    later, now = bp.update(b, a), bp.update(a, x)
    net = bp.Network("register", loss=(w * x - later - now) ** 2)
    built = bp.compile(net, target="numpy", optimizer=bp.optim.SGD(0.1))
    state = built.init_state({"w": np.zeros(())})
    for value in (1.0, 2.0, 3.0):
        built.train_step(state, x=np.array(value))
    assert (float(state.buffers["a"]), float(state.buffers["b"])) == (3.0, 2.0)


@pytest.mark.parametrize("target", TARGETS)
def test_derivatives_of_a_network_with_random_tensors_take_them_as_inputs(target):
    N, D = bp.dims("N D")
    x, w, mask = bp.input("x", (N, D)), bp.param("w", (D,)), bp.random("mask", (N, D))
    y = bp.tanh((x * mask) @ w)
    derivation = bp.hessian(bp.Network("masked", loss=(y**2).mean(), outputs={"y": y}))
    built = bp.compile(derivation, target=target)
    sizes, values = sample_point(derivation.declared, 3)
    expected = run(derivation.system, values, sizes)
    found = built.derivatives({"w": values["w"]}, x=values["x"], mask=values["mask"])
    np.testing.assert_allclose(found["w,w"], expected[derivation.gradients["w,w"]], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(
        built.forward({"w": values["w"]}, x=values["x"], mask=values["mask"])["y"], expected["y"]
    )


def test_a_network_without_outputs_has_two_modes_too():
    """What only the probabilities at inference were for is not needed once their logarithm is stable."""
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W = bp.param("W", (D, K))
    net = bp.Network("plain", loss=bp.cross_entropy(bp.softmax(bp.dropout(x, 0.25) @ W), y))
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), sizes={"D": 3, "K": 2})
    params = module.init_params(0)
    data = {"x": np.ones((4, 3)), "y": np.array([0, 1, 1, 0])}
    scores = data["x"] @ params["W"]
    each = np.log(np.exp(scores).sum(1)) - scores[np.arange(4), data["y"]]
    assert module.evaluate(params, **data)["loss"] == pytest.approx(each.mean(), rel=1e-12)
