"""Pages in every notation, layout and origin are true as they are printed, and faults are caught."""

from dataclasses import replace

import numpy as np
import pytest
from test_lecture import Reader, sums
from test_read_back import in_latex, read_back
from test_read_back_matrix import Page

import symbp as bp
from symbp.errors import FormulaError, UsageError
from symbp.explain.document import document
from symbp.explain.text import PageText, index_form, legend_lines
from symbp.read.grammar import elements, parse_equation
from symbp.read.matrix.rewrite import nodes
from symbp.read.options import Options
from symbp.read.origin import Origin
from symbp.read.spelling import bare

SEEDS = (3, 5)  # at one point a rare label may be missing
COLUMNS, FROM_1 = Options(layout="columns"), Options(origin=1)
ALL = {"partial": Options("partial", "columns", 1), "delta": Options("delta", "columns", 1)}
ONE = {"columns": COLUMNS, "from 1": FROM_1, "d": Options("d")}
FAST = ("mlp", "random 0", "hessian")
SLOW = ("cnn", "char_lstm", *(f"random {k}" for k in range(1, 20)), "hvp", "jacobian")
CASES = [
    *(pytest.param(net, options, id=f"{net} {name}") for net in FAST for name, options in ALL.items()),
    *(pytest.param("mlp", options, id=f"mlp {name}") for name, options in ONE.items()),
    *(pytest.param(net, ALL["delta"], id=net, marks=pytest.mark.slow) for net in SLOW),
    pytest.param("gpt", ALL["partial"], id="gpt", marks=pytest.mark.slow),
]


@pytest.mark.few(fast=1, slow=6)
@pytest.mark.parametrize(("net", "options"), CASES)
def test_pages(known, net, options):
    """In index notation and in matrix notation, as text and as LaTeX, and the sums of the lessons."""
    derivation = known(net)
    assert read_back(derivation, style="textbook", options=options) > 2
    assert read_back(derivation, reading=in_latex, style="textbook", options=options) > 2
    page, plain = Page(derivation, style="textbook", options=options), Page(derivation, style="textbook")
    assert len(page.shown) == len(plain.shown)
    names = {name: name for name in (*page.words, *page.right)}
    for shown in page.shown:
        page.compare(shown, page.text(shown))
        page.compare(shown, page.from_latex(page.latex(shown)), names)
    reader = Reader(derivation, 3, options)
    for lesson in reader.page.lecture.lessons:
        sums(reader, lesson)


@pytest.mark.parametrize("net", ["mlp", pytest.param("char_lstm", marks=pytest.mark.slow)])
def test_computed_pages(known, net):
    assert read_back(known(net), options=ALL["delta"]) > 2
    page = Page(known(net), options=ALL["delta"])
    for shown in page.shown:
        page.compare(shown, page.text(shown))


# --- faults
FAULTY = [
    net if net in FAST else pytest.param(net, marks=pytest.mark.slow)
    for net in ("mlp", "cnn", "char_lstm", "gpt")
]


def is_true(page, shown, text):
    try:
        page.compare(shown, text)
    except (AssertionError, FormulaError):
        return False
    return True


@pytest.mark.parametrize("net", FAULTY)
def test_a_transposition_that_is_not_applied_is_found(known, net):
    """What is printed for rows isn't true where examples are columns."""
    page = Page(known(net), style="textbook", options=COLUMNS)
    rows = Page(known(net), style="textbook")
    planted = [
        (shown, wrong)
        for shown, plain in zip(page.shown, rows.shown, strict=True)
        if (wrong := rows.text(plain)) != page.text(shown)
    ]
    assert len(planted) >= 6
    assert not [wrong for shown, wrong in planted if is_true(page, shown, wrong)]


@pytest.mark.parametrize("net", FAULTY)
def test_a_tensor_that_the_legend_forgets_is_found(known, net):
    page = Page(known(net), style="textbook", options=COLUMNS)
    whole = page.page.columns
    seen = {
        n.name
        for e in page.shown
        for side in (e.matrix.left, e.matrix.right)
        for n in nodes(side)
        if whole.turns(n)
    }
    assert len(seen) >= 6
    for name in seen:
        page.page = replace(page.page, columns=replace(whole, names=whole.names - {name}))
        false = (
            not is_true(page, shown, page.text(shown)) for shown in page.shown if name in str(shown.matrix)
        )
        assert any(false), name


@pytest.mark.parametrize("net", FAULTY)
def test_a_shift_that_is_forgotten_is_found(known, net):
    """What is printed for indices from 0 isn't true where they start at 1."""
    derivation = known(net)
    pages = [Page(derivation, seed, style="textbook", options=FROM_1) for seed in SEEDS]
    plain = document(derivation, style="textbook")
    notation = PageText(plain.reading.symbols)
    planted, missed = 0, []
    for shown, other in zip(pages[0].page.equations, plain.equations, strict=True):
        right, wrong = index_form(shown, notation), index_form(other, notation)
        if wrong != right:
            planted += 1
            missed += [wrong] if all(is_true_in_indices(page, shown, wrong, right) for page in pages) else []
    assert planted >= {"mlp": 0, "char_lstm": 0, "gpt": 3}.get(net, 6)
    assert not missed


def is_true_in_indices(page, shown, text, right):
    """Whether a text defines the same elements as the right one, and each has its value."""
    extents = {i.name: page.number(n) for i, n in page.extents(shown).items()}
    numbers = {s.name: float(s.xreplace(page.long).xreplace(page.known)) for s in (*page.known, *page.long)}
    wanted = page.right[shown.line.target]

    def values(written):
        return dict(
            elements(
                parse_equation(written, page.names, places=page.page.reading.origin.numbers),
                page.right,
                numbers,
                extents,
                1,
            )
        )

    try:
        with np.errstate(all="ignore"):  # what is false may divide by 0
            found = values(text)
            return found.keys() == values(right).keys() and all(
                min(place, default=0) >= 0 and np.isclose(value, wanted[place], rtol=1e-9, atol=1e-12)
                for place, value in found.items()
            )
    except (FormulaError, IndexError):
        return False


