"""Small numeric instances of a page, at which two right sides are compared where nothing can be proven.

Enters: a document. Leaves: the values of every tensor at two points with different sizes, so that numbers
that are typed in fit at one of them at most. Must not know: formats, how an answer is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.errors import SymbpError
from symbp.explain.document import Document
from symbp.ir.points.fitting import constraints
from symbp.read.matrix.tree import Node
from symbp.read.matrix.value import value
from symbp.read.numbers import Numbers, worked_example

Array = np.ndarray[Any, Any]
LEAST = 1e-4  # what the largest element of an answer must reach: numbers are written in 12 decimals


@dataclass(frozen=True)
class Instance:
    """Sizes by the letters of the page, and every tensor's value."""

    sizes: Mapping[str, int]
    values: Mapping[str, Array]

    def is_given_by(self, right: Node, name: str) -> bool:
        """Whether a right side in matrix notation has the tensor's value, and that is worth comparing."""
        wanted = as_matrix(self.values[name])
        with np.errstate(all="ignore"):
            found = value(right, self.values, self.sizes)
        fits = found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-9, atol=1e-12)
        return bool(fits and np.max(np.abs(wanted), initial=0.0) >= LEAST)


def instances(page: Document, seed: int) -> tuple[Instance, ...]:
    """Two instances, of different sizes where there are any, else of other numbers; fewer, where none fit."""
    found = [Instance(number.sizes, number.values) for number in _pointed(page, seed)]
    if not found:
        return ()
    first, others = found[0], found[1:]
    other = next((o for o in others if o.sizes != first.sizes or not o.sizes), None)
    return (first,) if other is None else (first, other)


def _pointed(page: Document, seed: int) -> Iterator[Numbers]:
    """Worked examples: with sizes 2, 3, … and, from an odd number, …, 7, 6, so that none is what it was, as
    far as they fit; else with handy ones, and another number of examples. All numbers are drawn."""
    derivation = replace(page.derivation, example={})
    names, fits = list(derivation.system.sizes), constraints(derivation.declared).hold
    up = {name: 2 + k for k, name in enumerate(names)}
    down = {name: (len(names) + 3) // 2 * 2 + 1 - k for k, name in enumerate(names)}
    asked = [sizes for sizes in (up, down) if fits(sizes)] + [dict[str, int](), dict.fromkeys(names[:1], 4)]
    for number, sizes in enumerate(asked):
        with suppress(SymbpError):
            yield worked_example(
                derivation,
                sizes=sizes,
                seed=seed + number,
                style=page.reading.style,
                small=True,
                differences=False,
            )


def as_matrix(array: Array) -> Array:
    """A vector as a column, a number as a matrix of one element."""
    return array.reshape(array.shape + (1,) * (2 - array.ndim)) if array.ndim < 2 else array
