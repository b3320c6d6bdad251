"""NumPy as one writes it on a slide: a line for each equation of the textbook's reading, with its number."""

from symbp.targets.plain.module import (
    PIECES,
    assembled,
    drafted,
    gradients,
    shown,
    validate,
    with_arrays_made_together,
    with_named_repeats,
    with_reading,
)
from symbp.targets.target import Pass, Target

TARGET = Target(
    name="plain",
    engine="NumPy",
    needs=("numpy",),
    dtypes=("float64",),
    memory="allocated anew",
    pieces=PIECES,
    passes=(
        Pass("reading", "the equations of the textbook, and names in Python's letters", with_reading),
        Pass("statements", "a line for each equation, loops for recurrences", drafted),
        Pass("made_together", "arrays of zeros of one shape made in one line", with_arrays_made_together),
        Pass("named_repeats", "a name for a read or a window that stands repeatedly", with_named_repeats),
        Pass("module", "the text, with the helpers that it calls", assembled),
    ),
    shown=shown,
    gradients=gradients,
    validate=validate,
)
