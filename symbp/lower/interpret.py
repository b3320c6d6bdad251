"""What a program computes: its kernels in their order, its nests element by element, on arrays.

Enters: programs, values of their leaves, sizes; where their buffers lie, if that is part of the question.
Leaves: an array for every tensor. Must not know: targets, how a kernel is spelled.

The elements of equations are those of the reference interpreter. Buffers hold nothing before they are filled,
and a read of nothing is an error; where they share memory they hold what was left there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import sympy

from symbp.errors import EvaluationError
from symbp.ir.evaluation.compiled import Compiled
from symbp.ir.evaluation.domains import FLOAT
from symbp.ir.evaluation.interpret import Interpreter
from symbp.ir.expr import Expr, Guard, Index
from symbp.ir.matrices import MATRIX_LEAVES, fitted
from symbp.ir.system import System, Tensor
from symbp.lower.memory.plan import MemoryPlan
from symbp.lower.program import (
    Begin,
    Branch,
    Contraction,
    ElementStep,
    End,
    EquationKernel,
    Kernel,
    Loop,
    MatrixKernel,
    Nest,
    Node,
    Operand,
    Program,
    Scan,
)

Array = np.ndarray[Any, Any]
At = Mapping[Index, int]  # the positions of the loops around
START = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "argmax": -1}


def run(
    programs: Sequence[Program],
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    memory: MemoryPlan | None = None,
) -> dict[str, Array]:
    """The arrays of all tensors after programs that run one after the other, each reading what the earlier
    ones filled. Raises EvaluationError: a read of what nothing has filled, or out of range."""
    tensors = {t.name: t for program in programs for t in program.tensors.values()}
    missing = {t.name for p in programs for t in p.leaves if t.role.is_leaf} - values.keys()
    if missing:
        raise EvaluationError(f"{min(missing)} has no value", help="pass one in values")
    memories = _Memories(memory)
    arrays: dict[str, Array] = {}
    for program in programs:
        one = _Run(program, tensors, values, sizes)
        one.reference.arrays.update({t.name: arrays[t.name] for t in program.leaves if t.name in arrays})
        for tensor in program.buffers:
            one.reference.arrays[tensor.name] = memories.array(one, tensor, program.axes.get(tensor.name))
        with np.errstate(all="ignore"):
            one.kernels(program.kernels, {})
        arrays.update(one.reference.arrays)
    return {name: _numbers(array, tensors[name]) for name, array in arrays.items() if name in tensors}


def _numbers(array: Array, tensor: Tensor) -> Array:
    """An array of numbers; what nothing was written to is not a number."""
    if tensor.integer:
        return np.array([-1 if v is None else int(v) for v in array.flat], np.int64).reshape(array.shape)
    flat = [np.nan if v is None else float(v) for v in array.flat]
    return np.array(flat, float).reshape(array.shape)


class _Memories:
    """Where buffers lie: each in an array of its own, or at the places of a plan."""

    def __init__(self, plan: MemoryPlan | None) -> None:
        self.plan = plan
        self.arenas: dict[str, Array] = {}

    def array(self, run: _Run, tensor: Tensor, axes: tuple[int, ...] | None) -> Array:
        """A buffer over all of its axes, of which it may have only some in memory: along the others each
        position is the same element."""
        shape = tuple(run.extent(e, {}) for e in tensor.shape)
        kept = tuple(range(len(shape))) if axes is None else axes
        held = self._held(run, tensor.name, tuple(shape[k] for k in kept))
        steps = dict(zip(kept, held.strides, strict=True))
        strides = tuple(steps.get(k, 0) for k in range(len(shape)))
        return np.lib.stride_tricks.as_strided(held, shape, strides)

    def _held(self, run: _Run, name: str, shape: tuple[int, ...]) -> Array:
        place = None if self.plan is None else self.plan.named.get(name)
        if self.plan is None or place is None:
            return np.full(shape, None, dtype=object)
        arena, start = place.buffer.arena, run.extent(place.start, {})
        if arena not in self.arenas:
            length = run.extent(self.plan.lengths[arena], {})
            self.arenas[arena] = np.full(length, None, dtype=object)
        count = int(np.prod(shape, dtype=int))
        return self.arenas[arena][start : start + count].reshape(shape)


class _Run:
    """One program at one point."""

    def __init__(
        self,
        program: Program,
        tensors: Mapping[str, Tensor],
        values: Mapping[str, Any],
        sizes: Mapping[str, int],
    ) -> None:
        system = System(tuple({**tensors, **program.tensors}.values()), ())
        self.reference = Interpreter(system, values, sizes, FLOAT)
        self.compiled: dict[int, Compiled] = {}
        self.largest: dict[tuple[str, tuple[int, ...]], Any] = {}  # of each argmax under way

    def extent(self, e: Expr, at: At) -> int:
        return self.reference.extent(sympy.sympify(e).xreplace(_integers(at)))

    def kernels(self, kernels: Sequence[Kernel], at: At) -> None:
        for kernel in kernels:
            if isinstance(kernel, Scan):
                steps = range(self.extent(kernel.extent, at))
                for t in steps if kernel.step > 0 else reversed(steps):
                    self.kernels(kernel.body, {**at, kernel.index: t})
            elif isinstance(kernel, Branch):
                if self.holds(kernel.condition, at):
                    self.kernels(kernel.body, at)
            elif isinstance(kernel, Contraction):
                self.contraction(kernel, at)
            elif isinstance(kernel, MatrixKernel):
                self.matrix_leaf(kernel, at)
            else:
                self.nest(kernel, at)

    def holds(self, guard: Guard, at: At) -> bool:
        left, right = self.extent(guard.lhs, at), self.extent(guard.rhs, at)
        return {"<": left < right, "<=": left <= right, "=": left == right}[guard.op]

    # --- loops
    def nest(self, kernel: Nest, at: At) -> None:
        self.nodes(kernel.body, at)

    def nodes(self, nodes: Sequence[Node], at: At) -> None:
        for node in nodes:
            if isinstance(node, Loop):
                for k in range(self.extent(node.extent, at)):
                    self.nodes(node.body, {**at, node.index: k})
            elif isinstance(node, Begin):
                self.begin(node, at)
            elif isinstance(node, ElementStep):
                self.step(node, at)
            else:
                assert isinstance(node, End)  # what it stores was added up in its place

    def begin(self, node: Begin, at: At) -> None:
        equation = node.statement.equation
        assert equation.op is not None
        place = tuple(at[node.fixed[i]] if i in node.fixed else slice(None) for i in equation.indices)
        self.reference.arrays[equation.target][place] = START[equation.op]
        for key in [k for k in self.largest if k[0] == equation.target]:
            del self.largest[key]

    def step(self, node: ElementStep, at: At) -> None:
        statement, equation = node.statement, node.statement.equation
        env = {index.name: at[loop] for index, loop in node.names.items()}
        compiled = self.compiled_of(statement)
        if not all(guard(env) for guard in compiled.where):
            return
        if statement.at:  # a term that a condition excludes has no place
            factors = sympy.Mul.make_args(equation.body)
            if not all(compiled.holds(g, env) for g in factors if isinstance(g, Guard)):
                return
        array = self.reference.arrays[equation.target]
        places = {i.name: compiled.integers(e)(env) for i, e in statement.at}
        place = tuple((places if i.name in places else env)[i.name] for i in equation.indices)
        if any(not 0 <= k < n for k, n in zip(place, array.shape, strict=True)):
            return  # a term whose place is out of range
        value = compiled.body(env)
        if equation.op is None:
            array[place] = array[place] * value if statement.scaling else value
        elif equation.op in ("sum", "prod"):
            array[place] = array[place] + value if equation.op == "sum" else array[place] * value
        elif equation.op == "max":
            best = array[place]
            array[place] = value if value > best or (value != value and best == best) else best
        else:
            key = (equation.target, place)
            best = self.largest.get(key)
            if best is None or value > best or (value != value and best == best):
                self.largest[key], array[place] = value, compiled.place(env)

    def compiled_of(self, statement: EquationKernel) -> Compiled:
        key = id(statement)
        if key not in self.compiled:
            self.compiled[key] = Compiled(self.reference, statement.equation)
        return self.compiled[key]

    # --- matrices
    def operand(self, operand: Operand, at: At, more: Sequence[int] = ()) -> Array:
        """An operand as numbers. Raises EvaluationError where a part of it was never filled."""
        array = self.reference.array(operand.name)
        first = tuple(self.extent(e, at) for e in operand.at)
        found = np.asarray(array[(*first, *more)])
        if any(v is None for v in found.flat):
            raise EvaluationError(f"{operand.name} is read before it is filled")
        numbers = np.asarray(found, float)
        return np.linalg.inv(numbers) if operand.inverted else numbers

    def contraction(self, kernel: Contraction, at: At) -> None:
        letters: dict[Index, int] = {}
        outer = (*kernel.batch, *kernel.rows, *kernel.columns)
        left, right, target = (
            [letters.setdefault(i, len(letters)) for i in indices]
            for indices in (kernel.left.indices, kernel.right.indices, outer)
        )
        value = np.einsum(self.operand(kernel.left, at), left, self.operand(kernel.right, at), right, target)
        self.reference.arrays[kernel.target][...] = value

    def matrix_leaf(self, kernel: MatrixKernel, at: At) -> None:
        leaf, array = MATRIX_LEAVES[kernel.op], self.reference.arrays[kernel.target]
        for batch in product(*(range(self.extent(kernel.extents[i], at)) for i in kernel.batch)):
            here = {**at, **dict(zip(kernel.batch, batch, strict=True))}
            value = leaf.arrays(self.operand(kernel.operand, at, batch))
            if kernel.count is not None:
                value = fitted(value, self.extent(kernel.count, at))
            place = tuple(here[i] for i in kernel.place)
            array[place] = value


def _integers(at: At) -> dict[Expr, sympy.Integer]:
    return {index: sympy.Integer(k) for index, k in at.items()}
