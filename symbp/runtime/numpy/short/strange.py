"""What of a step is not finite, as far as its results tell.

Enters: a state after the step, data. Leaves: words. Must not know: the network. `replay` stands for it where
the equation is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.network import LARGE
from symbp.runtime.numpy.short.core import State


def _strange(state: State, data: Mapping[str, Any]) -> str:
    strange = [n for n, a in {**data, **state.gradients}.items() if not np.vdot(a, a) < LARGE / 2**16]
    return f"not finite, or so large that the update isn't: {', '.join(strange) or 'no gradient'}"
