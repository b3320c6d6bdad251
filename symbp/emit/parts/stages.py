"""The stages as the parts of the NumPy target call them: declarations, never spliced.

Enters: nothing. Leaves: types. Must not know: any network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.emit.parts.program import Array

Tensors = dict[str, Array]


def _forward(params: Mapping[str, Array], data: Mapping[str, Array], tensors: Tensors) -> None:
    raise NotImplementedError


def _loss(params: Mapping[str, Array], data: Mapping[str, Array], tensors: Tensors) -> None:
    raise NotImplementedError


def _metrics(params: Mapping[str, Array], data: Mapping[str, Array], tensors: Tensors) -> None:
    raise NotImplementedError


def _inference(params: Mapping[str, Array], data: Mapping[str, Array], tensors: Tensors) -> None:
    raise NotImplementedError


def _buffers(params: Mapping[str, Array], data: Mapping[str, Array], tensors: Tensors) -> None:
    raise NotImplementedError


def _derivatives(params: Mapping[str, Array], data: Mapping[str, Array], tensors: Tensors) -> None:
    raise NotImplementedError


def _backward(
    params: Mapping[str, Array], data: Mapping[str, Array], tensors: Tensors, gradients: Mapping[str, Array]
) -> None:
    raise NotImplementedError


def _update(tensors: Tensors, theta: Array, gradient: Array, **more: Any) -> None:
    raise NotImplementedError
