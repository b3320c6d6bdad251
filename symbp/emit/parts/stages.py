"""The stages as the parts of the NumPy target call them: declarations, never spliced.

Enters: nothing. Leaves: types. Must not know: any network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symbp.emit.parts.program import Array

Arrays = Mapping[str, Array]
Stage = Callable[[Arrays], None]


def _forward(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    raise NotImplementedError


def _loss(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    raise NotImplementedError


def _metrics(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    raise NotImplementedError


def _inference(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    raise NotImplementedError


def _buffers(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    raise NotImplementedError


def _derivatives(params: Arrays, tensors: Arrays, *sizes: int) -> Stage:
    raise NotImplementedError


def _backward(params: Arrays, tensors: Arrays, gradients: Arrays, *sizes: int) -> Stage:
    raise NotImplementedError


def _update(tensors: Arrays, theta: Array, gradient: Array, **moments: Array) -> Callable[..., None]:
    raise NotImplementedError
