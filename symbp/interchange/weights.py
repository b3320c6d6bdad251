"""Parameters and buffers as files: .npz as modules keep them, and safetensors.

Enters: arrays by name, or a path. Leaves: a file, or `Weights`. Must not know: networks, what arrays mean.

Tensors of a network have one namespace, so a safetensors file holds each under its own name; which of them
are buffers its metadata say.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symbp.errors import DataError
from symbp.interchange.files import library, read_with
from symbp.writing import write

BUFFERS = "symbp.buffers"
WORDS = ("network", "columns")  # texts that a module keeps beside its parameters
KINDS = "fiub"  # numbers and truth values
Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Weights:
    """Arrays by the names of tensors. `words` are texts beside them: the name of the network, how a table's
    columns were read. `left_out` names what else a file holds."""

    params: Arrays
    buffers: Arrays = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def save_safetensors(
    params: Arrays,
    path: str | os.PathLike[str],
    *,
    buffers: Arrays | None = None,
    words: Mapping[str, str] | None = None,
    force: bool = False,
) -> Path:
    """Writes parameters, and buffers if given, as a safetensors file, whole or not at all; its path. `words`
    go into its metadata.

    Raises UsageError: the library isn't installed; DataError: a value that is no array of numbers, a name
    that stands twice; GenerationError: a file that is there already, or can't be written.
    """
    safetensors = library("safetensors.numpy", "safetensors")
    kept = dict(buffers or {})
    twice = sorted(set(kept) & set(params))
    if twice:
        raise DataError(f"{twice[0]!r} is both a parameter and a buffer", where=str(path))
    arrays = {name: _numbers(name, a) for name, a in {**params, **kept}.items()}
    metadata = {f"symbp.{key}": word for key, word in (words or {}).items()}
    if kept:
        metadata[BUFFERS] = json.dumps(sorted(kept))
    try:
        content = safetensors.save(arrays, metadata or None)
    except Exception as failure:
        raise DataError(f"safetensors can't hold these arrays: {failure}", where=str(path)) from None
    return write(path, content, force=force)


def load_safetensors(path: str | os.PathLike[str]) -> Weights:
    """What a safetensors file holds. Raises UsageError: the library isn't installed; DataError: a file that
    isn't whole, or isn't one."""
    safetensors = library("safetensors", "safetensors")

    def read(where: Path) -> Weights:
        with safetensors.safe_open(str(where), framework="np") as file:
            arrays = {name: _numbers(name, file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
        names = json.loads(metadata.get(BUFFERS, "[]"))
        if not isinstance(names, list) or not all(isinstance(n, str) and n in arrays for n in names):
            raise DataError("the metadata name buffers that the file doesn't hold", where=str(where))
        kept = {name: arrays[name] for name in names}
        words = {key: metadata[f"symbp.{key}"] for key in WORDS if f"symbp.{key}" in metadata}
        return Weights({n: a for n, a in arrays.items() if n not in kept}, kept, words)

    return read_with(read, path, "whole safetensors file")


def save_npz(weights: Weights, path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Writes weights as training modules read them. Raises DataError, GenerationError."""
    content = io.BytesIO()
    arrays = {f"params.{n}": _numbers(n, a) for n, a in weights.params.items()}
    arrays |= {f"buffers.{n}": _numbers(n, a) for n, a in weights.buffers.items()}
    arrays |= {key: np.array(word) for key, word in weights.words.items()}
    np.savez(content, allow_pickle=False, **arrays)
    return write(path, content.getvalue(), force=force)


def load_npz(path: str | os.PathLike[str]) -> Weights:
    """Parameters and buffers of a file that a module saved, or of one whose arrays have plain names. Raises
    DataError: a file that isn't whole or isn't one, arrays of other things than numbers."""

    def read(where: Path) -> Weights:
        with where.open("rb") as content, np.load(content, allow_pickle=False) as file:
            if not hasattr(file, "files"):
                raise DataError("this is one array without a name, not an archive", where=str(where))
            names = list(file.files)
            saved = [n for n in names if n.startswith(("params.", "buffers."))]
            arrays = {name: _numbers(name, file[name]) for name in saved or names}
            texts = {key: file[key] for key in WORDS if saved and key in names}
        params = {n.removeprefix("params."): a for n, a in arrays.items() if not n.startswith("buffers.")}
        buffers = {n.removeprefix("buffers."): a for n, a in arrays.items() if n.startswith("buffers.")}
        words = {key: str(text) for key, text in texts.items() if text.dtype.kind == "U" and text.ndim == 0}
        left = tuple(n for n in names if n not in arrays and n not in words)
        return Weights(params, buffers, words, left)

    return read_with(read, path, "archive of arrays (.npz)")


def load_weights(path: str | os.PathLike[str]) -> Weights:
    """By its ending, a safetensors file or an .npz."""
    return load_safetensors(path) if _is_safetensors(path) else load_npz(path)


def save_weights(weights: Weights, path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """By its ending, as a safetensors file or an .npz."""
    if _is_safetensors(path):
        words, buffers = weights.words, weights.buffers
        return save_safetensors(weights.params, path, buffers=buffers, words=words, force=force)
    return save_npz(weights, path, force=force)


def _is_safetensors(path: str | os.PathLike[str]) -> bool:
    return Path(path).suffix.lower() == ".safetensors"


def _numbers(name: str, value: Any) -> Any:
    """The array, its elements one after the other in memory. Raises DataError if it holds no numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in KINDS:
        raise DataError(
            f"{name} is no array of real numbers", details=(f"its elements are of type {array.dtype}",)
        )
    return np.array(
        array, order="C"
    )  # a view's strides would be lost: some writers copy its memory as it lies
