"""By what workspaces are told apart.

Enters: sizes. Leaves: the open ones. Must not know: what workspaces hold.
Steps in blocks or chunks of the batch count their rows, too, and have a key of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.runtime.network import OPEN_SIZES


def _key(sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The open sizes in their order; what nothing shows is of another stage."""
    return tuple([sizes.get(name, 1) for name in OPEN_SIZES])
