"""Texts as numbers of characters, beside data that are stored as arrays.

Enters: a path, names, the alphabet of the training's text. Leaves: arrays by name, the alphabet. Must not
know: what is computed. It stands for `stored`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError, _extent
from symbp.runtime.common.reading.loading import _archive
from symbp.runtime.network import INPUTS, SIZES, Array

_CONTEXT = 64  # characters in a piece, where the network leaves its length open


def _stored(path: Path, names: tuple[str, ...], columns: str | None) -> tuple[dict[str, Array], str]:
    """The arrays of a file by the names of input tensors, and what is kept of how it was read: of a text, its
    alphabet, by which other texts are read afterwards."""
    if path.suffix.lower() != ".txt":
        return _archive(path, names), columns or ""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as failure:
        raise DataError(f"{path}: byte {failure.start} is not UTF-8") from None
    strange = [name for name in names if name not in ("x", "y") or len(INPUTS[name]) != 2]
    if strange:
        raise DataError(f"{path}: a text gives x and y (N, T), and the network reads {strange[0]}")
    alphabet = _alphabet_from(columns) if columns else "".join(sorted(set(text)))
    length = _extent(INPUTS["x"][1], SIZES) or _CONTEXT
    try:
        return _characters(text, alphabet, length), _alphabet_text(alphabet)
    except DataError as failure:
        raise DataError(f"{path}: {failure}") from None


def _characters(text: str, alphabet: str, length: int) -> dict[str, Array]:
    """A text in consecutive pieces: `x` (pieces, length) are the places of their characters in the alphabet,
    counted from 1, `y` those of the characters that follow."""
    number = {character: k for k, character in enumerate(alphabet, start=1)}
    count = (len(text) - 1) // length
    if count < 1:
        raise DataError(f"a text of {len(text)} characters is too short for pieces of {length}")
    strange = next((k for k, character in enumerate(text) if character not in number), None)
    if strange is not None:
        line = text.count("\n", 0, strange) + 1
        raise DataError(f"line {line} has {text[strange]!r}, which the text of the training hasn't")
    numbers = np.array([number[character] for character in text[: count * length + 1]], np.int64)
    return {"x": numbers[:-1].reshape(count, length), "y": numbers[1:].reshape(count, length)}


def _alphabet_text(alphabet: str) -> str:
    """As a file of parameters keeps it."""
    return json.dumps({"alphabet": alphabet})


def _alphabet_from(text: str) -> str:
    """Reads what `_alphabet_text` wrote."""
    try:
        return str(json.loads(text)["alphabet"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataError(
            "the parameters weren't trained on a text, so nothing numbers its characters"
        ) from None
