"""ONNX models come in, compute what onnxruntime computes, and are declared by a file that says the same."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError, UsageError
from symbp.ir.evaluation.vector import run

pytest.importorskip("onnx", reason="onnx isn't installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
import onnx  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402
from onnx_models import MODELS, Model, made  # noqa: E402


def outputs(found, data):
    """What the network gives, by the reference semantics."""
    system = found.net.system
    sizes = {**system.bound, "batch": len(next(iter(data.values())))}
    values = run(system, {**found.weights.params, **found.weights.buffers, **data}, sizes, system.outputs)
    return list(values.values())


def theirs(content, data):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, data)


def declared_by(text):
    scope = {}
    exec(compile(text, "net.py", "exec"), scope)
    return scope["net"]


QUICK = ("mlp", "words", "rnn", "siamese")


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in MODELS]
)
def test_it_computes_what_onnxruntime_computes(name):
    content, data = made(name)
    found = bp.from_onnx(content)
    for ours, wanted in zip(outputs(found, data), theirs(content, data), strict=True):
        assert ours.shape == wanted.shape
        np.testing.assert_allclose(ours, wanted, atol=1e-5)
    assert str(declared_by(found.text).system) == str(found.net.system)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "siamese"])
def test_in_float64_it_is_the_same_to_rounding(name):
    content, data = made(name, "float64", seed=1)
    found = bp.from_onnx(content)
    (wanted,) = ReferenceEvaluator(onnx.load_from_string(content)).run(None, data)
    np.testing.assert_allclose(outputs(found, data)[0], wanted, atol=1e-10)


def one_step(op, *shape, opset=18, after=(), **attributes):
    """A model of one operator over data of a shape; `after` are arrays that it also takes."""
    m = Model(opset=opset)
    x = m.input("x", shape)
    return m.content(m.add(op, x, *[m.held(value=np.asarray(a)) for a in after], **attributes))


def two_missing():
    m = Model()
    z = m.add("Det", m.add("Cos", m.input("x", (2, 3, 3))))
    return m.content(m.add("Add", m.add("Bernoulli", z), m.add("Bernoulli", z)))


def half():
    m = Model()
    weight = m.held(value=np.ones(3))
    model = m.proto(m.add("Add", m.input("x", (2, 3)), weight))
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.ones(3, np.float16), weight))
    return model


def twice():
    m = Model()
    m.nodes = [onnx.helper.make_node("Relu", [m.input("x", (2, 3))], ["y"])] * 2
    return m.content("y")


def undefined():
    m = Model()
    m.input("x", (2, 3))
    return m.content(m.add("Add", "x", "nobody"))


def strange_attribute():
    m = Model()
    return m.content(m.add("Relu", m.input("x", (2, 3)), slope=0.5))


def loop():
    m = Model()
    body = m.proto("x").graph
    return m.content(m.add("Loop", "", "", m.input("x", (2, 3)), body=body))


REFUSED = {
    "missing, all of them": (two_missing, "2 operations.*\n *Bernoulli, 2 times: .*\n *Det, 1 time"),
    "training batch norm": (
        lambda: one_step("BatchNormalization", 2, 3, after=[np.ones(3)] * 4, training_mode=1),
        "training_mode=1",
    ),
    "training dropout": (lambda: one_step("Dropout", 2, 3, after=[np.float32(0.5), True]), "training mode"),
    "group norm of groups": (
        lambda: one_step("GroupNormalization", 2, 4, 3, after=[np.ones(2)] * 2, num_groups=2),
        "before opset 21",
    ),
    "padding by what is open": (
        lambda: one_step("Pad", 2, 3, after=[np.array([1, 1, 1, 1])], mode="reflect"), "open size",
    ),
    "a loop": (loop, "an operation that.*\n *Loop, 1 time"),
    "nearest otherwise": (
        lambda: one_step("Resize", 2, 1, 4, after=[np.zeros(0, "f"), np.array([1, 1, 1.5], "f")]), "nearest",
    ),
    "an old opset": (lambda: one_step("Relu", 2, 3, opset=9), "opset 9; 11 to"),
    "a strange attribute": (strange_attribute, "no attribute 'slope'"),
    "half precision": (half, "FLOAT16"),
    "a step twice": (twice, "defined twice"),
    "nothing defines it": (undefined, "'nobody' is read before"),
    "integers that are no places": (
        lambda: (m := Model()).content(m.add("Cast", m.input("x", (2, 3), np.ones((2, 3), np.int64)), to=1)),
        "nothing in the model says how many",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_mean_something_else_is_refused(what):
    build, words = REFUSED[what]
    with pytest.raises(DataError, match=words):
        bp.from_onnx(build())


def test_a_clipped_lstm_is_refused_and_what_isnt_read_is_named():
    m = Model()
    x = m.input("x", (4, 2, 3))
    y, _, _ = m.add("LSTM", x, m.held(1, 20, 3), m.held(1, 20, 5), outputs=3, hidden_size=5, clip=1.0)
    with pytest.raises(DataError, match="clip isn't taken over") as refused:
        bp.from_onnx(m.content(y))
    assert "LSTM 'LSTM.0' (step 1)" in str(refused.value)


@pytest.fixture
def beside(tmp_path):
    """A model whose weight lies in a file beside it: how to make it, the weight, the folder above."""
    folder = tmp_path / "model"
    folder.mkdir()
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    for place in (folder / "w.bin", tmp_path / "outside.bin"):
        place.write_bytes(b"1234" + weight.tobytes())
    m = Model()
    name = m.held(value=weight)
    model = m.proto(m.add("MatMul", m.input("x", (2, 2)), name))

    def at(location, offset=4, length=24):
        one = model.graph.initializer[0]
        one.ClearField("raw_data")
        one.ClearField("external_data")
        one.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", offset), ("length", length)):
            one.external_data.add(key=key, value=str(value))
        (folder / "net.onnx").write_bytes(model.SerializeToString())
        return folder / "net.onnx"

    return at, weight, tmp_path


def test_arrays_beside_a_model_come_from_its_folder_alone(beside):
    at, weight, outside = beside
    np.testing.assert_array_equal(bp.from_onnx(at("w.bin")).weights.params["held_0"], weight)
    (outside / "model" / "link.bin").symlink_to(outside / "outside.bin")
    for location in ("../outside.bin", str(outside / "outside.bin"), "link.bin", "", "nowhere.bin"):
        with pytest.raises(DataError, match="isn't in a file of the model's folder"):
            bp.from_onnx(at(location))
    for offset, length in ((8, 24), (4, 20), (-1, 24), ("x", 24), (4, 10**18)):
        with pytest.raises(DataError, match="doesn't fit the part"):
            bp.from_onnx(at("w.bin", offset, length))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["words", "transformer"])
def test_damaged_models_are_refused_in_words(name):
    """Cut off anywhere, or with any byte changed, a model comes in or is refused."""
    content, _ = made(name)
    random = np.random.default_rng(0)
    refused = 0
    for number in range(40):
        damaged = bytearray(content)
        if number < 10:
            damaged = damaged[: random.integers(len(content))]
        else:
            damaged[random.integers(len(content))] = random.integers(256)
        try:
            bp.from_onnx(bytes(damaged))
        except (DataError, UsageError):
            refused += 1
    assert refused >= 10


def bomb(op, *after, **attributes):
    return lambda: one_step(op, 2, 3, after=after, **attributes)


@pytest.mark.parametrize("build", [
    bomb("Tile", np.array([10**12, 1])), bomb("Expand", np.array([10**12, 2, 3])),
    bomb("Reshape", np.array([10**12, -1])), bomb("Slice", *(np.array([k]) for k in (0, 1, 0, 0))),
    bomb("Split", np.array([10**9, -(10**9) + 3]), axis=1), bomb("Transpose", perm=[0, 0]),
    bomb("Squeeze", np.array([7])), bomb("Gather", np.array(9), axis=1), bomb("Concat", np.ones(3), axis=5),
])  # fmt: skip
def test_hostile_operands_take_no_memory(build):
    try:
        found = bp.from_onnx(build())
    except DataError:
        return
    assert found.net.system.outputs  # nothing is calculated: a network of any size is text


@pytest.mark.slow
def test_the_command_writes_a_file_to_train(tmp_path, capsys):
    from symbp.cli.main import main

    model, net, params = tmp_path / "digits.onnx", tmp_path / "digits_net.py", tmp_path / "digits_net.npz"
    m = Model()
    h = m.add("Relu", m.add("Gemm", m.input("x", (2, 64)), m.held(64, 16), m.held(16)))
    model.write_bytes(m.content(m.add("Gemm", h, m.held(16, 10), m.held(10))))
    assert main(["import", str(model), "--loss", "cross_entropy", "-o", str(net)]) == 0
    assert "4 parameters, 0 buffers" in capsys.readouterr().err
    assert "bp.cross_entropy(" in net.read_text()
    before = net.read_text(), params.read_bytes()
    assert main(["import", str(model), "-o", str(net)]) == 2
    model.write_bytes(model.read_bytes()[:100])
    assert main(["import", str(model), "-o", str(net), "--force"]) == 2
    assert "no ONNX model" in capsys.readouterr().err
    assert (net.read_text(), params.read_bytes()) == before
    data, out = tmp_path / "data.npz", tmp_path / "trained.npz"
    np.savez(data, **bp.data.digits())
    told = ["--params", str(params), "--data", str(data), "--epochs", "8", "--out", str(out), "--json"]
    assert main(["train", str(net), *told, "--lr", "0.01"]) == 0
    import json

    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.8
