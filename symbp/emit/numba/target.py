"""The Numba target: matrix products by BLAS, everything else as fused loops, a whole step without Python.

Enters: the stages of a network. Leaves: kernels as text. Must not know: ops, files, the command line.

All tensors live in two workspaces, reals and integers, where the table `at` says; a kernel begins with views
of what it touches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.emit.blocks import Function, note
from symbp.emit.elements import ElementSpelling
from symbp.emit.linear_algebra import LINEAR_ALGEBRA, helpers_of
from symbp.emit.names import Names
from symbp.emit.numba.layers import looped
from symbp.emit.numba.loops import LoopFunctions
from symbp.emit.numba.places import ArenaSpan, part, view
from symbp.emit.sections.tables import global_name
from symbp.emit.segments import GIVEN, LoweredNetwork, Segment, equation_range, product_of
from symbp.emit.terms import guard_rank
from symbp.emit.workspace import FILLING, own_gradients
from symbp.ir.bounds import within
from symbp.ir.expr import Expr, Guard, Index, Size
from symbp.ir.matrices import MATRIX_LEAVES
from symbp.ir.printer import equation_text
from symbp.ir.system import FLAT, Equation, Role, Tensor
from symbp.lower.memory.plan import MemoryPlan
from symbp.lower.program import (
    Begin,
    Branch,
    Contraction,
    ElementStep,
    End,
    Kernel,
    Loop,
    MatrixKernel,
    Nest,
    Node,
    Operand,
    Scan,
)

START = {"sum": "0", "prod": "1"}


def layout(network: LoweredNetwork, memory: MemoryPlan) -> dict[str, ArenaSpan]:
    """Parameters and gradients at their positions in the arenas, everything else where `at` says."""
    bound = {Size(name): sympy.Integer(value) for name, value in network.sizes.items()}
    gradients = {parameter: gradient for gradient, parameter in own_gradients(network).items()}
    places: dict[str, ArenaSpan] = {}
    start: Expr = sympy.S.Zero
    for parameter in network.parameters:
        count = product_of(parameter.shape).xreplace(bound)
        places[parameter.name] = ArenaSpan("theta", start, count)
        if parameter.name in gradients:
            places[gradients[parameter.name]] = ArenaSpan("gradient", start, count)
        start = sympy.expand(start + count)
    for k, (name, place) in enumerate(memory.named.items()):
        places[name] = ArenaSpan(
            "counts" if place.buffer.arena == "integers" else "work", sympy.Integer(k), place.buffer.count
        )
    return places


class NumbaLines:
    """The lines of one stage."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        names: Names,
        real: str,
        loops: LoopFunctions,
        sizes: tuple[str, ...] = (),
        axes: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.tensors, self.names, self.real = tensors, names, real
        self.loops, self.sizes = loops, sizes
        self.axes = axes or {}  # those of tensors that are rows or, without any, variables
        self.shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self.integers = frozenset(name for name, tensor in tensors.items() if tensor.integer)
        self.helpers: set[str] = set()
        self.constants = {t.name for t in tensors.values() if t.role is Role.HYPER}
        # as they come in; what is in a workspace has one element
        self.points = frozenset(t.name for t in tensors.values() if t.role in GIVEN and not t.shape)
        self.steps: dict[Index, Expr] = {}  # the recurrences around, and how far they run

    def kernel(self, kernel: Kernel) -> Iterator[str]:
        if isinstance(kernel, Scan):
            yield from self.scan(kernel)
        elif isinstance(kernel, Branch):
            yield f"if {self.plain().condition(kernel.condition).text}:"
            yield from (f"    {line}" for inner in kernel.body for line in self.kernel(inner))
        elif isinstance(kernel, Contraction):
            yield from self.contraction(kernel)
        elif isinstance(kernel, MatrixKernel):
            yield from self.matrix_leaf(kernel)
        else:
            yield from self.nest(kernel)

    def nest(self, kernel: Nest) -> Iterator[str]:
        """A call of the nest's function; what has no loop stands as it is."""
        lines = list(self.nodes(kernel.body, ""))
        if not any(isinstance(node, Loop) for node in kernel.body):
            yield from lines
            return
        touched = [n for n in (*kernel.reads, *kernel.targets) if self.axes.get(n) != ()]
        arrays = {self.names.tensors[name] for name in touched}
        numbers = {self.loop(index) for index in self.steps} | set(self.sizes)
        numbers |= {self.names.tensors[name] for name in self.constants}
        stem = self.names.tensors[kernel.targets[-1]]
        yield self.loops.call(lines, arrays - numbers, numbers, stem) + note(*kernel.numbers)

    # --- recurrences
    def scan(self, kernel: Scan) -> Iterator[str]:
        extent = self.plain().integer(kernel.extent)
        backwards = f"{self.plain().integer(kernel.extent - 1).text}, -1, -1"
        self.steps[kernel.index] = kernel.extent
        yield f"for {self.loop(kernel.index)} in range({extent.text if kernel.step > 0 else backwards}):"
        for inner in kernel.body:
            yield from (f"    {line}" for line in self.kernel(inner))
        del self.steps[kernel.index]

    # --- loops
    def nodes(self, nodes: Sequence[Node], indent: str) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, Loop):
                extent = self.plain().integer(node.extent).text
                yield f"{indent}for {self.loop(node.index)} in range({extent}):"
                yield from self.nodes(node.body, indent + "    ")
            elif isinstance(node, Begin):
                yield from (indent + line for line in self.begin(node))
            elif isinstance(node, End):
                yield from (indent + line for line in self.end(node))
            else:
                yield from (indent + line for line in self.step(node))

    def loop(self, index: Index) -> str:
        return self.names.free(index.name)

    def plain(self) -> ElementSpelling:
        loops = {index: self.loop(index) for index in self.steps}
        spelling = ElementSpelling(loops, self.shapes, self.names.tensors, self.real, "", self.steps)
        spelling.points = self.points
        return spelling

    def spelling(self, node: ElementStep | End, number: int) -> ElementSpelling:
        loops = {index: self.loop(loop) for index, loop in node.names.items()}
        where = f"equation ({number}) {equation_text(node.statement.equation)}"
        extents = {**node.statement.equation.extents, **self.steps}
        spelling = ElementSpelling(loops, self.shapes, self.names.tensors, self.real, where, extents)
        spelling.scalars, spelling.points, spelling.axes = self.constants, self.points, self.axes
        return spelling

    def accumulator(self, equation: Equation) -> str:
        if self.axes.get(equation.target) == () and equation.op != "argmax":
            return self.names.tensors[equation.target]
        return self.names.free(f"{self.names.tensors[equation.target]}_{equation.op}")

    def neutral(self, equation: Equation) -> str:
        if equation.op in START:
            return self.plain().one(int(START[equation.op]))
        return f"-{self.real or 'float'}(np.inf)" if self.real else "-np.inf"

    def begin(self, node: Begin) -> Iterator[str]:
        """A register where all plain indices are fixed, else a part of the target."""
        equation = node.statement.equation
        if set(equation.indices) <= node.fixed.keys():
            yield f"{self.accumulator(equation)} = {self.neutral(equation)}"
            if equation.op == "argmax":
                yield f"{self.position(equation)} = -1"
            return
        own = self.in_memory(equation)
        inside = ", ".join(self.loop(node.fixed[i]) if i in node.fixed else ":" for i in own)
        yield f"{self.names.tensors[equation.target]}[{inside}] = {self.neutral(equation)}"

    def position(self, equation: Equation) -> str:
        return self.names.free(f"{self.names.tensors[equation.target]}_at")

    def end(self, node: End) -> Iterator[str]:
        equation = node.statement.equation
        if self.accumulator(equation) == self.names.tensors[equation.target]:
            return
        value = self.position(equation) if equation.op == "argmax" else self.accumulator(equation)
        yield f"{self.element(equation, node.names)} = {value}"

    def in_memory(self, equation: Equation) -> tuple[Index, ...]:
        """The indices of the target along the axes that it has in memory."""
        axes = self.axes.get(equation.target)
        return equation.indices if axes is None else tuple(equation.indices[k] for k in axes)

    def element(
        self, equation: Equation, names: Mapping[Index, Index], where: Mapping[Index, str] | None = None
    ) -> str:
        """An element of the target: at the loops' positions, or at given places."""
        where = where or {}
        if self.axes.get(equation.target) == ():
            return self.names.tensors[equation.target]
        own = self.in_memory(equation)
        inside = ", ".join(where[i] if i in where else self.loop(names[i]) for i in own) or "0"
        return f"{self.names.tensors[equation.target]}[{inside}]"

    def step(self, node: ElementStep) -> Iterator[str]:
        """One element of a map, or one contribution to a reduction, under the conditions that it has."""
        equation, number = node.statement.equation, node.statement.number
        spelling = self.spelling(node, number)
        factors = sympy.Mul.make_args(equation.body) if equation.op == "sum" else (equation.body,)
        guards = (
            [f for f in factors if isinstance(f, Guard)] if equation.op == "sum" else list(equation.where)
        )
        body = (
            sympy.Mul(*[f for f in factors if not isinstance(f, Guard)])
            if equation.op == "sum"
            else equation.body
        )
        indent = ""
        places = node.statement.places
        for index, place in places.items():
            guards += within(place, equation.extents[index], spelling.extents)
        if 0 in guards:
            yield f"pass{note(*node.statement.numbers)}"
            return
        guards = [g for g in guards if g != 1]
        if guards:
            conditions = [spelling.condition(g) for g in sorted(guards, key=guard_rank)]
            test = spelling.both(conditions) if len(conditions) > 1 else conditions[0]
            yield f"if {test.text}:"
            indent = "    "
        spelling.name_repeated(body)
        exact = equation.reduction is None and equation.target in self.integers
        value = (spelling.integer(body) if exact else spelling.real(spelling.write(body))).text
        comment = note(*node.statement.numbers)
        for line in spelling.prelude:
            yield f"{indent}{line}{comment}"
        where = {index: spelling.integer(place).text for index, place in places.items()}
        for line in self.action(node, value, comment, where):
            yield indent + line
        self.helpers |= spelling.helpers

    def action(
        self, node: ElementStep, value: str, comment: str, where: Mapping[Index, str]
    ) -> Iterator[str]:
        equation = node.statement.equation
        element = self.element(equation, node.names, where)
        if equation.reduction is None:
            yield f"{element} {'*=' if node.statement.scaling else '='} {value}{comment}"
            return
        target = self.accumulator(equation) if node.register else element
        if equation.op in START:
            yield f"{target} {'+=' if equation.op == 'sum' else '*='} {value}{comment}"
        elif equation.op == "max":
            yield f"{target} = _larger({target}, {value}){comment}"
        else:
            position = self.position(equation)
            where = position_of(equation).xreplace(dict(node.names))
            loops = ElementSpelling({i: self.loop(i) for i in node.names.values()}, {}, {})
            yield f"if {position} < 0 or {value} > {target}:{comment}"
            yield f"    {target}, {position} = {value}, {loops.integer(where).text}"

    # --- matrix products
    def contraction(self, kernel: Contraction) -> Iterator[str]:
        """`_product(left, right, target)`, of a vector `np.dot`; in loops over the batch if there is one."""
        indent = ""
        for index in kernel.batch:
            extent = self.plain().integer(kernel.extents[index]).text
            yield f"{indent}for {self.loop(index)} in range({extent}):"
            indent += "    "
        left = self.matrix(kernel, kernel.left, kernel.rows, kernel.summed, kernel.left_transposed)
        right = self.matrix(kernel, kernel.right, kernel.summed, kernel.columns, kernel.right_transposed)
        target = self.matrix(
            kernel,
            Operand(kernel.target, kernel.batch + kernel.rows + kernel.columns),
            kernel.rows,
            kernel.columns,
            False,
        )
        if kernel.inverses:
            yield f"{indent}{target}[...] = {self.solution(kernel, left, right)}{note(*kernel.numbers)}"
        else:
            called = "_product" if kernel.rows and kernel.columns else "np.dot"
            self.helpers |= {called} - {"np.dot"}
            yield f"{indent}{called}({left}, {right}, {target}){note(kernel.number)}"

    def solution(self, kernel: Contraction, left: str, right: str) -> str:
        """The product with an inverse that is never made: A⁻¹·b solves A·x = b, b·A⁻¹ solves Aᵀ·xᵀ = bᵀ."""
        self.helpers.add("_solve")
        if kernel.left.inverted:
            return f"_solve({left}, {right})"
        if not kernel.rows:
            return f"_solve({_turned(right)}, {left})"
        return f"_solve({_turned(right)}, {_turned(left)}).T"

    # --- linear algebra
    def matrix_leaf(self, kernel: MatrixKernel) -> Iterator[str]:
        """`target[...] = np.linalg.inv(matrix)`, inside loops over the batch if there is one."""
        indent, names = "", self.names.tensors
        for index in kernel.batch:
            extent = self.plain().integer(kernel.extents[index]).text
            yield f"{indent}for {self.loop(index)} in range({extent}):"
            indent += "    "
        at = ", ".join(self.loop(i) for i in kernel.place)
        function, after = LINEAR_ALGEBRA[kernel.op]
        self.helpers |= helpers_of(function)
        first = [self.plain().integer(s).text for s in kernel.operand.at]
        inside = ", ".join([*first, *(self.loop(i) for i in kernel.batch)])
        operand = f"{names[kernel.operand.name]}[{inside}]" if inside else names[kernel.operand.name]
        rank = len(MATRIX_LEAVES[kernel.op].result)
        place = (at if at else "..." if rank else "0") + (", :" * rank if at else "")
        if kernel.count is not None:
            operand += f", {self.plain().integer(kernel.count).text}"
        yield f"{indent}{names[kernel.target]}[{place}] = {function}({operand}){after}{note(kernel.number)}"

    def matrix(
        self,
        kernel: Contraction,
        operand: Operand,
        first: tuple[Index, ...],
        second: tuple[Index, ...],
        transposed: bool,
    ) -> str:
        text = self.names.tensors[operand.name]
        first_axes = [self.plain().integer(s).text for s in operand.at]
        first_axes += [self.loop(i) for i in kernel.batch if i in operand.indices]
        if first_axes:
            text += f"[{', '.join(first_axes)}]"
        groups = [g for g in ((second, first) if transposed else (first, second)) if g]
        if any(len(g) > 1 for g in groups):
            extents = (self.plain().integer(sympy.Mul(*[kernel.extents[i] for i in g])).text for g in groups)
            text += f".reshape({', '.join(extents)})"
        return f"{text}.T" if transposed and first and second else text


