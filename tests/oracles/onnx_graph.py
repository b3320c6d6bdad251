"""The node cases of ONNX as networks: graphs read from their index, each node declared with symbp's ops.

A node type is one function of a `Node`, registered by its name in one of the `onnx_*` modules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import symbp as bp
from symbp.derive.declared.derivatives import eliminate
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.ir.evaluation.vector import Run

NODES: dict[str, Callable[[Node], Any]] = {}


def node(*names: str) -> Callable[[Callable[[Node], Any]], Callable[[Node], Any]]:
    """Registers how node types are declared: one tensor, or a tuple with one for each output."""

    def register(function: Callable[[Node], Any]) -> Callable[[Node], Any]:
        NODES.update(dict.fromkeys(names, function))
        return function

    return register


@dataclass
class Graph:
    """A case while it is declared: the arrays that are given, the tensors so far."""

    arrays: dict[str, np.ndarray[Any, Any]]
    tensors: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def tensor(self, name: str, kind: str | None = None) -> Any:
        """The tensor of that name, declared as a leaf when it is first asked for."""
        if name not in self.tensors:
            array = self.arrays[name]
            kind = kind or ("labels" if array.dtype.kind in "iu" else "real")
            self.tensors[name] = self._leaf(f"in_{name}", array, kind)
        return self.tensors[name]

    def _leaf(self, name: str, array: np.ndarray[Any, Any], kind: str) -> Any:
        self.values[name] = array if kind == "labels" else array.astype(float)
        shape: tuple[Any, ...] = array.shape
        if 0 in shape:  # an axis without elements is a size that stays open
            self.sizes |= {f"{name}_{k}": extent for k, extent in enumerate(shape)}
            shape = tuple(bp.dim(f"{name}_{k}") for k in range(len(shape)))
        if kind == "buffer":
            return bp.buffer(name, shape)
        if kind == "labels":
            return bp.labels(name, shape, classes=int(array.max(initial=0)) + 1)
        return bp.input(name, shape, "binary") if array.dtype.kind == "b" else bp.param(name, shape)


@dataclass
class Node:
    """One node: `node[k]` is its k-th input as a tensor, `node.array(k)` its values where they are given."""

    graph: Graph
    inputs: list[str]
    outputs: list[str]
    attributes: Mapping[str, Any]

    def has(self, k: int) -> bool:
        return k < len(self.inputs) and bool(self.inputs[k])

    def __getitem__(self, k: int) -> Any:
        return self.graph.tensor(self.inputs[k])

    def optional(self, k: int) -> Any:
        return self[k] if self.has(k) else None

    def labels(self, k: int, classes: int, ignored: int | None = None) -> Any:
        """Integers below `classes`, or `ignored` if that is none of them."""
        outside = ignored if ignored is not None and not 0 <= ignored < classes else None
        name, array = f"in_{self.inputs[k]}", self.array(k)
        self.graph.values[name] = array
        return bp.labels(name, array.shape, classes=classes, ignored=outside)

    def real(self, k: int) -> Any:
        """An input as reals, though it is given as integers."""
        return self.graph.tensor(self.inputs[k], "real")

    def array(self, k: int) -> np.ndarray[Any, Any]:
        return self.graph.arrays[self.inputs[k]]

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    @property
    def every(self) -> list[Any]:
        return [self[k] for k in range(len(self.inputs))]


@cache
def cases(folder: Path) -> dict[str, dict[str, Any]]:
    """The cases by name, each as the index describes it."""
    index = json.loads((folder / "onnx_node" / "index.json").read_text())
    return {case["case"].removeprefix("test_"): case for case in index}


@cache
def _archive(folder: Path, group: str) -> Mapping[str, Any]:
    return np.load(folder / "onnx_node" / f"{group}.npz")


def arrays(folder: Path, case: Mapping[str, Any], direction: str) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a case, `in` or `out`, by the names that its graph uses."""
    names = case["inputs" if direction == "in" else "outputs"]
    archive = _archive(folder, case["group"])
    return {name: archive[f"{case['case']}/{direction}/{name}"] for name in names}


def declared(case: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[bp.Network, Graph]:
    """The case as a network with its outputs; the graph knows values and sizes."""
    graph = Graph(dict(given))
    for spec in case["nodes"]:
        here = Node(graph, spec["inputs"], spec["outputs"], spec["attrs"])
        if spec["op"] == "Constant":
            graph.arrays[here.outputs[0]] = np.asarray(here.get("value"))
            continue
        found = NODES[spec["op"]](here)
        results = found if isinstance(found, tuple) else (found,)
        graph.tensors |= {n: t for n, t in zip(here.outputs, results, strict=False) if n and t is not None}
    outputs = {f"out_{name}": graph.tensor(name) for name in case["outputs"]}
    first = next(iter(outputs.values()))
    return bp.Network("case", loss=(first * 1).sum() if first.rank else first * 1, outputs=outputs), graph


def evaluated(net: bp.Network, graph: Graph) -> dict[str, np.ndarray[Any, Any]]:
    """The outputs at inference, of the stable forms that are also what is derived and generated."""
    system, *_ = stabilise(eliminate(net.system))
    run = Run(system, graph.values, graph.sizes)
    at_inference = {name: net.system.inference.get(name, name) for name in net.system.outputs}
    return {name.removeprefix("out_"): run.tensor(found) for name, found in at_inference.items()}
