"""A network as a file of another tool.

Enters: a `Network` or a derivation, trained arrays, a path. Leaves: a file. Must not know: formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.derive.derivation import Derivation
from symbp.errors import GenerationError, UsageError

if TYPE_CHECKING:
    from symbp.language import Network


def to_onnx(
    net: Network | Derivation,
    params: Mapping[str, Any],
    path: str | Path,
    *,
    buffers: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    dtype: str = "float32",
    gradients: bool = False,
    force: bool = False,
) -> Path:
    """Writes what a network predicts as an ONNX model, its parameters held in it; its path. With `gradients`
    the training step instead: the loss, the gradient of each parameter and the next value of each buffer, of
    data and parameters.

    A size that neither the declaration nor an array nor `sizes` tells stays open, such as how many examples
    there are. A recurrence is written out step by step, so the length that it runs along must be known.

    Raises UsageError: onnx isn't installed, an unknown dtype or size; DataError: arrays that don't fit;
    GenerationError: what ONNX has no operator for, a length that must be known, a file that is there already.
    """
    from symbp import api
    from symbp.interchange.files import write_whole
    from symbp.interchange.onnx.export import onnx_model

    if isinstance(net, Derivation):
        derivation = net
        if gradients and not derivation.is_gradient:
            raise UsageError("this derivation holds no gradients of a loss", help="give the network itself")
    else:
        derivation = api.derive(net, wrt=None if gradients else [])
    arrays = {**params, **(buffers or {})}
    model = onnx_model(derivation, arrays, sizes=sizes, dtype=dtype, gradients=gradients)
    try:
        content = model.SerializeToString()
    except Exception as failure:  # protobuf's own kinds of error, by its version
        raise GenerationError(
            "the model is too large for one ONNX file, which holds 2 GB at most", details=(str(failure),)
        ) from None
    return write_whole(path, content, force=force)
