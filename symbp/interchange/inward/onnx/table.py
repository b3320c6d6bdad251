"""The one table from ONNX's operators to symbp's, and a model through it.

Enters: a model, a loss. Leaves: `Imported`. Must not know: how any operator is taken over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.interchange.inward.finishing import Imported, Loss, check_loss, finished
from symbp.interchange.inward.graph import Graph
from symbp.interchange.inward.onnx.elements import ELEMENTS
from symbp.interchange.inward.onnx.layers import LAYERS
from symbp.interchange.inward.onnx.reading import graph_of
from symbp.interchange.inward.translate import Entry, declared, rows_of

TABLE: Mapping[str, Entry] = {**ELEMENTS, **LAYERS}
LOOKUPS = {"Gather": (0, 1)}  # which operands are table and places
PASSING = frozenset(
    (
        "Identity",
        "Cast",
        "Reshape",
        "Squeeze",
        "Unsqueeze",
        "Transpose",
        "Slice",
        "Flatten",
        "Split",
        "Expand",
    )
)


def from_onnx(model: Any, *, loss: Loss = None, output: str | None = None) -> Imported:
    """The network of a model, see `bp.from_onnx`."""
    check_loss(loss)
    graph = graph_of(model)
    return finished(graph, declared(graph, TABLE, _rows), loss, output)


def _rows(graph: Graph) -> Mapping[str, int]:
    return rows_of(graph, LOOKUPS, PASSING)
