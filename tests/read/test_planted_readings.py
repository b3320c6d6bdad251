"""A page that says something false is found out: 100 faults planted into equations as they are printed."""

import itertools
import random
import re

import numpy as np
import pytest
from test_read_back import sizes_of_page, values, words

from symbp.errors import FormulaError, ReadingError
from symbp.explain.document import document
from symbp.explain.text import PageText, index_form
from symbp.read.display import bound
from symbp.read.grammar import elements, parse_equation
from symbp.read.symbols import Symbols, validate_symbols

NETS = ("mlp", "logistic_regression", "char_lstm", "crf")
COUNT = 100
ACCESS = re.compile(r"([^\W\d_]\w*\W?\w*)\[([^\[\]|]*)\]")


class _Page:
    """A page's equations as text, and whether a text is true."""

    def __init__(self, derivation):
        page = document(derivation, style="textbook")
        self.notation = PageText(page.reading.symbols)
        sizes, self.right = values(derivation, page, seed=5)
        self.known = sizes_of_page(derivation, page, sizes)
        self.numbers = {s.name: float(v) for s, v in self.known.items()}
        self.names = {text: name for name, text in page.reading.symbols.text.items()}
        self.names |= {w: w for w in words(page)}
        self.places = page.reading.origin.numbers
        self.lines = [(shown, index_form(shown, self.notation)) for shown in page.equations]

    def is_true(self, shown, text):
        try:
            tree = parse_equation(text, self.names, places=self.places)
            extents = {i.name: int(e.xreplace(self.known)) for i, e in bound(shown.shown).items()}
            found = list(elements(tree, self.right, self.numbers, extents))
            return all(
                np.isclose(v, self.right[tree.target][place], rtol=1e-9, atol=1e-12) for place, v in found
            )
        except (FormulaError, IndexError, KeyError, ValueError):
            return False  # it can't be read, which is found out, too


def _faults(text, symbols):
    """Texts that differ from an equation by one slip."""
    left, right = text.split(" = ", 1)
    for at in [m.start() for m in re.finditer(r" [+-] ", right)]:
        yield "sign", f"{left} = {right[:at]}{' - ' if right[at + 1] == '+' else ' + '}{right[at + 3 :]}"
    for read in ACCESS.finditer(right):
        subscripts = read[2].split(",")
        for a, b in itertools.combinations(range(len(subscripts)), 2):
            swapped = list(subscripts)
            swapped[a], swapped[b] = swapped[b], swapped[a]
            inner = ",".join(swapped)
            yield "subscripts", f"{left} = {right[: read.start(2)]}{inner}{right[read.end(2) :]}"
        for other in symbols.get((len(subscripts),), ()):
            if other != read[1]:
                yield "tensor", f"{left} = {right[: read.start(1)]}{other}{right[read.end(1) :]}"
        if right[: read.start()].endswith("·") and not right[read.end() :].startswith(("²", "/")):
            yield "factor", f"{left} = {right[: read.start() - 1]}{right[read.end() :]}"


@pytest.mark.slow
def test_every_fault_is_found(known):
    rng, planted = random.Random(7), []
    for net in NETS:
        page = _Page(known(net))
        by_rank = {}
        for text, name in page.names.items():
            if name in page.right and np.ndim(page.right[name]):
                by_rank.setdefault((np.ndim(page.right[name]),), []).append(text)
        for shown, text in page.lines:
            assert page.is_true(shown, text), text
            planted += [(page, shown, text, *fault) for fault in _faults(text, by_rank)]
    chosen = rng.sample(planted, COUNT)
    assert {kind for *_, kind, _ in chosen} == {"sign", "subscripts", "tensor", "factor"}
    missed = [f"{kind}: {fault}" for page, shown, _, kind, fault in chosen if page.is_true(shown, fault)]
    assert not missed


@pytest.mark.parametrize(("first", "second"), [("z1", "z2"), ("h", "p"), ("W1", "n"), ("da2", "dh")])
def test_a_symbol_for_two_things_is_an_error(first, second):
    spelled = {first: "a", second: "a"}
    with pytest.raises(ReadingError, match="two things"):
        validate_symbols(Symbols({}, frozenset(), spelled, {}))
