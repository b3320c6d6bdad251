"""Arrays that NumPy makes of a length: `np.eye(K)`, `np.ones(N)`, `np.zeros(N)`, `np.arange(N)`.

Enters: a call, the meaning of an answer. Leaves: a `Value`. Must not know: other parts of answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symbp.read.grammar.syntax import Call
from symbp.verify.grading.values import Value, bounded

if TYPE_CHECKING:
    from symbp.verify.grading.evaluation import Meaning

NAMES = ("eye", "ones", "zeros", "arange")


def call(meaning: Meaning, node: Call, length: int) -> Value:
    """The array of that length; a square one of `eye`."""
    if node.function == "eye":
        bounded((length, length))
        return Value(meaning.zeros_and_ones(np.eye(length, dtype=bool)), (), (False, False))
    bounded((length,))
    if node.function == "arange":
        places = np.empty(length, object)  # whole numbers of Python's own
        places[...] = range(length)
        return Value(places, (), (False,), integer=True)
    return Value(meaning.zeros_and_ones(np.full(length, node.function == "ones")), (), (False,))
