"""A module's own splits are those of `symbp train`, and data larger than memory stay in their files."""

import os
import subprocess
import sys
from argparse import Namespace

import numpy as np
import pytest

import symbp as bp
from symbp.cli.data import found_for
from symbp.cli.parts import split
from symbp.cli.target import Target
from symbp.runtime.common.arrays import by_rows, mapping

OPTIONS = {
    "validation": None, "split_seed": None, "stratify": False, "last": None, "split_column": None,
    "target_column": None, "drop": [],
}  # fmt: skip


def network():
    N, D, K = bp.dim("N"), bp.dim("D", 2), bp.dim("K", 3)
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (D, K)), bp.param("b", (K,))
    p = bp.softmax(x @ W + b)
    return bp.Network("net", loss=bp.cross_entropy(p, y), outputs={"p": p})


@pytest.fixture(scope="module")
def module():
    net = bp.standardised(network())
    pieces = ["split", "tables", "mapped", "checkpoints"]
    return bp.compile(net, optimizer=bp.optim.SGD(0.1), pieces=pieces)


@pytest.fixture
def table(tmp_path):
    draw = np.random.default_rng(0)
    rows = [f"{a:.3f},2024-01-0{k % 9 + 1},{b:.3f},{part},{kind}" for k, (a, b, part, kind) in enumerate(zip(
        draw.normal(size=50), draw.normal(size=50), draw.choice(["train", "val", "test"], 50),
        draw.choice(["u", "v", "w"], 50, p=[0.7, 0.2, 0.1]), strict=True,
    ))]  # fmt: skip
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["a,when,b,part,kind", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"validation": "0.2"}, {}),
        ({"validation": "0.2", "split_seed": 3, "stratify": True}, {"split_seed": 3, "stratify": True}),
        ({"last": 12}, {"last": 12}),
        ({"split_column": "part"}, {"split_column": "part"}),
    ],
)
def test_a_module_splits_a_table_as_the_command_does(module, table, ours, theirs, capsys):
    drop = ["when", *(["part"] if "split_column" not in ours else [])]
    options = Namespace(**{**OPTIONS, "data": table, "drop": drop, **ours})
    train, held, columns = module._parts(options)
    told = capsys.readouterr().err
    options = Namespace(**{**OPTIONS, "patience": None, **theirs})
    found = found_for(Target(network()), str(table), None, {}, None, theirs.get("split_column"), drop)
    parts = split(options, found, "y")
    for one, other in ((train, parts.train), (held, parts.validation)):
        assert {n: a.tolist() for n, a in one.items()} == {n: a.tolist() for n, a in other.items()}
    assert found.columns == columns
    assert f"{len(train['y'])} examples to train on, {len(held['y'])} to evaluate" in told
    assert "classes of y to train on: 0 " in told
    assert "not read: when" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"validation": "1.5"}, "no share"),
        ({"validation": "0.2", "last": 3}, "two ways to split"),
        ({"stratify": True}, "of a share at random"),
        ({"last": 50}, "cannot hold out the last 50 of 50"),
        ({"split_column": "prt"}, "did you mean 'part'?"),
        ({"split_column": "kind"}, "says no part of the data"),
        ({"validation": "0.2", "drop": ["whn"]}, "did you mean 'when'?"),
    ],
)
def test_splits_that_are_none_are_refused(module, table, options, told):
    given = {**OPTIONS, "data": table, "drop": ["when", "part"], **options}
    given["drop"] = given["drop"][: 1 if "split_column" in options else 2]
    with pytest.raises(module.DataError) as refused:
        module._parts(Namespace(**given))
    assert told in str(refused.value)


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """An archive and a folder of arrays that count as large, and what is in them."""
    draw = np.random.default_rng(0)
    data = {"x": draw.normal(size=(60, 2)).astype(np.float32), "y": np.arange(60) % 3}
    np.savez(tmp_path / "data.npz", **data)
    (tmp_path / "folder").mkdir()
    for name, array in data.items():
        np.save(tmp_path / "folder" / f"{name}.npy", array)
    for one in (mapping, by_rows):
        monkeypatch.setattr(one, "_MAPPED_FROM" if one is mapping else "_PIECE", 40)
    return tmp_path, data


