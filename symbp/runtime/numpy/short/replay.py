"""Which line of a step, and so which equation, gives the first value that is not finite.

Enters: a state after the step, data. Leaves: words. Must not know: the network.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.network import INPUTS
from symbp.runtime.numpy.short.core import State, _checked


def _strange(state: State, data: Mapping[str, Any]) -> str:
    """Takes the step again, and looks at all arrays after each line; the update is left out."""
    for name, array in {**_checked(data, INPUTS, state.sizes)[0], **state.params}.items():
        if not np.isfinite(array).all():
            return f"{name} is not finite"
    state.bound.clear()  # so arrays are made anew, and hold nothing yet
    state.flat[1] = 0
    last, found = "", list[str]()

    def look(frame: Any, event: str, _: Any) -> Any:
        nonlocal last
        if not frame.f_code.co_name.startswith("run"):
            return None
        arrays = [a for a in frame.f_locals.values() if isinstance(a, np.ndarray)]
        if last and not found and not all(np.isfinite(a).all() for a in arrays):
            found.append(last)
        last = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        state.differentiate(data)
    finally:
        sys.settrace(before)
    return f"the first line whose value is not finite: {found[0]}" if found else "gradients are too large"
