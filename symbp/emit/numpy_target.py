"""The NumPy target: each equation as the vectorised line that a NumPy programmer would write.

Enters: the stages of a network. Leaves: functions as text. Must not know: ops, files, the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import sympy

from symbp.emit.arrays import ArraySpelling
from symbp.emit.blocks import Function, note, wrapped
from symbp.emit.names import Names
from symbp.emit.segments import Network, Segment
from symbp.emit.spelling import ADD, ATOM, Written
from symbp.emit.tables import global_name
from symbp.ir.expr import Access, Expr, Index, IntegerAccess, free_indices
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Role, Tensor
from symbp.lower.contraction import split_scale
from symbp.lower.program import Contraction, Kernel, MatrixKernel, Nest, Operand, Statement, plain_subscripts

LINEAR_ALGEBRA = {
    "inverse": ("np.linalg.inv", ""),
    "det": ("np.linalg.det", ""),
    "logdet": ("np.linalg.slogdet", "[1]"),
    "cholesky": ("_cholesky", ""),
}
"""How a leaf of linear algebra is called: the function, and what follows the call."""


class NumpyLines:
    """The lines of one stage; `helpers` collects the helper functions that they call."""

    def __init__(self, shapes: Mapping[str, tuple[Expr, ...]], names: Names, out: frozenset[str]) -> None:
        self.shapes, self.names, self.out = shapes, names, out
        self.helpers: set[str] = set()
        self.inlined: dict[str, tuple[tuple[Index, ...], Expr]] = {}

    def spelling(self, frame: tuple[Index, ...], extents: Mapping[Index, Expr], where: str) -> ArraySpelling:
        spelling = ArraySpelling(frame, extents, self.shapes, self.names.tensors, where)
        spelling.inlined = self.inlined
        return spelling

    def kernel(self, kernel: Kernel) -> Iterator[str]:
        """The lines of one kernel."""
        if isinstance(kernel, MatrixKernel):
            yield from self.matrix_leaf(kernel)
            return
        if isinstance(kernel, Contraction):
            yield from self.contraction(kernel)
            return
        for statement in kernel.statements:
            if statement.inline:
                self.inlined[statement.target] = (statement.equation.indices, statement.equation.body)
            else:
                yield from self.statement(statement)

    # --- maps and reductions
    def statement(self, statement: Statement) -> Iterator[str]:
        equation, where = (
            statement.equation,
            f"equation ({statement.number}) {equation_text(statement.equation)}",
        )
        spelling = self.spelling(vector_order(equation), equation.extents, where)
        target, comment = self.names.tensors[equation.target], note(statement.number)
        if statement.scaling:
            yield f"{target} {self._scaling(spelling, equation)}{comment}"
            return
        value = self._value(spelling, equation)
        self.helpers |= spelling.helpers
        for line in spelling.prelude:
            yield f"{line}{comment}"
        yield self._stored(target, value, equation, spelling) + comment

    def _scaling(self, spelling: ArraySpelling, equation: Equation) -> str:
        numerator, denominator = sympy.fraction(equation.body)
        if numerator == 1:
            text = self._lifted(spelling, spelling.write(denominator), equation)
            self.helpers |= spelling.helpers
            return f"/= {text}"
        text = self._lifted(spelling, spelling.write(equation.body), equation)
        self.helpers |= spelling.helpers
        return f"*= {text}"

    def _lifted(self, spelling: ArraySpelling, value: Written, equation: Equation) -> str:
        return spelling.lift(value, equation.indices).text

    def _value(self, spelling: ArraySpelling, equation: Equation) -> Written:
        if equation.op is None:
            spelling.name_repeated(equation.body)
            return spelling.cast(spelling.write(equation.body))
        if equation.op == "sum":
            return self._sum(spelling, equation)
        return self._extreme(spelling, equation)

    def _sum(self, spelling: ArraySpelling, equation: Equation) -> Written:
        scale, factors = split_scale(equation)
        written = self._einsum(equation, factors)
        if written is None:
            body = sympy.Mul(*factors)
            spelling.name_repeated(body)
            written = self._reduced(spelling, spelling.write(body), equation, "sum")
        if scale == 1:
            return written
        spelling.known[_PART] = written
        return spelling.write(scale * _PART)

    def _einsum(self, equation: Equation, factors: list[Expr]) -> Written | None:
        """Three or more dense factors that no single matrix product serves."""
        arrays = [f for f in factors if isinstance(f, Access) and not isinstance(f, IntegerAccess)]
        sets = [free_indices(f) for f in arrays]
        if len(arrays) != len(factors) or not all(plain_subscripts(a) for a in arrays):
            return None
        if any(s == frozenset(equation.all_indices) for s in sets) or frozenset().union(*sets) != frozenset(
            equation.all_indices
        ):
            return None
        letters = {i: "abcdefghijklmnopqrstuvwxyz"[k] for k, i in enumerate(equation.all_indices)}
        if all(len(i.name) == 1 for i in letters):
            letters = {i: i.name for i in letters}
        spec = ",".join("".join(letters[i] for i in a.subscripts) for a in arrays)
        spec += "->" + "".join(letters[i] for i in equation.indices)
        names = ", ".join(self.names.tensors[a.name] for a in arrays)
        return Written(f'np.einsum("{spec}", {names}, optimize=True)', ATOM, equation.indices)

    def _reduced(self, spelling: ArraySpelling, value: Written, equation: Equation, method: str) -> Written:
        """A sum, product or maximum over the reduced axes of a value."""
        missing = [i for i in equation.reduced if i not in value.axes]
        value = spelling.cast(value) if method != "sum" or value.kind == "number" else value
        if missing:  # the body does not depend on these indices
            if method == "sum":
                count = spelling.write(sympy.Mul(*[equation.extents[i] for i in missing]))
                value = spelling._over([value, count], [])
            elif method == "prod":
                power = spelling.write(sympy.Mul(*[equation.extents[i] for i in missing]))
                value = Written(f"{value.at_least(ATOM)}**{power.at_least(ATOM)}", ADD, value.axes)
        axes = [k for k, i in enumerate(value.axes) if i in equation.reduced]
        kept = tuple(i for i in value.axes if i not in equation.reduced)
        if not axes:
            return value
        which = "" if not kept else str(axes[0]) if len(axes) == 1 else str(tuple(axes))
        kind = value.kind if value.kind != "bool" else "integer"
        return Written(f"{value.at_least(ATOM)}.{method}({which})", ATOM, kept, kind)

    def _extreme(self, spelling: ArraySpelling, equation: Equation) -> Written:
        op = equation.op
        neutral = spelling.number("1") if op == "prod" else spelling.infinity(True)
        spelling.name_repeated(equation.body)
        conditions = [spelling.condition(g) for g in equation.where]
        spelling.guarded += bool(conditions)
        value = spelling.write(equation.body)
        spelling.guarded -= bool(conditions)
        if conditions:
            test = spelling.both(conditions) if len(conditions) > 1 else conditions[0]
            value = spelling.choose(test, value, neutral)
        if op != "argmax":
            return self._reduced(spelling, value, equation, str(op))
        return self._argmax(spelling, value, equation)

    def _argmax(self, spelling: ArraySpelling, value: Written, equation: Equation) -> Written:
        frame = equation.indices + equation.reduced
        full = value if value.axes == frame else self._broadcast(spelling, value, frame, equation)
        assert equation.reduction is not None
        shape = [spelling.write(equation.extents[i]).text for i in equation.reduced]
        lead = "".join(spelling.write(equation.extents[i]).text + ", " for i in equation.indices)
        if len(shape) == 1:
            text = f"{full.at_least(ATOM)}.argmax({len(equation.indices)})"
        else:
            flat = f"{full.at_least(ATOM)}.reshape({lead}-1).argmax({len(equation.indices)})"
            text = f"np.unravel_index({flat}, ({', '.join(shape)}))[{equation.reduction.component}]"
        if not equation.where:
            return Written(text, ATOM, equation.indices, "integer")
        axes = tuple(range(len(equation.indices), len(frame)))
        return Written(
            f"np.where({full.at_least(ATOM)}.max({axes}) > -np.inf, {text}, -1)",
            ATOM,
            equation.indices,
            "integer",
        )

    def _broadcast(
        self, spelling: ArraySpelling, value: Written, axes: tuple[Index, ...], equation: Equation
    ) -> Written:
        shape = "".join(spelling.write(equation.extents[i]).text + ", " for i in axes).rstrip(" ")
        if value.kind == "number":
            return Written(f"np.full(({shape}), {value.text}, DTYPE)", ATOM, axes)
        lifted = spelling.lift(value, axes)
        return Written(f"np.broadcast_to({lifted.text}, ({shape}))", ATOM, axes)

    def _stored(self, target: str, value: Written, equation: Equation, spelling: ArraySpelling) -> str:
        if equation.op != "argmax":
            value = spelling.cast(value)
        if equation.target in self.out:
            return f"{target}[...] = {spelling.lift(value, equation.indices).text}"
        if value.axes != equation.indices:
            value = self._broadcast(spelling, value, equation.indices, equation)
        elif value.kind == "number":
            value = Written(f"DTYPE({value.text})")
        elif equation.op is None and isinstance(equation.body, Access):
            value = Written(f"{value.text}.copy()" if value.axes else value.text, ATOM, value.axes)
        return f"{target} = {value.text}"

    # --- matrix products
    def contraction(self, kernel: Contraction) -> Iterator[str]:
        """`target = left @ right`, with what the operands need computed first."""
        prelude: list[str] = []
        left = self._matrix(kernel, kernel.left, kernel.rows, kernel.summed, kernel.left_transposed, prelude)
        right = self._matrix(
            kernel, kernel.right, kernel.summed, kernel.columns, kernel.right_transposed, prelude
        )
        comment = note(kernel.number)
        yield from (line + comment for line in prelude)
        target = self.names.tensors[kernel.target]
        axes = kernel.batch + kernel.rows + kernel.columns
        grouped = max(map(len, (kernel.batch, kernel.rows, kernel.columns))) > 1
        product = f"{left.at_least(ATOM - 1)} @ {right.at_least(ATOM - 1)}"
        if grouped:
            product = f"({product}).reshape({', '.join(self._extent(kernel.extents[i]) for i in axes)})"
        if kernel.target not in self.out:
            yield f"{target} = {product}{comment}"
        elif grouped:
            yield f"{target}[...] = {product}{comment}"
        else:
            yield f"np.matmul({left.text}, {right.text}, out={target}){comment}"

    def _matrix(
        self,
        kernel: Contraction,
        operand: Operand,
        first: tuple[Index, ...],
        second: tuple[Index, ...],
        transposed: bool,
        prelude: list[str],
    ) -> Written:
        """An operand as a (batched) matrix or vector: reshaped if a group has several axes, then turned."""
        value = self._operand(kernel, operand, prelude)
        groups = [kernel.batch, second, first] if transposed else [kernel.batch, first, second]
        groups = [g for g in groups if g]
        if any(len(g) > 1 for g in groups):
            shape = ", ".join(self._extent(sympy.Mul(*[kernel.extents[i] for i in g])) for g in groups)
            value = Written(f"{value.at_least(ATOM)}.reshape({shape})")
        if not transposed:
            return value
        turn = ".swapaxes(-1, -2)" if kernel.batch else ".T" if first and second else ""
        return Written(f"{value.at_least(ATOM)}{turn}")

    def _operand(self, kernel: Contraction | MatrixKernel, operand: Operand, prelude: list[str]) -> Written:
        """An operand's array, or the expression that it is."""
        if operand.name not in self.inlined:
            return Written(self.names.tensors[operand.name])
        indices, body = self.inlined[operand.name]
        spelling = self.spelling(operand.indices, kernel.extents, f"equation ({kernel.number})")
        spelling.prelude = prelude
        value = spelling.write(body.xreplace(dict(zip(indices, operand.indices, strict=True))))
        self.helpers |= spelling.helpers
        if value.axes == operand.indices:
            return value
        shape = ", ".join(self._extent(kernel.extents[i]) for i in operand.indices)
        return Written(f"np.broadcast_to({spelling.lift(value, operand.indices).text}, ({shape},))")

    # --- linear algebra
    def matrix_leaf(self, kernel: MatrixKernel) -> Iterator[str]:
        """`target = np.linalg.inv(matrix)`, for a stack of matrices too."""
        prelude: list[str] = []
        matrix = self._operand(kernel, kernel.operand, prelude)
        comment, target = note(kernel.number), self.names.tensors[kernel.target]
        yield from (line + comment for line in prelude)
        function, after = LINEAR_ALGEBRA[kernel.op]
        if function.startswith("_"):
            self.helpers.add(function)
        text = f"{function}({matrix.text}){after}"
        yield f"{target}{'[...]' if kernel.target in self.out else ''} = {text}{comment}"

    def _extent(self, extent: Expr) -> str:
        return ArraySpelling((), {}, {}, {}).integer(extent).text


