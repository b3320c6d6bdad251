"""The program: a tree of kernels and loops over named buffers, independent of any target.

Enters: nothing (types only). Leaves: `Program`, which prints itself and has a validator.
Must not know: how a target spells a kernel, ops, or what a network is.

Every kernel lists the numbers of the equations that it computes; that is how code, page and report agree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, accesses, free_indices
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Tensor


@dataclass(frozen=True)
class Cost:
    """Work as polynomials in the sizes: floating-point operations, and array elements read and written."""

    flops: Expr = sympy.S.Zero
    moved: Expr = sympy.S.Zero

    def __add__(self, other: Cost) -> Cost:
        return Cost(sympy.expand(self.flops + other.flops), sympy.expand(self.moved + other.moved))

    def bytes(self, itemsize: int) -> Expr:
        """Bytes moved when an element has `itemsize` bytes."""
        return sympy.expand(self.moved * itemsize)


@dataclass(frozen=True)
class EquationKernel:
    """One equation, whole: a map, a reduction, or the part of one that a contraction leaves.

    `inline` marks an operand that a vectorised target writes where it is used; `scaling` an equation that
    multiplies its target, already filled by a contraction, in place. `best` is the maximum whose place an
    argmax looks for, where a tensor holds it; `also` gives the numbers of equations that follow from a place
    in row-major order and are not computed themselves. `at` gives the places along some plain
    indices at which the terms of a sum are added (a term whose place is out of range is left out).
    """

    number: int
    equation: Equation
    inline: bool = False
    scaling: bool = False
    at: tuple[tuple[Index, Expr], ...] = ()
    best: Access | None = None
    also: tuple[int, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all equations that this computes."""
        return tuple(sorted((self.number, *self.also)))

    @property
    def target(self) -> str:
        return self.equation.target

    @property
    def places(self) -> dict[Index, Expr]:
        return dict(self.at)

    @cached_property
    def reads(self) -> tuple[Access, ...]:
        """Every access, those of the places too."""
        placed = (access for _, place in self.at for access in accesses(place))
        best = () if self.best is None else (self.best,)
        return tuple(dict.fromkeys((*self.equation.reads, *placed, *best)))


@dataclass(frozen=True)
class Begin:
    """The neutral element goes into the accumulator of a reduction (all of it that later loops fill)."""

    statement: EquationKernel
    fixed: dict[Index, Index]


@dataclass(frozen=True)
class ElementStep:
    """One element: stored by a map, accumulated by a reduction; `names` renames the equation's indices to
    the loops around it. `register` says that the accumulator is one scalar."""

    statement: EquationKernel
    names: dict[Index, Index]
    register: bool = False


@dataclass(frozen=True)
class End:
    """The scalar accumulator of a reduction is stored."""

    statement: EquationKernel
    names: dict[Index, Index]


@dataclass(frozen=True)
class Loop:
    """`for index in range(extent)` around nodes."""

    index: Index
    extent: Expr
    body: tuple[Node, ...]


Node = Loop | Begin | ElementStep | End


@dataclass(frozen=True)
class Nest:
    """Fused maps and reductions: the statements in order (for vectorised targets) and their loops."""

    statements: tuple[EquationKernel, ...]
    body: tuple[Node, ...]
    cost: Cost

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(sorted({number for s in self.statements for number in s.numbers}))

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(s.target for s in self.statements)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(access.name for s in self.statements for access in s.reads))


@dataclass(frozen=True)
class Operand:
    """A dense array whose axes carry distinct indices, after the leading axes that are at `at`.

    `inverted` says that not the matrix in the last two axes is the operand, but its inverse, which is never
    made: "general", or "lower" if the array has zeros above the diagonal.
    """

    name: str
    indices: tuple[Index, ...]
    at: tuple[Expr, ...] = ()
    inverted: Literal["", "general", "lower"] = ""


