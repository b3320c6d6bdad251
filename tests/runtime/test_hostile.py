"""Files that aren't what they should be: an error in words and an exit code, nothing written, nothing run."""

import importlib.util
import os
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hostile import PASS, cases

import symbp as bp
from symbp.cli.data import found_for
from symbp.cli.main import main
from symbp.cli.target import Target
from symbp.errors import SymbpError
from symbp.runtime.common.training.whole import _here

COUNT = 500 if os.environ.get("SYMBP_LONG") else 48
NET = """
import symbp as bp
N, D, H = bp.dim("N"), bp.dim("D", 4), bp.dim("H", 3)
x, y = bp.input("x", (N, D)), bp.target("y", (N,))
guess = bp.nn.Sequential(bp.nn.Dense(3, activation="tanh"), bp.nn.Dense(1))(x)[:, 0]
net = bp.Network("small", loss=bp.mse(guess, y), outputs={"guess": guess})
"""


@cache
def module_net():
    scope = {}
    exec(NET, scope)
    return scope["net"]


@pytest.fixture(scope="module")
def module():
    pieces = ["tables", "checkpoints", "mapped", "split"]
    return bp.compile(module_net(), optimizer=bp.optim.Adam(0.01), pieces=pieces)


@pytest.fixture(scope="module")
def short():
    from symbp.targets.loading import load

    return load(bp.source(module_net(), optimizer=bp.optim.Adam(0.01), pieces=()), "short")


@pytest.fixture
def whole(module, tmp_path):
    """Files as they should be, by kind, and a folder to work in."""
    draw = np.random.default_rng(0)
    data = {"x": draw.normal(size=(30, 4)), "y": draw.normal(size=30)}
    np.savez(tmp_path / "data.npz", **data)
    rows = [f"{a:.2f},{b:.2f},{c},{t:.2f}" for a, b, c, t in zip(
        *data["x"].T[:2], draw.choice(["red", "blue"], 30), data["y"], strict=True)]  # fmt: skip
    (tmp_path / "data.csv").write_text("\n".join(["a,b,colour,y", *rows]) + "\n")
    state = module.init_state(module.init_params(0))
    module.keep_checkpoints(state, tmp_path / "checkpoint.npz")
    module.fit(state, data, epochs=1, batch_size=8)
    module.save(tmp_path / "params.npz", state)
    (tmp_path / "net.py").write_text(NET)
    kinds = {
        "params": "params.npz",
        "checkpoint": "checkpoint.npz",
        "data": "data.npz",
        "csv": "data.csv",
        "net": "net.py",
    }
    for extra, kind, name in (("safetensors", "safetensors", "p.safetensors"), ("torch", "pt", "p.pt")):
        try:
            __import__(extra)
        except ImportError:
            continue
        asked = ["convert", str(tmp_path / "params.npz"), "--net", str(tmp_path / "net.py")]
        assert main([*asked, "-o", str(tmp_path / name)]) == 0
        kinds[kind] = name
    if importlib.util.find_spec("onnx"):
        asked = ["export", str(tmp_path / "net.py"), "--params", str(tmp_path / "params.npz")]
        assert main([*asked, "-o", str(tmp_path / "p.onnx")]) == 0
        kinds["onnx"] = "p.onnx"
    return tmp_path, {kind: (tmp_path / name).read_bytes() for kind, name in kinds.items()}


