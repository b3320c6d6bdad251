"""`symbp derive` with --notation, --layout and --origin: each format follows."""

import json
from xml.etree import ElementTree

import pytest

import symbp as bp
from symbp.cli.main import main
from symbp.cli.target import load_target

CHOSEN = {"notation": "delta", "layout": "columns", "origin": 1}
LATEX = (r"\delta_{a_{2}} &= \frac{p - ", r"W_{1}^{\top} \, x + b_{1} \, \mathbf{1}^{\top}", "= 1, ")
MARKDOWN = (r"\delta_{a_{2}} = \frac{p - ", LATEX[1].replace("\\,", "\\thinspace"), "= 1, ")
EXPECTED = {
    "text": ("δ_a2 = (p - onehot(y))/N", "a1 = W1ᵀ·x + b1·𝟏ᵀ", "i = 1, …, D\n"),
    "latex": LATEX,
    "markdown": MARKDOWN,
    "html": ("<msub><mi>δ</mi>", "δ_a2[n,k]", "= 1, …, "),
}


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    try:
        status = main(list(arguments))
    except SystemExit as stop:
        status = stop.code
    shown = capsys.readouterr()
    return status, shown.out, shown.err


@pytest.fixture(scope="module")
def derivation():
    return bp.derive(load_target("mlp").network)


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_format(derivation, kind):
    page = getattr(derivation, kind)(**CHOSEN)
    for written in EXPECTED[kind]:
        assert written in page
    if kind == "html":
        ElementTree.fromstring(page.partition("\n")[2])


def test_a_notebook_is_the_markdown_page(derivation):
    cells = json.loads(derivation.notebook(**CHOSEN))["cells"]
    found = "\n".join("".join(cell["source"]) for cell in cells)
    for written in MARKDOWN:
        assert written in found


def test_json(derivation):
    found = json.loads(derivation.json(**CHOSEN))
    assert found["options"] == CHOSEN
    (first,) = (e for e in found["equations"] if e["number"] == 1)
    assert first["matrix_text"] == "a1 = W1ᵀ·x + b1·𝟏ᵀ"
    assert any(e["text"].startswith("δ_a2[n,k] = ") for e in found["equations"])
    assert {entry["about"] for entry in found["legend"]} >= {"origin", "layout"}


def test_without_them_a_page_is_what_it_was(derivation):
    plain = derivation.text()
    assert plain == derivation.text(notation="d", layout="rows", origin=0)
    assert derivation.latex() == derivation.latex(notation="partial")


def test_the_command_line_says_the_same(capsys, derivation):
    chosen = [part for name, value in CHOSEN.items() for part in (f"--{name}", str(value))]
    status, out, err = run(capsys, "derive", "mlp", "--format", "markdown", *chosen)
    assert (status, err) == (0, "")
    assert out == derivation.markdown(**CHOSEN) + "\n"


@pytest.mark.parametrize("wrong", [("--notation", "nabla"), ("--layout", "cols"), ("--origin", "2")])
def test_another_convention_is_wrong_usage(capsys, wrong):
    status, _, err = run(capsys, "derive", "mlp", *wrong)
    assert status == 2
    assert wrong[0] in err
