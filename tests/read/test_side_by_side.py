"""The published gradients of docs/side_by_side.md have the values of the derived ones, and the page is as
told."""

import numpy as np
import pytest
from side_by_side import ALL, PAGE, markdown
from test_read_back import sizes_of_page, values, words

from symbp.explain.document import document
from symbp.read.display import bound
from symbp.read.grammar import elements, parse_equation


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.title)
def test_published_equations_hold(entry):
    derivation = entry.derive()
    page = document(derivation, style="textbook")
    sizes, right = values(derivation, page, seed=4)
    known = sizes_of_page(derivation, page, sizes)
    numbers = {size.name: float(v) for size, v in known.items()}
    names = {text: name for name, text in page.reading.symbols.text.items()} | {w: w for w in words(page)}
    letters = {
        i.name: int(e.xreplace(known))
        for shown in page.equations
        for i, e in bound(shown.shown).items()
        if not e.free_symbols - set(known)
    }
    for published in entry.equations:
        tree = parse_equation(published, names, places=page.reading.origin.numbers)
        assert tree.target in {shown.line.target for shown in page.equations}
        reads = [node for node in tree.walk() if type(node).__name__ == "Read"]
        for read in reads:  # an index runs over the axis at which it stands
            for subscript, extent in zip(read.subscripts, np.shape(right[read.tensor.name]), strict=True):
                if type(subscript).__name__ == "Name" and subscript.name not in numbers:
                    letters[subscript.name] = extent
        for index, extent in zip(tree.subscripts, right[tree.target].shape, strict=True):
            if type(index).__name__ == "Name":
                letters[index.name] = extent
        found = dict(elements(tree, right, numbers, letters))
        wanted = {place: right[tree.target][place] for place in found}
        assert len(found) >= right[tree.target].size // 4
        np.testing.assert_allclose(list(found.values()), list(wanted.values()), rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_the_page_is_the_one_that_is_told():
    assert PAGE.read_text(encoding="utf-8") == markdown(), "python tests/read/side_by_side.py writes it anew"
