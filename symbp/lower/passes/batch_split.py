"""Splits the batch of a whole step into chunks: a checked rewrite of the system, legal or refused by name.

Enters: a system, the size of its batch, the tensors wanted. Leaves: `BatchSplit`, the system of one chunk
with the phase in which each equation runs, or `Barrier`, the equation that needs the whole batch and why.
Must not know: targets, threads, how many chunks there are.

A chunk has `rows` of the `N` examples. An equation that carries the batch index computes its rows; one that
sums over it gives each chunk a private part, and the parts are added when all chunks are done. What reads
no example runs once before the chunks; what reads such a sum runs once after them. An equation with a batch
index that needs the sum itself (batch norm, InfoNCE) is a barrier: then the step isn't split.
The size `N` as a value in a body (a mean's divisor) stays the size of the whole batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from symbp.ir.expr import Access, Expr, Index, Size, free_indices
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Role, System, Tensor

Phase = Literal["before", "chunk", "after"]


@dataclass(frozen=True)
class BatchSplit:
    """A step in chunks: `system` has `rows` where the whole had `size`; `phase` says when each equation's
    target is computed; `partial` are the sums over the batch, private to a chunk until they are added;
    `axis` is the batch axis of every tensor that has one."""

    size: Size
    rows: Size
    system: System
    phase: Mapping[str, Phase]
    partial: tuple[str, ...]
    axis: Mapping[str, int]

    def __str__(self) -> str:
        of = {p: [t for t, phase in self.phase.items() if phase == p] for p in ("before", "chunk", "after")}
        rows = [f"{p}: {', '.join(names)}" for p, names in of.items() if names]
        return "\n".join([f"{self.rows} of {self.size}", *rows, f"added: {', '.join(self.partial)}"])


@dataclass(frozen=True)
class Barrier:
    """Why a step isn't split: the number of an equation (0: a leaf's shape), its text, the reason."""

    number: int
    text: str
    reason: str

    def __str__(self) -> str:
        return f"({self.number}) {self.text}: {self.reason}" if self.number else f"{self.text}: {self.reason}"


class _Refused(Exception):
    """The reason why one equation or tensor can't be split."""


def split(
    system: System,
    size: Size,
    wanted: Iterable[str],
    rows: str = "rows",
    *,
    views: bool = False,
    inside: BatchSplit | None = None,
) -> BatchSplit | Barrier:
    """The step that computes `wanted`, over `rows` of the `size` examples at a time; `views` says that a
    chunk may be given its rows of a parameter that has one for each example, `inside` that the system is
    one of chunks already, whose leaves have another axis in front."""
    needed = frozenset(name for want in wanted for name in system.ancestors(want))
    numbered = [(k + 1, e) for k, e in enumerate(system.equations) if e.target in needed]
    places = {e.target: (number, equation_text(e)) for number, e in numbered}
    axis: dict[str, int] = {}
    for tensor in system.tensors:
        if tensor.name in needed:
            try:
                axis |= _batch_axis(tensor, size, views, inside)
            except _Refused as refused:
                return Barrier(*places.get(tensor.name, (0, str(tensor))), str(refused))
    batch: dict[str, Index | None] = {}
    for number, equation in numbered:
        try:
            batch[equation.target] = _batch_index(equation, size, axis)
        except _Refused as refused:
            return Barrier(number, equation_text(equation), str(refused))
    phase = _phases([e for _, e in numbered], batch, axis)
    partial = tuple(t for t, index in batch.items() if index is not None and t not in axis)
    for number, equation in numbered:
        if batch[equation.target] is not None:
            late = [t for t in equation.read_names if t in partial or phase.get(t) == "after"]
            if late:
                return Barrier(number, equation_text(equation), f"it needs {late[0]} of the whole batch")
    return BatchSplit(size, Size(rows), _in_rows(system, size, Size(rows), axis, batch), phase, partial, axis)


def each_by_itself(system: System, size: Size, wanted: Collection[str]) -> bool:
    """Whether the rows of `wanted` rest each on its own example alone, whatever else the batch holds, and
    however much."""
    found = split(system, size, wanted)
    if not isinstance(found, BatchSplit) or any(found.axis.get(name) != 0 for name in wanted):
        return False
    needed = {name for want in wanted for name in system.ancestors(want)}
    read = [e for e in system.equations if e.target in needed]
    if any(size in x.free_symbols for e in read for x in (e.body, *e.where)):
        return False
    return any(t.name in found.axis for t in system.leaves if t.name in needed)


