"""`symbp train`: what it reports, what it keeps, what it refuses."""

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from symbp.cli.main import main

OPEN = """
import symbp as bp

N, D, H, K = bp.dims("N D H K")
x = bp.input("x", (N, D))
y = bp.labels("y", (N,), classes=K)
W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
p = bp.softmax(bp.relu(x @ W1 + b1) @ W2 + b2)
measured = {"accuracy": bp.accuracy(p, y)}
net = bp.Network("mine", loss=bp.cross_entropy(p, y), outputs={"p": p}, metrics=measured)
"""
FAST = ("--lr", "0.05")
SIZES = ("--size", "H=4", "--size", "K=2")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a user's net and data: two classes that a line separates."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "net.py").write_text(OPEN)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 3))
    np.savez(tmp_path / "mine.npz", x=x, y=(x[:, 0] > 0).astype(int), unused=np.ones(2))
    return tmp_path


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    status = main([str(a) for a in arguments])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_json_is_one_object_with_everything(capsys, folder):
    status, out, err = run(
        capsys, "train", "net.py", *SIZES, "--data", "mine.npz", "--epochs", 30, *FAST, "--json"
    )
    assert status == 0
    found = json.loads(out)
    assert set(found) >= {
        "accuracy",
        "loss",
        "epochs",
        "seconds",
        "gradient_error",
        "held_out",
        "seed",
        "target",
    }
    assert (found["epochs"], found["held_out"], found["network"]) == (30, 12, "mine")
    assert found["gradient_error"] <= 1e-6
    assert found["accuracy"] >= 0.75
    assert "epoch 30/30" in err
    assert not [path for path in folder.glob("*.npz") if path.name != "mine.npz"]


