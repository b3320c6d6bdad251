"""Arrays as pictures, read back."""

import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest

from symbp.saliency.picture import SIDE, picture, shape_of


@pytest.mark.parametrize(
    ("shape", "rows", "expected"),
    [
        ((64,), None, (1, 8, 8)),
        ((1, 8, 8), None, (1, 8, 8)),
        ((3, 4, 5), None, (3, 4, 5)),
        ((6,), None, (1, 1, 6)),
        ((6,), 2, (1, 2, 3)),
        ((2, 3), None, (1, 2, 3)),
        ((2, 2, 3, 4), None, (4, 3, 4)),
        ((), None, (1, 1, 1)),
    ],
)
def test_shapes(shape, rows, expected):
    assert shape_of(shape, rows) == expected


def test_channels_stand_side_by_side():
    shown = picture(np.arange(12.0).reshape(2, 2, 3), "x", low=0, high=11)
    assert shown.shades.shape == (2, 7)
    assert np.isnan(shown.shades[:, 3]).all()
    np.testing.assert_allclose(shown.shades[:, 4:], np.arange(6.0, 12.0).reshape(2, 3) / 11)


def test_blocks():
    shown = picture(np.array([0.0, 0.25, 0.5, 1.0]), "x", low=0, high=1)
    assert shown.blocks() == "  ░░\n▒▒██"


def test_svg_is_a_square_for_each_entry():
    shown = picture(np.array([[0.0, 1.0, 0.5]]), "a < b & c", low=0, high=1)
    root = ElementTree.fromstring(shown.svg())
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("viewBox") == "0 0 3 1"
    assert root.find(f"{name}title").text == "a < b & c"
    assert [r.get("fill") for r in root.findall(f"{name}rect")] == ["#ffffff", "#000000", "#808080"]


def test_png_is_read_back():
    values = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 4.0]])
    data = picture(values, "∂ of x", low=0, high=4).png()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, position = {}, 8
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        (check,) = struct.unpack(">I", data[position + 8 + length : position + 12 + length])
        assert check == zlib.crc32(kind + body)
        chunks[kind], position = body, position + 12 + length
    assert list(chunks) == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (width, height, depth, colour) == (3 * SIDE, 2 * SIDE, 8, 0)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    np.testing.assert_array_equal(lines[::SIDE, 1::SIDE], [[255, 191, 128], [64, 0, 0]])


def test_what_is_the_same_everywhere_is_empty():
    assert not picture(np.ones(4), "x", low=1, high=1).shades.any()
