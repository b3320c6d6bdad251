"""An array as a picture: SVG, PNG, or blocks of a terminal.

Enters: an array of one example, and what counts as empty and as full. Leaves: text or bytes; full is dark.
Must not know: where the array comes from.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from symbp.saliency.response import Array

BLOCKS = " ░▒▓█"
GAP = 1  # columns between pictures that stand side by side
SIDE = 24  # of one entry, in pixels


@dataclass(frozen=True)
class Picture:
    """Shades from 0 (empty) to 1 (full), by rows and columns, those of several channels side by side; NaN
    stands between them. `title` says what is shown."""

    shades: Array
    title: str

    def blocks(self) -> str:
        """Two characters for each entry, so that they look square."""
        filled = np.nan_to_num(self.shades, nan=0.0)
        levels = np.rint(filled * (len(BLOCKS) - 1)).astype(int)
        return "\n".join("".join(2 * BLOCKS[level] for level in row).rstrip() for row in levels)

    def svg(self) -> str:
        """A drawing of one square for each entry."""
        rows, columns = self.shades.shape
        gray = _gray(self.shades)
        squares = [
            f'<rect x="{c}" y="{r}" width="1" height="1" fill="#{3 * f"{gray[r, c]:02x}"}"/>'
            for r in range(rows)
            for c in range(columns)
            if not math.isnan(self.shades[r, c])
        ]
        title = escape(self.title)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" role="img" '
            f'width="{columns * SIDE}" height="{rows * SIDE}" shape-rendering="crispEdges">\n'
            f"<title>{title}</title>\n" + "\n".join(squares) + "\n</svg>\n"
        )

    def png(self) -> bytes:
        """A grayscale image (PNG, W3C 2003), each entry a square of pixels."""
        pixels = np.kron(_gray(self.shades), np.ones((SIDE, SIDE), dtype=np.uint8))
        height, width = pixels.shape
        header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        lines = b"".join(b"\0" + row.tobytes() for row in pixels)
        words = b"Title\0" + self.title.encode("latin-1", "replace")
        chunks = (
            (b"IHDR", header), (b"tEXt", words), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""),
        )  # fmt: skip
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def picture(values: Array, title: str, *, low: float, high: float, rows: int | None = None) -> Picture:
    """The picture of one example's array: its last two axes, what is before them side by side; of a vector a
    square if there is one, else one row, or so many `rows`. `low` is empty, `high` full."""
    image = values.reshape(shape_of(values.shape, rows))
    count, height, _ = image.shape
    apart = np.full((height, GAP), np.nan)
    parts = [part for one in image for part in (one, apart)][: 2 * count - 1]
    span = high - low
    shades = np.clip((np.concatenate(parts, axis=1) - low) / (span if span > 0 else 1.0), 0.0, 1.0)
    return Picture(shades, title)


def shape_of(shape: tuple[int, ...], rows: int | None = None) -> tuple[int, int, int]:
    """(pictures, rows, columns) of the array of one example."""
    size = math.prod(shape)
    if len(shape) >= 2 and rows is None:
        return size // (shape[-1] * shape[-2]), shape[-2], shape[-1]
    side = math.isqrt(size)
    height = rows or (side if side * side == size else 1)
    return 1, height, size // height


def _gray(shades: Array) -> npt.NDArray[np.uint8]:
    """Full is black, empty white."""
    return np.rint(255 * (1 - np.nan_to_num(shades, nan=0.0))).astype(np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
