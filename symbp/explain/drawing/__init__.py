"""The network and its backward pass as a picture.

Enters: a document. Leaves: SVG. Must not know: the user's language, other formats' layout.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from symbp.explain.document import Document
from symbp.explain.drawing import unroll
from symbp.explain.drawing.graph import Graph, graph
from symbp.explain.drawing.labels import Labels
from symbp.explain.drawing.picture import Picture, Values, picture
from symbp.explain.drawing.svg import FITS, SHRUNK, beside, svg
from symbp.explain.drawing.words import key

WIDE = FITS / SHRUNK  # of a picture with values
MANY = 60  # tensors of a picture that has values of scalars only


def drawing(
    document: Document,
    prefix: str = "",
    *,
    backward: bool = True,
    unrolled: int | None = None,
    alone: bool = False,
    name: str = "drawing",
    values: Values | None = None,
) -> Markup:
    """The network and beneath it its backward pass as one SVG element, whose boxes are links to the equations
    of a page: `#eq-5`, with the `prefix` before it; `alone`, for a file of its own, with its key. With so
    many steps `unrolled`, a recurrence has no loop. Names in it begin with `name`. Tensors that have `values`
    show them.

    Raises UsageError: nothing to unroll.
    """
    found, labels = _graph(document, backward=backward), _labels(document)
    if unrolled is not None:
        found = unroll.unrolled(found, document.reading, unrolled)
    shown = _with_values(found, labels, values or {})
    return svg(found, shown, labels, document.title, prefix, alone=alone, name=name)


def _with_values(found: Graph, labels: Labels, values: Values) -> Picture:
    """The picture with as many values as leave it as wide as a page: all, those of vectors, of scalars."""
    vectors = {name: rows for name, rows in values.items() if len(rows) == 1}
    scalars = {name: rows for name, rows in vectors.items() if len(rows[0]) == 1}
    for some in (values, vectors) if len(found.nodes) <= MANY else ():
        shown = picture(found, labels, some)
        if shown.width <= WIDE:
            return shown
    return picture(found, labels, scalars)


def caption(document: Document, prefix: str = "") -> Markup:
    """The key to a picture in a page, with links to the equations that it doesn't show."""
    found = _graph(document, backward=True)
    sentences = [escape(sentence) for sentence in key(found)]
    more = beside(found, prefix)
    return Markup(" ").join([*sentences, *([more + "."] if more else [])])


def _graph(document: Document, *, backward: bool) -> Graph:
    return graph(document.reading, backward=backward)


def _labels(document: Document) -> Labels:
    """Spells the page's symbols, those of derivatives that only lessons have too."""
    symbols = document.lecture.symbols if document.lecture.lessons else document.reading.symbols
    return Labels(document.reading, symbols)
