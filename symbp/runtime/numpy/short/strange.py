"""What of a step is not finite, as far as its results tell.

Enters: a state after the step, data. Leaves: words. Must not know: the network. `replay` stands for it where
the equation is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.numpy.short.core import State


def _strange(state: State, data: Mapping[str, Any]) -> str:
    strange = [name for name, array in state.gradients.items() if not np.isfinite(array).all()]
    return f"gradients that are not finite: {', '.join(strange) or 'none'}"
