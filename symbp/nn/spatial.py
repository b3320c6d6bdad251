"""Layers over images and sequences: convolution, pooling, resizing; shapes are (N, C, …) as in PyTorch.

Enters: tensors. Leaves: tensors. Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from symbp.language.layouts import Module, alike
from symbp.language.sizes import as_size
from symbp.language.start.distributions import Initialiser, glorot_uniform, he_normal
from symbp.language.tensor import Tensor
from symbp.nn.calls import Positional
from symbp.nn.layers import RECTIFIERS, activation, check_layer, parameter, started_as
from symbp.ops.gates import divided
from symbp.ops.windowed import adaptive_pooling, convolution, pooling, resizing
from symbp.ops.windowed.windows import Option, whole

CONVOLUTIONS = {1: convolution.conv1d, 2: convolution.conv2d, 3: convolution.conv3d}
TRANSPOSED = {
    1: convolution.conv_transpose1d,
    2: convolution.conv_transpose2d,
    3: convolution.conv_transpose3d,
}


@dataclass(frozen=True)
class _Conv(Positional):
    """A convolution with an offset for each channel, then an activation: `W` (F, C/groups, K, …), `b` (F)."""

    channels: Any
    kernel_size: Option
    _: KW_ONLY
    stride: Option = 1
    padding: Option = 0
    dilation: Option = 1
    groups: int = 1
    activation: str | None = None
    bias: bool = True
    init: Initialiser | None = None
    name: str | None = None

    count: ClassVar[int]
    clear = 2
    torch = ("", "channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias")

    def __post_init__(self) -> None:
        as_size(self.channels)
        whole(self.kernel_size, self.count, "kernel_size", least=1)
        check_layer(self.name, self.activation)

    def __call__(self, x: Tensor) -> Tensor:
        channels = as_size(self.channels)
        kernel = whole(self.kernel_size, self.count, "kernel_size", least=1)
        init = self.init or (he_normal if self.activation in RECTIFIERS else glorot_uniform)
        space = range(2, 2 + self.count)
        inputs = divided(x, 1, self.groups, "a convolution's groups") if self.groups > 1 else x.shape[1]
        shape = (channels, inputs, *map(as_size, kernel))
        own = Module(f"Conv{self.count}d", self.name)
        start = started_as(init, (1, *space), (0, *space))
        weight = parameter(self.name, "W", shape, start, alike(own, "weight", len(shape)))
        bias = parameter(self.name, "b", (channels,), layout=alike(own, "bias")) if self.bias else None
        z = CONVOLUTIONS[self.count](x, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        return activation(self.activation, z)


class Conv1d(_Conv):
    """Over sequences (N, C, L): `Conv1d(16, 5, padding="same", activation="relu")`."""

    count = 1


class Conv2d(_Conv):
    """Over images (N, C, H, W): `Conv2d(16, 3, stride=2, padding=1)`."""

    count = 2


class Conv3d(_Conv):
    """Over volumes (N, C, D, H, W)."""

    count = 3


@dataclass(frozen=True)
class _ConvTranspose(Positional):
    """A transposed convolution with an offset for each channel: `W` (C, F/groups, K, …), `b` (F)."""

    channels: Any
    kernel_size: Option
    _: KW_ONLY
    stride: Option = 1
    padding: Option = 0
    output_padding: Option = 0
    groups: int = 1
    dilation: Option = 1
    activation: str | None = None
    bias: bool = True
    init: Initialiser | None = None
    name: str | None = None

    count: ClassVar[int]
    clear = 2
    torch = (
        "", "channels", "kernel_size", "stride", "padding", "output_padding", "groups", "bias", "dilation",
    )  # fmt: skip

    def __post_init__(self) -> None:
        as_size(self.channels)
        whole(self.kernel_size, self.count, "kernel_size", least=1)
        check_layer(self.name, self.activation)

    def __call__(self, x: Tensor) -> Tensor:
        channels = as_size(self.channels)
        kernel = whole(self.kernel_size, self.count, "kernel_size", least=1)
        init = self.init or (he_normal if self.activation in RECTIFIERS else glorot_uniform)
        space = range(2, 2 + self.count)
        each = channels if self.groups == 1 else as_size(_each(self.channels, self.groups))
        shape = (x.shape[1], each, *map(as_size, kernel))
        own = Module(f"ConvTranspose{self.count}d", self.name)
        start = started_as(init, (0, *space), (1, *space))
        weight = parameter(self.name, "W", shape, start, alike(own, "weight", len(shape)))
        bias = parameter(self.name, "b", (channels,), layout=alike(own, "bias")) if self.bias else None
        z = TRANSPOSED[self.count](
            x, weight, bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )
        return activation(self.activation, z)


def _each(channels: Any, groups: int) -> Any:
    whole(channels, 1, "the channels of a grouped transposed convolution", least=groups)
    return channels // groups


class ConvTranspose1d(_ConvTranspose):
    """Over sequences (N, C, L)."""

    count = 1


class ConvTranspose2d(_ConvTranspose):
    """Over images (N, C, H, W)."""

    count = 2


class ConvTranspose3d(_ConvTranspose):
    """Over volumes (N, C, D, H, W)."""

    count = 3


@dataclass(frozen=True)
class _MaxPool(Positional):
    """The maximum of each window; the stride is the kernel's size if not given."""

    kernel_size: Option
    stride: Option = None
    padding: Option = 0
    dilation: Option = 1
    _: KW_ONLY  # PyTorch has return_indices here
    ceil_mode: bool = False

    count: ClassVar[int]

    def __call__(self, x: Tensor) -> Tensor:
        pool = {1: pooling.max_pool1d, 2: pooling.max_pool2d, 3: pooling.max_pool3d}[self.count]
        return pool(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool1d(_MaxPool):
    """Over sequences (N, C, L)."""

    count = 1


class MaxPool2d(_MaxPool):
    """Over images (N, C, H, W)."""

    count = 2


class MaxPool3d(_MaxPool):
    """Over volumes (N, C, D, H, W)."""

    count = 3


@dataclass(frozen=True)
class _AvgPool(Positional):
    """The mean of each window; the stride is the kernel's size if not given."""

    kernel_size: Option
    stride: Option = None
    padding: Option = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    count: ClassVar[int]

    def __call__(self, x: Tensor) -> Tensor:
        pool: Any = {1: pooling.avg_pool1d, 2: pooling.avg_pool2d, 3: pooling.avg_pool3d}[self.count]
        found: Tensor = pool(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )
        return found


class AvgPool1d(_AvgPool):
    """Over sequences (N, C, L)."""

    count = 1


class AvgPool2d(_AvgPool):
    """Over images (N, C, H, W)."""

    count = 2


class AvgPool3d(_AvgPool):
    """Over volumes (N, C, D, H, W)."""

    count = 3


@dataclass(frozen=True)
class _AdaptivePool(Positional):
    """The mean or maximum of each of `output_size` shares of an axis, whatever its extent; an axis whose size
    is None stays as it is."""

    output_size: Any

    pool: ClassVar[Callable[[Tensor, Any], Tensor]]

    def __call__(self, x: Tensor) -> Tensor:
        return type(self).pool(x, self.output_size)


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means over sequences (N, C, L)."""

    pool = adaptive_pooling.adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means over images (N, C, H, W)."""

    pool = adaptive_pooling.adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptivePool):
    """Means over volumes (N, C, D, H, W)."""

    pool = adaptive_pooling.adaptive_avg_pool3d


class AdaptiveMaxPool1d(_AdaptivePool):
    """Maxima over sequences (N, C, L)."""

    pool = adaptive_pooling.adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptivePool):
    """Maxima over images (N, C, H, W)."""

    pool = adaptive_pooling.adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptivePool):
    """Maxima over volumes (N, C, D, H, W)."""

    pool = adaptive_pooling.adaptive_max_pool3d


@dataclass(frozen=True)
class GlobalAvgPool(Positional):
    """The mean over all axes after the channels; with `keepdim` they stay, of size 1."""

    keepdim: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        return pooling.global_avg_pool(x, self.keepdim)


@dataclass(frozen=True)
class GlobalMaxPool(Positional):
    """The maximum over all axes after the channels; with `keepdim` they stay, of size 1."""

    keepdim: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        return pooling.global_max_pool(x, self.keepdim)


@dataclass(frozen=True)
class Upsample(Positional):
    """The image at more places: nearest, or on the line between the two nearest."""

    size: Any = None
    scale_factor: Any = None
    mode: resizing.Mode = "nearest"
    align_corners: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        return resizing.interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners)
