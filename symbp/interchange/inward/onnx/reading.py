"""An ONNX model as a foreign graph.

Enters: a path, bytes, or a model of the library `onnx`. Leaves: `Graph`, or an error that says what is wrong
with it. Must not know: what operators mean.

Nothing of a model is run. Arrays beside it are read only from its own folder, and only as long as they say.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from symbp.errors import DataError
from symbp.interchange.files import library, read_with
from symbp.interchange.inward.graph import Graph, Held, Incoming, Numbers, Ref, Step
from symbp.interchange.inward.naming import cleaned

OLDEST, NEWEST = 11, 26  # of opset 26 and before, all that the table reads has been looked at
DOMAINS = ("", "ai.onnx")
MOST_BYTES = 2 << 30
MOST_ELEMENTS = 1 << 31
KINDS: Mapping[int, tuple[Numbers, str]] = {
    1: ("real", "<f4"), 11: ("real", "<f8"),
    2: ("integer", "<u1"), 3: ("integer", "<i1"), 4: ("integer", "<u2"), 5: ("integer", "<i2"),
    6: ("integer", "<i4"), 7: ("integer", "<i8"), 12: ("integer", "<u4"), 13: ("integer", "<u8"),
    9: ("boolean", "|b1"),
}  # fmt: skip


def graph_of(model: Any) -> Graph:
    """The graph of a model, or of the file at a path. Raises DataError: no whole model, a part of it that is
    no plain tensor, another version; UsageError: onnx isn't installed."""
    onnx = library("onnx", "onnx")
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        found = read_with(lambda p: _parsed(onnx, _bytes(p)), path, "ONNX model")
        return read_with(lambda p: _Reader(onnx, found, p.parent, p.name).graph(), path, "ONNX model")
    if isinstance(model, (bytes, bytearray)):
        model = _parsed(onnx, bytes(model))
    if not isinstance(model, onnx.ModelProto):
        raise DataError(f"an ONNX model is a path, bytes or an onnx.ModelProto, not {type(model).__name__}")
    try:
        return _Reader(onnx, model, None, "").graph()
    except DataError:
        raise
    except Exception as failure:
        raise DataError(f"this is no whole ONNX model: {_first_line(failure)}") from None


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise DataError("the file is larger than an ONNX model can be (2 GB)", where=str(path))
    return path.read_bytes()


def _parsed(onnx: Any, content: bytes) -> Any:
    try:
        found = onnx.ModelProto()
        found.ParseFromString(content)
    except Exception as failure:  # of protobuf's own kinds, by its version
        raise DataError(f"this is no ONNX model: {_first_line(failure)}") from None
    return found


def _first_line(failure: Exception) -> str:
    return (str(failure).splitlines() or [type(failure).__name__])[0][:200]


