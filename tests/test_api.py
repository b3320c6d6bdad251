"""What `import symbp as bp` offers, and how the stages compose."""

import json
import subprocess
import sys

import numpy as np
import pytest

import symbp as bp
from symbp.api import source
from symbp.errors import DeclarationError, DerivationError, GenerationError, InvalidSystem, UsageError


@pytest.fixture(scope="module")
def net():
    N, D, H, K = bp.dim("N"), bp.dim("D", 5), bp.dim("H", 4), bp.dim("K", 3)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    h = bp.tanh(x @ W1 + b1)
    p = bp.softmax(h @ W2 + b2)
    return bp.Network("small", loss=bp.cross_entropy(p, y), outputs={"p": p})


def test_every_name_of_the_interface_is_there():
    names = "dims dim input labels target param define indices index Sum Prod Max where Network"
    names += " derive compile generate check nn optim gallery data errors"
    names += " tanh softmax cross_entropy accuracy relu sigmoid mse"
    for name in names.split():
        assert getattr(bp, name) is not None
        assert name in dir(bp)
    with pytest.raises(AttributeError, match="no attribute 'sofmax'"):
        bp.sofmax  # noqa: B018


@pytest.mark.slow
def test_star_import_gives_the_same_names():
    code = "from symbp import *; assert callable(derive) and callable(softmax) and Network and optim.Adam"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_op_is_offered_and_hides_nothing():
    import symbp.api
    import symbp.language
    import symbp.ops

    homes = [set(module.__all__) for module in (symbp.api, symbp.language, symbp.ops)]
    assert sum(map(len, homes)) == len(set.union(*homes)), "one name in two homes"
    for name in symbp.ops.__all__:
        assert getattr(bp, name) is getattr(symbp.ops, name)


@pytest.mark.slow
def test_a_derivation_prints_itself_in_every_format(net):
    d = bp.derive(net)
    assert str(d) == d.text()
    assert d.text(steps=True).startswith(d.text().split("\n\n")[0])
    assert d.latex().startswith(r"\documentclass")
    assert json.loads(d.json())["name"] == "small"
    assert "dW2[" in str(d["W2"])
    with pytest.raises(DerivationError, match="no gradient by 'W3'"):
        d["W3"]


def test_wrt_chooses_what_to_differentiate_by(net):
    assert set(bp.derive(net, wrt=["x", "W1"]).gradients) == {"x", "W1"}


def test_check(net):
    report = bp.check(net, methods="Complex-step")
    assert report.ok
    assert {row.method for row in report.rows} == {"complex step"}
    with pytest.raises(UsageError, match="no method 'guess'"):
        bp.check(net, methods=["guess"])


@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_compile_and_check_the_module(net, target):
    module = bp.compile(net, target=target, optimizer=bp.optim.Adam(1e-3))
    report = bp.check(net, module=module)
    assert report.ok
    assert sum(row.method == "generated module" for row in report.rows) == 4


@pytest.mark.slow
def test_a_wrong_module_is_found_out(net):
    module = bp.compile(net, target="numpy", optimizer=bp.optim.SGD(0.1))
    right = module.loss_and_gradients

    def wrong(params, **inputs):
        loss, gradients = right(params, **inputs)
        return loss, {name: array * (1 + 1e-6) for name, array in gradients.items()}

    module.loss_and_gradients = wrong
    try:
        report = bp.check(net, module=module)
    finally:
        module.loss_and_gradients = right
    assert [row.ok for row in report.rows if row.method == "generated module"] == [False] * 4


@pytest.mark.slow
def test_generate_writes_once(net, tmp_path):
    path = tmp_path / "small.py"
    assert bp.generate(net, path, optimizer=bp.optim.SGD(0.1)) == path
    text = path.read_text(encoding="utf-8")
    assert "import symbp" not in text
    with pytest.raises(GenerationError, match="exists already"):
        bp.generate(net, path, optimizer=bp.optim.SGD(0.1))
    bp.generate(net, path, optimizer=bp.optim.SGD(0.1), force=True)
    assert path.read_text(encoding="utf-8") == text


def test_wrong_options_are_named(net):
    options = {"optimizer": bp.optim.SGD(0.1)}
    with pytest.raises(UsageError, match="no target 'cobol'"):
        bp.compile(net, target="cobol", **options)
    with pytest.raises(UsageError, match="no dtype 'float16'"):
        bp.compile(net, dtype="float16", **options)
    with pytest.raises(UsageError, match=r"no size 'Q'(.|\n)*N, D, H, K"):
        bp.compile(net, sizes={"Q": 3}, **options)
    with pytest.raises(UsageError, match=r"positive integer, not 2\.5"):
        bp.compile(net, sizes={"H": 2.5}, **options)


@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_hyperparameters_keep_their_values(target):
    N, D = bp.dim("N"), bp.dim("D", 3)
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))
    lam = bp.hyper("lam", 0.25)
    net = bp.Network("ridge", loss=bp.mse(x @ w, y) + lam * (w * w).sum())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    report = bp.check(net, module=module)
    assert report.ok
    zero = {"x": np.zeros((2, 3)), "y": np.zeros(2)}
    loss, _ = module.loss_and_gradients({"w": np.ones(3)}, **zero)
    assert loss == pytest.approx(0.75, rel=1e-12)


def test_a_hyperparameter_without_a_value_is_named():
    w, lam = bp.param("w", (3,)), bp.hyper("lam")
    net = bp.Network("open_constant", loss=lam * (w * w).sum())
    with pytest.raises(GenerationError, match="lam has no value"):
        bp.compile(net, optimizer=bp.optim.SGD(0.1))


