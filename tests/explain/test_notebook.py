"""The page as a Jupyter notebook."""

import json
import re

import pytest
from derived_once import of_gallery

from symbp.cli.main import main
from symbp.explain.document import document
from symbp.explain.markdown import markdown
from symbp.explain.notebook import notebook

FIELDS = {"markdown": {"cell_type", "id", "metadata", "source"}}
FIELDS["code"] = FIELDS["markdown"] | {"execution_count", "outputs"}


def check_format(found):
    """What the schema of notebooks, version 4.5, asks for."""
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert {"name", "display_name"} <= set(found["metadata"]["kernelspec"])
    names = [cell["id"] for cell in found["cells"]]
    assert len(set(names)) == len(names)
    for cell in found["cells"]:
        assert set(cell) == FIELDS[cell["cell_type"]]
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        assert all(isinstance(line, str) for line in cell["source"])
        assert all(line.endswith("\n") for line in cell["source"][:-1])


def sources(found, kind):
    return ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"] == kind]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["neuron", "mlp", "resnet_mlp", "word2vec"])
def test_cells_are_the_markdown_page(name):
    page = document(of_gallery(name), style="textbook")
    text = notebook(page, steps=True, code="x = 1\ny = 2")
    found = json.loads(text)
    check_format(found)
    assert "\n\n".join(sources(found, "markdown")) == markdown(page, steps=True)
    assert sources(found, "code") == ["x = 1\ny = 2"]
    assert text == notebook(page, steps=True, code="x = 1\ny = 2"), "stable"
    headings = [cell["id"] for cell in found["cells"]]
    assert headings[:3] == ["title", "code", "1-given"]


def test_warnings_are_cells(mlp):
    found = json.loads(notebook(document(mlp)))
    check_format(found)
    assert found["cells"][-1]["id"].endswith("warning")
    assert sources(found, "code") == []


@pytest.mark.slow
def test_command_derives_the_network_again(capsys):
    assert main(["derive", "logistic_regression", "--format", "notebook"]) == 0
    found = json.loads(capsys.readouterr().out)
    check_format(found)
    (code,) = sources(found, "code")
    names = {}
    exec(code, names)
    assert names["d"].name == "logistic_regression"
    assert main(["derive", "logistic_regression", "--format", "notebook", "--order", "2"]) == 0
    assert sources(json.loads(capsys.readouterr().out), "code") == []


@pytest.mark.slow
def test_method():
    derivation = of_gallery("neuron")
    check_format(json.loads(derivation.notebook(code="1 + 1")))
