"""`symbp train --report`: one file that says what happened, loads nothing, and changes nothing."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import symbp as bp
from symbp.cli.main import main
from symbp.explain.training import Confusion, Residuals, judged

NET = """
import symbp as bp

N, D, K = bp.dim("N"), bp.dim("D", 3), bp.dim("K", 2)
x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
W, b = bp.param("W", (D, K)), bp.param("b", (K,))
p = bp.softmax(x @ W + b)
net = bp.Network("sides", loss=bp.cross_entropy(p, y), outputs={"p": p},
                 metrics={"accuracy": bp.accuracy(p, y), "f1": bp.f1(p, y)})
"""


class Page(HTMLParser):
    """The cells of the tables of a page, the attributes of all its elements."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.attributes, self.tags, self.open = [], [], set(), False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        self.open = tag == "td" and "cell" in dict(attrs).get("class", "").split()

    def handle_data(self, data):
        if self.open:
            self.cells.append(int(data))

    def handle_endtag(self, tag):  # noqa: ARG002
        self.open = False


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a network and a table of two kinds, called left and right."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "net.py").write_text(NET)
    x = np.random.default_rng(0).normal(size=(80, 3)).round(3)
    rows = [f"{','.join(map(str, row))},{'right' if row[0] > 0 else 'left'}" for row in x]
    (tmp_path / "sides.csv").write_text("\n".join(["a,b,c,side", *rows]))
    return tmp_path


def trained(capsys, *more):
    status = main(["train", "net.py", "--data", "sides.csv", "--epochs", "4", "--json", *more])
    shown = capsys.readouterr()
    return status, json.loads(shown.out) if status == 0 else shown.err


@pytest.mark.slow
def test_a_page_tells_the_training_and_leaves_it_as_it_is(capsys, folder):
    _, plain = trained(capsys)
    status, found = trained(capsys, "--report", "r.html")
    assert status == 0
    assert (found["loss"], found["f1"]) == (plain["loss"], plain["f1"])
    text = (folder / "r.html").read_text()
    page = Page(text)
    # Nothing is loaded and nothing runs.
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not [(k, v) for k, v in page.attributes if k in ("src", "href") or k.startswith("on")]
    assert not re.findall(r"url\(|@import|https?:", text)
    # Its confusion matrix is that of the held-out part, with the names of the table.
    matrix = np.reshape(page.cells, (2, 2))
    assert matrix.sum() == found["held_out"] == 16
    assert np.trace(matrix) / 16 == pytest.approx(found["accuracy"])
    assert ">left</th>" in text
    assert ">right</th>" in text
    for part in ("Loss by epoch", "Norm of the gradient", "sides.csv", "Adam(lr=", "D=3", "numpy "):
        assert part in text, part
    assert str(folder) not in text
    assert [path.name for path in folder.glob("*.part")] == []
    status, said = trained(capsys, "--report", "r.html")
    assert status == 2
    assert "exists already" in said


def system(target, outputs):
    loss = sum((output * 1).sum() for output in outputs.values())
    return bp.Network("net", loss=loss + (target * 0.5).sum(), outputs=outputs).system


def test_predictions_are_those_of_the_one_output_that_fits():
    N = bp.dim("N")
    y, a, b = bp.target("y", (N,)), bp.param("a", (N,)), bp.param("b", (N, 2))
    values = {"u": np.array([1.0, 2.0]), "v": np.zeros((2, 2)), "w": np.array([1.0, 3.0])}
    data = {"y": np.array([1.5, 1.0])}
    (found,), notes = judged(system(y, {"u": a * 2, "v": b * 2}), values, data, {})
    assert (found, notes) == (Residuals("u", "y", (1.0, 2.0), (1.5, 1.0)), [])
    found, notes = judged(system(y, {"u": a * 2, "w": a * 3}), values, data, {})
    assert (found, notes) == ([], ["Several outputs may predict y: u, w."])


def test_binary_targets_need_probabilities():
    N = bp.dim("N")
    y, a = bp.target("y", (N,), "binary"), bp.param("a", (N,))
    data, net = {"y": np.array([1.0, 0.0, 1.0])}, system(y, {"u": a * 2})
    (found,), _ = judged(net, {"u": np.array([0.9, 0.2, 0.3])}, data, {})
    assert found == Confusion("u", "y", ("0", "1"), ((1, 0), (1, 1)))
    found, (note,) = judged(net, {"u": np.array([0.9, 2.0, 0.3])}, data, {})
    assert not found
    assert note.startswith("u holds no probabilities")


@pytest.mark.slow
def test_gradients_before_a_checkpoint_are_not_made_up(folder, capsys):
    trained(capsys, "--checkpoint", "kept.npz")
    trained(capsys, "--resume", "kept.npz", "--epochs", "7", "--report", "page.html")
    page = (folder / "page.html").read_text()
    (told,) = re.findall(r"W: from [\d.e-]+ at (\d+) to [\d.e-]+ at (\d+)", page)
    assert told == ("5", "7")


@pytest.mark.slow
def test_a_module_writes_a_page_of_its_own(folder):
    generated = ["generate", "net.py", "--with", "tables", "split", "report", "checkpoints", "-o", "own.py"]
    assert main(generated) == 0

    def run(*more):
        command = [
            sys.executable,
            "-I",
            "own.py",
            "train",
            "--data",
            "sides.csv",
            "--validation",
            "0.25",
            *more,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return (folder / "page.html").read_text()

    page = run("--epochs", "3", "--checkpoint", "kept.npz", "--report", "page.html")
    read = Page(page)
    assert not {"script", "img", "link"} & read.tags
    assert not [value for name, value in read.attributes if name in ("src", "href")]
    assert page.count("<polyline") == 1 + 1 + 2 + 2  # loss, validation loss, two metrics, two norms
    matrix = page[page.index("Confusion matrix") :]
    counts = [int(n) for n in re.findall(r"<td>(\d+)</td>", matrix[: matrix.index("</table>")])]
    assert counts[:2] == [0, 1]
    assert sum(counts[2:]) == 20
    page = run("--epochs", "5", "--resume", "kept.npz", "--report", "page.html")
    (norms,) = re.findall(r'aria-label="Norms.*?points="([^"]*)"', page)
    assert len(norms.split()) == 2  # of the epochs after the checkpoint
    assert len(re.findall(r'aria-label="Loss.*?points="([^"]*)"', page)[0].split()) == 5
