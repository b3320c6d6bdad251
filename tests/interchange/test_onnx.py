"""ONNX models compute what the equations say, as onnxruntime runs them."""

import re

import numpy as np
import pytest
from derived_once import of_gallery

import symbp as bp
from symbp import gallery
from symbp.cli.main import main
from symbp.errors import DataError, GenerationError, UsageError
from symbp.ir.evaluation.vector import run
from symbp.ir.system import Role
from symbp.verify.points import Drawer, all_sizes, domains_of

onnx = pytest.importorskip("onnx", reason="onnx isn't installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
from onnx.reference import ReferenceEvaluator  # noqa: E402

from symbp.interchange.onnx.export import onnx_model  # noqa: E402

TOLERANCES = {"float64": 1e-10, "float32": 1e-5}
QUICK = ("linear_regression", "mlp", "vae", "word2vec", "gru_cell", "dropout")
SLOW = ("cnn", "crf", "char_lstm", "gpt")


def point_of(derivation):
    """Sizes, and the value of each leaf."""
    from dataclasses import replace

    sizes = all_sizes(derivation.declared, {}, 1)[0]
    drawer = Drawer(derivation.declared, [derivation.declared.loss], derivation.constants)
    drawer = replace(drawer, domains=domains_of(drawer, sizes, 0))
    return sizes, drawer.draw(sizes, 0).values


def kept(system, values):
    return {t.name: values[t.name] for t in system.leaves if t.role in (Role.PARAMETER, Role.BUFFER)}


def outputs(model, system, values, dtype):
    """What onnxruntime computes, by the names of outputs; of double precision it hasn't all, and ONNX's own
    evaluator takes its place."""
    own = {i.name for i in model.graph.initializer}
    feed = {
        i.name: np.asarray(values[i.name]).astype("int64" if system.tensor(i.name).integer else dtype)
        for i in model.graph.input
        if i.name not in own
    }
    try:
        found = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception as failure:
        if dtype == "float32" or "NOT_IMPLEMENTED" not in str(failure):
            raise
        found = ReferenceEvaluator(model)
    return dict(zip([o.name for o in model.graph.output], found.run(None, feed), strict=True))


def compare(derivation, gradients):
    system = derivation.system
    sizes, values = point_of(derivation)
    right = run(system, values, sizes)
    for dtype, tolerance in TOLERANCES.items():
        model = onnx_model(derivation, kept(system, values), sizes=loops(derivation, sizes, gradients),
                           dtype=dtype, gradients=gradients)  # fmt: skip
        for name, found in outputs(model, system, values, dtype).items():
            wanted = np.asarray(right[name if gradients else system.inference.get(name, name)])
            assert found.shape == wanted.shape, name
            assert found.dtype == dtype or system.tensor(name).integer
            scale = max(1.0, np.abs(wanted).max(initial=0))
            np.testing.assert_allclose(found / scale, wanted / scale, rtol=0, atol=tolerance, err_msg=name)


def loops(derivation, sizes, gradients):
    """The sizes that must be known, so that all others are left open."""
    given = {}
    for name in derivation.system.sizes:
        try:
            onnx_model(derivation, kept(derivation.system, point_of(derivation)[1]), sizes=given,
                       gradients=gradients)  # fmt: skip
            return given
        except GenerationError:
            given[name] = sizes[name]
    return given


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *QUICK,
        *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
        *(pytest.param(n, marks=pytest.mark.long) for n in gallery.GALLERY if n not in (*QUICK, *SLOW)),
    ],
)
def test_a_gallery_net_goes_out_with_predictions_and_gradients(name):
    derivation = of_gallery(name)
    compare(derivation, gradients=False)
    compare(derivation, gradients=True)


N, D = bp.dim("N"), bp.dim("D", 4)


def odd_net():
    """What the gallery has little of: functions that ONNX hasn't, running sums, sorting."""
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    u = x * w
    total = bp.softplus(u).sum() + bp.atan2(u, w).sum()
    return bp.Network(name="odd", loss=total / N, outputs={"all": bp.cumsum(u, -1), "place": bp.argsort(u)})


@pytest.mark.slow
def test_functions_that_onnx_lacks_are_made_of_others():
    derivation = bp.derive(odd_net())
    compare(derivation, gradients=False)
    compare(derivation, gradients=True)


def log1mexp(u):
    """log(1 − exp(u)) below 0, by what keeps the digits near 0 and far out."""
    return np.where(u > -0.7, np.log(-np.expm1(u)), np.log1p(-np.exp(u)))


def test_functions_keep_their_digits():
    """Made of operators that ONNX has, and compared with NumPy's near 0 and far out."""
    from symbp.interchange.onnx.elementwise import FUNCTIONS, function
    from symbp.interchange.onnx.graph import Graph, Made

    near = np.array([1e-300, 1e-12, 1e-7, 1e-3, 0.3, 0.8, 1.0, 3.0, 30.0, 300.0])
    x = np.concatenate([-near, [0.0], near])
    right = {
        "np.expm1": np.expm1, "np.sinh": np.sinh, "np.cosh": np.cosh,
        "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
        "softplus": lambda u: np.logaddexp(0, u), "np.log1p": np.log1p,
        "log1mexp": log1mexp,
    }  # fmt: skip
    assert set(right) <= set(FUNCTIONS)
    for name, wanted in right.items():
        given = {"np.log1p": np.abs(x), "log1mexp": -np.maximum(np.abs(x), 1e-300)}.get(name, x)
        graph = Graph(np.float64)
        made = function(graph, name, Made("x", 1, "real"))
        helper = onnx.helper
        nodes = [helper.make_node(op, read, to, **more) for op, read, to, more in graph.nodes]
        told = [helper.make_tensor_value_info(n, onnx.TensorProto.DOUBLE, [None]) for n in ("x", made.name)]
        held = [onnx.numpy_helper.from_array(a, n) for n, a in graph.constants.items()]
        model = helper.make_model(
            helper.make_graph(nodes, "f", told[:1], told[1:], held),
            opset_imports=[helper.make_opsetid("", 18)], ir_version=9,
        )  # fmt: skip
        session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        with np.errstate(all="ignore"):
            found, exact = session.run(None, {"x": given})[0], wanted(given)
        np.testing.assert_allclose(found, exact, rtol=1e-13, err_msg=name)


