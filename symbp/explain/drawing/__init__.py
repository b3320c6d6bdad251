"""The network and its backward pass as a picture.

Enters: a document. Leaves: SVG. Must not know: the user's language, other formats' layout.
"""

from __future__ import annotations

from markupsafe import Markup

from symbp.explain.document import Document
from symbp.explain.drawing import unroll
from symbp.explain.drawing.graph import graph
from symbp.explain.drawing.labels import Labels
from symbp.explain.drawing.picture import picture
from symbp.explain.drawing.svg import svg


def drawing(
    document: Document,
    prefix: str = "",
    *,
    backward: bool = True,
    unrolled: int | None = None,
    alone: bool = False,
) -> Markup:
    """The network and beneath it its backward pass as one SVG element, whose boxes are links to the equations
    of a page: `#eq-5`, with the `prefix` before it; `alone`, for a file of its own. With so many steps
    `unrolled`, a recurrence has no loop. Raises UsageError: nothing to unroll."""
    symbols = document.lecture.symbols if document.lecture.lessons else document.reading.symbols
    found, labels = graph(document.reading, backward=backward), Labels(document.reading, symbols)
    if unrolled is not None:
        found = unroll.unrolled(found, document.reading, unrolled)
    return svg(found, picture(found, labels), labels, document.title, prefix, alone=alone)
