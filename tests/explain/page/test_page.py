"""Parts of the page: steps that led to the code, what gradients take, matrices of numbers, code, the flow."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from derived_once import of_gallery

import symbp as bp
from symbp.cli.main import main
from symbp.explain.document import document
from symbp.explain.drawing import drawing
from symbp.explain.page.example import own_flow
from symbp.explain.page.gradients import gradient_table
from symbp.explain.page.matrices import figure, matrices
from symbp.explain.page.numbers import json_within
from symbp.explain.page.work import work
from symbp.ir.expr import Size
from symbp.ir.printer import expression_text


@pytest.fixture(scope="module")
def mlp():
    return of_gallery("mlp")


def parsed(text):
    return ET.fromstring(text.partition("\n")[2])


def words(element):
    return "".join(element.itertext())


@pytest.mark.slow
def test_steps_that_led_to_the_code(mlp, capsys):
    tree = parsed(mlp.html(steps="computed"))
    (section,) = [s for s in tree.iter("section") if s.get("aria-labelledby") == "steps"]
    items = list(section.iter("li"))
    assert len(items) == len(mlp.steps)
    for item, step in zip(items, mlp.steps, strict=True):
        assert step.rule in words(item)
        assert len(item.findall(".//div[@class='becomes']//div[@class='formula']")) == len(step.after)
    assert "Each row of p sums to one" in words(section) or "already known as" in words(section)
    assert main(["derive", "mlp", "--format", "markdown", "--steps", "computed"]) == 0
    text = capsys.readouterr().out.partition("## Steps")[2]
    assert len(re.findall(r"^\*\*\d+\.\*\*", text, flags=re.M)) == len(mlp.steps)
    assert text.count(r"$$\to") == sum(len(step.after) for step in mlp.steps)
    assert "\0" not in text
    assert "lesson" not in mlp.html(steps="computed").partition("<body>")[2]


def test_what_gradients_take(mlp):
    """As a matrix product has it: 2·N·D·H operations, and each of three matrices once."""
    page = document(mlp, style="textbook")
    system = page.reading.derivation.system
    N, D, H, K = map(Size, "NDHK")
    found = work(system.defining["dW1"], system.by_name)
    assert found.operations == 2 * N * D * H
    assert found.bytes.expand() == (8 * (N * D + N * H + D * H)).expand()
    assert work(system.defining["db2"], system.by_name).operations == N * K
    assert work(system.defining["h"], system.by_name).operations == N * H
    table = gradient_table(page)
    assert [row.words for row in table.rows] == ["W1", "b1", "W2", "b2"]
    assert [row.number for row in table.rows] == [page.reading.numbers[f"d{row.words}"] for row in table.rows]
    assert [name for name, *_ in table.passes] == ["Forward pass", "Backward pass"]
    assert expression_text(found.operations) == "2·D·H·N"


def test_matrices():
    assert figure(0.29837) == "0.2984"
    assert figure(-1.5, exact=True) == "−1.5"
    assert figure(3e-7) == "3.00e−7"
    assert figure(float("nan")) == "–"
    assert figure(-np.inf) == "−∞"
    array = np.arange(80.0).reshape(2, 4, 10)
    first, second = (ET.fromstring(f"<x>{part}</x>") for part in matrices(array, letters=("<mi>n</mi>",)))
    cells = [int(cell.get("data-p")) for cell in first.iter("mn") if cell.get("data-p")]
    assert cells == [10 * r + c for r in range(4) for c in (0, 1, 2, 9)]
    assert words(first).count("⋯") == 4
    assert words(second).endswith("n=1")
    (scalar,) = matrices(np.array(2.0), exact=True)
    assert scalar == '<mn data-p="0">2</mn>'


def test_json_within_a_page_ends_nothing():
    value = {"a": "</script><!-- & ]]>"}
    text = json_within(value)
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


@pytest.mark.slow
def test_numbers_and_code_stand_beside_their_equations(mlp):
    tree = parsed(mlp.html())
    blocks = {n.get("id"): n for n in tree.iter("div") if n.get("class") == "equation"}
    numbers = mlp.values(small=True)
    for block in blocks.values():
        (box,) = [n for n in block.iter("div") if n.get("data-tensor")]
        shown = [cell.text for cell in box.iter("mn") if cell.get("data-p")]
        assert shown == [figure(x) for x in numbers.values[box.get("data-tensor")].ravel()]
    lines = [words(n) for n in blocks["eq-9"].iter("span") if n.get("class") == "code-line"]
    assert lines == ["dW2 = h.T @ da2  # (9)\n"]
    assert len([n for n in blocks.values() if n.get("data-latex")]) == len(blocks)


def test_a_page_without_numbers_code_or_script(mlp):
    text = mlp.html(numbers=False, code=False)
    tree = parsed(text)
    assert 'id="state"' not in text
    assert not list(tree.iter("pre"))
    assert not [n for n in tree.iter("div") if n.get("data-tensor")]


def test_what_javascript_cannot_compute_still_shows_its_numbers():
    text = bp.grad_of("logdet(X'*X + I)", wrt="X").html()
    assert 'id="numbers"' in text
    assert 'id="state"' not in text
    assert parsed(text) is not None


@pytest.mark.slow
def test_flow_is_on_the_page_of_small_deep_nets(mlp):
    assert own_flow(mlp, None, None) is None
    derivation = of_gallery("char_rnn")
    assert derivation._step_bound().norms == ("U",)
    tree = parsed(derivation.html())
    (section,) = [s for s in tree.iter("section") if s.get("aria-labelledby") == "flow"]
    assert len(section.findall(".//tbody/tr")) == 20
    assert "vanishes" in words(section)
    assert "bound for Glorot" in words(section)
    assert 'id="flow"' not in derivation.html(flow=False)


def in_picture(page):
    """The numbers in the boxes of the picture, by tensor, by place."""
    picture = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    groups = [
        g for g in picture.iter("g") if g.get("data-tensor") and g.find("text[@class='value']") is not None
    ]
    return {g.get("data-tensor"): {c.get("data-p"): c.text for c in g.iter("tspan")} for g in groups}


def test_a_circuits_numbers_are_in_its_picture():
    """q = x + y = 3, f = q·z = −12; on the way back ∂f/∂q = z, ∂f/∂z = q."""
    shown = in_picture(of_gallery("circuit").html())
    assert shown["x"] == {"0": "−2"}
    assert shown["q"] == {"0": "3.0000"}
    assert shown["f"] == {"0": "−12.0000"}
    assert shown["dz"] == {"0": "3.0000"}
    assert shown["dx"] == shown["dy"] == {"0": "−4.0000"}


@pytest.mark.slow
def test_matrices_are_in_the_picture_where_there_is_room(mlp):
    shown, numbers = in_picture(mlp.html()), mlp.values(small=True)
    given = {t.name for t in mlp.system.leaves}
    page = document(mlp, style="textbook")
    lines = [e.line.target for s in page.sections if s.title in ("Forward", "Backward") for e in s.equations]
    assert set(shown) == {*given, *lines}
    for name, cells in shown.items():
        flat = numbers.values[name].ravel().tolist()
        assert cells == {str(k): figure(x, exact=name in given) for k, x in enumerate(flat)}, name
    assert 'class="value"' not in mlp.drawing()
    large = {t.name: (("−0.1234",) * 12,) * 12 for t in page.reading.derivation.system.tensors}
    assert 'class="value"' not in drawing(page, values=large)


def test_how_to_read_a_page(mlp):
    tree = parsed(mlp.html())
    (section,) = [s for s in tree.iter("section") if s.get("aria-labelledby") == "guide"]
    told = [re.sub(r"[\s\u2061\u2062]+", " ", words(p)) for p in section.iter("p")]
    assert told[0].startswith("xni is one number: what stands in row n and column i of x.")
    assert told[0].endswith("(1) for each n and each j.")
    assert told[1].startswith("Σi adds up what follows it, for all values of i")
    assert told[3].startswith("∂loss∂a2 has the shape of a2.")
    assert 'id="guide"' not in of_gallery("circuit").html(steps=False)
