"""What a training step takes: its kernels with their work, its workspace, formulas in the sizes and numbers.

Enters: the stages of a network, its memory plan, a target, a dtype. Leaves: `Footprint`, which prints itself.
Must not know: how a kernel is spelled, ops, files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sympy

from symbp.codegen.printer import listed
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.printer import expression_text
from symbp.lower.memory.plan import MemoryPlan
from symbp.lower.program import Branch, Contraction, Cost, Kernel, KernelGroup, MatrixKernel, Scan
from symbp.targets.compiled.row_blocks import FEWEST, added_elements, rows_at_once
from symbp.targets.compiled.segments import LoweredNetwork
from symbp.targets.compiled.workspace import block_rows

DTYPES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class KernelRow:
    """A kernel: its equations, what it is, what it fills, and its work; `depth` counts the loops around."""

    numbers: tuple[int, ...]
    kind: str
    fills: tuple[str, ...]
    cost: Cost
    depth: int = 0


@dataclass(frozen=True)
class Footprint:
    """The work and the memory of a training step. `sizes` are those with a value, `at` more values at which
    formulas are evaluated; an element has `itemsize` bytes."""

    name: str
    target: str
    engine: str
    dtype: str
    itemsize: int
    stages: tuple[tuple[str, tuple[KernelRow, ...], Cost], ...]
    counted: tuple[str, ...]  # the stages of one step or call
    memory: MemoryPlan
    sizes: Mapping[str, int]
    at: Mapping[str, int] = field(default_factory=dict)
    arrays: tuple[str, ...] = ()  # lines of a step that make arrays
    chunks: str = ""  # the size that counts the rows of a chunk, where each chunk has a workspace
    blocks: Mapping[str, int] = field(default_factory=dict)  # how many rows a block has, by their size
    cut: tuple[str, ...] = ()  # the sizes that count all rows of which a block has some
    added: int = 0  # the elements of the gradients to which several blocks add

    @property
    def cost(self) -> Cost:
        """Of a training step."""
        return sum((cost for name, _, cost in self.stages if name in self.counted), Cost())

    @property
    def peak(self) -> Expr:
        """The bytes of the workspace, of one chunk or block where there are any."""
        return self.memory.bytes(self.itemsize)

    def bound(self, formula: Expr) -> Expr:
        """A formula with the sizes that have a value filled in."""
        return _filled(formula, self.sizes)

    def value(self, formula: Expr) -> int | None:
        """Its number, if all sizes have a value."""
        known = {**self.sizes, **self.at}
        if self.chunks and self.chunks not in known and len(self.at) == 1:
            known[self.chunks] = next(iter(self.at.values()))  # the batch in one piece
        if self.blocks and all(name in known for name in self.cut):
            counts = [known[name] for name in self.cut]
            rows = rows_at_once(tuple(self.blocks.values()), counts)
            known = {**dict(zip(self.blocks, rows, strict=True)), **known}
        found = _filled(formula, known)
        return int(sympy.ceiling(found)) if found.is_number else None

    def shown(self, formula: Expr, unit: str) -> str:
        """`8,192·N flops = 262,144`: the formula with known sizes, and its number."""
        bound, value = self.bound(formula), self.value(formula)
        text = f"{formula_text(bound)} {unit}"
        return text if bound.is_number or value is None else f"{text} = {value:,}"

    @property
    def of_what(self) -> str:
        """What has a workspace, where a step runs in parts."""
        if not self.blocks:
            return f" for each chunk of {self.chunks} examples" if self.chunks else ""
        rows = ", ".join(f"{name} = {most:,}" for name, most in self.blocks.items())
        few = (FEWEST - 1) * math.prod(self.blocks.values())
        added = f", with {self.added * self.itemsize:,} for its gradients" if self.added else ""
        return f" for a block of {rows}{added} (up to {few:,}: all {'·'.join(self.cut)} at once)"

    # --- forms
    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        known = ", ".join(f"{n} = {v}" for n, v in {**self.sizes, **self.at}.items())
        yield f"{self.name} in {self.engine}, {self.dtype}{'; ' if known else ''}{known}"
        for name, rows, cost in self.stages:
            yield ""
            flops, moved = self.shown(cost.flops, "flops"), self.shown(cost.bytes(self.itemsize), "bytes")
            yield f"{name}: {flops}, {moved}"
            yield from _aligned([self._row(row) for row in rows])
        yield ""
        yield f"A training step: {self.shown(self.cost.flops, 'flops')}"
        yield f"moves            {self.shown(self.cost.bytes(self.itemsize), 'bytes')}"
        yield f"workspace        {self.shown(self.peak, 'bytes')}{self.of_what}"
        yield from (f"makes arrays in  {line}" for line in self.arrays)
        yield ""
        yield from str(self.memory).splitlines()

    def _row(self, row: KernelRow) -> tuple[str, ...]:
        what = "  " * row.depth + row.kind
        flops, moved = self.shown(row.cost.flops, "flops"), self.shown(row.cost.bytes(self.itemsize), "bytes")
        return (f"  {listed(row.numbers)}", what, ", ".join(row.fills), flops, moved)

    def json(self) -> str:
        """One JSON object: stages with their kernels, the workspace with every tensor, totals."""
        stages = [
            {
                "name": name,
                **self._both("flops", cost.flops),
                **self._both("bytes_moved", cost.bytes(self.itemsize)),
                "kernels": [
                    {
                        "equations": list(row.numbers),
                        "kind": row.kind,
                        "fills": list(row.fills),
                        "depth": row.depth,
                        **self._both("flops", row.cost.flops),
                        **self._both("bytes_moved", row.cost.bytes(self.itemsize)),
                    }
                    for row in rows
                ],
            }
            for name, rows, cost in self.stages
        ]
        tensors = [
            {
                "name": p.buffer.name,
                "shape": [formula_text(e) for e in p.buffer.shape],
                "arena": p.buffer.arena,
                **self._both("start", p.start),
                **self._both("count", p.buffer.count),
                "first_equation": p.buffer.life.first,
                "last_equation": p.buffer.life.last,
            }
            for p in self.memory.places
        ]
        found: dict[str, Any] = {
            "name": self.name,
            "target": self.target,
            "dtype": self.dtype,
            "sizes": {**self.sizes, **self.at},
            "stages": stages,
            "step": {
                **self._both("flops", self.cost.flops),
                **self._both("bytes_moved", self.cost.bytes(self.itemsize)),
            },
            "workspace": {**self._both("bytes", self.peak), "tensors": tensors},
            "makes_arrays": list(self.arrays),
        }
        return json.dumps(found, indent=2, ensure_ascii=False)

    def _both(self, key: str, formula: Expr) -> dict[str, Any]:
        return {key: formula_text(self.bound(formula)), f"{key}_value": self.value(formula)}


def footprint(
    net: LoweredNetwork,
    memory: MemoryPlan,
    *,
    target: str,
    engine: str,
    dtype: str,
    at: Mapping[str, int] | None = None,
    arrays: Sequence[str] = (),
) -> Footprint:
    """The footprint of a network's step; `at` gives open sizes a value."""
    splits = net.blocks if net.split is None else (net.split,)
    whole = {s.rows: s.size for s in splits}  # work counts all rows
    most, gradients = block_rows(net, memory), tuple(net.derivation.gradients.values())
    stages = []
    for segment in net.segments:
        rows = tuple(_rows(segment.program.kernels, whole))
        stages.append((segment.name, rows, _of_all(segment.program.cost, whole)))
    return Footprint(
        net.derivation.name, target, engine, dtype, DTYPES[dtype],
        tuple(stages), net.steps, memory, net.sizes,
        at or {},
        tuple(arrays),
        "" if net.split is None else net.split.rows.name,
        {s.rows.name: most[s.size.name] for s in net.blocks}, tuple(s.size.name for s in net.blocks),
        added_elements(net.blocks, gradients, net.sizes) if net.blocks else 0,
    )  # fmt: skip