@dataclass(frozen=True)
class Contraction:
    """`target[batch, rows, columns] = Σ_summed left · right`, as one matrix product (per batch element).

    The operands' axes are grouped: `left` is (batch, rows, summed) or (batch, summed, rows), `right` is
    (batch, summed, columns) or (batch, columns, summed), so that a transposed view is all that is needed.
    `inline` marks a product that a vectorised target writes into the one statement that reads it,
    `symmetric` one that is the same with rows and columns exchanged. `inverses` are the numbers of the
    equations whose inverses are operands and never made: the product then solves linear equations.
    """

    number: int
    target: str
    batch: tuple[Index, ...]
    rows: tuple[Index, ...]
    summed: tuple[Index, ...]
    columns: tuple[Index, ...]
    left: Operand
    right: Operand
    extents: dict[Index, Expr]
    cost: Cost
    inline: bool = False
    symmetric: bool = False
    inverses: tuple[int, ...] = ()

    @property
    def left_transposed(self) -> bool:
        """The left operand's rows come last (where it has any)."""
        return bool(self.rows) and self.left.indices[-len(self.rows) :] == self.rows

    @property
    def right_transposed(self) -> bool:
        """The right operand's summed indices come last (where it has columns)."""
        return bool(self.columns) and self.right.indices[-len(self.summed) :] == self.summed

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(sorted((*self.inverses, self.number)))

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.left.name, self.right.name)))


@dataclass(frozen=True)
class MatrixKernel:
    """`target[place, …] = op(operand[batch, row, column])`, a leaf of linear algebra for each batch element;
    `operand` is a dense array whose axes stand in that order. In a loop, `place` has its index beside those
    of the batch."""

    number: int
    target: str
    op: str
    place: tuple[Index, ...]
    batch: tuple[Index, ...]
    operand: Operand
    extents: dict[Index, Expr]
    cost: Cost
    count: Expr | None = None  # of singular values or their vectors

    @property
    def numbers(self) -> tuple[int, ...]:
        return (self.number,)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.operand.name,)


@dataclass(frozen=True)
class KernelGroup:
    """Kernels with something around them."""

    body: tuple[Kernel, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(sorted({n for kernel in self.body for n in kernel.numbers}))

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for kernel in self.body for name in kernel.targets))

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for kernel in self.body for name in kernel.reads))

    @property
    def cost(self) -> Cost:
        return sum((kernel.cost for kernel in self.body), Cost())


@dataclass(frozen=True)
class Scan(KernelGroup):
    """A recurrence: the kernels of one step inside `for index in range(extent)`, backwards if `step` is −1.

    In the body the loop's index is fixed; arrays hold all steps. Scratch for one step is a buffer without
    that axis. Costs are those of all steps together.
    """

    index: Index
    extent: Expr
    step: int


@dataclass(frozen=True)
class Branch(KernelGroup):
    """Kernels that only some steps of a loop have: those of a tensor shorter than the loop."""

    condition: Guard


Kernel = Contraction | Nest | MatrixKernel | Scan | Branch


def leaf_kernels(kernels: Sequence[Kernel]) -> Iterator[Contraction | Nest | MatrixKernel]:
    """The kernels that compute, those inside of loops too, in the order in which they stand."""
    for kernel in kernels:
        if isinstance(kernel, KernelGroup):
            yield from leaf_kernels(kernel.body)
        else:
            yield kernel


