"""Optimizers that see matrices, or all parameters as one vector, over fifty steps beside PyTorch's; norms
that are bounded, by their equation."""

from __future__ import annotations

import numpy as np
import pytest
from shares import usual

import symbp as bp
from symbp.api import source
from symbp.errors import GenerationError, UsageError

N, D, H = bp.dims("N D H")
SIZES = {"D": 3, "H": 4}
RNG = np.random.default_rng(7)
BATCHES = [{"x": RNG.normal(size=(6, 3)), "y": RNG.normal(size=6)} for _ in range(50)]


def network() -> bp.Network:
    """A wide matrix and a tall one."""
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    W, b, U = bp.param("W", (D, H)), bp.param("b", (H,)), bp.param("U", (H, D))
    v = bp.param("v", (D,), bp.optim.initial.normal(0.7))
    return bp.Network("line", loss=bp.mse(bp.tanh(bp.tanh(x @ W + b) @ U) @ v, y))


NET = network()


def trained(target, rule, batches=BATCHES, dtype="float64"):
    module = bp.compile(NET, target=target, dtype=dtype, optimizer=rule, sizes=SIZES)
    state = module.init_state(module.init_params(0))
    for batch in batches:
        module.train_step(state, **{k: a.astype(dtype) for k, a in batch.items()})
    return {k: np.array(a) for k, a in state.params.items()}


def start():
    module = bp.compile(NET, target="numpy", dtype="float64", optimizer=bp.optim.SGD(), sizes=SIZES)
    return {k: np.array(a) for k, a in module.init_params(0).items()}, module.loss_and_gradients


def same(found, expected, tolerance=1e-10):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


CASES = {
    "adafactor": bp.optim.Adafactor(0.1, weight_decay=0.1),
    "muon": bp.optim.Muon(0.02),
    "muon, adjusted": bp.optim.Muon(
        0.02, nesterov=False, adjust="match_rms_adamw", weight_decay=0.2, groups={"U": "entries"}
    ),
    "lbfgs": bp.optim.LBFGS(0.5, history=5),
    "lbfgs, searching": bp.optim.LBFGS(history=5, line_search="strong_wolfe"),
}


def peers(torch, name, p):
    """PyTorch's optimizers for a case."""
    o = torch.optim
    if name == "adafactor":
        return [o.Adafactor(p.values(), lr=0.1, eps=(2**-23, 1e-3), weight_decay=0.1)]
    if name == "lbfgs":
        return [o.LBFGS(p.values(), lr=0.5, max_iter=1, history_size=5)]
    if name == "lbfgs, searching":  # 25 trials, as it has with 20 iterations
        more = {"max_iter": 1, "max_eval": 26, "line_search_fn": "strong_wolfe"}
        return [o.LBFGS(p.values(), lr=1, history_size=5, **more)]
    if name == "muon":
        entries = o.AdamW([p["b"], p["v"]], lr=0.02, weight_decay=0.1)
        return [o.Muon([p["W"], p["U"]], lr=0.02), entries]
    more = {"nesterov": False, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.2}
    return [
        o.Muon([p["W"]], lr=0.02, **more),
        o.AdamW([p["b"], p["v"], p["U"]], lr=0.02, weight_decay=0.2),
    ]


def by_torch(name, batches):
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    p = {k: torch.nn.Parameter(torch.tensor(a)) for k, a in start()[0].items()}
    made = peers(torch, name, p)
    for batch in batches:
        x, y = torch.tensor(batch["x"]), torch.tensor(batch["y"])

        def closure(x=x, y=y):
            for peer in made:
                peer.zero_grad()
            hidden = torch.tanh(torch.tanh(x @ p["W"] + p["b"]) @ p["U"])
            loss = ((hidden @ p["v"] - y) ** 2).mean()
            loss.backward()
            return loss

        if name.startswith("lbfgs"):
            made[0].step(closure)
            continue
        closure()
        for peer in made:
            peer.step()
    return {k: a.detach().numpy() for k, a in p.items()}


