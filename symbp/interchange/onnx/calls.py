"""The table of what `codegen` calls, in ONNX's operators: reductions, layouts, reads.

Enters: a graph, the values of a call's arguments. Leaves: a value. Must not know: equations, ops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from symbp.codegen.tree import Call
from symbp.interchange.onnx.elementwise import FUNCTIONS, Words, binary, function
from symbp.interchange.onnx.graph import Graph, Made
from symbp.interchange.onnx.subscripts import coordinates


@dataclass(frozen=True)
class Arguments:
    """The values of a call's arguments, `more` by name, and the call itself, which knows shape and dtype."""

    values: Sequence[Any]
    more: Mapping[str, Any]
    node: Call

    def array(self, graph: Graph, k: int) -> Made:
        """An argument as a value of the graph."""
        return graph.made(self.values[k], self.node.arguments[k].dtype)


Rule = Callable[[Graph, Arguments], Made]


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _axes(given: Arguments) -> tuple[int, ...] | None:
    rest = given.values[1:]
    return tuple(map(int, _tuple(rest[0]))) if rest and rest[0] is not None else None


# --- reductions
def _reduction(operator: str, graph: Graph, given: Arguments) -> Made:
    value = graph.made(given.array(graph, 0), given.node.dtype)
    return graph.reduced(operator, value, _axes(given), bool(given.more.get("keepdims", False)))


def _logaddexp(graph: Graph, given: Arguments) -> Made:
    """log Σ exp(x − m) + m with the largest m, 0 in the place of −∞."""
    x, axes = graph.made(given.array(graph, 0), "real"), _axes(given)
    w = Words(graph)
    largest = graph.reduced("ReduceMax", x, axes, keep=True)
    largest = w.Where(w.Equal(largest, float("-inf")), 0.0, largest)
    total = graph.reduced("ReduceSum", w.Exp(w.Sub(x, largest)), axes, keep=True)
    found = w.Add(w.Log(total), largest)
    gone = sorted(axis % x.rank for axis in axes or range(x.rank))
    at = graph.constant(gone, "integer")
    return graph.op("Squeeze", found, at, rank=x.rank - len(gone), dtype="real")


def _argmax(graph: Graph, given: Arguments) -> Made:
    x, axes = given.array(graph, 0), _axes(given) or (0,)
    axis = axes[0] % x.rank
    return graph.op("ArgMax", x, rank=x.rank - 1, dtype="integer", axis=axis, keepdims=0)


def _rows(graph: Graph, x: Made, count: int) -> Made:
    """The last axes as one."""
    if count == 1:
        return x
    if count == 0:
        return graph.unsqueezed(x, [x.rank])
    shape = graph.vector([0] * (x.rank - count) + [-1])
    return graph.op("Reshape", x, shape, rank=x.rank - count + 1, dtype=x.dtype)


def _first_maximum(graph: Graph, given: Arguments) -> Made:
    """One subscript of the first maximum over the last axes, or its place among all; −1 where none is."""
    x, count, component = given.array(graph, 0), int(given.values[1]), given.values[2]
    lengths = [graph.length(x, k) for k in range(x.rank - count, x.rank)]
    rows = _rows(graph, x, count)
    rank, last = rows.rank - 1, {"axis": rows.rank - 1, "keepdims": 0}
    mask: Made | None = None
    if "where" in given.more:
        mask = graph.made(given.more["where"], "boolean")
        mask = _rows(graph, graph.op("Expand", mask, graph.op("Shape", x, rank=1, dtype="integer"),
                                     rank=x.rank, dtype="boolean"), count)  # fmt: skip
        rows = graph.where(mask, rows, float("-inf"), "real")
    place = graph.op("ArgMax", rows, rank=rank, dtype="integer", **last)
    if mask is not None:
        among = graph.made(mask, "integer")
        first = graph.op("ArgMax", among, rank=rank, dtype="integer", **last)
        lowest = graph.reduced("ReduceMax", rows, (rank,))
        place = graph.where(binary(graph, "==", lowest, float("-inf"), "boolean"), first, place, "integer")
    if component is not None:
        for length in lengths[int(component) + 1 :]:
            place = binary(graph, "//", place, length, "integer")
        place = binary(graph, "%", place, lengths[int(component)], "integer")
    if mask is None:
        return place
    some = graph.reduced("ReduceMax", graph.made(mask, "integer"), (rank,))
    return graph.where(binary(graph, ">", some, 0, "boolean"), place, -1, "integer")


def _argsort(graph: Graph, given: Arguments) -> Made:
    """All of the last axis from the smallest; of equal ones the first stands first, as TopK has it."""
    x = given.array(graph, 0)
    whole = graph.unsqueezed(graph.length(x, x.rank - 1), [0])
    more = {"axis": x.rank - 1, "largest": 0, "sorted": 1}
    return graph.op("TopK", x, whole, rank=x.rank, dtype="integer", result=1, **more)


def _einsum(graph: Graph, given: Arguments) -> Made:
    formula, *_ = given.values
    count = len(given.values)
    arrays = [graph.made(given.array(graph, k), "real") for k in range(1, count)]
    rank = len(formula.partition("->")[2])
    return graph.op("Einsum", *arrays, rank=rank, dtype="real", equation=formula)


# --- layouts
def _reshape(graph: Graph, given: Arguments) -> Made:
    x, sizes = given.array(graph, 0), given.values[1:]
    return graph.op("Reshape", x, graph.vector(sizes), rank=len(sizes), dtype=x.dtype)


