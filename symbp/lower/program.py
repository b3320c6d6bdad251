"""The program: a tree of kernels and loops over named buffers, independent of any target.

Enters: nothing (types only). Leaves: `Program`, which prints itself and has a validator.
Must not know: how a target spells a kernel, ops, or what a network is.

Every kernel lists the numbers of the equations that it computes; that is how code, page and report agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sympy

from symbp.errors import LoweringError
from symbp.ir.expr import Access, Expr, Index
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
class Statement:
    """One equation, whole: a map, a reduction, or the part of one that a contraction leaves.

    `inline` marks an operand that a vectorised target writes where it is used; `scaling` an equation that
    multiplies its target, already filled by a contraction, in place.
    """

    number: int
    equation: Equation
    inline: bool = False
    scaling: bool = False

    @property
    def target(self) -> str:
        return self.equation.target


@dataclass(frozen=True)
class Begin:
    """The neutral element goes into the accumulator of a reduction (all of it that later loops fill)."""

    statement: Statement
    fixed: dict[Index, Index]


@dataclass(frozen=True)
class Step:
    """One element: stored by a map, accumulated by a reduction; `names` renames the equation's indices to
    the loops around it. `register` says that the accumulator is one scalar."""

    statement: Statement
    names: dict[Index, Index]
    register: bool = False


@dataclass(frozen=True)
class End:
    """The scalar accumulator of a reduction is stored."""

    statement: Statement
    names: dict[Index, Index]


@dataclass(frozen=True)
class Loop:
    """`for index in range(extent)` around nodes."""

    index: Index
    extent: Expr
    body: tuple[Node, ...]


Node = Loop | Begin | Step | End


@dataclass(frozen=True)
class Nest:
    """Fused maps and reductions: the statements in order (for vectorised targets) and their loops."""

    statements: tuple[Statement, ...]
    body: tuple[Node, ...]
    cost: Cost

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(sorted({s.number for s in self.statements}))

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(s.target for s in self.statements)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for s in self.statements for name in s.equation.read_names))


@dataclass(frozen=True)
class Operand:
    """A dense array whose axes carry distinct indices."""

    name: str
    indices: tuple[Index, ...]


@dataclass(frozen=True)
class Contraction:
    """`target[batch, rows, columns] = Σ_summed left · right`, as one matrix product (per batch element).

    The operands' axes are grouped: `left` is (batch, rows, summed) or (batch, summed, rows), `right` is
    (batch, summed, columns) or (batch, columns, summed), so that a transposed view is all that is needed.
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
        return (self.number,)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.left.name, self.right.name)))


@dataclass(frozen=True)
class MatrixKernel:
    """`target[batch, …] = op(operand[batch, row, column])`, a leaf of linear algebra for each batch element;
    `operand` is a dense array whose axes stand in that order."""

    number: int
    target: str
    op: str
    batch: tuple[Index, ...]
    operand: Operand
    extents: dict[Index, Expr]
    cost: Cost

    @property
    def numbers(self) -> tuple[int, ...]:
        return (self.number,)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.operand.name,)


Kernel = Contraction | Nest | MatrixKernel


@dataclass(frozen=True)
class Program:
    """Kernels in the order in which they run, and the buffers that they read and fill.

    `leaves` are given; `buffers` are filled, each once (a scaling statement aside), in this order.
    """

    leaves: tuple[Tensor, ...]
    buffers: tuple[Tensor, ...]
    kernels: tuple[Kernel, ...]

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        return {tensor.name: tensor for tensor in self.leaves + self.buffers}

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all equations computed."""
        return tuple(sorted({n for kernel in self.kernels for n in kernel.numbers}))

    @property
    def cost(self) -> Cost:
        return sum((kernel.cost for kernel in self.kernels), Cost())

    def __str__(self) -> str:
        return "\n".join(line for kernel in self.kernels for line in kernel_lines(kernel))


def kernel_lines(kernel: Kernel) -> Iterator[str]:
    """The readable form of a kernel."""
    if isinstance(kernel, Contraction):
        left, right = (
            f"{o.name}[{','.join(i.name for i in o.indices)}]" for o in (kernel.left, kernel.right)
        )
        outer = ",".join(i.name for i in kernel.batch + kernel.rows + kernel.columns)
        yield f"contract {kernel.target}[{outer}] = {left} · {right}  ({kernel.number})"
    elif isinstance(kernel, MatrixKernel):
        axes = ",".join(i.name for i in kernel.operand.indices)
        yield f"{kernel.op} {kernel.target} of {kernel.operand.name}[{axes}]  ({kernel.number})"
    else:
        yield from _node_lines(kernel.body, "")


def _node_lines(nodes: tuple[Node, ...], indent: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Loop):
            yield f"{indent}for {node.index} < {expression_text(node.extent)}"
            yield from _node_lines(node.body, indent + "  ")
        elif isinstance(node, Step):
            equation = node.statement.equation
            renamed = {index.name: loop.name for index, loop in node.names.items() if index != loop}
            note = f"  with {renamed}" if renamed else ""
            yield f"{indent}{equation_text(equation)}  ({node.statement.number}){note}"


def validate(program: Program) -> None:
    """Raises LoweringError: a buffer read before it is filled, filled twice, or not declared."""
    filled = {tensor.name for tensor in program.leaves}
    for kernel in program.kernels:
        own = set(kernel.targets)
        for name in kernel.reads:
            if name not in filled | own:
                raise LoweringError(
                    f"a kernel reads {name!r} before it is filled", details=(*kernel_lines(kernel),)
                )
        scaled = {s.target for s in kernel.statements if s.scaling} if isinstance(kernel, Nest) else set()
        twice = sorted((own & filled) - scaled)
        if twice or not own <= program.tensors.keys():
            raise LoweringError(
                f"{twice or sorted(own)} filled twice or undeclared", details=(*kernel_lines(kernel),)
            )
        filled |= own
    missing = [tensor.name for tensor in program.buffers if tensor.name not in filled]
    if missing:
        raise LoweringError(f"no kernel fills {', '.join(missing)}")


def plain_subscripts(access: Access) -> tuple[Index, ...] | None:
    """The subscripts of an access if they are distinct plain indices, else None."""
    subscripts = access.subscripts
    if all(isinstance(s, Index) for s in subscripts) and len(set(subscripts)) == len(subscripts):
        return subscripts if access.outside is None else None
    return None