@dataclass(frozen=True)
class Program:
    """Kernels in the order in which they run, and the buffers that they read and fill.

    `leaves` are given; `buffers` are filled, each once (a scaling statement aside), in this order.
    `axes` gives those of a buffer that it has in memory where that is not all of them: it then holds what
    one turn of the loops along the others needs, and without any axis it is a variable.
    """

    leaves: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]
    kernels: tuple[Kernel, ...]
    axes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        return {tensor.name: tensor for tensor in self.leaves + self.buffers}

    @cached_property
    def stored(self) -> tuple[Tensor, ...]:
        """The buffers as they lie in memory."""
        found = []
        for tensor in self.buffers:
            axes = self.axes.get(tensor.name)
            if axes is None:
                found.append(tensor)
            elif axes:
                found.append(replace(tensor, shape=tuple(tensor.shape[k] for k in axes), facts=frozenset()))
        return tuple(found)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all equations computed."""
        return tuple(sorted({n for kernel in self.kernels for n in kernel.numbers}))

    @property
    def cost(self) -> Cost:
        return sum((kernel.cost for kernel in self.kernels), Cost())

    @cached_property
    def inlined(self) -> frozenset[str]:
        """The buffers that a vectorised target never makes: what it writes where it is used."""
        found = {
            s.target
            for k in leaf_kernels(self.kernels)
            if isinstance(k, Nest)
            for s in k.statements
            if s.inline
        }
        return frozenset(
            found | {k.target for k in leaf_kernels(self.kernels) if isinstance(k, Contraction) and k.inline}
        )

    def __str__(self) -> str:
        return "\n".join(line for kernel in self.kernels for line in kernel_lines(kernel))


def kernel_lines(kernel: Kernel) -> Iterator[str]:
    """The readable form of a kernel."""
    if isinstance(kernel, KernelGroup):
        if isinstance(kernel, Branch):
            yield f"if {expression_text(kernel.condition)}"
        elif isinstance(kernel, Scan):
            back = " backwards" if kernel.step < 0 else ""
            yield f"step {kernel.index} < {expression_text(kernel.extent)}{back}"
        yield from (f"  {line}" for inner in kernel.body for line in kernel_lines(inner))
    elif isinstance(kernel, Contraction):
        read = (
            f"[{','.join([*map(expression_text, o.at), *(i.name for i in o.indices)])}]"
            for o in (kernel.left, kernel.right)
        )
        left, right = (
            f"inverse({o.name}){a}" if o.inverted else f"{o.name}{a}"
            for o, a in zip((kernel.left, kernel.right), read, strict=True)
        )
        outer = ",".join(i.name for i in kernel.batch + kernel.rows + kernel.columns)
        numbers = ", ".join(map(str, kernel.numbers))
        yield f"contract {kernel.target}[{outer}] = {left} · {right}  ({numbers})"
    elif isinstance(kernel, MatrixKernel):
        axes = ",".join([*map(expression_text, kernel.operand.at), *(i.name for i in kernel.operand.indices)])
        yield f"{kernel.op} {kernel.target} of {kernel.operand.name}[{axes}]  ({kernel.number})"
    else:
        yield from _node_lines(kernel.body, "")


def _node_lines(nodes: tuple[Node, ...], indent: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Loop):
            yield f"{indent}for {node.index} < {expression_text(node.extent)}"
            yield from _node_lines(node.body, indent + "  ")
        elif isinstance(node, ElementStep):
            equation = node.statement.equation
            renamed = {index.name: loop.name for index, loop in node.names.items() if index != loop}
            note = f"  with {renamed}" if renamed else ""
            yield f"{indent}{equation_text(equation)}  ({node.statement.number}){note}"


def leading_positions(access: Access, fixed: Collection[Index]) -> int:
    """How many of the first subscripts a loop around fixes: no other index and no tensor is in them."""
    for count, subscript in enumerate(access.subscripts):
        if not free_indices(subscript) <= set(fixed) or subscript.atoms(Access):
            return count
    return len(access.subscripts)


def plain_subscripts(access: Access, first: int = 0) -> tuple[Index, ...] | None:
    """The subscripts of an access (from `first` on) if they are distinct plain indices, else None."""
    subscripts = access.subscripts[first:]
    if all(isinstance(s, Index) for s in subscripts) and len(set(subscripts)) == len(subscripts):
        return subscripts if access.outside is None else None
    return None