def _rows(kernels: Sequence[Kernel], whole: Mapping[Size, Size], depth: int = 0) -> Iterator[KernelRow]:
    for kernel in kernels:
        cost = _of_all(kernel.cost, whole)
        yield KernelRow(kernel.numbers, _kind(kernel), tuple(kernel.targets), cost, depth)
        if isinstance(kernel, KernelGroup):
            yield from _rows(kernel.body, whole, depth + 1)


def _kind(kernel: Kernel) -> str:
    if isinstance(kernel, Scan):
        return f"steps over {kernel.index}{' backwards' if kernel.step < 0 else ''}"
    if isinstance(kernel, Branch):
        return f"if {expression_text(kernel.condition)}"
    if isinstance(kernel, Contraction):
        return "matrix product" if kernel.rows and kernel.columns else "matrix and vector"
    return kernel.op if isinstance(kernel, MatrixKernel) else "loops"


def _of_all(cost: Cost, whole: Mapping[Size, Size]) -> Cost:
    return Cost(sympy.expand(cost.flops.xreplace(whole)), sympy.expand(cost.moved.xreplace(whole)))


def _filled(formula: Expr, sizes: Mapping[str, int]) -> Expr:
    known = {s: sympy.Integer(sizes[s.name]) for s in free_sizes(formula) if s.name in sizes}
    return sympy.expand(formula.xreplace(known))


def formula_text(formula: Expr) -> str:
    """A formula with its thousands apart: `8,192·N`, `4·max(1,000, 2,048·N)`."""
    text = expression_text(formula).replace("Max(", "max(")
    words = ("".join(word) for _, word in groupby(text, lambda c: c.isalnum() or c in "_."))
    return "".join(f"{int(word):,}" if word.isdecimal() else word for word in words)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))] if rows else []
    return ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