@pytest.mark.parametrize("source", ["data.npz", "folder"])
def test_what_is_mapped_stays_in_its_file_and_trains_as_what_is_read(mapped, module, monkeypatch, source):
    folder, data = mapped
    monkeypatch.setattr(module, "_MAPPED_FROM", 40)
    monkeypatch.setattr(module, "_PIECE", 40)
    options = Namespace(**{**OPTIONS, "data": folder / source, "validation": "0.2", "stratify": True})
    train, held, _ = module._parts(options)
    found = bp.data.load(folder / source)
    ours = bp.data.split(found, seed=0, stratify="y")
    for one, other in zip((train, held), ours, strict=True):
        assert isinstance(one["x"], module._Rows)
        assert isinstance(one["x"].base, np.memmap)
        assert isinstance(other["x"], by_rows._Rows)
        np.testing.assert_array_equal(one["x"], other["x"])
    read, kept = bp.data.split(data, seed=0, stratify="y")
    states = []
    for given, beside in ((train, held), (read, kept)):
        state = module._fresh_state(1, given, {})
        module.fit(state, given, epochs=3, batch_size=7, validation=beside)
        states.append(state)
    np.testing.assert_allclose(states[0].buffers["scale_x"], states[1].buffers["scale_x"], rtol=1e-13)
    np.testing.assert_allclose(states[0].params.flat, states[1].params.flat, rtol=1e-10)


def test_predictions_for_what_is_mapped_are_made_some_rows_after_the_other(mapped, module, monkeypatch):
    for name, value in (("_MAPPED_FROM", 40), ("_PIECE", 40), ("_MOST_ROWS", 7), ("_IN_MEMORY", 40)):
        monkeypatch.setattr(module, name, value)
    folder, data = mapped
    state = module._fresh_state(1, data, {})
    calls = []
    predict = module.predict
    monkeypatch.setattr(
        module, "predict", lambda *a, **given: calls.append(len(given["x"])) or predict(*a, **given)
    )
    for path, out in (("data.npz", "p.npz"), ("folder", "p.csv")):
        arrays, _ = module._read(folder / path, ("x", "y"))
        found = module._predicted(state, arrays, folder / out)
        assert isinstance(found["p"], np.memmap)
        np.testing.assert_allclose(
            found["p"], predict(state.params, state.buffers, x=data["x"])["p"], rtol=1e-13
        )
        module._put(folder / out, found)
    assert calls == [7] * 8 + [4] + [7] * 8 + [4]
    with np.load(folder / "p.npz") as written:
        np.testing.assert_array_equal(written["p"], found["p"])
    lines = (folder / "p.csv").read_text().splitlines()
    assert len(lines) == 61
    assert [float(cell) for cell in lines[60].split(",")] == found["p"][59].tolist()
    assert sorted(p.name for p in folder.iterdir()) == ["data.npz", "folder", "p.csv", "p.npz"]


def test_outputs_that_join_examples_are_computed_at_once():
    N = bp.dim("N")
    x = bp.input("x", (N, 3))
    w = bp.param("w", (3,))
    z = x @ w
    outputs = {"apart": z, "centred": z - bp.mean(z), "pairs": bp.outer(z, z), "ranked": z * bp.mean(x)}
    by_itself = {}
    for name, output in outputs.items():
        net = bp.Network("net", loss=bp.mean(z**2), outputs={name: output})
        by_itself[name] = "_Gathered" in bp.source(net, optimizer=bp.optim.SGD(0.1), pieces=["mapped"])
    assert by_itself == {"apart": True, "centred": False, "pairs": False, "ranked": False}


def test_wrong_values_of_mapped_arrays_are_found_wherever_they_are(mapped, module):
    _, data = mapped
    folder = mapped[0] / "folder"
    for name, change in (("x", {(57, 1): np.nan}), ("y", {(58,): 3})):
        whole = data[name].copy()
        for place, value in change.items():
            whole[place] = value
        np.save(folder / f"{name}.npy", whole)
        found = bp.data.load(folder)
        assert isinstance(found[name], np.memmap)
        where = r"nan at \(57, 1\)" if name == "x" else "3"
        with pytest.raises(module.DataError, match=f"{name} holds {where}"):
            module.fit(module.init_state(module.init_params(0)), found, epochs=1, batch_size=7)
        np.save(folder / f"{name}.npy", data[name])


def test_the_command_trains_from_files_that_it_maps(mapped, capsys):
    from symbp.cli.main import main

    folder, _ = mapped
    (folder / "net.py").write_text(
        "import symbp as bp\nN = bp.dim('N')\nx, y = bp.input('x', (N, 2)), bp.labels('y', (N,), classes=3)\n"
        "p = bp.softmax(bp.nn.Dense(3)(x))\n"
        "net = bp.Network('net', loss=bp.cross_entropy(p, y), outputs={'p': p})\n"
    )
    asked = ["train", str(folder / "net.py"), "--standardise", "--epochs", "2", "--patience", "1"]
    assert main([*asked, "--data", str(folder / "folder"), "--json"]) == 0
    assert main([*asked, "--data", str(folder / "data.npz"), "--last", "10", "--json"]) == 0
    assert '"held_out": 12' in capsys.readouterr().out