@pytest.fixture
def in_double_precision(monkeypatch):
    """PyTorch's Muon multiplies matrices in half precision; here it keeps what it is given."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)


def batches_of(name):
    return BATCHES[:1] * 50 if name.startswith("lbfgs") else BATCHES


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("in_double_precision")
def test_fifty_steps_as_pytorch_takes_them(name):
    batches = batches_of(name)
    same(trained("numpy", CASES[name], batches), by_torch(name, batches))
    few = batches[:8]  # on the way, where some are at a minimum by then
    same(trained("numpy", CASES[name], few), by_torch(name, few))


@pytest.mark.slow
@pytest.mark.parametrize("name", usual(CASES, 1))
def test_numba_takes_the_same_steps(name):
    batches = batches_of(name)
    same(trained("numba", CASES[name], batches), trained("numpy", CASES[name], batches))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_single_precision_stays_near(target):
    """All in one: moments of shapes of their own, bounded norms, a clipped norm, rates of their own."""
    rule = bp.optim.Adafactor(0.1, clip_norm=0.5, max_norm=0.8, groups={"v": {"lr": 0.02}})
    found = trained(target, rule, BATCHES[:10], "float32")
    assert found["W"].dtype == np.float32
    same(found, trained("numpy", rule, BATCHES[:10]), 2e-4)


def bounded(params, gradients, most):
    """Gradient descent, the weights of each unit shortened after each step."""
    for batch in BATCHES:
        g = gradients(params, **batch)[1]
        params = {k: a - 0.1 * g[k] for k, a in params.items()}
        for name in ("W", "U"):  # x @ W: a unit is weighted with a column
            norms = np.linalg.norm(params[name], axis=0)
            params[name] = params[name] * np.minimum(1, most / norms)
    return params


def test_norms_of_units_are_bounded():
    expected = bounded(*start(), 0.5)
    found = trained("numpy", bp.optim.SGD(0.1, max_norm=0.5))
    same(found, expected)
    assert max(np.linalg.norm(found[name], axis=0).max() for name in ("W", "U")) <= 0.5 * (1 + 1e-12)
    assert not np.allclose(found["U"], trained("numpy", bp.optim.SGD(0.1))["U"])


def test_units_of_convolutions_and_tables_are_rows():
    """What is summed over, or looked up, is what a unit is weighted with."""
    from symbp.language.parts import with_parts

    x, tokens = bp.input("x", (N, 3, 6, 6)), bp.tokens("t", (N,), vocabulary=9)
    kernel, E, v = bp.param("k", (4, 3, 3, 3)), bp.param("E", (9, 4)), bp.param("v", (4,))
    h = bp.tanh(bp.conv2d(x, kernel)).sum((2, 3)) + bp.embedding(tokens, E)
    net = bp.Network("both", loss=bp.mse(h @ v, bp.target("y", (N,))))
    parts = with_parts(bp.optim.SGD(max_norm=1.0), net.system).parts
    assert {part.parameter: part.form for part in parts} == {"k": "rows", "E": "rows", "v": "entries"}


def test_layers_of_a_stack_are_matrices_of_their_own():
    """Each layer as if it were a parameter by itself."""
    from symbp.codegen.updates.layout import layout
    from symbp.gallery import find
    from symbp.language.parts import with_parts

    rule = bp.optim.Muon()
    system = find("gpt").load().net.system
    rule = with_parts(rule, system)
    shapes = {p.name: p.shape for p in system.parameters}
    stacked = {part.parameter for part in rule.parts if part.stacked}
    assert {"W5", "b5", "gamma4"} <= stacked < set(shapes)
    sizes = dict.fromkeys(system.sizes, 6) | dict(system.bound)
    places = layout(rule, system.parameters, sizes)
    ends = [row.stop for table in places.tables.values() for row in table]
    assert len(ends) == len(set(ends)) > len(shapes)
    matrices = [row for (form, _), table in places.tables.items() if form != "entries" for row in table]
    assert {(row.rows, row.columns) for row in matrices if 6 not in (row.rows, row.columns)} == {
        (32, 32),  # of all heads together, also where they are summed over
        (32, 128),
        (128, 32),
    }


def test_the_text_of_a_module_says_where_each_matrix_lies():
    text = source(NET, optimizer=bp.optim.Adafactor(), sizes=SIZES)
    assert '"row": {"W": (3,), "U": (4,)}' in text
    assert "row_squares[r] = Σ_c gradient[r,c]²/C" in text
    assert "def _update_matrix(theta, gradient, row, column, step, lr" in text
    assert "u = gradient / np.sqrt(np.where(v_of_both < eps1**2, eps1**2, v_of_both))" in text


def test_a_plain_module_has_none_of_it():
    for rule in (bp.optim.Muon(), bp.optim.LBFGS(), bp.optim.SGD(max_norm=1.0)):
        with pytest.raises(GenerationError, match="a plain module updates all parameters alike"):
            source(NET, optimizer=rule, target="plain", sizes=SIZES)
    rule = bp.optim.SGD(schedule=bp.optim.schedules.plateau())
    with pytest.raises(GenerationError, match="not one that follows the loss"):
        source(NET, optimizer=rule, target="plain", sizes=SIZES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bp.optim.Adafactor(beta2_decay=0.8), "beta2_decay must be negative"),
        (lambda: bp.optim.Muon(iterations=0), "iterations must be from 1 to 99"),
        (lambda: bp.optim.Muon(adjust="orignal"), "did you mean original"),
        (lambda: bp.optim.Muon(groups={"W": "sparse"}), "Muon needs all of a matrix"),
        (lambda: bp.optim.LBFGS(history=0), "history must be a positive integer"),
        (lambda: bp.optim.LBFGS(line_search="strong"), "LBFGS has no line search 'strong'"),
        (lambda: bp.optim.LBFGS(line_search="strong_wolfe", clip_norm=1), "clip_norm changes it"),
        (lambda: bp.optim.LBFGS(groups={"W": "frozen"}), "LBFGS has no groups"),
        (lambda: bp.optim.SGD(max_norm=0), "max_norm must be a positive number"),
    ],
)
def test_refused(make, message):
    with pytest.raises(UsageError) as error:
        make()
    assert message in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"clip_norm": 0.5, "groups": {"W": "frozen"}}, {"max_norm": 0.6}])
def test_the_diagnosis_takes_the_steps_of_the_module(options):
    from symbp.language.parts import with_parts
    from symbp.verify.health.shaped import ShapedOptimizer

    for make in (bp.optim.Adafactor, bp.optim.Muon):
        params, gradients = start()
        rule = with_parts(make(0.05, **options), NET.system)
        reference = ShapedOptimizer(rule, params)
        for batch in BATCHES[:5]:
            params = reference.step(params, gradients(params, **batch)[1], None)
        same(params, trained("numpy", rule, BATCHES[:5]))


def test_a_training_goes_on_from_a_checkpoint_and_a_file_bit_for_bit(tmp_path):
    """Moments of shapes of their own, those of no parameter alone, too."""
    data = {"x": RNG.normal(size=(12, 3)), "y": RNG.normal(size=12)}
    for rule in (bp.optim.Adafactor(0.1), bp.optim.LBFGS(0.5, history=3)):
        made = {"optimizer": rule, "sizes": SIZES, "pieces": ("checkpoints",)}
        module = bp.compile(NET, target="numpy", dtype="float64", **made)

        def begun(module=module):
            return module.init_state(module.init_params(0), seed=1)

        whole = begun()
        module.fit(whole, data, epochs=6, batch_size=6)
        state, again = begun(), begun()
        module.keep_checkpoints(state, tmp_path / "run.npz")
        module.fit(state, data, epochs=4, batch_size=6)
        module.resume(again, tmp_path / "run.npz")
        module.fit(again, data, epochs=6, batch_size=6)
        np.testing.assert_array_equal(again.params.flat, whole.params.flat)
        module.save(tmp_path / "state.npz", whole)
        loaded = module.load(tmp_path / "state.npz")
        batch = {name: array[:6] for name, array in data.items()}
        assert module.train_step(loaded, **batch) == module.train_step(whole, **batch)
        np.testing.assert_array_equal(loaded.params.flat, whole.params.flat)
        assert {name for name, arena in loaded.moments.items() if arena.flat.any()} >= set(rule.moments) - {
            "s"
        }
