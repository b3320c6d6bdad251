"""The legend says what a reader has to know: ranges, sizes, what stands outside, directions, helpers."""

import json
import re

import pytest

import symbp as bp
from symbp.explain import document, text
from symbp.explain.text import legend_lines
from symbp.ir.expr import Guard
from symbp.read.legend import indices_of
from symbp.read.reading import reading


def about(derivation, kind):
    page = document.document(derivation)
    lines = zip(page.reading.legend, legend_lines(page), strict=True)
    return [line for entry, line in lines if entry.kind == kind]


def test_each_index_has_its_range(derivation):
    read = reading(derivation)
    used = {index.name for line in read.lines for index in line.equation.all_indices}
    assert indices_of(read.legend) == used
    page = text.text(document.document(derivation))
    for letter in used:
        assert re.search(rf"^  (\S+, )*{re.escape(letter)}(, \S+)* = 0, …, ", page, re.M)


def test_each_reading_has_what_the_original_has(derivation):
    """Letters are bound names: an equation is the same up to them, and no two indices of it became one."""
    read = reading(derivation).computable
    for line in read.lines:
        shown, equation = line.equation, derivation.system.defining[line.target]
        assert len(set(shown.all_indices)) == len(equation.all_indices)
        back = dict(zip(shown.all_indices, equation.all_indices, strict=True))
        lengths = {size: extent for extent, size in read.lengths.items()}
        assert shown.body.xreplace(back | lengths) == equation.body.xreplace({})
        assert not {i.name for i in shown.all_indices} & set(derivation.system.by_name)


@pytest.mark.slow
def test_each_length_with_a_name_is_explained(cnn):
    page = document.document(cnn)
    assert page.reading.lengths
    for extent, size in page.reading.lengths.items():
        assert any(line.startswith(f"{size.name} = ") for line in about(cnn, "size")), extent
    assert "h2[n,u//(" in cnn.text() or "//(" in cnn.text()


def test_sizes_with_a_value_say_so(lstm):
    assert about(lstm, "size") == ["E = 32, axis 2 of table; H = 64, axis 3 of W"]


def test_brackets_are_explained_where_there_are_some(derivation):
    some = any(e.where or e.body.atoms(Guard) for e in derivation.system.equations)
    assert bool(about(derivation, "bracket")) == some


def test_a_recurrence_and_its_adjoint(lstm):
    up, down = about(lstm, "direction")
    assert "c1" in up
    assert up.endswith("runs upwards, from t = 0 to T - 1")
    assert "dc1" in down
    assert down.endswith("runs backwards, from t = T - 1 to 0")
    assert about(lstm, "outside") == ["h, c1: 0 at t = -1"]
    assert about(lstm, "part") == ["dh⁽¹⁾, dh⁽²⁾: summands of the derivative of loss by h"]


def test_meanings_come_from_roles_and_facts(mlp):
    assert about(mlp, "index") == [
        "i = 0, …, D - 1", "j = 0, …, H - 1", "k = 0, …, K - 1 (classes of y)", "n = 0, …, N - 1 (examples)"
    ]  # fmt: skip


def test_what_is_no_example_is_not_called_one():
    """Neither nodes of a graph nor steps of time; along time all indices are t, none the n of batches."""
    N, T, D = bp.dim("N"), bp.dim("T"), bp.dim("D")
    x, edges, W = bp.input("x", (N, D)), bp.input("A", (N, N)), bp.param("W", (D, D))
    graph = bp.derive(bp.Network("graph", loss=bp.sum(bp.tanh(edges @ x @ W))))
    assert not [line for line in about(graph, "index") if "examples" in line]

    v, Q = bp.input("v", (T, D)), bp.param("Q", (D, D))
    steps = bp.derive(bp.Network("steps", loss=bp.sum(bp.softmax(v @ Q @ v.T) @ v * v)))
    assert [line for line in about(steps, "index") if "T - 1" in line] == ["t, t' = 0, …, T - 1"]


def test_helpers_say_what_they_are(mlp):
    lines = about(mlp, "helper")
    assert "m: maximum over k" in lines
    assert "e: exponentials" in lines
    assert "s: sum over k" in lines


def test_every_helper_is_explained(derivation):
    page = document.document(derivation)
    explained = {p.name for e in page.reading.legend for p in e.pieces if hasattr(p, "name")}
    for tensor in derivation.system.tensors:
        given = tensor.label is not None and tensor.label.given and not tensor.label.stands_for
        symbol = page.reading.symbols.symbols.get(tensor.name)
        if (
            symbol is not None
            and not given
            and symbol.quotient is None
            and tensor.name not in page.gradients.values()
        ):
            assert tensor.name in explained, tensor.name


def test_a_textbook_says_what_gates_are_and_where_a_recurrence_ends(lstm):
    lines = legend_lines(document.document(lstm, style="textbook"))
    assert (
        "along axis 3 of a1, axis 2 of U, axis 2 of W, axis 1 of b: 0 is i, 1 is f, 2 is g, 3 is o" in lines
    )
    assert "da1, dc1, f: 0 at t = T" in lines
    assert any(line.startswith("computed as") for line in lines)


def test_all_formats_have_it(lstm):
    lines = about(lstm, "direction")
    found = json.loads(lstm.json(reading="computed"))
    assert {"about": "direction", "text": lines[0]} in found["legend"]
    assert found["symbols"]["W"] == {"text": "W", "latex": "W"}
    shown = lstm.latex()
    assert r"\subsection*{Legend}" in shown
    assert r"\item {}$t$ = 0, \dots{}, $T - 1$ (steps of a recurrence)" in shown


def test_a_place_of_a_maximum_says_which_subscript_it_is(cnn):
    rows = re.findall(r"= (\(argmax_\S+ .*\)_\S+)", cnn.text())
    assert len(rows) == 2
    assert len(set(rows)) == 2
