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
PASSING = frozenset({"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Flatten"})


def from_onnx(model: Any, *, loss: Loss = None, output: str | None = None) -> Imported:
    """A network out of an ONNX model: a path, bytes or an `onnx.ModelProto`, inference as it is meant.

    Data come in under the names of the model's inputs, sizes without a value stay open under theirs.
    Arrays of real numbers are parameters, with their values in `weights`; running statistics and constants
    are buffers that stay as they are. `loss` is "mse" (if nothing is said), "mae", "huber", "smooth_l1",
    "cross_entropy" or "binary_cross_entropy" of the first output, or of `output`, and a target `y`; or a
    function of the outputs as tensors. An output that is one number is the loss itself.

    Raises DataError: no whole ONNX model; operators that aren't taken in, all of them named; one that would
    mean something else here; UsageError: an unknown loss or output, onnx isn't installed.
    """
    check_loss(loss)
    graph = graph_of(model)
    return finished(graph, declared(graph, TABLE, _rows), loss, output)


def _rows(graph: Graph) -> Mapping[str, int]:
    return rows_of(graph, LOOKUPS, PASSING)