@pytest.mark.slow
def test_second_derivatives_have_keys_of_two_names(net):
    d = bp.derive(net, wrt=["W2", "b2"], order=2)
    assert list(d.gradients) == ["W2", "b2", "W2,W2", "W2,b2", "b2,W2", "b2,b2"]
    assert str(d["W2,b2"]) == str(bp.hessian(net, wrt=["W2", "b2"])["W2,b2"])
    with pytest.raises(DerivationError, match="order 3"):
        bp.derive(net, order=3)


@pytest.mark.slow
def test_products_and_jacobians(net):
    products = bp.hvp(net, wrt=["b2"])
    assert products.gradients == {"b2": "Hv_b2"}
    assert products.directions == {"b2": "v_b2"}
    assert bp.jacobian(net, of="p", wrt=["b1"]).gradients == {"b1": "J_p_b1"}
    assert set(bp.jacobian(net, "p").gradients) == {"W1", "b1", "W2", "b2"}
    with pytest.raises(InvalidSystem, match="no tensor is named 'q'"):
        bp.jacobian(net, "q")
    assert bp.check(net, derivation=products).ok


@pytest.mark.slow
def test_a_derivation_in_place_of_a_network_makes_a_module_of_derivatives(net, tmp_path):
    d = bp.hessian(net, wrt=["b2"])
    module = bp.compile(d, sizes={"N": 4})
    rng = np.random.default_rng(0)
    params = {t.name: rng.normal(size=[{"D": 5, "H": 4, "K": 3}[str(e)] for e in t.shape])
              for t in net.system.parameters}  # fmt: skip
    found = module.derivatives(params, x=rng.normal(size=(4, 5)), y=np.array([0, 2, 1, 0]))
    assert {key: array.shape for key, array in found.items()} == {"b2": (3,), "b2,b2": (3, 3)}
    np.testing.assert_allclose(found["b2,b2"].sum(0), 0, atol=1e-15)  # p does not change with a constant
    assert bp.generate(d, tmp_path / "hessian.py").read_text(encoding="utf-8") == source(d)
    with pytest.raises(UsageError, match="no use for an optimizer"):
        bp.compile(d, optimizer=bp.optim.SGD(0.1))
    with pytest.raises(UsageError, match="needs an optimizer"):
        bp.compile(net)
    with pytest.raises(GenerationError, match="no gradient of the parameter W1"):
        bp.compile(net, optimizer=bp.optim.SGD(0.1), derivation=bp.derive(net, wrt=["b1"]))


@pytest.mark.slow
def test_a_size_that_is_gone_in_the_end_is_asked_of_nobody():
    """Two stacked tensors, summed over: the axis of length 2 is in no equation of the derivation."""
    size = bp.dim("D")
    w = bp.param("W", (size, size))
    both = bp.stack(w @ w, w, axis=1)
    net = bp.Network("stacked", loss=bp.mean(bp.relu(bp.grad(both, w) - 3)))
    sizes = {**net.system.bound, "D": 3}
    for target in ("numpy", "numba"):
        module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1), sizes=sizes)
        params = module.init_params(seed=0)
        loss, _ = module.loss_and_gradients(params)
        rows, columns = params["W"].sum(1), params["W"].sum(0)
        slope = rows[None, :] + columns[:, None] + 1
        assert loss == pytest.approx(np.maximum(slope - 3, 0).mean())
    gradients = bp.compile(bp.derive(net), target="numpy")
    assert np.isfinite(gradients.derivatives(params)["W"]).all()
    with pytest.raises(UsageError, match="is 2 in the network, not 3"):
        bp.compile(net, target="numpy", optimizer=bp.optim.SGD(0.1), sizes={"D1": 3})


def test_a_size_in_a_formula_only_is_a_number():
    n, d, m = bp.dim("N"), bp.dim("D", 3), bp.dim("M", 5)
    x, w = bp.input("x", (n, d)), bp.param("w", (d,))
    scaled = bp.Network("scaled", loss=bp.mean((x @ w) ** 2) * m / bp.sqrt(m))
    module = bp.compile(scaled, target="numpy", optimizer=bp.optim.SGD(0.1))
    data, params = np.arange(6.0).reshape(2, 3), {"w": np.array([0.5, -1.0, 0.25])}
    loss, _ = module.loss_and_gradients(params, x=data)
    assert loss == pytest.approx(np.sqrt(5) * np.mean((data @ params["w"]) ** 2))
    with pytest.raises(DeclarationError, match="nothing tells its value"):
        bp.Network("open", loss=bp.mean((x @ w) ** 2) * bp.dim("M"))


@pytest.mark.slow
def test_plain_modules_compile_as_they_are():
    """What other targets offer beside the essential isn't asked of plain code."""
    shown = bp.gallery.find("softmax_regression").load()
    module = bp.compile(shown.net, optimizer=bp.optim.SGD(0.1), target="plain")
    assert callable(module.loss_and_gradients)


def test_what_is_no_network_is_told():
    derivation = bp.derive(bp.gallery.find("neuron").load().net)
    with pytest.raises(UsageError, match="takes a network, and this is a Derivation") as error:
        bp.check(derivation)
    assert "bp.check(net, derivation=d)" in str(error.value)
    for call in (bp.derive, bp.hessian, bp.hvp):
        with pytest.raises(UsageError, match=r"takes a network, and this is a float"):
            call(1.0)
