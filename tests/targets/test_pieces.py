"""What a module's training has beside the essential: only what was asked for, and it does what it says."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from modules_by_name import generate_source
from target_nets import SIZES, adam, mlp, mlp_initial

from symbp.api import source as source_of
from symbp.cli import arguments
from symbp.cli.target import load_target, optimizer
from symbp.errors import UsageError
from symbp.targets.loading import load
from symbp.targets.pieces import DEFAULT, PIECES, chosen

MARKS = {
    "evaluate": ("def evaluate",),
    "predict": ("def predict",),
    "fit": ("def fit",),
    "save": ("def save", "def load"),
    "train": ("def main",),
    "check": ("def check_gradients",),
    "command": ("def main", "def _check(", "FIT_OPTIONS"),
    "blocks": ("class _Block",),
    "replay": ("whose value is not finite",),
    "costs": ("flops", "workspace  "),
    "checkpoints": ("class _Course", "--resume", "FINGERPRINT"),
    "live": ("def _live", "examples/s", "isatty"),
    "log": ("def _log", "--log", ".jsonl"),
    "mapped": ("class _Rows", "_MAPPED_FROM"),
    "patience": ("class _Best", "--patience", "patience: int | None"),
    "report": ("--report", "<!doctype html>", "def _confusion"),
    "split": ("--split-seed", "--stratify", "def _split_by"),
    "tables": ("import csv", "def _read_columns", "--target-column"),
    "texts": ("def _characters", "alphabet"),
}


@cache
def source(*pieces: str, target: str = "numpy") -> str:
    return generate_source(
        mlp(),
        target=target,
        dtype="float64",
        update=adam(),
        initial=mlp_initial(),
        sizes=SIZES,
        pieces=pieces,
    )


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_no_two_functions_of_a_module_have_one_name(target: str) -> None:
    body = ast.parse(source("all", target=target)).body
    names = [node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert len(names) == len(set(names)), sorted(name for name in set(names) if names.count(name) > 1)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(source("all"), encoding="utf-8")
    rng = np.random.default_rng(0)
    for name in ("train", "validation"):
        x = rng.standard_normal((40, 5))
        np.savez(tmp_path / f"{name}.npz", x=x, y=(x[:, 0] > 0).astype(int) + (x[:, 1] > 0))
    return path


def trained(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(program), "train", "--data", "train.npz", *arguments],
        cwd=program.parent,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_piece_has_its_marks() -> None:
    assert tuple(MARKS) == PIECES


RESTED_ON = {mark for piece in (*DEFAULT, "replay") for mark in MARKS[piece]}
"""Of what several pieces are made: the long form of a module always replays a step that isn't finite."""


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_is_in_the_text_only_when_asked_for(piece: str) -> None:
    bare, asked = source("nothing"), source("nothing", piece)
    for mark in MARKS[piece]:
        assert mark in asked
        assert mark not in bare
    for other in set(PIECES) - chosen(["nothing", piece]):
        assert not any(mark in asked for mark in MARKS[other] if mark not in RESTED_ON)


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("piece", ["nothing", *PIECES])
def test_a_module_of_one_piece_takes_steps_like_any_other(piece: str) -> None:
    whole, asked = load(source("all"), "whole"), load(source("nothing", piece), "part")
    rng = np.random.default_rng(0)
    data = {"x": rng.standard_normal((6, 5)), "y": rng.integers(3, size=6)}
    states = [module.init_state(module.init_params(1)) for module in (whole, asked)]
    for _ in range(3):
        losses = [m.train_step(s, **data) for m, s in zip((whole, asked), states, strict=True)]
        assert losses[0] == losses[1]
    assert all(np.array_equal(states[0].params[name], states[1].params[name]) for name in states[0].params)


def lines_of(*pieces: str) -> int:
    target = load_target("mlp")
    rule = optimizer(target, None, None)
    return len(source_of(target.network, optimizer=rule, pieces=pieces).splitlines())


