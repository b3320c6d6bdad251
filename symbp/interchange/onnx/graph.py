"""An ONNX graph that is being built: operators, constants, each of them once.

Enters: names of operators, values. Leaves: values, in the end a model. Must not know: what is computed.

Numbers of Python's own stay what they are until an operator reads them; so lengths that are known, steps of
loops and conditions about them never reach the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbp.codegen.tree import DType

OPSET = 18
IR_VERSION = 9
NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)

Node = tuple[str, tuple[str, ...], tuple[str, ...], Mapping[str, Any]]
"""An operator, the names of what it reads and gives, attributes."""


@dataclass(frozen=True)
class Made:
    """A value of the graph: its name there, how many axes it has, what its elements are."""

    name: str
    rank: int
    dtype: DType


@dataclass
class Graph:
    """Nodes in the order in which they are computed. `real` is the type of real numbers; `prefix` what the
    names of values begin with, the tensor that is computed at the time."""

    real: Any
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    prefix: str = "value"
    names: set[str] = field(default_factory=set)
    _known: dict[Any, str] = field(default_factory=dict)

    def fresh(self, wanted: str) -> str:
        """A name that nothing has yet."""
        name, k = wanted, 1
        while name in self.names:
            k += 1
            name = f"{wanted}_{k}"
        self.names.add(name)
        return name

    def array(self, dtype: DType) -> Any:
        """The NumPy type of elements."""
        return {"real": self.real, "integer": np.int64, "boolean": np.bool_}[dtype]

    def constant(self, value: Any, dtype: DType) -> Made:
        """An array that is known."""
        array = np.asarray(value, self.array(dtype))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self.fresh("constant")
            self.constants[self._known[key]] = array
        return Made(self._known[key], array.ndim, dtype)

    def made(self, value: Any, dtype: DType | None = None) -> Made:
        """The value in the graph, of a dtype if one is asked for."""
        if isinstance(value, NUMBERS):
            return self.constant(value, dtype or kind(value))
        assert isinstance(value, Made), value
        if dtype is None or dtype == value.dtype:
            return value
        return self.op("Cast", value, rank=value.rank, dtype=dtype, to=self.array(dtype))

    def op(
        self,
        operator: str,
        *inputs: Made | None,
        rank: int,
        dtype: DType,
        result: int = 0,
        **attributes: Any,
    ) -> Made:
        """What an operator gives, of several results one; the same operation is there once."""
        read = tuple("" if value is None else value.name for value in inputs)
        shown = {k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items()}
        key = (operator, read, result, tuple(sorted(shown.items(), key=lambda pair: pair[0])))
        if key not in self._known:
            self._known[key] = self.fresh(f"{self.prefix}_{operator}")
            others = (self.fresh(f"{self.prefix}_{operator}_unused") for _ in range(result))
            self.nodes.append((operator, read, (*others, self._known[key]), attributes))
        return Made(self._known[key], rank, dtype)

    def needed(self, results: Sequence[Made]) -> tuple[list[Node], dict[str, Any]]:
        """The nodes and constants that some values rest on."""
        wanted = {value.name for value in results}
        nodes: list[Node] = []
        for node in reversed(self.nodes):
            if wanted.intersection(node[2]):
                nodes.append(node)
                wanted |= set(node[1])
        return nodes[::-1], {name: array for name, array in self.constants.items() if name in wanted}

    # --- forms that several operations share
    def vector(self, parts: Sequence[Any]) -> Made:
        """Integers, known or not, as an array with one axis."""
        if all(isinstance(part, NUMBERS) for part in parts):
            return self.constant([int(part) for part in parts], "integer")
        ones = [self.unsqueezed(self.made(part, "integer"), [0]) for part in parts]
        return ones[0] if len(ones) == 1 else self.op("Concat", *ones, rank=1, dtype="integer", axis=0)

    def unsqueezed(self, value: Made, axes: Sequence[int]) -> Made:
        """With axes of length 1, counted in the result."""
        if not axes:
            return value
        at = self.constant(list(axes), "integer")
        return self.op("Unsqueeze", value, at, rank=value.rank + len(axes), dtype=value.dtype)

    def transposed(self, value: Made, order: Sequence[int]) -> Made:
        """With axes in another order."""
        if list(order) == sorted(order):
            return value
        return self.op("Transpose", value, rank=value.rank, dtype=value.dtype, perm=list(order))

    def length(self, value: Made, axis: int) -> Made:
        """The length of an axis."""
        whole = self.op("Shape", value, rank=1, dtype="integer")
        return self.op("Gather", whole, self.constant(axis, "integer"), rank=0, dtype="integer", axis=0)

    def arange(self, count: Any) -> Made:
        """0, 1, … below a count."""
        if isinstance(count, NUMBERS):
            return self.constant(np.arange(int(count)), "integer")
        zero, one = self.constant(0, "integer"), self.constant(1, "integer")
        return self.op("Range", zero, count, one, rank=1, dtype="integer")

    def expanded(self, value: Made, sizes: Sequence[Any]) -> Made:
        """Broadcast to a shape."""
        return self.op("Expand", value, self.vector(sizes), rank=len(sizes), dtype=value.dtype)

    def where(self, mask: Any, then: Any, otherwise: Any, dtype: DType) -> Made:
        """One value where a mask holds, another one elsewhere."""
        parts = [self.made(mask, "boolean"), self.made(then, dtype), self.made(otherwise, dtype)]
        return self.op("Where", *parts, rank=max(p.rank for p in parts), dtype=dtype)

    def reduced(self, operator: str, value: Made, axes: Sequence[int] | None, keep: bool = False) -> Made:
        """A reduction along axes, all if None."""
        axes = list(range(value.rank)) if axes is None else [axis % value.rank for axis in axes]
        if not axes:
            return value
        rank = value.rank if keep else value.rank - len(axes)
        at = self.constant(axes, "integer")
        return self.op(operator, value, at, rank=rank, dtype=value.dtype, keepdims=int(keep))


def kind(value: Any) -> DType:
    """The dtype of a number of Python's own."""
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    return "integer" if isinstance(value, (int, np.integer)) else "real"