def _transpose(graph: Graph, given: Arguments) -> Made:
    return graph.transposed(given.array(graph, 0), [int(axis) for axis in given.values[1:]])


def _swapaxes(graph: Graph, given: Arguments) -> Made:
    x = given.array(graph, 0)
    a, b = (int(axis) % x.rank for axis in given.values[1:])
    order = list(range(x.rank))
    order[a], order[b] = order[b], order[a]
    return graph.transposed(x, order)


def _full(graph: Graph, given: Arguments) -> Made:
    value = given.values[1] if len(given.values) > 1 else 0
    return graph.expanded(graph.made(value, given.node.dtype), _tuple(given.values[0]))


def _broadcast(graph: Graph, given: Arguments) -> Made:
    return graph.expanded(given.array(graph, 0), _tuple(given.values[1]))


def _stack(graph: Graph, given: Arguments) -> Made:
    axis = int(given.more.get("axis", 0))
    steps = [graph.made(step, given.node.dtype) for step in given.values[0]]
    single = [graph.unsqueezed(step, [axis]) for step in steps]
    return graph.op("Concat", *single, rank=single[0].rank, dtype=given.node.dtype, axis=axis)


def _pad(graph: Graph, given: Arguments) -> Made:
    x, borders = given.array(graph, 0), given.values[1]
    ends = graph.vector([b[0] for b in borders] + [b[1] for b in borders])
    return graph.op("Pad", x, ends, rank=x.rank, dtype=x.dtype)


def _windows(graph: Graph, given: Arguments) -> Made:
    """The windows along some axes, whose own axes stand last: elements at start + place."""
    x = given.array(graph, 0)
    for size, axis in zip(_tuple(given.values[1]), map(int, _tuple(given.values[2])), strict=True):
        count = binary(graph, "-", binary(graph, "+", graph.length(x, axis), 1, "integer"), size, "integer")
        start = graph.unsqueezed(graph.arange(count), [1])
        place = binary(graph, "+", start, graph.unsqueezed(graph.arange(size), [0]), "integer")
        x = graph.op("Gather", x, place, rank=x.rank + 1, dtype=x.dtype, axis=axis)
        x = graph.transposed(x, [k for k in range(x.rank) if k != axis + 1] + [axis + 1])
    return x


# --- reads
def _taken(graph: Graph, given: Arguments) -> Made:
    """Elements at places along axes from the first one given on, and a value where these lie outside."""
    x, first = given.array(graph, 0), int(given.values[1])
    places = [graph.made(p, "integer") for p in given.values[2:]]
    rank = max(p.rank for p in places)
    inside: Any = True
    safe: list[Made] = []
    for k, place in enumerate(places):
        length = graph.length(x, first + k)
        here = binary(graph, "&", binary(graph, ">=", place, 0, "boolean"),
                      binary(graph, "<", place, length, "boolean"), "boolean")  # fmt: skip
        inside = here if inside is True else binary(graph, "&", inside, here, "boolean")
        safe.append(graph.where(here, place, 0, "integer"))
    axes = list(range(first, first + len(places)))
    after = [k for k in range(x.rank) if k >= first + len(places)]
    if len(places) == 1:
        total = x.rank - 1 + rank
        found = graph.op("Gather", x, safe[0], rank=total, dtype=x.dtype, axis=first)
    else:
        moved = graph.transposed(x, [*axes, *range(first), *after])
        total = rank + first + len(after)
        found = graph.op("GatherND", moved, coordinates(graph, safe), rank=total, dtype=x.dtype)
        order = [*range(rank, rank + first), *range(rank), *range(rank + first, total)]
        found = graph.transposed(found, order)
    inside = graph.unsqueezed(inside, list(range(inside.rank, inside.rank + len(after))))
    return graph.where(inside, found, given.more.get("outside", 0), given.node.dtype)


def _where(graph: Graph, given: Arguments) -> Made:
    mask, then, otherwise = given.values
    return graph.where(mask, then, otherwise, given.node.dtype)


def _arange(graph: Graph, given: Arguments) -> Made:
    return graph.arange(given.values[0])


def _itself(graph: Graph, given: Arguments) -> Made:
    return given.array(graph, 0)


def _determinant(graph: Graph, given: Arguments) -> Made:
    x = graph.made(given.array(graph, 0), "real")
    return graph.op("Det", x, rank=x.rank - 2, dtype="real")


def _of_elements(name: str, graph: Graph, given: Arguments) -> Made:
    return function(graph, name, *given.values)


CALLS: dict[str, Rule] = {
    **{name: partial(_of_elements, name) for name in FUNCTIONS},
    **{f".{word}": partial(_reduction, name) for word, name in {
        "sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "prod": "ReduceProd",
    }.items()},
    "np.logaddexp.reduce": _logaddexp,
    ".argmax": _argmax,
    "first_maximum": _first_maximum,
    "first_maximum_where": _first_maximum,
    "argsort": _argsort,
    "np.einsum": _einsum,
    "np.linalg.det": _determinant,
    ".reshape": _reshape,
    ".transpose": _transpose,
    ".swapaxes": _swapaxes,
    "np.zeros": _full,
    "np.full": _full,
    "np.broadcast_to": _broadcast,
    "np.stack": _stack,
    "np.pad": _pad,
    "sliding_window_view": _windows,
    "taken": _taken,
    "np.where": _where,
    "np.arange": _arange,
    "stop_gradient": _itself,
}  # fmt: skip
