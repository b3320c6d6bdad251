"""Whether integers leave their range.

Enters: integers, how far they may go. Leaves: yes or no. Must not know: what they count.
"""

from __future__ import annotations

import numpy as np

from symbp.runtime.network import Array


def _outside(values: Array, top: int, ignored: int | None) -> bool:
    """Whether a value is neither from 0 to `top` - 1 nor `ignored`; unsigned, negative ones are large."""
    if ignored is not None:
        values = values[values != ignored]
    return bool(values.size) and int(values.view(np.uint64).max()) >= top
