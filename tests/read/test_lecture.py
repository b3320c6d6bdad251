"""Each lesson is true: the chain rule's sum, as printed, has the value of the derivative that it explains."""

import numpy as np
import pytest
from test_read_back import as_printed, sizes_of_page, values, words

from symbp.explain.document import document
from symbp.explain.lecture import Formula, Sentence, rows
from symbp.explain.text import PageText
from symbp.read.display import bound
from symbp.read.grammar import elements, parse_equation
from symbp.read.options import PLAIN


class Reader:
    """Evaluates what the lessons of a page print."""

    def __init__(self, derivation, seed, options=PLAIN):
        self.page = document(derivation, style="textbook", options=options)
        sizes, right = values(derivation, self.page, seed)
        self.right = as_printed(self.page, right)
        self.known = sizes_of_page(derivation, self.page, sizes)
        self.lengths = {s: e.xreplace(self.known) for e, s in self.page.reading.lengths.items()}
        self.numbers = {s.name: float(v) for s, v in (self.known | self.lengths).items()}
        self.notation = PageText(self.page.lecture.symbols)
        letters = {i.name for lesson in self.page.lecture.lessons for i in self.indices(lesson)}
        self.names = {text: name for name, text in self.page.lecture.symbols.text.items()}
        self.names |= {name: name for name in words(self.page) | letters}

    def indices(self, lesson):
        found = set() if lesson.sum is None else set(bound(lesson.sum))
        return found.union(*(self.indices(inner) for inner in lesson.between))

    def value(self, equation):
        tree = parse_equation(" = ".join(self.notation.equation(equation)), self.names)
        extents = {
            i.name: int(e.xreplace(self.lengths).xreplace(self.known)) for i, e in bound(equation).items()
        }
        origin = self.page.reading.options.origin
        found = dict(elements(tree, self.right, self.numbers, extents, origin))
        array = np.zeros(tuple(max(k) + 1 for k in zip(*found, strict=True)))
        for place, v in found.items():
            array[place] = v
        return array


def sums(reader, lesson):
    """Compares the sums of a lesson, those of what stands between first; how many."""
    count = 0
    for inner in lesson.between:
        count += sums(reader, inner)
    if lesson.sum is None:
        return count
    name, found = lesson.sum.target, reader.value(lesson.sum)
    if name in reader.right:
        np.testing.assert_allclose(found, reader.right[name], rtol=1e-8, atol=1e-11, err_msg=str(lesson.sum))
    else:
        reader.right[name] = found
    return count + 1


def test_sums(derivation):
    reader = Reader(derivation, 3)
    lessons = reader.page.lecture.lessons
    assert bool(lessons) == derivation.is_gradient
    total = sum(sums(reader, lesson) for lesson in lessons)
    assert total >= len(lessons) // 2


def test_every_gradient_has_a_lesson(mlp):
    page = document(mlp, style="textbook")
    assert {lesson.by for lesson in page.lecture.lessons} == {"W1", "b1", "W2", "b2", "a1", "a2", "h"}
    assert len(page.lecture.lessons) <= 12


def test_a_lesson_says_where_the_sum_runs(mlp):
    page = document(mlp, style="textbook")
    notation = PageText(page.lecture.symbols)
    (lesson,) = (one for one in page.lecture.lessons if one.by == "h")
    found = rows(page, lesson, notation)
    formulas = [(row.left, row.right) for row in found if isinstance(row, Formula)]
    assert formulas == [("∂a2[n,k]/∂h[n,j]", "W2[j,k]"), ("dh[n,j]", "Σ_k da2[n,k]·W2[j,k]")]
    said = ["".join(map(str, row.pieces)) for row in found if isinstance(row, Sentence)]
    assert said[0].endswith("is read by Named(name='a2') (3).")
    assert "Summed over k" in said[1]
    assert said[2] == (
        "In matrices (N, H) = (N, K)·(K, H); Named(name='W2') stands transposed, "
        "since the sum runs along its last axis."
    )


@pytest.mark.parametrize("name", ["mlp", "char_lstm"])
def test_softmax_goes_by_way_of_its_own_derivative(known, name):
    text = known(name).text(steps=True)
    assert "- p[n," in text[text.index("Steps") :]
    assert "Jacobian" not in text
