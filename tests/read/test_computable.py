"""What evaluates a page has numbers where the page has letters, and counts from 0 whatever the page does."""

import numpy as np
import pytest
from derived_once import of_gallery

import symbp as bp
from symbp.errors import UsageError
from symbp.explain.document import document
from symbp.explain.script import script
from symbp.read.display import Constant
from symbp.read.numbers import numbers
from symbp.read.options import Options
from symbp.read.reading import reading
from symbp.targets.plain.listing import gradients_listing

FROM_1 = {"notation": "delta", "layout": "columns", "origin": 1}


@pytest.fixture(scope="module")
def normalised():
    N, D, K = bp.dims("N D K")
    x, y, W = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K), bp.param("W", (D, K))
    h = bp.nn.BatchNorm(eps=1e-4)(bp.nn.LayerNorm(eps=0.01)(x @ W))
    return bp.derive(bp.Network("normalised", loss=bp.cross_entropy(bp.softmax(h), y)))


@pytest.fixture(scope="module")
def recurrent():
    return of_gallery("char_rnn")


@pytest.mark.slow
@pytest.mark.parametrize("style", ["textbook", "computed"])
@pytest.mark.parametrize("options", [Options(), Options(**FROM_1)])
def test_only_what_is_printed_has_letters(normalised, style, options):
    page = reading(normalised, style=style, options=options)
    assert any(line.equation.body.atoms(Constant) for line in page.lines)
    own = page.computable
    for equation in (*own.derivation.system.equations, *(line.equation for line in own.lines)):
        assert not any(part.atoms(Constant) for part in (equation.body, *equation.where))
    assert [line.equation for line in own.lines] == [
        line.equation for line in reading(normalised, style=style).computable.lines
    ]
    assert own.constants == page.constants


@pytest.mark.slow
def test_numbers_are_those_of_the_network(normalised):
    found = normalised.values()
    assert found.worst < 1e-6
    root = np.sqrt(np.var(found["x"] @ found["W"], axis=1) + 0.01)
    (written,) = (row for row in found.rows if row.number == 4)
    z = found["x"] @ found["W"]
    np.testing.assert_allclose(written.value, (z - z.mean(1, keepdims=True)) / root[:, None])
    text = found.text()
    assert "  ε1 = 0.0001\n  ε2 = 0.01\n" in text
    assert found.json()["constants"] == {"ε1": 0.0001, "ε2": 0.01}


@pytest.mark.slow
def test_numbers_are_the_same_from_1(recurrent):
    """The first and the last step of a recurrence, which have lines of their own."""
    plain = recurrent.values()
    page = reading(recurrent, style="textbook", options=Options(origin=1))
    shifted = numbers(page, plain.leaves, sizes=plain.sizes)
    assert len(shifted.rows) == len(plain.rows)
    for one, other in zip(shifted.rows, plain.rows, strict=True):
        np.testing.assert_array_equal(one.value, other.value)


def test_a_tiny_net_is_written_out(normalised):
    found = normalised.values(sizes={"N": 2, "D": 1, "K": 2}, scalar=True)
    assert "sqrt(0.01 + σ²1)" in found.text()
    assert found.worst < 1e-6


def test_code_has_numbers(normalised):
    page = reading(normalised, style="textbook", options=Options(layout="columns", origin=1))
    assert "1/10000" in script(page.computable.derivation.system).text
    lines = [line.text for line in gradients_listing(page)]
    assert lines == [line.text for line in gradients_listing(reading(normalised, style="textbook"))]
    assert any("sqrt(0.01 + " in line for line in lines)


@pytest.mark.slow
def test_arrays_stand_beside_rows_from_0_only(normalised):
    """What a page in columns, or from 1, would contradict."""
    whole = normalised.html(steps=False, flow=False)
    assert "function equations" in whole
    assert "def loss_and_gradients" in whole
    for chosen in ({"origin": 1}, {"layout": "columns"}):
        page = normalised.html(steps=False, flow=False, **chosen)
        assert "function equations" not in page
        assert "def loss_and_gradients" not in page
        with pytest.raises(UsageError, match="count from 0"):
            normalised.html(numbers=normalised.values(), **chosen)


@pytest.mark.slow
def test_pictures_count_as_the_page_does(recurrent):
    page = recurrent.html(steps=False, flow=False, origin=1)
    assert "at t = 3" in page
    assert "at t = 0" not in page
    assert "at t = 0" in recurrent.html(steps=False, flow=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "layer_norm", "char_lstm"])
def test_lessons_from_1_say_as_much(name):
    derivation = of_gallery(name)
    plain = document(derivation, style="textbook").lecture.lessons
    shifted = document(derivation, style="textbook", options=Options(origin=1)).lecture.lessons
    assert any(lesson.selected or lesson.known for lesson in plain)
    for one, other in zip(plain, shifted, strict=True):
        assert (one.is_result, one.is_selected) == (other.is_result, other.is_selected)
        assert len(one.known) == len(other.known)
        assert [part.plainly is None for part in one.parts] == [part.plainly is None for part in other.parts]
