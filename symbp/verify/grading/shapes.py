"""What doesn't fit, in the sizes of the page.

Enters: a misfit, the place where it was seen. Leaves: a sentence with the part of the answer and its shapes.
Must not know: values.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbp.verify.grading.answer import Answer
from symbp.verify.grading.judge import Judge
from symbp.verify.grading.key import SheetAtPoint
from symbp.verify.grading.values import Misfit


def told(misfit: Misfit, judge: Judge, answer: Answer) -> str:
    """The sentence; under it the part that doesn't fit."""
    place = (judge.places.exact or judge.places.digits)[0]
    shapes = [shape_words(place, shape) for shape in misfit.shapes]
    whole = len(shapes) == 2 and misfit.what.startswith("the right side")
    said = (
        f": {shapes[0]} where {shapes[1]} is needed"
        if whole
        else f": {' and '.join(shapes)}"
        if shapes
        else ""
    )
    part = answer.right[slice(*misfit.span)]
    inside = f"\n    {part}" if part and part != answer.right else ""
    verb = (
        "" if whole or misfit.what.startswith(("the ", "a ", "nothing", "there", "these")) else " doesn't fit"
    )
    return f"shapes: {misfit.what}{verb}{said}{inside}"


def shape_words(place: SheetAtPoint, shape: Sequence[int]) -> str:
    """A shape in the sizes of the page, where they are distinct at the place, else as numbers."""
    letters = place.sheet.reading.sizes
    values = list(place.point.sizes.values())
    known = {v: letters.get(n, n) for n, v in place.point.sizes.items() if values.count(v) == 1}
    parts = [known.get(int(length), str(length)) if length != 1 else "1" for length in shape]
    return f"({', '.join(parts)})" if parts else "a number"