@pytest.mark.slow
def test_a_training_takes_less_memory_than_its_data(tmp_path):
    """768 MiB of data beside 400 MiB of memory for everything else."""
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_DATA)[1] != resource.RLIM_INFINITY:
        pytest.skip("memory is limited already")
    rows = 3 * 2**20
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (rows, 64)).flush()
    np.save(tmp_path / "y.npy", np.zeros(rows, np.int8))
    net = bp.Network("net", **_wide())
    text = bp.source(net, optimizer=bp.optim.SGD(0.1), pieces=["mapped", "split"])
    (tmp_path / "net.py").write_text(text)
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_DATA, (400 * 2**20,) * 2); "
        "sys.argv = ['net.py', *sys.argv[1:]]; runpy.run_path('net.py', run_name='__main__')"
    )
    asked = ["train", "--data", ".", "--last", "1000", "--epochs", "1", "--batch-size", "32768"]
    done = subprocess.run(
        [sys.executable, "-c", limited, *asked], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "_IN_MEMORY = 2**28" in text
    (tmp_path / "net.py").write_text(text.replace("_IN_MEMORY = 2**28", "_IN_MEMORY = 2**24"))
    predicting = [sys.executable, "-c", limited, "predict", "--data", ".", "--out", "p.npz"]
    told = subprocess.run(predicting, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "(3145728, 2)" in told.stdout
    assert "_MAPPED_FROM = 2**28" in text  # and read at once they don't fit
    (tmp_path / "net.py").write_text(text.replace("_MAPPED_FROM = 2**28", "_MAPPED_FROM = 2**40"))
    failed = subprocess.run([sys.executable, "-c", limited, *asked], cwd=tmp_path, capture_output=True)
    assert failed.returncode != 0


def _wide():
    N = bp.dim("N")
    x, y = bp.input("x", (N, 64)), bp.labels("y", (N,), classes=2)
    p = bp.softmax(bp.nn.Dense(2)(x))
    return {"loss": bp.cross_entropy(p, y), "outputs": {"p": p}}


@pytest.mark.slow
def test_a_module_reads_a_text_as_the_command_does(tmp_path, capsys):
    from symbp.cli.main import main

    text = "the cat sat on the mat, and the rat sat on the hat\n" * 40
    (tmp_path / "text.txt").write_text(text)
    (tmp_path / "net.py").write_text(
        "import symbp as bp\nN, T, V = bp.dim('N'), bp.dim('T', 8), bp.dim('V')\n"
        "x, y = bp.tokens('x', (N, T), vocabulary=V), bp.labels('y', (N, T), classes=V)\n"
        "p = bp.softmax(bp.embedding(x, bp.param('E', (V, V))))\n"
        "net = bp.Network('net', loss=bp.cross_entropy(p, y), outputs={'p': p})\n"
    )
    asked = ["train", str(tmp_path / "net.py"), "--text", str(tmp_path / "text.txt"), "--epochs", "1"]
    out, kept = tmp_path / "p.npz", tmp_path / "char.py"
    assert main([*asked, "--out", str(out), "--module", str(kept)]) == 0
    assert "pieces of 8 characters, 14 different ones" in capsys.readouterr().err

    def run(*arguments):
        command = [sys.executable, "-I", str(kept), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    found = run("train", "--data", "text.txt", "--epochs", "1", "-o", "own.npz")
    assert found.returncode == 0, found.stderr
    with np.load(out) as theirs, np.load(tmp_path / "own.npz") as ours:
        assert str(theirs["columns"]) == str(ours["columns"])
    (tmp_path / "new.txt").write_text("the hat on the rat\n")
    found = run("predict", "--params", "p.npz", "--data", "new.txt", "-o", "new.npz")
    assert found.returncode == 0, found.stderr
    with np.load(tmp_path / "new.npz") as outputs:
        assert outputs["p"].shape == (2, 8, 15)
    (tmp_path / "new.txt").write_text("the hat on the rat\nthe Hat")
    found = run("predict", "--params", "p.npz", "--data", "new.txt", "-o", "new.npz")
    assert found.returncode == 2
    assert "line 2 has 'H', which the text of the training hasn't" in found.stderr
