"""`symbp train` on classes that are not alike in number, and on parts that the user decides."""

import json

import numpy as np
import pytest

from symbp.cli.main import main

NET = """
import symbp as bp

N, D, K = bp.dim("N"), bp.dim("D", 2), bp.dim("K")
x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
W, b = bp.param("W", (D, K)), bp.param("b", (K,))
z = x @ W + b
net = bp.Network("rare", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"p": bp.softmax(z)},
                 metrics={"recall": bp.recall(z, y), "f1": bp.f1(z, y)})
"""
COUNTS = {"common": 720, "rare": 80}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes that overlap, one nine times as frequent; every second row is for the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "net.py").write_text(NET)
    draw = np.random.default_rng(3)
    lines = ["a,b,kind,part"]
    for kind, count in COUNTS.items():
        for k, (a, b) in enumerate(draw.normal(loc=0.9 * (kind == "rare"), size=(count, 2)).round(3)):
            lines.append(f"{a},{b},{kind},{'test' if k % 2 == 0 else 'train'}")
    (tmp_path / "rare.csv").write_text("\n".join(lines))
    return tmp_path


def trained(capsys, *more):
    status = main(
        ["train", "net.py", "--data", "rare.csv", "--target-column", "kind", "--split-column", "part",
         "--epochs", "15", "--lr", "0.05", "--json", *more]
    )  # fmt: skip
    shown = capsys.readouterr()
    return status, json.loads(shown.out) if status == 0 else None, shown.err


@pytest.mark.slow
def test_balanced_weights_find_the_rare_class(capsys, folder):
    _, plain, told = trained(capsys)
    assert "classes of y to train on: common 360, rare 40" in told
    assert "not read: part" in told
    assert plain["held_out"] == 400
    status, balanced, _ = trained(capsys, "--class-weights", "balanced", "--report", "r.html")
    assert status == 0
    assert balanced["recall"] > plain["recall"] + 0.1
    given = trained(capsys, "--class-weights", "5/9,5")[1]  # 400/(2·360), 400/(2·40)
    assert given["loss"] == pytest.approx(balanced["loss"], rel=1e-12)
    assert "balanced" in (folder / "r.html").read_text()


def test_what_cannot_be_split_or_weighed_is_refused(capsys, folder):
    for more, message in (
        (["--last", "5"], "--last and --split-column are two ways to split the data"),
        (["--class-weights", "1,2,3"], "3 weights, and y has 2 classes"),
    ):
        status, _, err = trained(capsys, *more)
        assert status == 2
        assert message in err
    with pytest.raises(SystemExit):
        main(["train", "net.py", "--class-weights", "1,-2"])
    assert "neither 'balanced' nor positive numbers" in capsys.readouterr().err
    text = (folder / "rare.csv").read_text()
    (folder / "rare.csv").write_text(text.replace(",test", ",holdout?"))
    status, _, err = trained(capsys)
    assert status == 2
    assert "'holdout?', of example 1, says no part of the data" in err


@pytest.mark.slow
def test_a_stratified_split_has_each_class(capsys, folder):
    words = ["--stratify", "--split-seed", "7", "--epochs", "1", "--target-column", "kind"]
    text = (folder / "rare.csv").read_text()
    (folder / "rare.csv").write_text("\n".join(line.rpartition(",")[0] for line in text.splitlines()))
    status = main(["train", "net.py", "--data", "rare.csv", *words])
    assert status == 0
    assert "to train on: common 576, rare 64" in capsys.readouterr().err
