"""Whether integers leave their range: a kernel would read, and write gradients to, memory that isn't its own.

Enters: integers, how far they may go. Leaves: yes or no. Must not know: what they count.
"""

from __future__ import annotations

from symbp.runtime.network import Array
from symbp.runtime.numba.compiling import _compile, kernel


@kernel
def _any_outside(values: Array, top: int, ignored: int) -> bool:
    found = False
    for value in values.flat:
        found |= (value < 0 or value >= top) and value != ignored
    return found


def _outside(values: Array, top: int, ignored: int | None) -> bool:
    """Whether a value lies not from 0 to `top` - 1, nor is `ignored`."""
    _compile()
    return bool(_any_outside(values, top, 0 if ignored is None else ignored))
