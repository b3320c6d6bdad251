"""`symbp check --extremes`: what it prints, its exit status, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbp.cli.main import main

LOSES = """
import symbp as bp

N = bp.dim("N")
z = bp.param("z", (N,))
net = bp.Network("gumbel", loss=bp.exp(-bp.exp(-z)).sum())
"""


def test_a_net_that_keeps_its_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "linear_regression", "--extremes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"]
    assert found["findings"] == []
    assert {"ordinary", "data + 1e4", "parameters × 30"} <= {point["point"] for point in found["points"]}


def test_the_equation_that_loses_digits_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.py").write_text(LOSES, encoding="utf-8")
    assert main(["check", str(tmp_path / "net.py"), "--extremes", "--size", "N=2"]) == 1
    shown = capsys.readouterr().out
    assert "(4) dz[i] = -exp(u2[i])·u2[i]" in shown
    assert "u2 is more than float32 can hold" in shown
    assert "likewise at" in shown


def test_what_it_does_not_go_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "linear_regression", "--extremes", "--curve", "x.svg"]) == 2
    assert main(["check", "linear_regression", "--extremes", "--hvp"]) == 2
    assert "extremes are tried with gradients" in capsys.readouterr().err