def position_of(equation: Equation) -> Expr:
    """What an argmax stores: the position along one reduced index, or in row-major order over all of them."""
    assert equation.reduction is not None
    if equation.reduction.component != FLAT:
        return equation.reduced[equation.reduction.component]
    place = sympy.Integer(0)
    for index in equation.reduced:
        place = sympy.expand(place * equation.extents[index]) + index
    return place


def _turned(matrix: str) -> str:
    """The transpose; that of a transpose is the matrix."""
    return matrix.removesuffix(".T") if matrix.endswith(".T") else f"{matrix}.T"


def stage(
    network: LoweredNetwork,
    segment: Segment,
    places: Mapping[str, ArenaSpan],
    names: Names,
    real: str,
    loops: LoopFunctions,
) -> tuple[Function, set[str]]:
    """The kernel of one stage, and the helpers that it calls."""
    whole = network.system if network.split is None else network.split.system
    tensors = {t.name: t for t in (*whole.tensors, *network.tensors)} | segment.program.tensors
    lines = NumbaLines(tensors, names, real, loops, network.stage_sizes, segment.program.axes)
    body: list[str] = []
    for kernel in segment.program.kernels:
        body += lines.kernel(kernel)
    if segment.name in FILLING:
        body += _copied_gradients(network, segment, places, names)
    if segment.name == "buffers":
        for buffer, value in network.system.updates.items():
            left, right = names.tensors[buffer], names.tensors[value]
            scalar = not tensors[buffer].shape
            body.append(f"{left}[()] = {right}[0]" if scalar else f"{left}[...] = {right}")
    read = {t.name: t for t in (*network.tensors, *segment.leaves(Role.PARAMETER))}
    body = looped(body, read, places, names)
    head = []
    text = "\n".join(re.sub(r"  #.*", "", line) for line in body)
    for tensor in (*network.parameters, *network.tensors):
        given = tensor.name in network.by_rows or segment.program.axes.get(tensor.name) == ()
        if not given and re.search(rf"\b{names.tensors[tensor.name]}\b", text):
            shaped = read.get(tensor.name, tensor)
            head.append(view(names.tensors[tensor.name], shaped, places[tensor.name]))
    head += [f"{names.tensors[t.name]} = {global_name(t.name)}" for t in segment.leaves(Role.HYPER)]
    arguments = (*stage_arguments(network, segment, names), *network.stage_sizes)
    title = (
        f"The {segment.title}: {equation_range(segment)}."
        if segment.program.kernels
        else f"No {segment.title}."
    )
    return Function(
        f"_{segment.name}", arguments, title, (*head, *body) or ("pass",), ("@kernel",)
    ), lines.helpers


