"""Worksheets: blanks chosen by a seed, their key, each format; every key is a right answer."""

import json
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.explain.document import document
from symbp.explain.exercise import worksheet
from symbp.explain.exercise.worksheet import GAP
from symbp.explain.text import PageText, index_form, matrix_form

N, D, H, K = bp.dims("N D H K")


@pytest.fixture(scope="module")
def derivation():
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, W2, b = bp.param("W1", (D, H)), bp.param("W2", (H, K)), bp.param("b", (K,))
    p = bp.softmax(bp.tanh(x @ W1) @ W2 + b)
    net = bp.Network(
        "small", loss=bp.cross_entropy(p, y), outputs={"p": p}, metrics={"hit": bp.accuracy(p, y)}
    )
    return bp.derive(net)


def sheets(derivation, count=12):
    page = document(derivation, style="textbook")
    return [worksheet(page, blanks=4, seed=seed) for seed in range(count)]


@pytest.mark.slow
def test_the_same_for_the_same_seed(derivation):
    one, other = (derivation.exercise(seed=3, blanks=3) for _ in range(2))
    assert one == other
    assert len({derivation.exercise(seed=seed, blanks=3) for seed in range(8)}) > 4


@pytest.mark.slow
def test_blanks(derivation):
    for sheet in sheets(derivation):
        assert len(sheet.blanks) == 4
        assert [b.shown.number for b in sheet.blanks] == sorted(sheet.by_number)
        assert not {"hit", "a1", "a2"} & {b.shown.line.target for b in sheet.blanks}
    assert any(blank.partly for sheet in sheets(derivation) for blank in sheet.blanks)
    for blank in (b for sheet in sheets(derivation) for b in sheet.blanks if b.partly):
        assert blank.partly.equation.body.has(GAP)


@pytest.mark.slow
def test_every_key_is_a_right_answer(derivation):
    notation = PageText(document(derivation, style="textbook").reading.symbols)
    asked = {b.shown.number: b.shown for sheet in sheets(derivation) for b in sheet.blanks}
    for shown in asked.values():
        for form in (index_form(shown, notation), matrix_form(shown, notation)):
            assert form is None or derivation.grade(form).right


def test_text(derivation):
    sheet = derivation.exercise("text", blanks=2, seed=1, command="symbp grade small.py --answer '…'")
    key = derivation.exercise("text", blanks=2, seed=1, key=True)
    asked = worksheet(document(derivation, style="textbook"), blanks=2, seed=1)
    notation = PageText(asked.document.reading.symbols)
    for blank in asked.blanks:
        assert index_form(blank.shown, notation) not in sheet
        assert index_form(blank.shown, notation) in key
    assert sheet.count("[shape") + sheet.count("[a number") == 2
    assert "symbp grade small.py" in sheet


class Seen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.hidden, self.outside = [], 0, ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.hidden += tag == "details"
        self.outside += dict(attributes).get("alttext", "") if not self.hidden else ""

    def handle_endtag(self, tag):
        self.hidden -= tag == "details"


@pytest.mark.slow
def test_html(derivation):
    page = derivation.exercise("html", blanks=3, seed=2, key=True)
    seen = Seen()
    seen.feed(page)
    assert seen.tags.count("details") == 3
    assert not {"script", "img", "link"} & set(seen.tags)
    sheet = worksheet(document(derivation, style="textbook"), blanks=3, seed=2)
    notation = PageText(sheet.document.reading.symbols)
    for blank in sheet.blanks:  # what is asked for is told below the question only, also to screen readers
        assert index_form(blank.shown, notation) not in seen.outside
        assert index_form(blank.shown, notation) in page
    assert "<details>" not in derivation.exercise("html", blanks=3, seed=2)


def test_notebook_grades(derivation):
    """Its code runs: a question that is left open is pointed at, an answer is graded."""
    found = json.loads(derivation.exercise("notebook", blanks=3, seed=2, code="d = given"))
    code = ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 4
    names = {"given": derivation}
    for source in code:
        exec(source, names)
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    keyed = json.loads(derivation.exercise("notebook", blanks=3, seed=2, key=True, code="d = given"))
    assert len(keyed["cells"]) == len(found["cells"]) + 3


def test_notebook_is_valid(derivation):
    nbformat = pytest.importorskip("nbformat")
    text = derivation.exercise("notebook", blanks=3, seed=2, key=True, code="d = given")
    nbformat.validate(nbformat.reads(text, as_version=4))


@pytest.mark.slow
def test_latex_compiles(derivation, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here")
    for seed in range(3):
        (tmp_path / "sheet.tex").write_text(
            derivation.exercise("latex", seed=seed, key=True, command="symbp grade a_b.py --answer '…'")
        )
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]


def test_refused(derivation):
    with pytest.raises(UsageError):
        derivation.exercise(blanks=0)
    with pytest.raises(UsageError):
        derivation.exercise("pdf")


def test_blanks_are_of_several_kinds(mlp):
    """Not both biases while the softmax's derivative is free."""
    for seed in range(6):
        sheet = worksheet(document(mlp, style="textbook"), blanks=5, seed=seed)
        targets = {blank.shown.line.target for blank in sheet.blanks}
        assert len(targets & {"db1", "db2"}) < 2
        assert len(targets & {"dW1", "dW2", "dh"}) < 2