class _Reader:
    """One model and the folder that its arrays may lie in."""

    def __init__(self, onnx: Any, model: Any, folder: Path | None, origin: str) -> None:
        self.onnx, self.model, self.folder, self.origin = onnx, model, folder, origin
        self.version = _version(onnx, model)
        self.functions = {(f.domain, f.name) for f in model.functions}

    def graph(self) -> Graph:
        graph = self.model.graph
        if not graph.node or not graph.output:
            raise DataError("this is no ONNX model with a graph: it has no nodes or no outputs")
        if graph.sparse_initializer:
            raise DataError("the model holds sparse arrays, which aren't taken in")
        held = {one.name: self._held(one) for one in graph.initializer}
        inputs = tuple(_incoming(one) for one in graph.input if one.name not in held)
        steps = tuple(self._step(node, k) for k, node in enumerate(graph.node))
        _check_defined_once(inputs, held, steps)
        name = cleaned(graph.name or "model", "model")
        usual = name in ("main_graph", "torch_jit", "graph", "model")
        stem = Path(self.origin).stem if self.origin and usual else name
        outputs = {one.name: one.name for one in graph.output}
        return Graph(cleaned(stem, "model"), inputs, held, steps, outputs, self.origin)

    def _held(self, one: Any) -> Held:
        array = self._array(one)
        learned = array.dtype.kind == "f" and array.ndim > 0
        return Held(one.name, array, "parameter" if learned else "constant")

    def _array(self, one: Any) -> Any:
        """The elements of a tensor. Raises DataError: another kind of them, fewer or more than it says."""
        numbers, dtype = KINDS.get(one.data_type, (None, ""))
        if numbers is None:
            kind = self.onnx.TensorProto.DataType.Name(one.data_type) if one.data_type else "unknown"
            raise DataError(f"the array {one.name!r} has elements of type {kind}, which aren't taken in")
        shape = tuple(one.dims)
        if any(n < 0 for n in shape) or prod(shape) > MOST_ELEMENTS:
            raise DataError(f"the array {one.name!r} can't have the shape {shape}")
        if one.data_location == self.onnx.TensorProto.EXTERNAL:
            return self._beside(one, np.dtype(dtype), shape)
        if one.HasField("raw_data"):
            content = one.raw_data
            if len(content) != prod(shape) * np.dtype(dtype).itemsize:
                raise DataError(f"the array {one.name!r} is cut off, or longer than its shape {shape} says")
            return np.frombuffer(content, dtype).reshape(shape).copy()
        found = np.asarray(self.onnx.numpy_helper.to_array(one))
        if found.shape != shape:
            raise DataError(f"the array {one.name!r} has another shape than it says")
        return found.copy()

    def _beside(self, one: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
        """An array in a file of the model's folder."""
        said = {entry.key: entry.value for entry in one.external_data}
        location = said.get("location", "")
        if self.folder is None:
            raise DataError(
                f"the array {one.name!r} lies in another file", help="give the path of the model's file"
            )
        inside = self.folder.resolve()
        path = (inside / location).resolve()
        plain = (
            location and not Path(location).is_absolute() and "\\" not in location and ".." not in location
        )
        if not plain or not path.is_relative_to(inside) or not path.is_file():
            raise DataError(
                f"the array {one.name!r} isn't in a file of the model's folder: {location[:80]!r}"
            )
        offset, wanted = _digits(said.get("offset", "0")), prod(shape) * dtype.itemsize
        length = _digits(said.get("length", str(wanted)))
        if min(offset, length) < 0 or length != wanted or offset + length > path.stat().st_size:
            raise DataError(f"the array {one.name!r} doesn't fit the part of {location[:80]!r} that it names")
        with path.open("rb") as file:
            file.seek(offset)
            return np.frombuffer(file.read(length), dtype).reshape(shape).copy()

    def _step(self, node: Any, number: int) -> Step:
        op = node.op_type if node.domain in DOMAINS else f"{node.domain}.{node.op_type}"
        called = f" {node.name!r}" if node.name and node.name.isprintable() else ""
        where = f"{op[:60]}{called[:80]} (step {number + 1})"
        if (node.domain, node.op_type) in self.functions:
            op = f"{op} (a function of the model's own)"
        schema = self._schema(node, op)
        if len(node.input) > 10_000 or len(node.output) > 10_000:
            raise DataError("a step has more operands than are taken in", where=where)
        arguments: dict[str | int, Any] = {k: Ref(name) for k, name in enumerate(node.input) if name}
        for attribute in node.attribute:
            if schema is not None and attribute.name not in schema.attributes:
                raise DataError(f"{node.op_type} has no attribute {attribute.name[:60]!r}", where=where)
            inner = attribute.type in (attribute.GRAPH, attribute.GRAPHS)  # of what isn't taken in: a loop
            if schema is not None and not inner:
                arguments[attribute.name] = self._attribute(attribute, where, f"constant_{number}")
        return Step(
            op, arguments, tuple(node.output), where,
            version=schema.since_version if schema is not None else 0,
            defaults=_defaults(self.onnx, schema),
        )  # fmt: skip

    def _schema(self, node: Any, op: str) -> Any:
        """What ONNX itself says of an operator in this version; None for those that it hasn't."""
        if op != node.op_type:
            return None
        try:
            return self.onnx.defs.get_schema(node.op_type, self.version, "")
        except Exception:  # of the library's own kinds
            return None

    def _attribute(self, attribute: Any, where: str, called: str) -> Any:
        value = self.onnx.helper.get_attribute_value(attribute)
        if isinstance(value, self.onnx.TensorProto):
            return Held(called, self._array(value))
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if isinstance(value, float):
            return float(str(np.float32(value)))
        if isinstance(value, int):
            return value
        values: list[Any] = [None] if isinstance(value, self.onnx.GraphProto) else list(value)
        if any(isinstance(v, bytes) for v in values):
            return [v.decode("utf-8", "replace") for v in values]
        if all(isinstance(v, int) for v in values):
            return values
        if all(isinstance(v, float) for v in values):
            return [float(str(np.float32(v))) for v in values]
        raise DataError(f"the attribute {attribute.name[:60]!r} holds no numbers or text", where=where)


def _version(onnx: Any, model: Any) -> int:
    versions = {one.version for one in model.opset_import if one.domain in DOMAINS}
    if len(versions) != 1:
        raise DataError("this is no whole ONNX model: it doesn't say which version of the operators it has")
    (version,) = versions
    newest = min(NEWEST, onnx.defs.onnx_opset_version())
    if not OLDEST <= version <= newest:
        raise DataError(
            f"the model's operators are those of opset {version}; {OLDEST} to {newest} are taken in",
            help="onnx.version_converter.convert_version(model, 18) may bring it there",
        )
    return int(version)


def _defaults(onnx: Any, schema: Any) -> dict[str | int, Any]:
    found: dict[str | int, Any] = {}
    for name, attribute in schema.attributes.items() if schema is not None else ():
        if attribute.default_value.type:
            value = onnx.helper.get_attribute_value(attribute.default_value)
            value = [v.decode() for v in value] if isinstance(value, list) else value
            value = value.decode() if isinstance(value, bytes) else value
            found[name] = float(str(np.float32(value))) if isinstance(value, float) else value
    return found


def _incoming(one: Any) -> Incoming:
    kind = one.type.tensor_type
    if not one.type.HasField("tensor_type") or kind.elem_type not in KINDS:
        raise DataError(f"the input {one.name[:60]!r} is no tensor of numbers of 32 or 64 bits")
    if not kind.HasField("shape"):
        raise DataError(f"the input {one.name[:60]!r} doesn't say how many axes it has")
    shape: list[int | str] = []
    for axis, extent in enumerate(kind.shape.dim):
        if extent.HasField("dim_value"):
            if extent.dim_value < 1:
                raise DataError(f"the input {one.name[:60]!r} can't have {extent.dim_value} elements")
            shape.append(int(extent.dim_value))
        else:
            shape.append(extent.dim_param or ("N" if axis == 0 else f"{one.name}_{axis}"))
    return Incoming(one.name, tuple(shape), KINDS[kind.elem_type][0])


def _check_defined_once(
    inputs: tuple[Incoming, ...], held: Mapping[str, Held], steps: tuple[Step, ...]
) -> None:
    seen = {*held, *(one.name for one in inputs)}
    for step in steps:
        for name in filter(None, step.results):
            if name in seen:
                raise DataError(f"{name[:60]!r} is defined twice", where=step.where)
            seen.add(name)


def _digits(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
