"""One symbol for each tensor, none for two, in text and in LaTeX; the author's names and choices stand."""

import re
from dataclasses import replace

import pytest

import symbp as bp
from symbp.errors import DeclarationError, ReadingError, SymbpError, UsageError
from symbp.explain import document, latex
from symbp.read.reading import reading
from symbp.read.spelling import Symbol, bare, text_symbol
from symbp.read.symbols import symbols, validate_symbols

RAW = re.compile(r"d*[mset]_\w+|\w+_s?\d+")


def test_symbols_stand_for_one_thing_each(derivation):
    read = reading(derivation)
    found = read.symbols
    assert set(found.symbols) == {t.name for t in derivation.system.tensors if t.name in found.symbols}
    assert {e.target for e in derivation.system.equations} <= set(found.symbols)
    for spelling in (found.text, found.latex):
        written = [bare(symbol) for symbol in spelling.values()]
        assert len(set(written)) == len(written)
        assert not set(written) & {bare(letter) for letter in found.taken}


def test_what_the_author_named_keeps_its_name(derivation):
    found = reading(derivation).symbols
    for leaf in derivation.system.leaves:
        assert found.text[leaf.name] == leaf.name
    for tensor in derivation.system.tensors:
        if tensor.label and tensor.label.given and not tensor.label.stands_for and tensor.name in found.text:
            assert found.text[tensor.name] == tensor.name


def test_no_symbol_is_a_name_that_only_code_has(derivation):
    found = reading(derivation)
    given = {t.name for t in derivation.system.tensors if t.label and t.label.given}
    for name, symbol in found.symbols.text.items():
        mentioned = {symbol, symbol.removeprefix("d")}
        assert mentioned & given or not RAW.fullmatch(symbol), f"{name} is printed as {symbol}"


PART = r"(?! \\right\)\}?\^\{\()"  # a part of it is another tensor


def test_no_equation_says_that_something_is_itself_and_more(derivation):
    page = document.document(derivation)
    notation = latex.notation_for(page)
    for shown in page.equations:
        left, right = notation.equation(shown.shown)
        assert not re.search(r"(?<![\w\\])" + re.escape(left) + r"(?!\w)" + PART, right), (
            f"({shown.number}) {left} = {right}"
        )
        matrix = latex.matrix_latex(shown, notation)
        if matrix and matrix[0].startswith(r"\frac"):
            assert not re.search(re.escape(matrix[0]) + PART, matrix[1]), f"({shown.number}) {matrix}"


def test_parts_add_up_to_the_derivative(lstm):
    shown = lstm.latex(reading="computed")
    whole = r"\frac{\partial \mathrm{loss}}{\partial h_{ntm}}"
    first, second = (rf"\left( {whole} \right)^{{({k})}}" for k in (1, 2))
    assert f"{whole} &= {first} + {second}" in shown
    assert "dh[n,t,m] = dh⁽¹⁾[n,t,m] + dh⁽²⁾[n,t,m]" in lstm.text(reading="computed")


def test_derivatives_come_from_data_not_from_names():
    """A tensor that is called as the adjoint of another would be, `dx`, and a parameter named `d`."""
    N, D = bp.dims("N D")
    x, y = bp.input("x", (N, D)), bp.target("y", (N, D))
    d, w = bp.param("d", (D,)), bp.param("w", (D,))
    dx = (x * d).named("dx")
    found = reading(bp.derive(bp.Network("names", loss=bp.mse(bp.tanh(dx * w), y)), wrt=["d", "w", "x"]))
    text = found.symbols.text
    assert text["dx"] == "dx"
    assert found.symbols.latex["dx"] == r"\mathrm{dx}"
    assert sum(bare(symbol) == "dx" for symbol in text.values()) == 1
    assert (
        sum(symbol == r"\frac{\partial \mathrm{loss}}{\partial x}" for symbol in found.symbols.latex.values())
        == 1
    )


def test_names_that_differ_only_by_what_latex_drops():
    N = bp.dim("N")
    x, y = bp.input("x", (N,)), bp.target("y", (N,))
    W1, W_1, beta = (bp.param(name, ()) for name in ("W1", "W_1", "beta"))
    found = reading(bp.derive(bp.Network("twins", loss=bp.mse(x * W1 + W_1 * beta, y)))).symbols
    assert found.latex["W1"] == "W_{1}"
    assert found.latex["W_1"] == r"\mathrm{W\_1}"