def commands(kind, what, path, folder, module, short):
    """What reads a file of that kind: commands of a module, those of symbp, and the short module's `load`."""
    net, out = str(folder / "net.py"), str(folder / "out.npz")
    params, data = str(folder / "params.npz"), str(folder / "data.npz")

    def loaded(one):
        """By `load`; what it takes is as it was saved."""
        try:
            state = one.load(path)
        except (one.DataError, OSError):
            return 2
        if what not in PASS:
            with np.load(params) as good:
                assert all(np.array_equal(a, good[f"params.{n}"]) for n, a in state.params.items()), what
                assert (int(good["step"]), int(good["seed"])) == (state.step, state.seed), what
        return 0

    def read():
        try:
            found_for(Target(module_net()), path, None, {})
        except SymbpError:
            return 2
        return 0

    of_module = {
        "params": [["predict", "--params", path, "--data", data, "-o", out]],
        "checkpoint": [
            ["train", "--data", data, "--resume", path, "-o", out, "--epochs", "1", "--batch-size", "8"]
        ],
        "data": [
            ["train", "--data", path, "-o", out, "--epochs", "1"],
            ["predict", "--params", params, "--data", path, "-o", out],
        ],
        "csv": [["train", "--data", path, "-o", out, "--epochs", "1", "--validation", "0.2"]],
    }
    of_symbp = {
        "params": [["convert", path, "--net", net, "-o", out]],
        "safetensors": [["convert", path, "--net", net, "-o", out]],
        "pt": [["convert", path, "--net", net, "-o", out]],
        "net": [["derive", path, "-o", out]],
        "onnx": [["import", path, "-o", str(folder / "out.py")]],
    }
    yield from (lambda a=a: module.main(a) for a in of_module.get(kind, ()))
    yield from (lambda a=a: main(a) for a in of_symbp.get(kind, ()))
    if kind == "params":
        yield from (lambda one=one: loaded(one) for one in (module, short))
    if kind in ("data", "csv"):
        yield read


ENDINGS = {"csv": ".csv", "net": ".py", "safetensors": ".safetensors", "pt": ".pt", "onnx": ".onnx"}


@pytest.mark.slow
def test_each_is_refused_in_words(whole, module, short, capsys, monkeypatch):
    folder, files = whole
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    trap, out = folder / "trap", folder / "out.npz"
    seen, done = dict.fromkeys(files, 0), 0
    there = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for number, (kind, what, content, must) in enumerate(cases(files, COUNT, 9, str(trap))):
        path = folder / f"bad{number}{ENDINGS.get(kind, '.npz')}"
        path.write_bytes(content)
        refused, told = [], f"case {number}: {kind}, {what}"
        for command in commands(kind, what, str(path), folder, module, short):
            capsys.readouterr()
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                status = command()
            assert status in (0, 1, 2), told
            assert "Traceback" not in capsys.readouterr().err, told
            assert not trap.exists(), f"{told}: something of it ran"
            assert not [path for path in folder.iterdir() if path.name.endswith(".part")], told
            assert not (status == 2 and out.exists()), told
            for made in folder.glob("out*"):
                made.unlink()
            refused.append(status != 0)
        assert any(refused) or not must, f"case {number}: {kind}, {what} passes"
        goes_on = kind == "checkpoint" and not all(refused)  # and keeps checkpoints there
        assert goes_on or path.read_bytes() == content, (kind, what)
        path.unlink()
        seen[kind], done = seen[kind] + 1, done + 1
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == there
    assert done == COUNT
    assert min(seen.values()) >= COUNT // len(files)