@pytest.mark.slow
def test_the_seed_decides_everything(capsys, folder):  # noqa: ARG001
    arguments = ("train", "net.py", *SIZES, "--data", "mine.npz", "--epochs", 2, "--json", "--seed")
    first, again, other = (json.loads(run(capsys, *arguments, seed)[1])["loss"] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.slow
def test_out_and_module_are_kept_and_not_overwritten(capsys, folder):
    arguments = ["train", "net.py", *SIZES, "--data", "mine.npz", "--epochs", 2]
    arguments += ["--out", "trained.npz", "--module", "kept.py"]
    status, out, _ = run(capsys, *arguments)
    assert status == 0
    assert "trained.npz" in out
    with np.load(folder / "trained.npz") as saved:
        assert any("W1" in name for name in saved.files)
    subprocess.run([sys.executable, "kept.py", "--help"], check=True, capture_output=True)
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "exists already" in err
    assert run(capsys, *arguments, "--force")[0] == 0


def test_float32_is_checked_in_float64(capsys, folder):  # noqa: ARG001
    arguments = (
        "train",
        "net.py",
        *SIZES,
        "--data",
        "mine.npz",
        "--epochs",
        1,
        "--json",
        "--dtype",
        "float32",
    )
    found = json.loads(run(capsys, *arguments)[1])
    assert found["dtype"] == "float32"
    assert found["gradient_error"] <= 1e-6


@pytest.mark.few(fast=2)
@pytest.mark.parametrize(
    ("arrays", "options", "parts"),
    [
        ({"x": np.ones((20, 3))}, SIZES, ["no array 'y'", "the network reads: x, y"]),
        ({"x": np.ones((20, 3)), "y": np.full(20, 5)}, SIZES, ["y holds 5", "from 0 to 1"]),
        ({"x": np.full((20, 3), np.nan), "y": np.zeros(20, int)}, SIZES, ["x holds nan", "finite"]),
        ({"x": np.ones((20, 3)), "y": np.zeros(20)}, SIZES, ["y has dtype float64", "integers"]),
        ({"x": np.ones((20, 3, 1)), "y": np.zeros(20, int)}, SIZES, ["x has shape (16, 3, 1)", "(N, D)"]),
        ({"x": np.ones((20, 3)), "y": np.zeros(19, int)}, SIZES, ["different numbers", "(20, 3)", "(19,)"]),
        ({"x": np.ones((20, 3)), "y": np.zeros(20, int)}, (), ["size H", "--size H=32"]),
        ({"x": np.ones((20, 3)), "y": np.zeros(20, int)}, ("--size", "Z=3"), ["size"]),
    ],
)
def test_data_that_do_not_fit(capsys, folder, arrays, options, parts):
    np.savez(folder / "wrong.npz", **arrays)
    status, out, err = run(capsys, "train", "net.py", *options, "--data", "wrong.npz")
    assert (status, out) == (2, "")
    for part in parts:
        assert part in err
    assert "Traceback" not in err


def test_a_step_that_is_not_finite_stops_and_saves(capsys, folder):
    arguments = ("--optimizer", "sgd", "--lr", "1e300", "--epochs", 3, "--json")
    status, out, err = run(capsys, "train", "net.py", *SIZES, "--data", "mine.npz", *arguments)
    assert status == 1
    found = json.loads(out)
    assert "not finite" in found["stopped"]
    assert "not finite" in err
    with np.load(folder / found["saved"]) as saved:
        for name in saved.files:
            assert saved[name].dtype.kind != "f" or np.isfinite(saved[name]).all()


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_log_holds_a_line_of_json_for_each_epoch(capsys, folder):
    arguments = ("train", "net.py", *SIZES, "--data", "mine.npz", "--epochs", 3, "--log", "log.jsonl")
    assert run(capsys, *arguments)[0] == 0
    records = lines(folder / "log.jsonl")
    assert [record["epoch"] for record in records] == [1, 2, 3]
    assert set(records[0]) >= {"loss", "validation_loss", "validation_accuracy", "seconds"}
    status, _, err = run(capsys, *arguments)
    assert (status, "exists already" in err) == (2, True)


@pytest.mark.slow
def test_patience_ends_the_training_and_keeps_the_best_epoch(capsys, folder):
    arguments = ("--optimizer", "adam", "--lr", "1", "--epochs", 60, "--patience", 3, "--log", "log.jsonl")
    _, out, err = run(
        capsys, "train", "net.py", *SIZES, "--data", "mine.npz", *arguments, "--json", "--out", "best.npz"
    )
    records = lines(folder / "log.jsonl")
    best = min(records, key=lambda record: record["validation_loss"])
    assert len(records) == best["epoch"] + 3 == json.loads(out)["epochs"] < 60
    assert f"kept the parameters of epoch {best['epoch']}" in err
    other = ("--optimizer", "adam", "--lr", "1", "--epochs", best["epoch"], "--patience", 60)
    run(capsys, "train", "net.py", *SIZES, "--data", "mine.npz", *other, "--out", "same.npz")
    with np.load(folder / "best.npz") as kept, np.load(folder / "same.npz") as same:
        np.testing.assert_array_equal(kept["params.W1"], same["params.W1"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--schedule", "cosine", "--warmup", "2"), "cos("),
        (("--schedule", "linear"), "(U1)  rate = "),
        (("--schedule", "step"), "(U1)  rate = "),
        (("--warmup", "2"), "(U1)  rate = "),
        (("--clip-norm", "0.5"), '"clip_norm": 0.5'),
        (("--clip-value", "0.1"), '"clip_value": 0.1'),
        (("--weight-decay", "0.01"), '"weight_decay": 0.01'),
    ],
)
def test_what_the_update_has_stands_in_the_module_only_when_asked_for(capsys, folder, options, part):
    arguments = ("train", "net.py", *SIZES, "--data", "mine.npz", "--epochs", 2, "--module")
    assert run(capsys, *arguments, "plain.py")[0] == 0
    assert run(capsys, *arguments, "asked.py", *options)[0] == 0
    plain, asked = ((folder / name).read_text(encoding="utf-8") for name in ("plain.py", "asked.py"))
    assert part in asked
    assert part not in plain


@pytest.mark.slow
def test_standardised_inputs_are_saved_and_applied_to_raw_data(capsys, folder):
    draw = np.random.default_rng(1)
    x = draw.normal(size=(80, 3)) * [1e-3, 1e4, 1] + [5, -3e4, 0]
    np.savez(folder / "raw.npz", x=x, y=(x[:, 1] > -3e4).astype(int))
    arguments = (
        "train",
        "net.py",
        *SIZES,
        "--data",
        "raw.npz",
        "--epochs",
        40,
        *FAST,
        "--last",
        20,
        "--json",
    )
    kept = ("--standardise", "--out", "p.npz", "--module", "kept.py")
    status, out, err = run(capsys, *arguments, *kept)
    assert (status, "not finite" in err) == (0, False)
    found = json.loads(out)
    assert found["held_out"] == 20
    assert found["accuracy"] >= 0.9
    with np.load(folder / "p.npz") as saved:
        np.testing.assert_allclose(saved["buffers.mean_x"], x[:60].mean(0))
    np.savez(folder / "last.npz", x=x[60:], y=(x[60:, 1] > -3e4).astype(int))
    command = [sys.executable, "kept.py", "evaluate", "--params", "p.npz", "--data", "last.npz", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["accuracy"] == pytest.approx(found["accuracy"])
    assert run(capsys, *arguments, "--module", "plain.py")[0] in (0, 1)
    assert "mean_x" not in (folder / "plain.py").read_text(encoding="utf-8")


def test_the_last_examples_are_fewer_than_all(capsys, folder):  # noqa: ARG001
    status, _, err = run(capsys, "train", "net.py", *SIZES, "--data", "mine.npz", "--last", 60)
    assert (status, "cannot hold out the last 60 of 60" in err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--with", "log"), '"--log"'),
        (("--with", "patience", "live"), '"--patience"'),
        (("--standardise",), "mean_x"),
        (("--schedule", "cosine", "--steps", "100"), "cos("),
        (("--clip-norm", "0.5"), '"clip_norm": 0.5'),
    ],
)
def test_generate_writes_a_piece_only_when_asked_for(capsys, folder, options, part):  # noqa: ARG001
    fixed = ("generate", "net.py", *SIZES, "--size", "D=3")
    plain, asked = (run(capsys, *fixed, *more)[1] for more in ((), options))
    assert part in asked
    assert part not in plain


def test_a_schedule_needs_its_number_of_steps(capsys, folder):  # noqa: ARG001
    status, _, err = run(capsys, "generate", "net.py", "--schedule", "linear")
    assert (status, "--steps 1000" in err) == (2, True)


def test_a_file_s_optimizer_keeps_its_settings(folder):
    from symbp.cli.target import load_target, optimizer

    (folder / "own.py").write_text(
        OPEN + "s = bp.optim.schedules.step_decay(5)\n"
        "optimizer = bp.optim.Momentum(0.1, 0.8, nesterov=True, clip_norm=2.0, schedule=s)\n"
    )
    target = load_target("own.py")
    assert optimizer(target, None, None) is target.optimizer
    changed = optimizer(target, None, 0.3, clip_value=1.0)
    assert changed.hyper == {"lr": 0.3, "beta": 0.8, "clip_norm": 2.0, "clip_value": 1.0}
    assert changed.settings["nesterov"] is True
    assert changed.settings["schedule"].name == "steps"
    assert optimizer(target, "sgd", None, clip_value=1.0).hyper == {"lr": 0.01, "clip_value": 1.0}


@pytest.mark.slow
def test_ctrl_c_saves_what_is_trained_so_far(folder):
    command = [sys.executable, "-m", "symbp.cli", "train", "net.py", *SIZES, "--data", "mine.npz"]
    process = subprocess.Popen(
        [*command, "--epochs", "10000000", "--json"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("checked"):
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    found = json.loads(out)
    assert found["stopped"] == "interrupted"
    assert found["epochs"] >= 1
    assert (folder / found["saved"]).is_file()


@pytest.mark.few(slow=3)
@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("seed", range(5))
def test_mlp_reads_97_of_100_digits_that_it_has_not_seen(capsys, target, seed):
    status, out, _ = run(capsys, "train", "mlp", "--target", target, "--seed", seed, "--json")
    found = json.loads(out)
    assert status == 0
    assert found["held_out"] == 359
    assert found["accuracy"] >= 0.97
    assert found["gradient_error"] <= 1e-6


def test_curve(capsys, folder):
    status, _, err = run(
        capsys, "train", "net.py", *SIZES, "--data", "mine.npz", "--epochs", 3, *FAST, "--curve", "curve.svg"
    )
    assert status == 0
    assert "wrote curve.svg" in err
    root = ET.parse(folder / "curve.svg").getroot()
    names = {node.get("data-series") for node in root.iter() if node.get("data-series")}
    assert names == {"training", "held out", "accuracy"}


@pytest.mark.slow
def test_training_goes_on_from_a_checkpoint_bit_for_bit(capsys, folder):
    first = ("train", "net.py", *SIZES, "--data", "mine.npz", *FAST, "--patience", 9)
    assert run(capsys, *first, "--epochs", 6, "--out", "whole.npz")[0] == 0
    assert run(capsys, *first, "--epochs", 3, "--checkpoint", "kept.npz")[0] == 0
    further = (*first, "--epochs", 6, "--resume", "kept.npz")
    status, _, err = run(capsys, *further, "--out", "further.npz", "--log", "log.jsonl")
    assert (status, "goes on from kept.npz, step 6" in err) == (0, True)
    with np.load(folder / "whole.npz") as whole, np.load(folder / "further.npz") as found:
        assert all(np.array_equal(whole[name], found[name]) for name in whole.files)
    assert len((folder / "log.jsonl").read_text().splitlines()) == 6

    status, _, err = run(capsys, *first, "--checkpoint", "kept.npz")
    assert (status, "exists already" in err) == (2, True)
    for options, part in (
        (("--seed", 3), "kept.npz is of another training: seed 0 there, 3 here"),
        (("--batch-size", 4), "4 here"),
        (("--params", "whole.npz"), "leave --params out"),
        (("--resume", "missing.npz"), "missing.npz"),
    ):
        status, _, err = run(capsys, *further, *options)
        assert (status, part in err) == (2, True), err
    np.savez(folder / "part.npz", W1=np.ones((3, 4)))
    status, _, err = run(capsys, *first, "--epochs", 1, "--params", "part.npz")
    assert (status, "starts from part.npz; anew: b1, W2, b2" in err) == (0, True)
    (folder / "kept.npz").write_bytes((folder / "kept.npz").read_bytes()[:-50])
    status, _, err = run(capsys, *further)
    assert (status, "is no whole .npz file" in err, "Traceback" in err) == (2, True, False)


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_what_parameters_were_trained_with_and_this_training_lacks_is_said(capsys):
    first = ("train", "net.py", *SIZES, "--data", "mine.npz", "--epochs", 1)
    assert run(capsys, *first, "--standardise", "--out", "p.npz")[0] == 0
    assert "mean_x" not in run(capsys, *first, "--standardise", "--params", "p.npz")[2]
    _, _, err = run(capsys, *first, "--params", "p.npz")
    assert "it has mean_x, scale_x, too" in err
    assert "--standardise" in err