_PART = Access("(the sum)")  # stands for text already written; no tensor can have this name


def vector_order(equation: Equation) -> tuple[Index, ...]:
    """The axes of a body: those of the largest array read, if its plain indices stand as in the target."""
    own = equation.all_indices
    for access in sorted(equation.reads, key=lambda a: (-len(a.subscripts), expression_text(a))):
        subscripts = plain_subscripts(access)
        if subscripts and set(subscripts) == set(own):
            if tuple(i for i in subscripts if i in equation.indices) == equation.indices:
                return subscripts if equation.op != "argmax" else own
            break
    return own


def functions(network: Network, names: Names) -> tuple[list[Function], set[str]]:
    """The functions of all stages, and the helpers that they call."""
    shapes = {t.name: t.shape for t in (*network.system.tensors, *network.tensors)}
    found, helpers = [], set()
    for segment in network.segments:
        function, called = _stage(network, segment, shapes, names)
        found.append(function)
        helpers |= called
    return found, helpers


def _stage(
    network: Network, segment: Segment, shapes: Mapping[str, tuple[Expr, ...]], names: Names
) -> tuple[Function, set[str]]:
    gradients = network.derivation.gradients
    backward = segment.name == "backward"
    first_use = {gradients[p.name]: p.name for p in reversed(network.parameters)} if backward else {}
    filled = {t.name for t in segment.program.buffers}
    out = {g: p for g, p in first_use.items() if g in filled}
    lines = NumpyLines(shapes, names, frozenset(out))
    body: list[str] = []
    for kernel in segment.program.kernels:
        body += lines.kernel(kernel)
    head = _unpacked(network, segment, names, body)
    own = [(p.name, g) for p in network.parameters for g in out if out[g] == p.name]
    head += _unpacked_names([(p, names.tensors[g]) for p, g in own], "gradients")
    if backward:
        rest = [p.name for p in network.parameters if out.get(gradients[p.name]) != p.name]
        body += [f'gradients["{p}"][...] = {names.tensors[gradients[p]]}' for p in rest]
    inline = {
        s.target for k in segment.program.kernels if isinstance(k, Nest) for s in k.statements if s.inline
    }
    kept = [t.name for t in segment.program.buffers if t.name not in inline]
    entries = [f'"{name}": {names.tensors[name]}' for name in kept]
    if segment.name == "forward":
        body += wrapped("return {", entries, "}")
    elif len(kept) == 1:
        body.append(f'tensors["{kept[0]}"] = {names.tensors[kept[0]]}')
    elif entries:
        body += wrapped("tensors.update({", entries, "})")
    arguments = ["params", "data"] + ([] if segment.name == "forward" else ["tensors"])
    arguments += ["gradients"] if backward else []
    title = (
        f"The {segment.title}: {equation_range(segment)}."
        if segment.program.kernels
        else f"No {segment.title}."
    )
    function = Function(
        f"_{segment.name}", tuple(arguments), title, (*head, *body), ('@np.errstate(all="ignore")',)
    )
    return function, lines.helpers


