"""All peers by name, in the order of the table; a framework is imported when a peer is first asked for.

Enters: a peer's name. Leaves: its `prepare`, or why there is none.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.step import CannotError, Step
from benchmarks.rows import Row


@dataclass(frozen=True)
class Peer:
    """Where a peer's `prepare` is, with which options, and the package whose version is reported."""

    name: str
    module: str
    package: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Whether it is symbp itself."""
        return self.module == "symbp_peer"

    def missing(self) -> str | None:
        """Why the peer can't be had here, or None."""
        try:
            importlib.import_module(self.package)
        except ImportError as error:
            return str(error)
        return None

    def version(self) -> str:
        return str(getattr(importlib.import_module(self.package), "__version__", ""))

    def prepare(self, row: Row, dtype: str, threads: int) -> Step:
        """The row's training step. Raises CannotError: this peer has no form of the row."""
        prepare: Callable[..., Step] = importlib.import_module(f"benchmarks.peers.{self.module}").prepare
        return prepare(row, dtype, threads, **self.options)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("symbp-numpy", "symbp_peer", "symbp", {"target": "numpy"}),
        Peer("symbp-numba", "symbp_peer", "numba", {"target": "numba"}),
        Peer("numpy", "numpy_reference", "numpy"),
        Peer("torch", "torch_peer", "torch"),
        Peer("torch.compile", "torch_peer", "torch", {"compiled": True}),
        Peer("jax", "jax_peer", "jax"),
        Peer("pytensor", "pytensor_peer", "pytensor"),
        Peer("tensorgrad", "tensorgrad_peer", "tensorgrad"),
    )
}

__all__ = ["PEERS", "CannotError", "Peer"]
