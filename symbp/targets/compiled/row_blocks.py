"""Row blocks: a step over so many rows of its data at a time that their arrays stay in the cache.

Enters: a system, its batch; the stages of a step. Leaves: the splits of the system where a step may run so,
and how many rows a block has. Must not know: how a stage is spelled, the machine.

A step may run in blocks if the loss and the gradient of each parameter are sums over the batch, or rows of
it, and nothing else needs the whole batch. Where one example alone has a tensor that no cache holds, its next
axis (the heads of attention) is cut, too, if that is legal. What blocks save in passes over memory they cost
in calls and in gradients added, so a block has as many rows as the cache holds, `CACHED` elements of the
workspace, but not fewer than are needed for

- calls that work: `WORTH_A_CALL` elements read and written, on average;
- gradients that are small beside the rest: a `SHARE`th of the workspace,

rounded to a power of two, as batches are. Fewer than `FEWEST` blocks save little: then all rows go at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import sympy

from symbp.ir.expr import Access, Expr, Size, accesses
from symbp.ir.machine import CACHED, WORTH_A_CALL
from symbp.ir.system import Role, System, Tensor
from symbp.lower.memory.plan import MemoryPlan
from symbp.lower.passes.batch_split import BatchSplit, split
from symbp.lower.program import Cost, Kernel, KernelGroup, Nest, Program, Scan

SHARE = 16
FEWEST = 4


def row_blocks(
    system: System, batch: str | None, gradients: Sequence[str], sizes: Mapping[str, int]
) -> tuple[BatchSplit, ...]:
    """The step over some rows of the batch, and over some of the next axis in these, as far as that is legal;
    the sizes of all others are known."""
    if batch is None or system.updates or any(name not in sizes and name != batch for name in system.sizes):
        return ()
    found: list[BatchSplit] = []
    candidates = [Size(batch)]
    while candidates:
        inner = next(filter(None, (_split(system, size, gradients, found) for size in candidates)), None)
        if inner is None:
            break
        found.append(inner)
        system = inner.system
        candidates = _next_axes(found, sizes) if _one_row(inner, sizes) > CACHED else []
    return tuple(found)


def _split(
    system: System, size: Size, gradients: Sequence[str], outer: Sequence[BatchSplit]
) -> BatchSplit | None:
    """The system over some rows along an axis, if their losses and gradients add up or lie side by side."""
    assert system.loss is not None
    measured = (*system.outputs, *system.metrics, *system.inference.values())
    taken = {*system.sizes, *(t.name for t in system.tensors)}
    stem = f"rows_{size}" if outer else "rows"
    rows = next(name for name in (stem, f"block_{stem}", f"batch_{stem}") if name not in taken)
    wanted = (system.loss, *gradients)
    inside = outer[-1] if outer else None
    found = split(system, size, [*wanted, *measured], rows, views=True, inside=inside)
    if not isinstance(found, BatchSplit):
        return None
    sums = _sums(found)
    return found if all(t in sums or found.axis.get(t) == len(outer) for t in wanted) else None


def _sums(found: BatchSplit) -> set[str]:
    """The tensors of which each block has a part, and all blocks the sum: sums over rows, and what is linear
    in such sums."""
    sums = set(found.partial)
    late = {t for t, phase in found.phase.items() if phase == "after"} | sums
    for equation in found.system.equations:
        read = {a.name for a in equation.reads if a.name in late}
        terms = [sympy.Mul.make_args(t) for t in sympy.Add.make_args(equation.body)]
        factors = [[f for f in term if any(a.name in late for a in accesses(f))] for term in terms]
        linear = all(
            len(own) == 1 and isinstance(own[0], Access) and len(accesses(own[0])) == 1 for own in factors
        )
        placed = any(a.name in late for guard in equation.where for a in accesses(guard))
        if equation.op in (None, "sum") and read and read <= sums and linear and not placed:
            sums.add(equation.target)
    return sums


def _next_axes(found: Sequence[BatchSplit], sizes: Mapping[str, int]) -> list[Size]:
    """The sizes along the next axis of the data and of parameters with rows."""
    cut = [t for t in found[-1].system.leaves if t.name in found[-1].axis and len(t.shape) > len(found)]
    cut.sort(key=lambda t: t.role is Role.PARAMETER)
    nexts = dict.fromkeys(t.shape[len(found)] for t in cut)
    return [size for size in nexts if isinstance(size, Size) and size.name in sizes]


def added_elements(blocks: Sequence[BatchSplit], gradients: Sequence[str], sizes: Mapping[str, int]) -> int:
    """The elements of the gradients to which all blocks along the first axis add."""
    system = blocks[-1].system
    return sum(_elements(system.tensor(g), sizes) for g in gradients if g not in blocks[0].axis)


def _one_row(found: BatchSplit, sizes: Mapping[str, int]) -> int:
    """The elements of the largest tensor of one row."""
    tensors = [t for t in found.system.tensors if t.name in found.axis]
    return max((_elements(t, {**sizes, found.rows.name: 1}) for t in tensors), default=0)


def _elements(tensor: Tensor, sizes: Mapping[str, int]) -> int:
    count = _filled(sympy.Mul(*tensor.shape), sizes)
    return int(count.xreplace({s: sympy.Integer(1) for s in count.free_symbols}))


def rows_of(
    blocks: Sequence[BatchSplit],
    programs: Sequence[Program],
    memory: MemoryPlan,
    gradients: Sequence[str],
    sizes: Mapping[str, int],
) -> tuple[int, ...]:
    """How many rows a block has along each axis; `programs` are the stages of a step."""
    known = {**sizes, **{s.rows.name: 1 for s in blocks[:-1]}}
    rows = blocks[-1].rows
    cost = sum((p.cost for p in programs), Cost())
    moved = max(1, _by_row(_filled(cost.moved, known), rows))
    held = max(1, _by_row(_filled(memory.lengths["reals"], known), rows))
    calls = int(_filled(sum((_calls(k) for p in programs for k in p.kernels), sympy.S.Zero), known))
    added = added_elements(blocks, gradients, known)
    least = max(CACHED / held, WORTH_A_CALL * calls / moved, SHARE * added / held, 1)
    return (*(1 for _ in blocks[:-1]), 1 << round(math.log2(least)))


def rows_at_once(most: Sequence[int], counts: Sequence[int]) -> tuple[int, ...]:
    """How many rows the largest block has along each axis, with so many rows in all."""
    rows = [min(n, count) for n, count in zip(most, counts, strict=True)]
    blocks = math.prod(-(-count // n) for n, count in zip(rows, counts, strict=True))
    return tuple(rows if blocks >= FEWEST else counts)


def cut_axes(blocks: Sequence[BatchSplit]) -> dict[str, int]:
    """How many leading axes of a leaf blocks cut, for those that they cut."""
    leaves = blocks[0].system.leaves if blocks else ()
    counts = {t.name: sum(t.name in s.axis for s in blocks) for t in leaves if t.role is not Role.HYPER}
    return {name: count for name, count in counts.items() if count}


def _by_row(count: Expr, rows: Size) -> int:
    """What each row adds to a count."""
    terms = count.args if isinstance(count, sympy.Max) else (count,)
    return max(int(sympy.diff(term, rows)) for term in terms)


def _calls(kernel: Kernel) -> Expr:
    """About how many calls a kernel takes: one for each equation, at each step of the loops around."""
    if isinstance(kernel, KernelGroup):
        times = kernel.extent if isinstance(kernel, Scan) else sympy.S.One
        return sympy.expand(times * sum(map(_calls, kernel.body), sympy.S.Zero))
    if isinstance(kernel, Nest):
        return sympy.Integer(sum(not s.inline for s in kernel.statements))
    return sympy.S.One


def _filled(formula: Expr, sizes: Mapping[str, int]) -> Expr:
    return sympy.expand(formula.xreplace({Size(n): sympy.Integer(v) for n, v in sizes.items()}))
