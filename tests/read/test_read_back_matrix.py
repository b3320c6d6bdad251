"""What symbp prints in matrix notation can be read: each equation has the value of the tensor it defines."""

import re

import numpy as np
import pytest
from test_read_back import as_printed, sizes_of_page, values

from symbp.errors import FormulaError
from symbp.explain.document import document
from symbp.explain.latex import matrix_latex, notation_for
from symbp.explain.text import PageText, index_form, matrix_form
from symbp.ir.expr import Size
from symbp.ir.printer import expression_text
from symbp.read.display import Reduced
from symbp.read.grammar import Facts, elements, evaluate_matrix, parse_equation, parse_matrix_equation, plain
from symbp.read.options import PLAIN
from symbp.read.spelling import Symbol, latex_symbol


class Page:
    """A page with a point, and how its matrix notation is read."""

    def __init__(self, derivation, seed=3, style="computed", options=PLAIN):
        self.page = document(derivation, style=style, options=options)
        self.system = self.page.reading.derivation.system
        self.lengths = self.page.reading.lengths
        sizes, right = values(derivation, self.page, seed)
        self.right = as_printed(self.page, right)
        self.known = sizes_of_page(derivation, self.page, sizes)
        self.long = {size: length.xreplace(self.known) for length, size in self.lengths.items()}
        self.words = {i.name for e in self.page.equations for i in self.extents(e)}
        self.words |= {s.name for e in self.page.equations for s in e.shown.body.atoms(Size)}
        self.words |= {size.name for size in (*self.known, *self.long)}
        names = {symbol: name for name, symbol in self.page.reading.symbols.text.items()}
        self.names = names | {name: name for name in self.words}

    def extents(self, shown):
        inner = {i: n for r in shown.shown.body.atoms(Reduced) for i, n in r.extents.items()}
        return shown.shown.extents | inner

    def number(self, extent):
        return int(extent.xreplace(self.long).xreplace(self.known))

    def facts(self, shown):
        """What the page says: legend, shapes, ranges of labels."""
        tensors = self.system.tensors
        below = {t.name: t.fact("below") or t.fact("below or ignored") for t in tensors}
        return Facts(
            {s.name: float(s.xreplace(self.long).xreplace(self.known)) for s in (*self.known, *self.long)},
            {i.name: (expression_text(n), self.number(n)) for i, n in self.extents(shown).items()},
            {t.name: tuple(expression_text(n.xreplace(self.lengths)) for n in t.shape) for t in tensors},
            {
                n: (expression_text(f.bound.xreplace(self.lengths)), self.number(f.bound))
                for n, f in below.items()
                if f is not None
            },
            self.page.reading.options.origin,
            self.page.reading.options.layout == "columns",
            self.page.columns.names,
            self.page.columns.images,
        )

    def text(self, shown):
        return matrix_form(shown, PageText(self.page.reading.symbols))

    def latex(self, shown):
        return " = ".join(matrix_latex(shown, notation_for(self.page)))

    def from_latex(self, latex):
        """The same in plain text, with the names of tensors in code."""
        found = self.page.reading.symbols
        symbols = {latex_symbol(Symbol(name), {}).strip(): name for name in self.words}
        derivatives = {}
        for name, symbol in found.symbols.items():
            if not symbol.is_fraction:
                symbols[found.latex[name].strip()] = name
            else:
                of, by = symbol.quotient.of[0], [one for one, _ in symbol.quotient.by]
                derivatives[(of, *by, *([str(symbol.part)] if symbol.part else []))] = name
        return plain(latex, symbols, derivatives, matrices=True)

    def value(self, shown, text, names=None):
        names = self.names if names is None else names
        tree = parse_matrix_equation(text, names, places=self.page.reading.origin.numbers)
        return evaluate_matrix(tree, self.right, self.facts(shown))

    def compare(self, shown, text, names=None):
        found, right = self.value(shown, text, names), self.right[shown.line.target]
        plainly = shown.line.plain or shown.line
        places = [plainly.fixed.get(index) for index in shown.shown.indices]
        part = tuple(slice(None) if place is None else self.number(place) for place in places)
        found, right = (found, right) if not shown.line.fixed else (found[part], right[part])
        if shown.line.condition is not None:
            right = np.where(self.holds(shown), right, np.nan)
        np.testing.assert_allclose(found, right, rtol=1e-8, atol=1e-11, err_msg=text)

    def holds(self, shown):
        """Where the condition of a line holds, at each element of its tensor."""
        text = index_form(shown, PageText(self.page.reading.symbols))
        tree = parse_equation(text, self.names, places=self.page.reading.origin.numbers)
        extents = {i.name: self.number(n) for i, n in self.extents(shown).items()}
        found = np.zeros(np.shape(self.right[shown.line.target]), dtype=bool)
        numbers = self.facts(shown).sizes
        for place, _ in elements(tree, self.right, numbers, extents, self.page.reading.options.origin):
            found[place] = True
        return found

    @property
    def shown(self):
        return [e for e in self.page.equations if e.matrix is not None]


