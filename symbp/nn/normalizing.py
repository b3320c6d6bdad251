"""Layers that normalise: a scale `gamma` that starts at 1 and an offset `beta` that starts at 0.

Enters: tensors. Leaves: tensors. Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbp.errors import ShapeError
from symbp.ir.system import Fact, Role
from symbp.language.layouts import Module, alike
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.start.distributions import constant
from symbp.language.tensor import Tensor
from symbp.nn.calls import Positional
from symbp.nn.layers import check_layer, ones, parameter
from symbp.ops import normalization


@dataclass(frozen=True)
class LayerNorm(Positional):
    """Mean 0 and variance 1 over the last axis, then γ·x + β."""

    eps: Any = 1e-5
    affine: bool = True
    bias: bool = True
    name: str | None = None

    clear = 0
    torch = ("", "eps", "affine", "bias")

    def __post_init__(self) -> None:
        check_layer(self.name)

    def __call__(self, x: Tensor) -> Tensor:
        own = Module("LayerNorm", self.name)
        scale, offset = _affine(own, x, -1, self.affine, self.bias)
        return normalization.layer_norm(x, scale, offset, eps=self.eps)


@dataclass(frozen=True)
class RMSNorm(Positional):
    """Mean square 1 over the last axis, then γ·x."""

    eps: Any = 1e-6
    affine: bool = True
    name: str | None = None

    clear = 0
    torch = ("", "eps", "affine")

    def __post_init__(self) -> None:
        check_layer(self.name)

    def __call__(self, x: Tensor) -> Tensor:
        scale, _ = _affine(Module("RMSNorm", self.name), x, -1, self.affine, False)
        return normalization.rms_norm(x, scale, eps=self.eps)


@dataclass(frozen=True)
class GroupNorm(Positional):
    """Mean 0 and variance 1 over each group of channels of (N, C, …), then γ·x + β for each channel."""

    num_groups: int
    eps: Any = 1e-5
    affine: bool = True
    name: str | None = None

    clear = 1
    torch = ("num_groups", "", "eps", "affine")

    def __post_init__(self) -> None:
        check_layer(self.name)

    def __call__(self, x: Tensor) -> Tensor:
        own = Module("GroupNorm", self.name)
        scale, offset = _affine(own, x, 1, self.affine, self.affine)
        return normalization.group_norm(x, self.num_groups, scale, offset, self.eps)


@dataclass(frozen=True)
class InstanceNorm(Positional):
    """Mean 0 and variance 1 over the space of each channel of (N, C, …); γ and β only if asked for."""

    eps: Any = 1e-5
    affine: bool = False
    name: str | None = None

    clear = 0
    torch = ("", "eps", "", "affine")

    def __post_init__(self) -> None:
        check_layer(self.name)

    def __call__(self, x: Tensor) -> Tensor:
        own = Module("InstanceNorm", self.name)
        scale, offset = _affine(own, x, 1, self.affine, self.affine)
        return normalization.instance_norm(x, scale, offset, self.eps)


@dataclass(frozen=True)
class BatchNorm(Positional):
    """Mean 0 and variance 1 of each channel of (N, C) or (N, C, …) over the batch, then γ·x + β.

    Running statistics take the batch's place at inference; `momentum` is the share of the new batch in them.
    """

    momentum: Any = 0.1
    eps: Any = 1e-5
    affine: bool = True
    track_running_stats: bool = True
    name: str | None = None

    clear = 0
    torch = ("", "eps", "momentum", "affine", "track_running_stats")

    def __post_init__(self) -> None:
        check_layer(self.name)

    def __call__(self, x: Tensor) -> Tensor:
        tracked = self.track_running_stats
        own = Module("BatchNorm", self.name, ("num_batches_tracked",) if tracked else ())
        scale, offset = _affine(own, x, 1, self.affine, self.affine)
        mean = self._buffer(own, "mean", x, 0) if tracked else None
        variance = self._buffer(own, "var", x, 1, "nonnegative") if tracked else None
        return normalization.batch_norm(x, scale, offset, mean, variance, self.momentum, self.eps)

    def _buffer(self, own: Module, what: str, x: Tensor, start: int, *facts: Any) -> Tensor:
        name = f"{self.name}_{what}" if self.name else None
        return Tensor.leaf(
            name,
            (x.shape[1],),
            Role.BUFFER,
            init=constant(start),
            facts=frozenset(Fact(kind) for kind in facts),
            hint=Hint(what, "layer"),
            layout=alike(own, f"running_{what}"),
        )


class BatchNorm1d(BatchNorm):
    """Of (N, C) or (N, C, L)."""


class BatchNorm2d(BatchNorm):
    """Of images (N, C, H, W)."""


class BatchNorm3d(BatchNorm):
    """Of volumes (N, C, D, H, W)."""


def _affine(
    own: Module, x: Tensor, axis: int, scaled: bool, shifted: bool
) -> tuple[Tensor | None, Tensor | None]:
    """γ and β along one axis. Raises ShapeError: x has no such axis."""
    if x.rank <= max(axis, 0):
        raise ShapeError(
            f"{display(x)} has no axis to normalise",
            where=here(),
            details=(f"shape: ({', '.join(map(str, x.shape))})",),
        )
    extent = x.shape[axis]
    scale = parameter(own.name, "gamma", (extent,), ones, alike(own, "weight")) if scaled else None
    shift = scaled and shifted
    offset = parameter(own.name, "beta", (extent,), layout=alike(own, "bias")) if shift else None
    return scale, offset