# --- words and symbols
def legend(derivation, kind, options):
    page = document(derivation, style="textbook", options=options)
    lines = zip(page.reading.legend, legend_lines(page), strict=True)
    return [line for entry, line in lines if entry.kind == kind]


def test_labels_count_as_indices_do(mlp):
    assert document(mlp, options=FROM_1).reading.origin.places == {"y", "c_accuracy"}
    (said,) = legend(mlp, "origin", FROM_1)
    assert said.startswith("indices and subscripts start at 1, and so count y, c;")
    page = document(mlp, options=FROM_1)
    assert str(next(t for t in page.given if t.name == "y")).endswith("below K + 1")


@pytest.mark.slow
def test_a_number_of_steps_counts_no_places():
    N, T, K = bp.dims("N T K")
    x, y, w = bp.input("x", (N, T, K)), bp.labels("y", (N, T), classes=K), bp.param("w", (K,))
    steps = bp.labels("steps", (N,), classes=T + 1)
    n, t = bp.indices("n t")
    p = bp.softmax(x + w)
    loss = bp.Sum(bp.where(t < steps[n], -bp.log(p[n, t, y[n, t]]), 0), n, t)
    net = bp.Network("net", loss=bp.define("loss", [], loss))
    derivation = bp.derive(net)
    assert Origin(1, derivation.system).places == {"y"}
    assert read_back(derivation, style="textbook", options=FROM_1)


def test_what_stands_outside_moves_with_the_origin(lstm):
    assert legend(lstm, "outside", FROM_1) == ["h, c1: 0 at t = 0", "da1, dc1, f: 0 at t = T + 1"]
    (place,) = legend(lstm, "place", FROM_1)
    assert (
        place == "along axis 3 of a1, axis 2 of U, axis 2 of W, axis 1 of b: 1 is i, 2 is f, 3 is g, 4 is o"
    )


def test_the_legend_says_what_is_transposed(mlp, cnn):
    (said,) = legend(mlp, "layout", COLUMNS)
    assert (
        said == "examples are columns: x, a1, h, a2, p, da2, dh, da1 stand transposed where they are matrices"
    )
    _, images = legend(cnn, "layout", COLUMNS)
    assert images.endswith("not transposed over the axes 3 and 4, which are those of an image")


def test_a_dense_layer_in_columns(mlp):
    page = Page(mlp, style="textbook", options=COLUMNS)
    forms = {shown.line.target: page.text(shown) for shown in page.shown}
    assert forms["a1"] == "a1 = W1ᵀ·x + b1·𝟏ᵀ"
    assert forms["dW1"] == "dW1 = x·da1ᵀ"
    assert forms["da2"] == "da2 = (p - onehot(y))/N"


@pytest.mark.parametrize(
    ("notation", "text", "latex"),
    [
        ("partial", ("∂loss/∂W1", "∂loss/∂a1"), (r"\frac{\partial", r"\frac{\partial")),
        ("delta", ("∂loss/∂W1", "δ_a1"), (r"\frac{\partial", r"\delta_{a_{1}}")),
        ("d", ("dW1", "da1"), (r"\mathrm{d}W_{1}", r"\mathrm{d}a_{1}")),
    ],
)
def test_each_notation(mlp, notation, text, latex):
    found = document(mlp, style="textbook", options=Options(notation)).reading.symbols
    spelled = {written: found.latex[name] for name, written in found.text.items()}
    for written, start in zip(text, latex, strict=True):
        assert spelled[written].startswith(start)


def test_a_quotient_stands_in_parentheses_where_a_sign_is_raised_behind_it(mlp):
    page = Page(mlp, style="textbook", options=Options("partial"))
    forms = {shown.line.target: page.text(shown) for shown in page.shown}
    assert forms["db2"] == "∂loss/∂b2 = (∂loss/∂a2)ᵀ·𝟏"
    assert forms["dh"] == "∂loss/∂h = ∂loss/∂a2·W2ᵀ"


def test_an_author_who_has_the_symbol_keeps_it():
    N, D = bp.dims("N D")
    x, W, delta_h = bp.input("x", (N, D)), bp.param("W", (D, D)), bp.param("delta_h", (D,))
    h = bp.tanh(x @ W).named("h") * delta_h
    found = document(
        bp.derive(bp.Network("net", loss=(h * h).sum())), options=Options("delta")
    ).reading.symbols
    spelled = [name for name, latex in found.latex.items() if bare(latex) == bare(r"\delta_{h}")]
    assert spelled == ["delta_h"]


@pytest.mark.slow
def test_second_derivatives_are_quotients_in_every_notation(known):
    for notation in ("partial", "delta"):
        text = document(known("hessian"), options=Options(notation)).reading.symbols.text
        assert "(∂²loss/∂W∂b)" in text.values()
    jacobian = document(known("jacobian"), options=Options("delta")).reading.symbols.text
    assert "(∂p/∂b)" in jacobian.values()


@pytest.mark.parametrize(
    "chosen", [{"notation": "nabla"}, {"layout": "cols"}, {"origin": 2}, {"origin": True}]
)
def test_what_no_page_can_be(mlp, chosen):
    with pytest.raises(UsageError, match="of a page can't be"):
        mlp.text(**chosen)
