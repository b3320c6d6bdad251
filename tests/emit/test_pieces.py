"""What a module's training has beside the essential: only what was asked for, and it does what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from emit_nets import SIZES, adam, mlp, mlp_initial

from symbp.emit.loading import load
from symbp.errors import UsageError
from symbp.targets.by_name import generate_source
from symbp.targets.compiled.modules import PIECES

MARKS = {
    "live": ("def _live", "examples/s", "isatty"),
    "log": ("def _log", "--log", ".jsonl"),
    "patience": ("class _Best", "--patience", "patience: int | None"),
    "tables": ("import csv", "def _read_columns", "--target-column"),
}


def source(*pieces: str) -> str:
    return generate_source(
        mlp(),
        target="numpy",
        dtype="float64",
        update=adam(),
        initial=mlp_initial(),
        sizes=SIZES,
        pieces=pieces,
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(source(*PIECES), encoding="utf-8")
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


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_is_in_the_text_only_when_asked_for(piece: str) -> None:
    plain, asked = source(), source(piece)
    for mark in MARKS[piece]:
        assert mark in asked
        assert mark not in plain
    for other in PIECES:
        if other != piece:
            assert not any(mark in asked for mark in MARKS[other])
    for text in (plain, asked, source(*PIECES)):
        assert "# <" not in text
        assert "# </" not in text


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
    measured = module.evaluate(kept.params, kept.buffers, **data)
    assert measured["loss"] == pytest.approx(best["validation_loss"], rel=1e-12)
