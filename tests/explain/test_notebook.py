"""The page as a Jupyter notebook."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from derived_once import of_gallery

from symbp.cli.main import main
from symbp.explain.document import document
from symbp.explain.markdown import markdown
from symbp.explain.notebook import notebook
from symbp.gallery import GALLERY

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


RUN = """
import ast, json, sys
from pathlib import Path

found, names, shown = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), {}, []
for cell in (cell for cell in found["cells"] if cell["cell_type"] == "code"):
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, cell["id"], "exec"), names)
    if last is not None:
        shown.append(eval(compile(ast.Expression(last.value), cell["id"], "eval"), names))
numbers = {} if "numbers" not in names else {n: v.tolist() for n, v in names["numbers"].values.items()}
told = {"name": names["d"].name, "shown": [repr(one) for one in shown], "numbers": numbers}
print("\\n" + json.dumps(told))
"""


def executed(text, folder):
    """What the code cells leave, run one after the other in a process of their own, as Jupyter does."""
    path = folder / "net.ipynb"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


SMALL = ("neuron", "logistic_regression")
NETS = [name if name in SMALL else pytest.param(name, marks=pytest.mark.long) for name in sorted(GALLERY)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_cells_run_and_give_the_numbers_of_the_page(name, capsys, tmp_path):
    assert main(["derive", name, "--format", "notebook"]) == 0
    found = executed(capsys.readouterr().out, tmp_path)
    assert found["name"] == name
    assert len(found["shown"]) == 1
    wanted = of_gallery(name).values(small=True)
    assert set(found["numbers"]) == set(wanted.values)
    for tensor, value in wanted.values.items():
        np.testing.assert_array_equal(found["numbers"][tensor], value, err_msg=tensor)


@pytest.mark.slow
def test_an_exercise_runs(capsys, tmp_path):
    assert main(["exercise", "logistic_regression", "--format", "notebook", "--blanks", "2"]) == 0
    assert executed(capsys.readouterr().out, tmp_path)["name"] == "logistic_regression"


def test_no_code_without_a_way_to_derive_again(capsys):
    assert main(["derive", "neuron", "--format", "notebook", "--order", "2"]) == 0
    assert sources(json.loads(capsys.readouterr().out), "code") == []


@pytest.mark.slow
def test_method():
    derivation = of_gallery("neuron")
    check_format(json.loads(derivation.notebook(code="1 + 1")))