def test_the_number_of_examples_stays_open(tmp_path):
    net = gallery.find("mlp").load().net
    made = np.random.default_rng(0)
    values = {"W1": made.normal(size=(64, 64)), "b1": np.zeros(64), "W2": made.normal(size=(64, 10)),
              "b2": np.zeros(10)}  # fmt: skip
    path = bp.to_onnx(net, values, tmp_path / "mlp.onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for count in (1, 7):
        (p,) = session.run(None, {"x": made.normal(size=(count, 64)).astype("float32")})
        assert p.shape == (count, 10)
        np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)


def test_large_values_do_not_overflow(tmp_path):
    """What goes out are the stabilised equations, not the declared ones."""
    net = gallery.find("softmax_regression").load().net
    values = {t.name: np.ones([net.system.bound[e.name] for e in t.shape]) for t in net.system.parameters}
    path = bp.to_onnx(net, values, tmp_path / "net.onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (p,) = session.run(None, {"x": np.full((1, 2), 500, "float32")})
    np.testing.assert_allclose(p, 1 / 3, atol=1e-6)


def test_the_command_writes_a_model(tmp_path, capsys):
    net = gallery.find("softmax_regression").load().net
    values = {t.name: np.ones([net.system.bound[e.name] for e in t.shape]) for t in net.system.parameters}
    np.savez(tmp_path / "p.npz", **{f"params.{n}": a for n, a in values.items()})
    out = tmp_path / "net.onnx"
    command = ["export", "softmax_regression", "--params", str(tmp_path / "p.npz"), "-o", str(out)]
    assert main([*command, "--gradients"]) == 0
    assert {o.name for o in onnx.load(out).graph.output} == {"loss", *bp.derive(net).gradients.values()}
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--force", "--size", "Q=3"]) == 2
    assert "no size 'Q'" in capsys.readouterr().err


@pytest.mark.slow
def test_what_cannot_go_out_is_named(tmp_path):
    path = tmp_path / "net.onnx"
    rnn = gallery.find("char_gru").load().net
    derivation = bp.derive(rnn, wrt=[])
    _, values = point_of(derivation)
    with pytest.raises(GenerationError, match="how many steps"):
        bp.to_onnx(derivation, kept(derivation.system, values), path)
    a = bp.param("A", (3, 3))
    inverse = bp.Network(name="inverse", loss=bp.inverse(a).sum(), outputs={"B": bp.inverse(a)})
    with pytest.raises(GenerationError, match=re.escape("no operator for linalg.inv")):
        bp.to_onnx(inverse, {"A": np.eye(3)}, path)
    mlp = gallery.find("mlp").load().net
    with pytest.raises(DataError, match="no array for the parameter"):
        bp.to_onnx(mlp, {}, path)
    with pytest.raises(UsageError, match="dtype"):
        bp.to_onnx(mlp, {}, path, dtype="float16")
    assert not list(tmp_path.iterdir())


def test_what_standardised_in_training_goes_along_or_the_model_is_refused(tmp_path):
    N, D = bp.dims("N D")
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))
    guess = x @ w
    net = bp.Network("line", loss=bp.mse(guess, y), outputs={"guess": guess})
    params = {"w": np.array([1.0, -2.0])}
    buffers = {
        "mean_x": np.array([5.0, 6.0]),
        "scale_x": np.array([2.0, 4.0]),
        "mean_y": 10.0,
        "scale_y": 3.0,
    }
    arrays = {f"params.{n}": a for n, a in params.items()} | {f"buffers.{n}": a for n, a in buffers.items()}
    np.savez(tmp_path / "p.npz", **arrays)
    (tmp_path / "net.py").write_text(
        "import symbp as bp\nN, D = bp.dims('N D')\n"
        "x, y, w = bp.input('x', (N, D)), bp.target('y', (N,)), bp.param('w', (D,))\n"
        "guess = x @ w\nnet = bp.Network('line', loss=bp.mse(guess, y), outputs={'guess': guess})\n"
    )
    asked = ["export", str(tmp_path / "net.py"), "--params", str(tmp_path / "p.npz")]
    assert main([*asked, "-o", str(tmp_path / "net.onnx")]) == 0
    model = onnx.load(str(tmp_path / "net.onnx"))
    point = np.array([[7.0, 2.0]])
    found = outputs(model, net.system, {"x": point}, "float32")["guess"]
    np.testing.assert_allclose(found, [10 + 3 * ((7 - 5) / 2 - 2 * (2 - 6) / 4)], rtol=1e-6)
    with pytest.raises(DataError, match=r"(?s)no parameter or buffer 'mean_x'.*standardised"):
        bp.to_onnx(net, params, tmp_path / "wrong.onnx", buffers=buffers)
    assert not (tmp_path / "wrong.onnx").exists()
