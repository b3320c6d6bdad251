"""Gates go by their names in subscripts, and a name is read as the number that it is."""

import json

import numpy as np
import pytest
import sympy
from test_read_back import in_latex, read_back

import symbp as bp
from symbp.explain.document import document, sides
from symbp.explain.latex import notation_for
from symbp.explain.text import PageText, index_form, legend_lines, matrix_form
from symbp.ir.expr import Index
from symbp.ir.system import Equation, Tensor
from symbp.read.grammar import evaluate, parse_equation, parse_matrix_equation
from symbp.read.grammar.syntax import Number, Subscripted
from symbp.read.named_places import named_places
from symbp.read.options import Options


def by_number(page, number):
    return next(shown for shown in page.equations if shown.number == number)


def test_gates_in_every_notation(lstm):
    page = document(lstm, style="textbook")
    text, forget = PageText(page.reading.symbols), by_number(page, 4)
    assert index_form(forget, text) == "f[n,t,m] = σ(a1[n,t,f,m])"
    assert matrix_form(forget, text) == "f_{t} = σ(a1_{t,f})"
    assert sides(forget.line, notation_for(page))[1].endswith("(a_{1})_{ntfm} \\right)")
    adjoint = by_number(page, 19)
    assert matrix_form(adjoint, text) == "da1_{t,o} = (1 - o_{t}) ⊙ dh_{t} ⊙ h_{t}"
    assert "l ∈ {i, f, g, o}" in legend_lines(page)


def test_programs_are_told(lstm):
    told = json.loads(lstm.json())["places"]
    assert {"tensor": "U", "axis": 1, "names": ["i_c1", "f_c1", "g_c1", "o_h"]} in told


@pytest.mark.parametrize("first", [0, 1])
def test_a_name_is_a_number_where_it_stands(lstm, first):
    """As a subscript of a tensor with gates, and beside an index along them; elsewhere f is a tensor."""
    page = document(lstm, style="textbook", options=Options(origin=first))
    places = page.reading.origin.numbers
    names = {symbol: name for name, symbol in page.reading.symbols.text.items()} | {"l": "l"}
    tree = parse_equation("f[n,t,m] = f[n,t,m]·a1[n,t,f,m]·[l = f]", names, places=places)
    assert [int(n.value) for n in tree.walk() if isinstance(n, Number)] == [first + 1] * 2
    form = parse_matrix_equation("f_{t} = a1_{t,o}", names, places=places)
    (read,) = (n for n in form.body.walk() if isinstance(n, Subscripted))
    assert read.subscripts[1].value == first + 3


def test_another_gate_is_another_value():
    places = {"a": {"i": 0, "f": 1}}
    right, wrong = (parse_equation(f"y = a[{gate}]", places=places) for gate in "if")
    assert evaluate(right, {"a": np.arange(2.0)}) == 0
    assert evaluate(wrong, {"a": np.arange(2.0)}) == 1


@pytest.mark.slow
def test_weights_of_two_recurrences_keep_their_numbers():
    """The places of U would have two names each; those of a layer of its own keep theirs."""
    N, T, D, H = bp.dims("N T D H")
    x, y = bp.input("x", (N, T, D)), bp.input("y", (N, T, H))
    shared = bp.nn.LSTM(H)
    h = bp.nn.LSTM(H)(x)
    net = bp.Network("net", loss=bp.mean((shared(shared(h)) - y) ** 2))
    derivation = bp.derive(net)
    assert read_back(derivation, style="textbook")
    assert read_back(derivation, style="textbook", reading=in_latex)
    page = document(derivation, style="textbook")
    told = [line for line in legend_lines(page) if line.startswith("along axis")]
    assert page.reading.places.axes
    assert len(told) == 3


def test_derivatives_have_the_names_of_what_they_are_by():
    """No equation has a gate of W beside one of dW."""
    W, a, da = (Tensor(name, (sympy.Integer(2),)) for name in ("W", "a", "da"))
    k = Index("k")
    equations = (
        Equation("a", (k,), W.at(k), ranges=W.shape),
        *(Equation(g, (), sympy.tanh(a.at(place))) for place, g in enumerate("if")),
        Equation("dW", (k,), da.at(k), ranges=W.shape),
    )
    assert set(named_places(equations).axes) == {("a", 0), ("W", 0)}
    found = named_places(equations, {"dW": "W"}).axes
    assert set(found) == {("a", 0), ("W", 0), ("dW", 0), ("da", 0)}
    assert set(found.values()) == {("i", "f")}
