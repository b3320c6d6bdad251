"""Networks of other tools, brought in.

Enters: an ONNX model, a PyTorch module. Leaves: a network with its arrays and its declaration as text.
Must not know: formats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbp.interchange.inward.finishing import Imported
    from symbp.language import Tensor

    Loss = str | Callable[..., Tensor] | None
    Axes = Mapping[int, str] | None


def from_onnx(model: Any, *, loss: Loss = None, output: str | None = None) -> Imported:
    """A network out of an ONNX model, a path, bytes or an `onnx.ModelProto`, as it predicts:
    `net, weights = bp.from_onnx("model.onnx", loss="cross_entropy")`.

    Data come in under the names of the model's inputs, sizes without a value stay open under theirs.
    Arrays of real numbers are parameters, with their values in `weights`; running statistics and constants
    are buffers that stay as they are. `loss` is "mse" (if nothing is said), "mae", "huber", "smooth_l1",
    "cross_entropy" or "binary_cross_entropy" of the first output, or of `output`, and a target `y`; or a
    function of the outputs as tensors. An output that is one number is the loss itself. `text` of the result
    declares the same network in a file, and `save("net.py")` writes it and the arrays.

    Raises DataError: no whole ONNX model; operators that aren't taken in, all of them named; one that would
    mean something else here; UsageError: an unknown loss or output, onnx isn't installed.
    """
    from symbp.interchange.inward.onnx.table import from_onnx as bring_in

    return bring_in(model, loss=loss, output=output)


def from_torch(
    module: Any,
    inputs: Any,
    *,
    loss: Loss = None,
    output: str | None = None,
    dims: Sequence[Axes] | Axes = None,
    name: str | None = None,
) -> Imported:
    """A network out of a PyTorch module, followed by `torch.export` at example inputs:
    `net, weights = bp.from_torch(module.eval(), x)`.

    `dims` names open axes, {0: "N", 1: "T"}, for all inputs or for each; if nothing is said the first axis
    of each is open, N. A module in evaluation mode comes in as it predicts; one in training mode with batch
    statistics and dropout, which symbp's network doesn't have at inference either. Parameters and buffers
    have their names of the state_dict with underscores; the rest is as in `from_onnx`.

    Raises DataError: what `torch.export` can't follow; operations that aren't taken in, all of them named;
    one that would mean something else here; UsageError: PyTorch isn't installed, no tensors, an unknown loss.
    """
    from symbp.interchange.inward.aten.table import from_torch as bring_in

    return bring_in(module, inputs, loss=loss, output=output, dims=dims, name=name)
