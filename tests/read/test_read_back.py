"""What symbp prints can be read: each printed equation has the value of the tensor that it defines."""

import numpy as np
import pytest

import symbp as bp
from symbp.explain.document import document, sides
from symbp.explain.latex import notation_for
from symbp.explain.text import PageText, index_form
from symbp.ir.evaluation.interpret import size_values
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Size
from symbp.ir.points.sampling import sample_point
from symbp.ir.printer import equation_text
from symbp.ir.system import Role, System, Tensor
from symbp.read.display import bound
from symbp.read.grammar import elements, parse_equation, plain
from symbp.read.options import PLAIN
from symbp.read.spelling import Symbol, latex_symbol


def in_text(page):
    """How the page's equations are read from its text."""
    notation = PageText(page.reading.symbols)
    names = {symbol: name for name, symbol in page.reading.symbols.text.items()}
    names |= {name: name for name in words(page)}
    places = page.reading.origin.numbers
    return lambda shown: parse_equation(index_form(shown, notation), names, places=places)


def in_latex(page):
    """How the page's equations are read from its LaTeX."""
    notation, found = notation_for(page), page.reading.symbols
    symbols = {latex_symbol(Symbol(name), {}).strip(): name for name in words(page)}
    derivatives = {}
    for name, symbol in found.symbols.items():
        if not symbol.is_fraction:
            symbols[found.latex[name].strip()] = name
        else:
            of, by = symbol.quotient.of[0], [one for one, _ in symbol.quotient.by]
            derivatives[(of, *by, *([str(symbol.part)] if symbol.part else []))] = name
    plain_names = {name: name for name in words(page)}

    def read(shown):
        latex = " = ".join(sides(shown.line, notation))
        places = page.reading.origin.numbers
        return parse_equation(plain(latex, symbols, derivatives), plain_names, places=places)

    return read


def words(page):
    """The letters of indices, and the names of sizes."""
    indices = {i.name for e in page.equations for i in bound(e.shown)}
    parts = [part for e in page.equations for part in (e.shown.body, *e.shown.where)]
    constants = {constant.name for constant in page.reading.constants}
    return indices | constants | {size.name for part in parts for size in part.atoms(Size)}


def values(derivation, page, seed):
    """Sizes, and the value of every tensor of a page: as computed, as declared, or by its own definition."""
    system, declared, read = derivation.system, derivation.declared, page.reading
    sizes, point = sample_point(system, seed)
    found = run(system, point, sizes)
    if read.style == "textbook" and not declared.derivatives:
        computed, leaves = dict(found), {t.name for t in declared.leaves}
        found |= run(declared, {name: value for name, value in point.items() if name in leaves}, sizes)
        same = set(read.derivation.system.by_name) & set(computed) - set(read.computed.values())
        for name in same:
            np.testing.assert_allclose(found[name], computed[name], rtol=1e-9, atol=1e-12, err_msg=name)
        found |= {name: computed[old] for name, old in read.computed.items()}
    for name, equation in read.defined.items():
        known = declared.by_name | system.by_name
        shapes = {n: known[read.computed.get(n, n)].shape for n in equation.read_names}
        tensors = [Tensor(n, shape, Role.INPUT) for n, shape in shapes.items()]
        alone = System((*tensors, Tensor(name, equation.shape, Role.OUTPUT)), (equation,), outputs=(name,))
        found[name] = run(alone, {t.name: found[t.name] for t in tensors}, sizes)[name]
    return sizes, found


def sizes_of_page(derivation, page, sizes):
    """The values of all sizes, by the names that they have on the page."""
    known = size_values(derivation.system, sizes)
    letters = page.reading.sizes
    found = {Size(letters.get(size.name, size.name)): int(value) for size, value in known.items()}
    return found | {constant: float(value) for constant, value in page.reading.constants.items()}


def as_printed(page, right):
    """The values as a page with another origin prints them: labels and places count from there."""
    origin = page.reading.origin
    return {name: np.asarray(v) + origin.first if name in origin.places else v for name, v in right.items()}


def read_back(derivation, seed=3, reading=in_text, style="computed", options=PLAIN):
    """Compares all equations of a page; how many."""
    page = document(derivation, style=style, options=options)
    read = reading(page)
    sizes, right = values(derivation, page, seed)
    right = as_printed(page, right)
    known = sizes_of_page(derivation, page, sizes)
    numbers = {size.name: value for size, value in known.items()}
    lengths = {size: length.xreplace(known) for length, size in page.reading.lengths.items()}
    numbers |= {size.name: int(value) for size, value in lengths.items()}
    seen = {}
    for shown in page.equations:
        extents = {i.name: int(e.xreplace(lengths).xreplace(known)) for i, e in bound(shown.shown).items()}
        tree = read(shown)
        target = shown.equation.target
        assert tree.target == target
        defined = seen.setdefault(target, np.zeros(np.shape(right[target]), dtype=bool))
        for place, value in elements(tree, right, numbers, extents, options.origin):
            assert not defined[place], f"{equation_text(shown.equation)}: {place} is defined twice"
            defined[place] = True
            wanted = right[target][place]
            np.testing.assert_allclose(value, wanted, rtol=1e-9, atol=1e-12, err_msg=shown.index_form)
    assert all(np.all(defined) for defined in seen.values())
    return len(page.equations)


@pytest.mark.slow
def test_pages(derivation):
    """Every gallery net, random nets, and second derivatives."""
    assert read_back(derivation) > 2
    assert read_back(derivation, reading=in_latex) > 2


@pytest.mark.slow
def test_textbook_pages(derivation):
    """The same of what a textbook shows, whose equations are others."""
    assert read_back(derivation, style="textbook") > 2
    assert read_back(derivation, reading=in_latex, style="textbook") > 2


@pytest.mark.slow
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
