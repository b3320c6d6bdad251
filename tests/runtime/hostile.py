"""Damaged and hostile files of every kind that is read, made from whole ones by a seed.

Each is (kind, what is wrong, content, whether it must be refused). A change that nothing can notice, such as
another digit in a table, need not be: then only a traceback is a fault.
"""

import io
import json
import os
import pickle
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Case = tuple[str, str, bytes, bool]


class Runs:
    """What a pickle does that is loaded: it makes a folder."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.path,)


def cases(whole: dict[str, bytes], count: int, seed: int, trap: str) -> Iterator[Case]:
    """So many cases in all, of all kinds alike; `trap` is a folder that only what runs makes."""
    draw = random.Random(seed)
    made: dict[str, Iterator[Case]] = {kind: _of(kind, good, draw, trap) for kind, good in whole.items()}
    for number in range(count):
        yield next(made[list(made)[number % len(made)]])


def _of(kind: str, good: bytes, draw: random.Random, trap: str) -> Iterator[Case]:
    """First those written by hand, then damages without end."""
    by_hand = {"csv": _tables, "net": _networks, "safetensors": _safetensors, "pt": _torch, "onnx": _onnx}
    found = list(by_hand.get(kind, _archives)(good, trap))
    draw.shuffle(found)
    for what, content in found:
        yield kind, what, content, what not in PASS
    while True:
        name, damage = draw.choice(DAMAGES)
        yield kind, name, damage(good, draw), name == "cut" and kind not in ("csv", "net", "onnx")


PASS = ("without the first", "not finite", "a name that leads out")  # these may do for a part of the file


def _cut(good: bytes, draw: random.Random) -> bytes:
    return good[: draw.randrange(len(good))]


def _flipped(good: bytes, draw: random.Random) -> bytes:
    changed = bytearray(good)
    for _ in range(draw.choice((1, 3, 20))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _zeroed(good: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(good))
    length = min(draw.randrange(1, 200), len(good) - start)
    return good[:start] + bytes(length) + good[start + length :]


def _lost(good: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(good))
    return good[:start] + good[start + draw.randrange(1, 50) :]


def _grown(good: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(good))
    return good[:start] + draw.randbytes(draw.randrange(1, 50)) + good[start:]


def _noise(good: bytes, draw: random.Random) -> bytes:
    return good[:8] + draw.randbytes(draw.randrange(400))


DAMAGES: list[tuple[str, Callable[[bytes, random.Random], bytes]]] = [
    ("cut", _cut),
    ("bits flipped", _flipped),
    ("zeros", _zeroed),
    ("bytes lost", _lost),
    ("bytes more", _grown),
    ("noise behind its head", _noise),
]


def _member(array: object) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(array), allow_pickle=True)
    return content.getvalue()


def _promising(shape: str, descr: str = "'<f8'", more: bytes = bytes(96)) -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + more


def _archives(good: bytes, trap: str) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    first = next(iter(members))

    def zipped(change: dict[str, bytes | None], method: int = zipfile.ZIP_STORED) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", method) as archive:
            for name, body in {**members, **change}.items():
                if body is not None:
                    archive.writestr(name, body)
        return content.getvalue()

    yield "empty", b""
    yield "a pickle alone", pickle.dumps(Runs(trap))
    yield "a member that is a pickle", zipped({first: pickle.dumps(Runs(trap))})
    yield "an array of objects", zipped({first: _member(np.array([Runs(trap)], object))})
    yield "an array alone", _member(np.ones(3))
    yield "no members", zipped(dict.fromkeys(members))
    yield "without the first", zipped({first: None})
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"compressed by {method}, and something else", zipped({first: b"text"}, method)
    at = good.index(b"PK\x01\x02")
    yield "encrypted, it says", good[: at + 8] + bytes([good[at + 8] | 1]) + good[at + 9 :]
    yield "compressed by 99, it says", good[: at + 10] + b"\x63" + good[at + 11 :]
    for shape in ("(10**13,)", "(1000000000000, 3)", "(-4, 3)", "(4,", "'x'", f"({'9' * 400},)", "()" * 3):
        yield f"the shape {shape[:30]}", zipped({first: _promising(shape)})
    for descr in ("'|O'", "'|Z9'", "'<U7'", "[('a', '<f8')]", "__import__('os')"):
        yield f"the type {descr}", zipped({first: _promising("(4, 3)", descr)})
    yield "brackets", zipped({first: _promising("(" * 5000)})
    yield "version 9", zipped({first: b"\x93NUMPY\x09\x00" + bytes(300)})
    yield "zeros that were many", zipped({first: _promising("(2**31,)", more=bytes(10**7))}, 8)
    yield "not finite", zipped({first: _member(np.full((4, 3), np.nan))})
    yield "a name that leads out", zipped({first: None, f"../../{first}": members[first]})


def _tables(good: bytes, trap: str) -> Iterator[tuple[str, bytes]]:
    lines = good.decode().splitlines()
    yield "empty", b""
    yield "names alone", lines[0].encode()
    yield "UTF-16", good.decode().encode("utf-16")
    yield "NUL", good[:20] + b"\0" + good[20:]
    yield "a pickle", pickle.dumps(Runs(trap))
    yield "an open quote", good + b'"1'
    yield "a long field", good + b"1" * 200_000 + b",2,red,3\n"
    yield "a line too short", good + b"1,2\n"
    yield "a line too long", good + b"1,2,red,3,4\n"
    for cell in ("", "NA", "nan", "inf", "1e999", "2024-05-01", "1,5", "12 %", "x", "=1+1", "0x10", "1_000"):
        yield f"the cell {cell!r}", good + f'"{cell}",2,red,3\n'.encode()
    yield (
        "another colour for every line",
        "\n".join([lines[0], *(f"1,2,c{k},3" for k in range(200))]).encode(),
    )
    yield "a name twice", good.replace(b"a,b", b"a,a", 1)


def _networks(_: bytes, trap: str) -> Iterator[tuple[str, bytes]]:
    for what, text in {
        "empty": "",
        "no Python": "import symbp as bp\nnet = = 3\n",
        "NUL": "import symbp\0",
        "an exit": "raise SystemExit(0)",
        "an error": "1/0",
        "no end": "def f(): return f()\nf()",
        "an import that isn't there": "import nothing_of_this_name",
        "no network": "net = 3",
        "a network without a loss": "import symbp as bp\nnet = bp.Network('n', loss=None)",
        "a size of minus one": "import symbp as bp\nN = bp.dim('N', -1)",
        "brackets": "(" * 500,
        "a name of a letter with an umlaut": "import symbp as bp\nx = bp.input('ä b', (3,))",
    }.items():
        yield what, text.encode()
    yield "Latin-1", "# ä\nnet = 3".encode("latin-1")
    yield "a pickle", pickle.dumps(Runs(trap))


def _safetensors(_: bytes, trap: str) -> Iterator[tuple[str, bytes]]:
    def headed(head: object, more: bytes = b"", length: int | None = None) -> bytes:
        text = head if isinstance(head, bytes) else json.dumps(head).encode()
        return struct.pack("<Q", len(text) if length is None else length) + text + more

    one = {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}
    yield "empty", b""
    yield "a pickle", pickle.dumps(Runs(trap))
    yield "a head of terabytes", headed({}, length=2**60)
    yield "no JSON", headed(b"{" * 2000)
    yield "a list", headed([1, 2])
    yield "a shape of terabytes", headed({"W": {**one, "shape": [2**50]}}, bytes(16))
    yield "offsets outside", headed({"W": {**one, "data_offsets": [0, 1600]}}, bytes(16))
    yield "offsets backwards", headed({"W": {**one, "data_offsets": [16, 0]}}, bytes(16))
    yield "a type that is none", headed({"W": {**one, "dtype": "F13"}}, bytes(16))
    yield (
        "buffers that aren't there",
        headed({"W": one, "__metadata__": {"symbp.buffers": '["V"]'}}, bytes(16)),
    )
    yield "buffers that are no list", headed({"W": one, "__metadata__": {"symbp.buffers": "{"}}, bytes(16))


def _torch(good: bytes, trap: str) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "a pickle that runs", pickle.dumps(Runs(trap))
    yield "a pickle of protocol 2 that runs", pickle.dumps({"0.weight": Runs(trap)}, protocol=2)
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    pickled = next(name for name in members if name.endswith("data.pkl"))
    for what, body in {
        "a pickle within that runs": pickle.dumps(Runs(trap), protocol=2),
        "a number within": pickle.dumps(3, protocol=2),
        "no pickle within": b"text",
    }.items():
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, old in members.items():
                archive.writestr(name, body if name == pickled else old)
        yield what, content.getvalue()


def _onnx(good: bytes, trap: str) -> Iterator[tuple[str, bytes]]:
    import onnx
    from onnx import TensorProto

    def changed(change: Callable[[Any], object]) -> bytes:
        model = onnx.load_model_from_string(good)
        change(model.graph)
        return bytes(model.SerializeToString())

    def outside(graph: Any) -> None:
        held = graph.initializer[0]
        held.ClearField("raw_data")
        held.data_location = TensorProto.EXTERNAL
        held.external_data.add(key="location", value="../../../etc/passwd")

    def shaped(graph: Any) -> None:
        graph.initializer[0].dims[:] = [2**40, 2**20]

    yield "empty", b""
    yield "a pickle", pickle.dumps(Runs(trap))
    yield "no graph", bytes(onnx.ModelProto().SerializeToString())
    yield "data outside of its folder", changed(outside)
    yield "a shape of exabytes", changed(shaped)
    yield "an operator that is none", changed(lambda g: setattr(g.node[0], "op_type", "NoSuchOperator"))
    yield "an input that nothing makes", changed(lambda g: g.node[0].input.__setitem__(0, "nothing"))
    yield "a loop", changed(lambda g: g.node[0].input.__setitem__(0, g.node[-1].output[0]))
    yield "no outputs", changed(lambda g: g.ClearField("output"))
    yield "a branch", changed(lambda g: setattr(g.node[-1], "op_type", "If"))
    yield "version 999", good[:-2] + b"\x10\xe7\x07"