def test_an_authors_choice_wins(mlp):
    shown = mlp.latex(symbols={"W1": r"W^{(1)}", "h": r"\hat{h}"})
    assert r"W^{(1)}_{ij}" in shown
    assert r"\frac{\partial \mathrm{loss}}{\partial W^{(1)}_{ij}}" in shown
    assert r"\hat{h}_{nj}" in shown
    assert "(W_{1})" not in shown


def test_a_choice_may_take_what_nobody_else_has(mlp):
    with pytest.raises(ReadingError, match="two things"):
        mlp.latex(symbols={"W1": "x"})
    with pytest.raises(ReadingError):
        mlp.latex(symbols={"W1": "W", "W2": "W"})
    with pytest.raises(ReadingError):
        mlp.latex(symbols={"W1": "n"})  # an index
    assert issubclass(ReadingError, SymbpError)


def test_a_choice_for_nothing_or_of_nothing(mlp):
    with pytest.raises(UsageError, match="no tensor 'W9'"):
        mlp.latex(symbols={"W9": "W"})
    with pytest.raises(UsageError, match="no LaTeX"):
        mlp.latex(symbols={"W1": "W^{(1)"})


def test_planted_one_symbol_for_two_tensors(mlp):
    found = symbols(mlp)
    validate_symbols(found)
    for spelling in ("text", "latex"):
        written = dict(getattr(found, spelling))
        written["b1"] = written["b2"]
        with pytest.raises(ReadingError) as raised:
            validate_symbols(replace(found, **{spelling: written}))
        assert {"first: b1", "again: b2"} == set(raised.value.details)


def test_planted_the_letter_of_an_index(mlp):
    found = symbols(mlp, taken={"n"})
    with pytest.raises(ReadingError):
        validate_symbols(replace(found, text={**found.text, "h": "n"}))


@pytest.mark.parametrize("page", ["text", "latex", "json"])
def test_pages_call_the_validator(mlp, monkeypatch, page):
    def refused(found):
        assert found.symbols
        raise ReadingError("seen")

    monkeypatch.setattr("symbp.read.symbols.validate_symbols", refused)
    with pytest.raises(ReadingError, match="seen"):
        getattr(mlp, page)()


def test_spelling_of_a_symbol():
    assert text_symbol(Symbol("m", 2)) == "m2"
    assert text_symbol(Symbol("dh", part=12)) == "dh⁽¹²⁾"
    assert text_symbol(Symbol("x", 1, mark="hat")) == "x\u03021"
    assert text_symbol(Symbol("p", above="infer")) == "p_infer"


def test_a_networks_own_choices_are_kept():
    N, T, D = bp.dims("N T D")
    n, t, i = bp.indices("n t i")
    x, w = bp.input("x", (N, T)), bp.param("w", (D, T))
    loss = bp.define("loss", [], bp.Sum((x[n, t] * w[i, t]) ** 2, n, t, i))
    net = bp.Network("chosen", loss=loss, symbols={"w": r"\omega^{(1)}"}, letters={"T": "s", "D": "d"})
    shown = bp.derive(net).latex()
    assert r"\omega^{(1)}" in shown
    assert "s = 0, …, T - 1" in bp.derive(net).text()
    assert "d = 0, …, D - 1" in bp.derive(net).text()
    assert r"\Omega" in bp.derive(net).latex(symbols={"w": r"\Omega"})
    with pytest.raises(DeclarationError, match="no tensor 'v'"):
        bp.Network("chosen", loss=loss, symbols={"v": "V"})
    with pytest.raises(DeclarationError, match="no size 'K'"):
        bp.Network("chosen", loss=loss, letters={"K": "k"})


@pytest.mark.slow
def test_sigma_is_a_function_where_the_page_has_it_as_one():
    """A scale that its author calls sigma, and what would go by σ, have other symbols then."""
    size = bp.dim("N")
    x, scale = bp.input("x", (size,)), bp.param("sigma", ())
    with_function = bp.derive(bp.Network("a", loss=bp.mean(bp.sigmoid(x * scale) * scale**2)))
    without = bp.derive(bp.Network("b", loss=bp.mean(x * scale**2)))
    assert r"\mathrm{sigma}" in with_function.latex()
    assert r"\mathrm{sigma}" not in without.latex()
    assert r"\sigma" in without.latex()
    product = bp.hvp(bp.Network("c", loss=bp.mean(bp.logsigmoid(x * scale)) ** 2), wrt=["sigma", "x"])
    found = reading(product, style="textbook").symbols
    assert "σ" not in found.text.values()
