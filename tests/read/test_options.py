"""Pages in every notation, layout and origin are true: read back as they are printed, and faults are caught."""

import pytest
from conftest import RANDOM
from test_lecture import Reader, sums
from test_read_back import in_latex, in_text, read_back
from test_read_back_matrix import Page

from symbp.read.options import Options

NETS = ("mlp", "char_lstm", "cnn", "gpt", *(f"random {k}" for k in range(20)), "hessian", "hvp", "jacobian")
FAST = ("mlp", "cnn", "random 0")
CHOSEN = {
    "columns": Options(layout="columns"),
    "from 1": Options(origin=1),
    "partial": Options("partial"),
    "delta from 1 in columns": Options("delta", "columns", 1),
    "d from 1 in columns": Options("d", "columns", 1),
}


@pytest.fixture(
    params=[name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in NETS]
)
def net(request, known):
    return known(request.param)


@pytest.fixture(params=CHOSEN.values(), ids=CHOSEN)
def options(request):
    return request.param


@pytest.mark.parametrize("style", ["textbook", "computed"])
def test_index_notation(net, options, style):
    assert read_back(net, style=style, options=options) > 2
    assert read_back(net, reading=in_latex, style=style, options=options) > 2


@pytest.mark.parametrize("style", ["textbook", "computed"])
def test_matrix_notation(net, options, style):
    page, plain = Page(net, style=style, options=options), Page(net, style=style)
    assert len(page.shown) >= 0.9 * len(plain.shown)
    names = {name: name for name in (*page.words, *page.right)}
    for shown in page.shown:
        page.compare(shown, page.text(shown))
        page.compare(shown, page.from_latex(page.latex(shown)), names)


def test_lessons(net, options):
    reader = Reader(net, 3, options)
    for lesson in reader.page.lecture.lessons:
        sums(reader, lesson)
