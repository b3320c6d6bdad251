"""What symbp prints can be read: each printed equation has the value of the tensor that it defines."""

import numpy as np
import pytest

import symbp as bp
from symbp.explain.document import document
from symbp.explain.latex import notation_for
from symbp.explain.text import PageText, index_form
from symbp.ir.expr import Size
from symbp.ir.interpret import size_values
from symbp.ir.printer import equation_text
from symbp.ir.sampling import sample_point
from symbp.ir.vector import run
from symbp.read.grammar import evaluate, parse_equation, plain
from symbp.read.spelling import Symbol, latex_symbol


def in_text(page):
    """How the page's equations are read from its text."""
    notation = PageText(page.reading.symbols)
    names = {symbol: name for name, symbol in page.reading.symbols.text.items()}
    names |= {name: name for name in words(page)}
    return lambda shown: parse_equation(index_form(shown, notation), names)


def in_latex(page):
    """How the page's equations are read from its LaTeX."""
    notation, found = notation_for(page), page.reading.symbols
    symbols = {latex_symbol(Symbol(name), {}).strip(): name for name in words(page)}
    derivatives = {}
    for name, symbol in found.symbols.items():
        if symbol.quotient is None or symbol.latex is not None:
            symbols[found.latex[name].strip()] = name
        else:
            of, by = symbol.quotient.of[0], [one for one, _ in symbol.quotient.by]
            derivatives[(of, *by, *([str(symbol.part)] if symbol.part else []))] = name
    plain_names = {name: name for name in words(page)}

    def read(shown):
        latex = " = ".join(notation.equation(shown.shown))
        return parse_equation(plain(latex, symbols, derivatives), plain_names)

    return read


def words(page):
    """The letters of indices, and the names of sizes."""
    indices = {i.name for e in page.equations for i in e.shown.all_indices}
    return indices | {s.name for e in page.equations for s in e.shown.body.atoms(Size)}


def read_back(derivation, seed=3, reading=in_text):
    """Compares all equations of a page; how many."""
    page, system = document(derivation), derivation.system
    read = reading(page)
    sizes, values = sample_point(system, seed)
    right, known = run(system, values, sizes), size_values(system, sizes)
    numbers = {size.name: int(value) for size, value in known.items()}
    lengths = {size: length.xreplace(known) for length, size in page.reading.lengths.items()}
    numbers |= {size.name: int(value) for size, value in lengths.items()}
    for shown in page.equations:
        extents = {i.name: int(e.xreplace(lengths).xreplace(known)) for i, e in shown.shown.extents.items()}
        tree = read(shown)
        assert tree.target == shown.equation.target
        found = evaluate(tree, right, numbers, extents)
        np.testing.assert_allclose(
            found, right[tree.target], rtol=1e-9, atol=1e-12, err_msg=equation_text(shown.equation)
        )
    return len(page.equations)


def test_pages(derivation):
    """Every gallery net, random nets, and second derivatives."""
    assert read_back(derivation) > 2
    assert read_back(derivation, reading=in_latex) > 2


@pytest.mark.parametrize(
    "formula",
    [
        "logdet(X'*X + lam*I) + norm2(X*w)",
        pytest.param("tr(inv(S)) + sum(gelu(S)) + sum_i,j [i < j]*S[i,j]^2", marks=pytest.mark.slow),
        pytest.param("sum(softmax(A*x) .* log(b)) + prod(b)", marks=pytest.mark.slow),
    ],
)
def test_formulas(formula):
    names = {"logdet": "w", "tr(inv": "S", "sum(so": "x"}
    derivation = bp.grad_of(formula, wrt=names[formula[:6]], order=2)
    assert read_back(derivation)
    assert read_back(derivation, reading=in_latex)