def test_pages_in_text(derivation):
    """Every gallery net, random nets, and second derivatives."""
    page = Page(derivation)
    assert page.shown
    for shown in page.shown:
        page.compare(shown, page.text(shown))


def test_pages_in_latex(derivation):
    page = Page(derivation)
    names = {name: name for name in (*page.words, *page.right)}
    for shown in page.shown:
        page.compare(shown, page.from_latex(page.latex(shown)), names)


def test_textbook_pages(derivation):
    """The same of what a textbook shows: named functions, sums within sums, one equation for each gate."""
    page = Page(derivation, style="textbook")
    names = {name: name for name in (*page.words, *page.right)}
    assert page.shown
    for shown in page.shown:
        page.compare(shown, page.text(shown))
        page.compare(shown, page.from_latex(page.latex(shown)), names)


FACTOR = r"[^\s·()⊙=⋆]+"
FAULTS = {
    "a lost transpose": lambda text: without(text, "ᵀ", ""),
    "a wrong sign": lambda text: [*without(text, " - ", " + "), *without(text, " + ", " - ")],
    "a wrong subscript": lambda text: [
        *without(text, "t-1", "t"), *without(text, "t+1", "t"), *without(text, "-1}", "-2}"),
        *without(text, "_{t,0}", "_{t,1}"),
        *without(text, "_{t,i}", "_{t,f}"), *without(text, "_{0,n}", "_{1,n}"),
    ],
    "swapped factors": lambda text: [
        re.sub(rf"({FACTOR})·({FACTOR})$", r"\2·\1", text)
        if re.search(rf"(?:= |Σ_\S+ ){FACTOR}·{FACTOR}$", text) else text
    ],
    "a product for an elementwise one": lambda text: without(text, " ⊙ ", "·"),
    "a lost sum": lambda text: [re.sub(r"Σ_\S+ ", "", text)],
    "a kernel not turned": lambda text: [re.sub(r"rot180\((.*)\)", r"\1", text)],
    "other zeros": lambda text: without(text, ", 1)", ", 2)"),
    "a lost mask": lambda text: [re.sub(r"tril\((.*)\)$", r"\1", text)],
    "another outside": lambda text: [re.sub(r" \| [^}]*(\{[^}]*\})?\}", "}", text)],
}  # fmt: skip


def without(text, old, new):
    """The text with each of the places of `old` changed, one at a time, right of the equals sign."""
    places = [m.start() for m in re.finditer(re.escape(old), text) if m.start() > text.index(" = ")]
    return [text[:k] + new + text[k + len(old) :] for k in places]


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("name", ["mlp", "char_lstm", "cnn", pytest.param("gpt", marks=pytest.mark.slow)])
def test_planted_faults(known, name):
    """Each is caught: the text has another value, or none."""
    page, planted, missed = Page(known(name)), 0, []
    for shown in page.shown:
        right = page.text(shown)
        for fault, change in FAULTS.items():
            for wrong in change(right):
                if wrong == right or re.search(r"\[[kt] < \w+ \+ 1\]", wrong):  # beyond T is 0 anyway
                    continue
                planted += 1
                try:
                    page.compare(shown, wrong)
                except (AssertionError, FormulaError):
                    continue
                missed.append(f"{fault}: {wrong}")
    assert planted > 20
    assert not missed, "\n".join(missed)


def test_most_equations_have_a_form(derivation):
    page = document(derivation)
    named = [e for e in page.equations if e.matrix is not None]
    # the computed equations of ctc have the fewest: brackets that keep −∞ − (−∞) from being evaluated
    assert len(named) >= 0.75 * len(page.equations)
