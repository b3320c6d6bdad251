"""The command line of a generated module, in a process of its own, away from symbp."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modules_by_name import generate_source
from target_nets import SIZES, adam, mlp, mlp_initial

from symbp.targets import COMPLETE as TARGETS


@pytest.fixture(params=["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "my_mlp.py"
    path.write_text(source(request.param), encoding="utf-8")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 5))
    np.savez(tmp_path / "data.npz", x=x, y=(x[:, 0] > 0).astype(int) + (x[:, 1] > 0), other=np.zeros(3))
    return path


def source(target: str) -> str:
    return generate_source(
        mlp(), target=target, dtype="float64", update=adam(), initial=mlp_initial(), sizes=SIZES
    )


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": ""}
    return subprocess.run(
        [sys.executable, str(program), *arguments],
        cwd=program.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_train_evaluate_predict_check(program: Path) -> None:
    trained = run(
        program, "train", "--data", "data.npz", "--epochs", "40", "--lr", "0.05", "--json", "-o", "p.npz"
    )
    assert trained.returncode == 0, trained.stderr
    result: dict[str, Any] = json.loads(trained.stdout)
    assert result["epochs"] == 40
    assert result["steps"] == 80
    assert trained.stderr.count("epoch ") == 40
    found = run(program, "evaluate", "--params", "p.npz", "--data", "data.npz", "--json")
    assert json.loads(found.stdout)["accuracy"] > 0.9
    predicted = run(program, "predict", "--params", "p.npz", "--data", "data.npz", "-o", "out.npz")
    assert predicted.stdout == "p: (60, 3)\n"
    with np.load(program.parent / "out.npz") as outputs:
        np.testing.assert_allclose(outputs["p"].sum(1), 1)
    checked = run(program, "check", "--json")
    assert checked.returncode == 0
    assert [row["parameter"] for row in json.loads(checked.stdout)] == ["W1", "b1", "W2", "b2"]


@pytest.mark.slow
def test_usage_and_data_errors_have_status_two(program: Path) -> None:
    assert run(program, "train").returncode == 2
    np.savez(program.parent / "bad.npz", x=np.zeros((4, 3)), y=np.zeros(4, int))
    bad = run(program, "train", "--data", "bad.npz")
    assert bad.returncode == 2
    assert "x has shape (4, 3), the network needs (N, D) with D = 5" in bad.stderr
    assert "Traceback" not in bad.stderr
    missing = run(program, "evaluate", "--params", "nowhere.npz", "--data", "data.npz")
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr


def test_training_that_breaks_down_keeps_the_last_good_parameters(program: Path) -> None:
    broken = run(program, "train", "--data", "data.npz", "--lr", "1e308", "--json")
    assert broken.returncode == 1
    assert "stopped: " in broken.stderr
    assert "equation (" in json.loads(broken.stdout)["stopped"]
    assert (program.parent / "params.npz").exists()


def _used() -> float:
    """Seconds of a processor that the programs started here have used."""
    spent = os.times()
    return spent.children_user + spent.children_system


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_help_is_immediate_and_compiles_nothing(target: str, tmp_path: Path) -> None:
    program = tmp_path / "my_mlp.py"
    program.write_text(source(target), encoding="utf-8")
    run(program, "--help")
    seconds = []
    for _ in range(3):
        started = _used()
        shown = run(program, "--help")
        seconds.append(_used() - started)
        assert shown.returncode == 0
        assert "train" in shown.stdout
    assert min(seconds) < 0.3
    imported = subprocess.run(
        [sys.executable, "-X", "importtime", str(program), "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert "numba" not in imported
