"""`symbp grade` and `symbp exercise`: exit statuses, JSON, files."""

import json

import pytest

from symbp.cli.main import main


def test_right(capsys):
    assert main(["grade", "logistic_regression", "--answer", "dw = x.T @ (p - y)/N"]) == 0
    assert capsys.readouterr().out.startswith("right: dw")


def test_wrong(capsys):
    answers = ["--answer", "dw = x.T @ (p - y)", "--answer", "db = mean(p - y)"]
    assert main(["grade", "logistic_regression", *answers, "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert first["right"] is False
    assert first["slip"]["name"] == "sum instead of mean"
    assert second["right"] is True


@pytest.mark.parametrize(
    "answer", ["dw = __import__('os')", "dw = x.nothing()", "dw =", "dq = x", "dw = 9^9^9"]
)
def test_unreadable(answer, capsys):
    assert main(["grade", "logistic_regression", "--answer", answer]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith("symbp grade: ")


def test_undecided(capsys):
    status = main(["grade", "logistic_regression", "--answer", "dw = x.T @ (p - y)/N", "--seconds", "0"])
    assert status == 2
    assert capsys.readouterr().out.startswith("could not decide")


@pytest.mark.parametrize("format", ["text", "html", "latex", "notebook"])
def test_exercise(format, tmp_path, capsys):
    out = tmp_path / "sheet"
    command = ["exercise", "logistic_regression", "--blanks", "2", "--format", format, "-o", str(out)]
    assert main(command) == 0
    assert "exercise 0" in out.read_text(encoding="utf-8")
    assert main(command) == 2  # the file is there
    capsys.readouterr()