def test_the_lines_of_the_gallerys_mlp() -> None:
    assert lines_of() <= 450
    assert lines_of("nothing") <= 250


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "pieces"), [("numpy", ()), ("numpy", ("nothing",)), ("numpy", ("all",)), ("numba", ("all",))]
)
def test_a_module_is_clean_formatted_and_typed(target: str, pieces: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(source(*pieces, target=target), encoding="utf-8")
    shaped = [("ruff", "format", "--isolated", "--no-cache", "--check", "--line-length", "110")]
    for tool, *options in (
        ("ruff", "check", "--isolated", "--no-cache", "--line-length", "110"),
        *(shaped if "all" not in pieces else []),
        ("mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")),
    ):
        pytest.importorskip(tool, reason=f"{tool} is not installed")
        command = [sys.executable, "-m", tool, *options, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes otherwise")
@pytest.mark.parametrize("pieces", [(), ("checkpoints",)])
def test_who_is_asked_to_end_keeps_what_is_trained(pieces: tuple[str, ...], tmp_path: Path) -> None:
    """SIGTERM, as schedulers of jobs send it: the step is ended, and the parameters are written."""
    (tmp_path / "net.py").write_text(source(*pieces), encoding="utf-8")
    x = np.random.default_rng(0).standard_normal((40, 5))
    np.savez(tmp_path / "data.npz", x=x, y=(x[:, 0] > 0).astype(int))
    kept = ["--checkpoint", "kept.npz"] if pieces else []
    command = [sys.executable, "-I", "net.py", "train", "--data", "data.npz", "--epochs", "10000000", *kept]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=-3, text=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("epoch 1 ")
        running.send_signal(signal.SIGTERM)
        told = running.stderr.read()
    assert running.returncode == 130
    assert "Traceback" not in told
    with np.load(tmp_path / "params.npz") as file:
        assert int(file["step"]) >= 2
    if pieces:
        assert "go on: --resume kept.npz" in told
        assert not list(tmp_path.glob("*.part"))


def test_an_unknown_piece() -> None:
    with pytest.raises(UsageError, match="no piece 'dropout'"):
        source("dropout")


def test_patience_needs_data_to_look_at(program: Path) -> None:
    found = trained(program, "--patience", "3")
    assert found.returncode == 2
    assert "needs validation data" in found.stderr
    assert "Traceback" not in found.stderr


def test_patience_ends_at_the_best_epoch_and_the_log_tells_of_each(program: Path) -> None:
    found = trained(
        program, "--patience", "3", "--validation", "validation.npz", "--log", "log.jsonl",
        "--epochs", "400", "--lr", "0.2", "--json",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""  # nobody watches, so no line is shown
    records = [json.loads(line) for line in (program.parent / "log.jsonl").read_text().splitlines()]
    best = min(records, key=lambda record: record["validation_loss"])
    assert len(records) == best["epoch"] + 3 == json.loads(found.stdout)["epochs"] < 400
    module: ModuleType = load(source(), "mlp")
    kept = module.load(program.parent / "params.npz")
    with np.load(program.parent / "validation.npz") as file:
        data: dict[str, Any] = {name: file[name] for name in file.files}
    measured = module.evaluate(kept.params, **data)
    assert measured["loss"] == pytest.approx(best["validation_loss"], rel=1e-12)


def test_the_command_line_knows_the_pieces() -> None:
    assert arguments.PIECES == PIECES


def test_a_place_that_fails_in_the_end_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load(source("command"), "rescued")
    x = np.random.default_rng(0).standard_normal((40, 5))
    np.savez(tmp_path / "data.npz", x=x, y=(x[:, 0] > 0).astype(int))
    save, out = module.save, tmp_path / "full.npz"

    def full(path: Path, state: object) -> None:
        if path == out:
            raise OSError(28, "No space left on device")
        save(path, state)

    monkeypatch.setattr(module, "save", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    asked = ["train", "--data", str(tmp_path / "data.npz"), "--epochs", "2", "-o", str(out)]
    assert module.main(asked) == 2
    told = capsys.readouterr().err
    (rescued,) = tmp_path.glob("full.*.npz")
    assert f"No space left on device; the parameters are in {rescued}" in told
    assert module.load(rescued).step == 4