def _unpacked(network: Network, segment: Segment, names: Names, body: list[str]) -> list[str]:
    """Local names for what a stage reads, and for the open sizes that its lines mention."""
    lines = []
    data = segment.leaves(Role.INPUT, Role.TARGET)
    sources = (
        (data, "data"), (segment.leaves(Role.PARAMETER), "params"), (segment.computed_before, "tensors")
    )  # fmt: skip
    for tensors, mapping in sources:
        lines += _unpack(tensors, mapping, names)
    lines += [f"{names.tensors[t.name]} = {global_name(t.name)}" for t in segment.leaves(Role.HYPER)]
    mentioned = "\n".join(body)
    readable = (*data, *segment.leaves(Role.PARAMETER), *segment.computed_before)
    for size in network.open_sizes:
        if _mentions(mentioned, size):
            lines.append(_size_line(network, size, readable, names))
    return lines


def _unpack(tensors: tuple[Tensor, ...], mapping: str, names: Names) -> list[str]:
    return _unpacked_names([(t.name, names.tensors[t.name]) for t in tensors], mapping)


def _unpacked_names(rows: list[tuple[str, str]], mapping: str) -> list[str]:
    lines = []
    for k in range(0, len(rows), 4):
        some = rows[k : k + 4]
        left = ", ".join(identifier for _, identifier in some)
        lines.append(f"{left} = " + ", ".join(f'{mapping}["{name}"]' for name, _ in some))
    return lines


def _size_line(network: Network, size: str, readable: tuple[Tensor, ...], names: Names) -> str:
    found = network.witness(size, readable)
    if found is not None:
        text = names.tensors[found[0].name]
    else:
        found = network.witness(size, (*network.data, *network.parameters))
        if found is None:
            raise ValueError(f"size {size} is neither bound nor the extent of an input or a parameter")
        mapping = "params" if found[0].role == Role.PARAMETER else "data"
        text = f'{mapping}["{found[0].name}"]'
    return f"{size} = len({text})" if found[1] == 0 else f"{size} = {text}.shape[{found[1]}]"


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def equation_range(segment: Segment) -> str:
    """The numbers of a stage's equations in words: `equations (1) to (8)`."""
    numbers = segment.program.numbers
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"({r[0]})" if len(r) == 1 else f"({r[0]}) to ({r[-1]})" for r in runs]
    return f"equation{'s' if len(numbers) > 1 else ''} {', '.join(parts)}"
