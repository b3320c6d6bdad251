"""What PyTorch says of the ops that layers are made of: windows, norms, recurrences, attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def layer_counterparts() -> dict[str, Callable[..., Any]]:
    import torch
    import torch.nn.functional as F

    def each(names: str) -> dict[str, Callable[..., Any]]:
        return {name: getattr(F, name) for name in names.split()}

    def whole(reduce: str) -> Callable[..., Any]:
        return lambda x, keepdim=False: getattr(torch, reduce)(x, tuple(range(2, x.ndim)), keepdim=keepdim)

    return each(
        "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d "
        "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d "
        "interpolate pixel_shuffle pixel_unshuffle"
    ) | {
        "global_avg_pool": whole("mean"),
        "global_max_pool": whole("amax"),
    }