def _batch_axis(tensor: Tensor, size: Size, views: bool, inside: BatchSplit | None) -> dict[str, int]:
    """The axis of a tensor that runs over the batch, if it has one. Raises _Refused."""
    mentioned = [k for k, extent in enumerate(tensor.shape) if size in extent.free_symbols]
    if not mentioned:
        return {}
    if len(mentioned) > 1:
        raise _Refused("it pairs examples of the batch with each other")
    if tensor.shape[mentioned[0]] != size:
        raise _Refused(f"its axis of {tensor.shape[mentioned[0]]} mixes the batch with something else")
    if tensor.role is Role.BUFFER or (tensor.role is Role.PARAMETER and not views):
        raise _Refused("parameters and buffers lie in arenas of all rows")
    if tensor.role.is_leaf and inside is not None and (tensor.name not in inside.axis or mentioned[0] != 1):
        raise _Refused(f"its rows aren't contiguous in {inside.rows} of {inside.size}")
    if tensor.role.is_leaf and inside is None and mentioned[0] != 0:
        raise _Refused("rows of data are contiguous only where the batch is the first axis")
    return {tensor.name: mentioned[0]}


def _batch_index(equation: Equation, size: Size, axis: Mapping[str, int]) -> Index | None:
    """The one index of an equation that runs over the batch; None if none does. Raises _Refused."""
    indices = [i for i, extent in equation.extents.items() if size in extent.free_symbols]
    if len(indices) > 1:
        raise _Refused("it pairs examples of the batch with each other")
    for access in equation.reads:
        if access.name in axis and access.subscripts[axis[access.name]] not in indices:
            raise _Refused(f"it reads {access.name} at another example than its own")
    if not indices:
        return None
    index = indices[0]
    if equation.extents[index] != size:
        raise _Refused(f"its range {equation.extents[index]} mixes the batch with something else")
    if index in equation.reduced and equation.op != "sum":
        raise _Refused(f"it takes the {equation.op} over the batch")
    if index in equation.result:
        raise _Refused("the batch is an axis of its matrix")
    if any(index in free_indices(_at_one_example(e, axis)) for e in (equation.body, *equation.where)):
        raise _Refused("it depends on an example's place in the batch")
    return index


def _at_one_example(expr: Expr, axis: Mapping[str, int]) -> Expr:
    """The expression with the batch's subscript of every tensor that has one left out."""

    def fixed(access: Access) -> Access:
        place = axis[access.name]
        subscripts = (s for k, s in enumerate(access.subscripts) if k != place)
        return type(access)(access.name, *subscripts, outside=access.outside)

    return expr.replace(lambda e: isinstance(e, Access) and e.name in axis, fixed)


def _phases(
    equations: Iterable[Equation], batch: Mapping[str, Index | None], axis: Mapping[str, int]
) -> dict[str, Phase]:
    """When each equation runs; recurrences read what comes later, hence the repetition."""
    phase: dict[str, Phase] = {e.target: "before" if batch[e.target] is None else "chunk" for e in equations}
    partial = {t for t, index in batch.items() if index is not None and t not in axis}
    moved = True
    while moved:
        moved = False
        for equation in equations:
            late = any(t in partial or phase.get(t) == "after" for t in equation.read_names)
            if phase[equation.target] == "before" and late:
                phase[equation.target] = "after"
                moved = True
    return phase


def _in_rows(
    system: System, size: Size, rows: Size, axis: Mapping[str, int], batch: Mapping[str, Index | None]
) -> System:
    """The system with `rows` for the batch's extent: in shapes and ranges, never in a body."""
    tensors = tuple(
        replace(t, shape=tuple(rows if k == axis[t.name] else e for k, e in enumerate(t.shape)))
        if t.name in axis
        else t
        for t in system.tensors
    )
    equations = tuple(
        e.with_(ranges=tuple(rows if r == size else r for r in e.ranges))
        if batch.get(e.target) is not None
        else e
        for e in system.equations
    )
    return system.with_(tensors=tensors, equations=equations)
