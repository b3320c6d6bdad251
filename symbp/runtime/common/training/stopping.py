"""A clean stop on Ctrl-C or SIGTERM, and batches in an order.

Enters: data, an order. Leaves: batches; a flag. Must not know: what is done with them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Self

from symbp.runtime.network import BATCH, INPUTS, Array


class _Stop:
    """Turns the first Ctrl-C, or SIGTERM (from whoever ends jobs), into a flag, so that no update is cut in
    two; the second one interrupts. What was ignored stays so."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        own = threading.current_thread() is threading.main_thread()
        usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if own}
        self._usual = {number: h for number, h in usual.items() if h not in (signal.SIG_IGN, None)}
        for number in self._usual:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *details: object) -> None:
        for number, handler in self._usual.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _batches(data: Mapping[str, Array], size: int, order: Array) -> Iterator[dict[str, Array]]:
    """The data in batches of `size` examples in a given order, the last one partial."""
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield {name: a[chosen] if INPUTS[name][:1] == (BATCH,) else a for name, a in data.items()}
