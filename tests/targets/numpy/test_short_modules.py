"""Short modules: the same numbers as the long form, and no wrong number for arrays that don't fit."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.api import source
from symbp.targets.loading import load


def network(**known: int) -> bp.Network:
    """A classifier whose sizes may stay open, with labels below one of them."""
    N = bp.dim("N")
    D, H, K = (bp.dim(name, known[name]) if name in known else bp.dim(name) for name in ("D", "H", "K"))
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, V = bp.param("W", (D, H)), bp.param("V", (H, K))
    p = bp.softmax(bp.tanh(x @ W) @ V)
    return bp.Network("classifier", loss=bp.cross_entropy(p, y), outputs={"p": p})


@pytest.fixture(scope="module")
def forms() -> tuple[ModuleType, ModuleType]:
    rule = bp.optim.Adam(0.01)
    short = source(network(), optimizer=rule, pieces=())
    assert "def _network" in short
    return load(short, "short"), bp.compile(network(), optimizer=rule)


def data(count: int = 10, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"x": rng.standard_normal((count, 4)), "y": rng.integers(3, size=count)}


SIZES = {"D": 4, "H": 5, "K": 3}


@pytest.mark.slow
def test_training_is_that_of_the_long_form(forms: tuple[ModuleType, ModuleType]) -> None:
    found = []
    for module in forms:
        state = module.init_state(module.init_params(1, **SIZES), seed=2)
        history = module.fit(state, data(), epochs=3, batch_size=4, validation=data(7, 1))
        losses = [(record["loss"], record["validation_loss"]) for record in history]
        found.append((losses, {n: a.tolist() for n, a in state.params.items()}))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "rule", [bp.optim.LAMB(0.01), bp.optim.AdamW(0.01, groups={"V": {"weight_decay": 0.5}})]
)
def test_parameters_that_an_update_tells_apart_stay_apart(rule: Any) -> None:
    found = []
    for pieces in ((), ("check",)):
        text = source(network(**SIZES), optimizer=rule, pieces=pieces)
        assert ("def _network" in text) == (pieces == ())
        module = load(text, "apart")
        state = module.init_state(module.init_params(1))
        for _ in range(3):
            module.train_step(state, **data())
        found.append({n: a.tolist() for n, a in state.params.items()})
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.full(10, 3)}, "outside 0 to 2"),
        ({"y": np.full(10, -1)}, "outside 0 to 2"),
        ({"y": np.zeros(10)}, "not integers"),
        ({"y": np.zeros(9, int)}, "shape"),
        ({"x": np.zeros((10, 5))}, "shape"),
        ({"x": np.zeros((0, 4)), "y": np.zeros(0, int)}, "shape"),
        ({"z": np.zeros(1)}, "given"),
    ],
)
def test_a_step_refuses_what_does_not_fit(
    forms: tuple[ModuleType, ModuleType], change: dict[str, Any], words: str
) -> None:
    module = forms[0]
    state = module.init_state(module.init_params(1, **SIZES))
    before = state.flat.copy()
    with pytest.raises(module.DataError, match=words):
        module.train_step(state, **{**data(), **change})
    assert np.array_equal(state.flat, before)


def test_a_step_that_is_not_finite_is_not_taken(forms: tuple[ModuleType, ModuleType]) -> None:
    module = forms[0]
    state = module.init_state(module.init_params(1, **SIZES))
    module.train_step(state, **data())
    before = {name: a.copy() for name, a in state.params.items()}
    with pytest.raises(module.NotFinite, match="the loss is nan"):
        module.train_step(state, **{**data(), "x": np.full((10, 4), np.nan)})
    assert state.step == 1
    assert all(np.array_equal(state.params[name], before[name]) for name in before)
    with pytest.raises(TypeError):
        state.params["W"] = before["W"]  # a view stays one


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda state: pickle.loads(pickle.dumps(state))])
def test_a_copy_has_arrays_of_its_own(forms: tuple[ModuleType, ModuleType], copied: Any) -> None:
    module = forms[0]
    if copied is not copy.deepcopy:
        sys.modules.setdefault(module.__name__, module)
    state = module.init_state(module.init_params(1, **SIZES))
    state.hyper["lr"] = 0.5
    module.train_step(state, **data())
    other, before = copied(state), state.flat.copy()
    first = module.train_step(other, **data())
    assert np.array_equal(state.flat, before)
    assert module.train_step(state, **data()) == first
    assert np.array_equal(other.flat, state.flat)


def test_a_file_keeps_all_of_a_state(forms: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    short, long = forms
    state = short.init_state(short.init_params(1, **SIZES), seed=3)
    short.train_step(state, **data())
    short.save(tmp_path / "state.npz", state)
    for module in (short, long):
        again = module.load(tmp_path / "state.npz")
        assert (again.step, again.seed) == (1, 3)
        assert module.train_step(again, **data()) == short.train_step(copy.deepcopy(state), **data())
    with np.load(tmp_path / "state.npz") as file:
        rest = {name: file[name] for name in file.files if name != "moments.m.W"}
    np.savez(tmp_path / "part.npz", **rest)
    with pytest.raises(short.DataError):
        short.load(tmp_path / "part.npz")


def test_a_file_of_something_else_is_refused(forms: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    module, path = forms[0], tmp_path / "state.npz"
    module.save(path, module.init_state(module.init_params(1, **SIZES)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(module.DataError, match="no whole"):
        module.load(path)
    path.write_bytes(whole)
    with np.load(path) as file:
        arrays = {**file, "network": np.array("another")}
    np.savez(path, **arrays)
    with pytest.raises(module.DataError, match="of the network another, this one is classifier"):
        module.load(path)


def test_a_file_that_a_beginning_run_tidied_away_is_written_again(
    forms: tuple[ModuleType, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, path = forms[0], tmp_path / "p.npz"
    state, sync = short.init_state(short.init_params(0, **SIZES)), os.fsync

    def tidied(file: int) -> None:
        sync(file)
        monkeypatch.setattr(os, "fsync", sync)
        for part in tmp_path.glob("*.part"):
            part.unlink()

    monkeypatch.setattr(os, "fsync", tidied)
    short.save(path, state)
    np.testing.assert_array_equal(short.load(path).flat[0], state.flat[0])
    with pytest.raises(FileNotFoundError):
        short.save(tmp_path / "nowhere" / "p.npz", state)


def test_a_training_without_a_step_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    N, rule = bp.dim("N"), bp.optim.SGD(0.1)
    x, y, w = bp.input("x", (N, 3)), bp.target("y", (N,)), bp.param("w", (3,), init=bp.optim.initial.ones)
    net = bp.Network("line", loss=bp.mse(x @ w, y))
    both = load(source(net, optimizer=rule, pieces=()), "trained"), bp.compile(net, optimizer=rule)
    np.savez(tmp_path / "data.npz", x=np.full((4, 3), 1e200), y=np.zeros(4))
    out = tmp_path / "out.npz"
    for one in both:
        out.write_bytes(b"before")
        assert one.main(["train", "--data", str(tmp_path / "data.npz"), "--epochs", "1", "-o", str(out)]) == 1
        assert "not finite" in capsys.readouterr().err
        assert out.read_bytes() == b"before"


def test_words_in_the_place_of_numbers_are_refused(
    forms: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    for one in forms:
        params = {name: array.astype("S5") for name, array in one.init_params(0, **SIZES).items()}
        np.savez(tmp_path / "p.npz", **{f"params.{name}": array for name, array in params.items()})
        with pytest.raises(one.DataError, match="dtype"):
            one.load(tmp_path / "p.npz")


def test_it_trains_from_the_command_line_without_anything_around(tmp_path: Path) -> None:
    text = source(network(**SIZES), optimizer=bp.optim.Adam(0.01), pieces=())
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    np.savez(tmp_path / "train.npz", **data(40))
    np.savez(tmp_path / "wrong.npz", x=np.zeros((3, 7)), y=np.zeros(3, int))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "net.py", "train", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env={**os.environ}, capture_output=True, text=True, check=False
        )

    done = run("--data", "train.npz", "--epochs", "3", "--validation", "train.npz")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("validation_loss") == 3
    assert (tmp_path / "params.npz").exists()
    refused = run("--data", "wrong.npz")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: x has shape (3, 7)")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": np.full((10, 4), np.nan)}, "x is not finite"),
        ({"x": np.full((10, 4), 1e200)}, r"first line whose value is not finite: .*  # \(\d+\)"),
    ],
)
def test_a_module_that_replays_names_the_line_and_so_the_equation(change: dict[str, Any], words: str) -> None:
    N, D = bp.dim("N"), bp.dim("D", 4)
    x, y, w = bp.input("x", (N, D)), bp.labels("y", (N,), classes=3), bp.param("w", (D,))
    z = x @ w
    net = bp.Network("line", loss=bp.mean((z * z - y) ** 2), outputs={"z": z})
    text = source(net, optimizer=bp.optim.SGD(0.1), pieces=("replay",))
    assert "def _network" in text
    module = load(text, "line")
    state = module.init_state({"w": np.ones(4)})
    with pytest.raises(module.NotFinite, match=words) as failure:
        module.train_step(state, **{**data(), **change})
    if "first line" in words:
        number = str(failure.value).rpartition("(")[2].rstrip(")")
        (equation,) = (line for line in text.splitlines() if line.strip().startswith(f"({number})  "))
        assert "²" in equation or "^" in equation or "z[n]·z[n]" in equation, equation
    assert module.train_step(state, **data()) > 0
    assert state.step == 1


def test_ctrl_c_ends_a_training_after_its_step(forms: tuple[ModuleType, ModuleType]) -> None:
    import signal

    module, usual = forms[0], signal.getsignal(signal.SIGINT)
    state, steps = module.init_state(module.init_params(1, **SIZES)), []
    step = module.train_step

    def interrupted(state: Any, **batch: Any) -> float:
        steps.append(step(state, **batch))
        if len(steps) == 5:
            signal.raise_signal(signal.SIGINT)
            steps.append(0.0)  # this still runs
        return float(steps[0])

    module.train_step = interrupted
    try:
        history = module.fit(state, data(), epochs=9, batch_size=4)
    finally:
        module.train_step = step
    assert [record["epoch"] for record in history] == [1, 2]
    assert history[-1]["interrupted"]
    assert (state.step, len(steps)) == (5, 6)
    assert signal.getsignal(signal.SIGINT) is usual


def test_numbers_in_a_file_that_are_none_are_refused(
    forms: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    module, path = forms[0], tmp_path / "state.npz"
    module.save(path, module.init_state(module.init_params(1, **SIZES)))
    with np.load(path) as file:
        arrays = dict(file)
    for name, wrong in (("step", np.ones(2)), ("seed", np.array("x")), ("step", np.int64(-1))):
        np.savez(path, **{**arrays, name: wrong})
        with pytest.raises(module.DataError, match="neither steps nor seeds"):
            module.load(path)
