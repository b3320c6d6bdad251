"""Each lesson is true: the chain rule's sum, as printed, has the value of the derivative that it explains."""

import numpy as np
import pytest
import sympy
from test_read_back import as_printed, sizes_of_page, values, words

import symbp as bp
from symbp.explain.document import document
from symbp.explain.lecture import Formula, Sentence, rows
from symbp.explain.text import PageText
from symbp.ir.expr import free_indices
from symbp.ir.system import Equation
from symbp.read.display import bound
from symbp.read.grammar import elements, parse_equation
from symbp.read.legend import Named
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
        self.names |= {name: name for name in words(self.page) | letters | {"value"}}

    def indices(self, lesson):
        found = set() if lesson.sum is None else set(bound(lesson.sum))
        found |= {i for known in lesson.known for i in bound(known.equation)}
        return found.union(*(self.indices(inner) for inner in lesson.between))

    def free(self, equation):
        """The values of an expression, which has no name."""
        subscripts = f"[{','.join(i.name for i in equation.indices)}]" if equation.indices else ""
        return self.read(equation, f"value{subscripts} = {self.notation.equation(equation)[1]}")

    def value(self, equation):
        return self.read(equation, " = ".join(self.notation.equation(equation)))

    def read(self, equation, text):
        tree = parse_equation(text, self.names, places=self.page.reading.origin.numbers)
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
    for known in lesson.known:
        left, right = (reader.free(known.equation.with_(body=side)) for side in (known.left, known.right))
        np.testing.assert_allclose(left, right, rtol=1e-8, atol=1e-11, err_msg=str(known))
    if lesson.sum is None:
        return count
    if lesson.selected is not None:
        left = reader.value(lesson.selected.equation)
        np.testing.assert_allclose(left, reader.value(lesson.sum), rtol=1e-8, atol=1e-11)
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


@pytest.mark.parametrize("name", ["mlp", "char_lstm"])
def test_both_forms_of_a_local_derivative_are_equal(known, name):
    """tanh'(a) = 1 − tanh(a)² = 1 − h², under the bracket of the element that is read."""
    reader, count = Reader(known(name), 3), 0
    for lesson in reader.page.lecture.lessons:
        for part in (p for p in lesson.parts if p.plainly is not None):
            extents = bound(lesson.sum)
            indices = tuple(i for i in extents if i in free_indices(part.of) | free_indices(part.by))
            frame = Equation("", indices, sympy.Integer(0), ranges=tuple(extents[i] for i in indices))
            one, other = (reader.free(frame.with_(body=body)) for body in (part.plainly, part.slope))
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12, err_msg=str(part))
            count += 1
    assert count == {"mlp": 1, "char_lstm": 4}[name]


def test_a_value_with_a_name_is_told_by_its_definition(lstm):
    """∂ℓ/∂a of the output gate is short since o·tanh(c) is h."""
    page = document(lstm, style="textbook")
    (lesson,) = (one for one in page.lecture.lessons if one.by == "a1")
    notation = PageText(page.lecture.symbols)
    formulas = [(row.left, row.right) for row in rows(page, lesson, notation) if isinstance(row, Formula)]
    assert ("o[n,t,m]·tanh(c1[n,t,m])", "h[n,t,m]") in formulas


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


def told(derivation, by):
    """What the lesson for a tensor says, line by line."""
    page = document(derivation, style="textbook")
    notation = PageText(page.lecture.symbols)
    (lesson,) = (one for one in page.lecture.lessons if one.by == by)

    def spelled(piece):
        if isinstance(piece, str):
            return piece
        return notation.access(piece.name, [], None) if isinstance(piece, Named) else notation.show(piece)

    return [
        f"{row.left} = {row.right}" if isinstance(row, Formula) else "".join(map(spelled, row.pieces))
        for row in rows(page, lesson, notation)
    ]


def test_why_softmax_and_cross_entropy_give_p_minus_y(mlp):
    said = told(mlp, "a2")
    why = "With dp put in, the bracket [k' = y[n]] leaves one term of its sum, and p[n,y[n]] cancels."
    assert said[-2:] == [why, "da2[n,k] = (p[n,k] - [k = y[n]])/N"]


def test_why_the_slope_of_tanh_is_one_minus_its_square(mlp):
    assert "∂h[n,j]/∂a1[n,j] = 1 - tanh(a1[n,j])² = 1 - h[n,j]²" in told(mlp, "a1")


@pytest.mark.slow
def test_why_attention_and_layer_norm_are_short(known):
    attention = told(known("gpt"), "S_z4")
    assert attention[-1].endswith("P[k,n,l,t,t']·(dP[k,n,l,t,t'] - (Σ_t'' P[k,n,l,t,t'']·dP[k,n,l,t,t'']))")
    norm = told(known("gpt"), "a4")
    assert any(row.startswith("Σ_j ") and row.endswith(" = 0") for row in norm)


def test_reads_of_one_element_are_one_local_derivative():
    """What the loss reads twice, by a logsumexp and at the label, has one local derivative."""
    N, K = bp.dims("N K")
    z, y = bp.param("z", (N, K)), bp.labels("y", (N,), classes=K)
    net = bp.Network("twice", loss=bp.cross_entropy(bp.tanh(z), y, from_logits=True))
    slopes = [row for row in told(bp.derive(net), "z") if row.startswith("∂")]
    assert len(slopes) == len({row.split(" = ")[0] for row in slopes})


def said_of(derivation, by):
    """The sentences of a lesson."""
    page = document(derivation, style="textbook")
    (lesson,) = (one for one in page.lecture.lessons if one.by == by)
    found = rows(page, lesson, PageText(page.lecture.symbols))
    return ["".join(map(str, row.pieces)) for row in found if isinstance(row, Sentence)]


def test_a_lesson_says_what_its_brackets_are(lstm):
    """Why a sum needs none beyond the last step, and which of the gates is meant."""
    said = said_of(lstm, "h")
    assert said[1].startswith("Named(name='a1') reads Named(name='h') only where ")
    assert said[2] == "Elsewhere the derivative by Named(name='a1') counts as 0: the sum needs no bracket."
    assert said_of(lstm, "a1")[-1] == "For each value of l one bracket is 1:"


def test_a_softmax_is_explained(mlp):
    """What it is, and where its local derivative comes from."""
    page = document(mlp, style="textbook")
    functions = ["".join(map(str, e.pieces)) for e in page.reading.legend if e.kind == "function"]
    assert functions[0].startswith("softmax over k: exp of each number, divided by the sum")
    assert any(said.startswith("By the quotient rule") for said in said_of(mlp, "a2"))
