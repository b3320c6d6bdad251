"""The one table from PyTorch's operations to symbp's, and a module through it.

Enters: a module, example inputs, a loss. Leaves: `Imported`. Must not know: how any operation is taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from symbp.interchange.inward.aten.elements import ELEMENTS
from symbp.interchange.inward.aten.layers import LAYERS
from symbp.interchange.inward.aten.reading import Axes, graph_of
from symbp.interchange.inward.aten.views import VIEWS
from symbp.interchange.inward.finishing import Imported, Loss, check_loss, finished
from symbp.interchange.inward.graph import Graph
from symbp.interchange.inward.naming import cleaned
from symbp.interchange.inward.translate import Entry, declared, rows_of

TABLE: Mapping[str, Entry] = {**ELEMENTS, **VIEWS, **LAYERS}
LOOKUPS = {
    "aten.embedding": ("weight", "indices"),
    "aten.embedding_bag": ("weight", "indices"),
    "aten.index_select": ("self", "index"),
}
PASSING = frozenset(
    ["python.getitem"]
    + [
        f"aten.{name}"
        for name in ("view", "reshape", "to", "_to_copy", "unsqueeze", "squeeze", "slice", "select",
                     "transpose", "contiguous", "clone", "flatten", "permute", "split", "split_with_sizes",
                     "chunk", "unbind", "expand", "alias")
    ]
)  # fmt: skip


def from_torch(
    module: Any,
    inputs: Any,
    *,
    loss: Loss = None,
    output: str | None = None,
    dims: Sequence[Axes] | Axes = None,
    name: str | None = None,
) -> Imported:
    """The network of a module at example inputs, see `bp.from_torch`."""
    check_loss(loss)
    graph = graph_of(module, inputs, dims)
    graph = graph if name is None else replace(graph, name=cleaned(name, "model"))
    steps = tuple(replace(step, op=_own(step.op)) for step in graph.steps)
    graph = replace(graph, steps=steps)
    return finished(graph, declared(graph, TABLE, _rows), loss, output)


def _own(op: str) -> str:
    """An operation that overwrites what nothing else reads is the one that doesn't."""
    return op[:-1] if op.endswith("_") and not op.endswith("__") else op


def _rows(graph: Graph) -> Mapping[str, int]:
    return rows_of(graph, LOOKUPS, PASSING)