@pytest.mark.slow
def test_two_processes_write_one_file_and_it_is_always_whole(module, short, tmp_path):
    """By `save` of both kinds of modules, and by symbp's own writer."""
    state, small = module.init_state(module.init_params(0)), short.init_state(short.init_params(0))
    path = tmp_path / "p.npz"
    module.save(path, state)
    text = f"""
import sys, time
sys.path.insert(0, {str(Path(module.__file__).parent)!r})
from pathlib import Path
from symbp.writing import write
import {module.__name__} as module, {short.__name__} as short
state, small = module.init_state(module.init_params(0)), short.init_state(short.init_params(0))
content, path, end = Path({str(path)!r}).read_bytes(), {str(path)!r}, time.monotonic() + 1.5
while time.monotonic() < end:
    module.save(path, state)
    short.save(path, small)
    write(path, content, force=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(bp.__file__).parents[1])}
    writers = [subprocess.Popen([sys.executable, "-c", text], env=environment) for _ in range(2)]
    read = 0
    while any(writer.poll() is None for writer in writers):
        for one, expected in ((module, state), (short, small)):
            assert np.array_equal(one.load(path).params["W1"], expected.params["W1"])
        read += 1
    assert [writer.wait() for writer in writers] == [0, 0]
    assert read > 3
    assert [left.name for left in tmp_path.iterdir()] == ["p.npz"]


def test_a_device_is_not_replaced(module, short, tmp_path):
    pipe = tmp_path / "pipe"
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(pipe)
    for one in (module, short):
        with pytest.raises(one.DataError, match="no file that could be replaced"):
            one.save(pipe, one.init_state(one.init_params(0)))
    assert pipe.is_fifo()


def test_where_nothing_can_be_written_is_said_before_anything_is_trained(whole, module, capsys):
    folder, _ = whole
    for out, told in (("nowhere/p.npz", "no folder is"), (".", "is a folder")):
        asked = ["train", "--data", str(folder / "data.npz"), "--epochs", "1", "-o", str(folder / out)]
        assert module.main(asked) == 2
        said = capsys.readouterr().err
        assert told in said
        assert "epoch 1" not in said


def test_a_full_disk_is_told_and_what_was_there_stays(whole, module, short, monkeypatch, capsys):
    folder, _ = whole
    data = str(folder / "data.npz")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for one, arguments, name in (
        (module, ["predict", "--params", str(folder / "params.npz"), "--data", data], "out.npz"),
        (module, ["predict", "--params", str(folder / "params.npz"), "--data", data], "out.csv"),
        (module, ["train", "--data", data, "--epochs", "1"], "out.npz"),
        (short, ["train", "--data", data, "--epochs", "1"], "out.npz"),
    ):
        (folder / name).write_bytes(b"before")
        assert one.main([*arguments, "-o", str(folder / name)]) == 2
        assert "No space left" in capsys.readouterr().err
        assert (folder / name).read_bytes() == b"before"
        assert not [path for path in folder.iterdir() if path.name.endswith(".part")]


def test_what_a_killed_process_left_goes_with_the_next_run(whole, module, short):
    folder, _ = whole
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for one, owner in ((module, f"{_here()}-{gone.pid}-0f"), (short, gone.pid)):
        left = folder / f"out.npz.{owner}.part"
        left.write_bytes(b"half")
        asked = ["train", "--data", str(folder / "data.npz"), "--epochs", "1", "-o", str(folder / "out.npz")]
        assert one.main(asked) == 0
        assert not left.exists()


@pytest.mark.slow
def test_names_in_a_model_are_no_code_in_the_file_that_declares_it(whole, monkeypatch):
    onnx = pytest.importorskip("onnx", reason="onnx isn't installed")
    folder, files = whole
    monkeypatch.chdir(folder)
    names = (
        "x'\nimport os; os.mkdir('trap')\n'", 'x"\nimport os; os.mkdir("trap")\n"',
        "x\n__import__('os').mkdir('trap')",
        '"""\nimport os; os.mkdir("trap")\n"""', "x\\\nimport os", "{__import__('os').mkdir('trap')}",
        "x\rimport os; os.mkdir('trap')", "x\u2028import os", "os.mkdir('trap')", "def", "bp",
    )  # fmt: skip
    for number, name in enumerate(names if os.environ.get("SYMBP_LONG") else names[1:4]):
        model = onnx.load_model_from_string(files["onnx"])
        graph = model.graph
        graph.name = model.producer_name = graph.doc_string = model.doc_string = name
        every = {n for node in graph.node for n in (*node.input, *node.output) if n}
        new = {old: f"{name}{k}" for k, old in enumerate(sorted(every))}
        for node in graph.node:
            node.name = node.doc_string = name
            node.input[:], node.output[:] = (
                [new.get(n, n) for n in part] for part in (node.input, node.output)
            )
        for one in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
            one.name, one.doc_string = new.get(one.name, one.name), name
        path = folder / f"named{number}.onnx"
        path.write_bytes(model.SerializeToString())
        if main(["import", str(path), "-o", str(folder / f"named{number}.py")]) == 0:
            assert main(["derive", str(folder / f"named{number}.py"), "-o", os.devnull, "--force"]) == 0
        assert not (folder / "trap").exists(), name
