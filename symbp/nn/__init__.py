"""Layers and models, composed of ops."""

from __future__ import annotations

from typing import Any

from symbp.errors import no_attribute
from symbp.nn.calls import ELSEWHERE_NAMED
from symbp.nn.combining import Flatten, Repeat, Residual
from symbp.nn.layers import Activation, Dense, Layer
from symbp.nn.models import Sequential
from symbp.nn.noise import AlphaDropout, Dropout, GaussianNoise
from symbp.nn.normalizing import (
    BatchNorm,
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    RMSNorm,
)
from symbp.nn.sequences import GRU, LSTM, RNN, Embedding
from symbp.nn.spatial import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    Upsample,
)
from symbp.nn.transformer import (
    GPT,
    FeedForward,
    MultiHeadAttention,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)

__all__ = [
    "GPT",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Dense",
    "Dropout",
    "Embedding",
    "FeedForward",
    "Flatten",
    "GaussianNoise",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "InstanceNorm",
    "Layer",
    "LayerNorm",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MultiHeadAttention",
    "RMSNorm",
    "Repeat",
    "Residual",
    "Sequential",
    "TransformerDecoderBlock",
    "TransformerEncoderBlock",
    "Upsample",
]


def __getattr__(name: str) -> Any:
    found = no_attribute(__name__, name, lambda: __all__)
    if own := ELSEWHERE_NAMED.get(name):
        found = AttributeError(f"module {__name__!r} has no attribute {name!r}; write {own}")
    raise found