def stage_arguments(network: LoweredNetwork, segment: Segment, names: Names) -> tuple[str, ...]:
    """Arenas, the table of places, then the arrays that the stage is given."""
    given = [t.name for t in network.given_to(segment)]
    if segment.name == "buffers":
        given = [t.name for t in network.given if t.name in given or t.name in network.system.updates]
    arenas = ("theta", *(("gradient",) if segment.name in FILLING else ()), "work", "counts")
    return (*arenas, "at", *(names.tensors[name] for name in (*given, *network.rows_of(segment))))


def _copied_gradients(
    network: LoweredNetwork, segment: Segment, places: Mapping[str, ArenaSpan], names: Names
) -> Iterator[str]:
    """Gradients that are no tensor of their own: shared by two parameters, or of an earlier stage."""
    own = set(own_gradients(network).values())
    phase = {} if network.split is None else network.split.phase
    for parameter in network.parameters:
        late = phase.get(network.derivation.gradients[parameter.name]) == "after"
        if parameter.name not in own and late == (segment.name == "finish"):
            gradient, place = network.derivation.gradients[parameter.name], places[parameter.name]
            count = ElementSpelling({}, {}, {}).integer(place.count).text
            flat = f"{names.tensors[gradient]}.reshape({count})"
            yield f"{part(replace(place, arena='gradient'))} = {flat}"


def functions(
    network: LoweredNetwork, memory: MemoryPlan, names: Names, real: str
) -> tuple[list[Function], set[str], dict[str, ArenaSpan]]:
    """The kernels of all stages and of their nests, the helpers that they call, and where tensors lie."""
    places, loops = layout(network, memory), LoopFunctions(names)
    found, helpers = [], set()
    for segment in network.segments:
        function, called = stage(network, segment, places, names, real, loops)
        found.append(function)
        helpers |= called
    return [*found, *loops.functions()], helpers, places
