"""Whether integers leave their range.

Enters: the data of a step, sizes. Leaves: yes or no. Must not know: what they count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbp.runtime.common.arrays.shapes import _extent
from symbp.runtime.network import INTEGERS, Array


def _any_outside(data: Mapping[str, Array], sizes: Mapping[str, int]) -> bool:
    """Whether an integer is neither below its bound nor what stands beside it."""
    for name, (bound, ignored) in INTEGERS.items():
        top = None if bound is None else _extent(bound, sizes)
        if top is not None:
            values = data[name] if ignored is None else data[name][data[name] != ignored]
            values = values.view(np.uint64)  # where negative ones are large
            if values.size and values.item(values.argmax()) >= top:  # half the time of `max`
                return True
    return False
