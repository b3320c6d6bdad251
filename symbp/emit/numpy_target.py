"""The NumPy target: each equation as the vectorised line that a NumPy programmer would write.

Enters: the stages of a network. Leaves: functions as text. Must not know: ops, files, the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import sympy

from symbp.emit.arrays import ArraySpelling
from symbp.emit.blocks import Function, note, wrapped
from symbp.emit.names import Names
from symbp.emit.segments import Network, Segment
from symbp.emit.spelling import ADD, ATOM, MUL, Written
from symbp.emit.tables import global_name
from symbp.ir.expr import Access, Expr, Index, IntegerAccess, free_indices
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Role, Tensor
from symbp.lower.contraction import split_scale
from symbp.lower.program import (
    Branch,
    Contraction,
    Kernel,
    Nest,
    Operand,
    Scan,
    Statement,
    leaf_kernels,
    plain_subscripts,
)


class NumpyLines:
    """The lines of one stage; `helpers` collects the helper functions that they call."""

    def __init__(self, tensors: Mapping[str, Tensor], names: Names, out: frozenset[str]) -> None:
        self.shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self.integers = frozenset(name for name, tensor in tensors.items() if tensor.integer)
        self.names, self.out = names, out
        self.helpers: set[str] = set()
        self.inlined: dict[str, tuple[tuple[Index, ...], Expr]] = {}
        self.products: dict[str, Written] = {}
        self.loops: dict[Index, str] = {}  # the loops around: their names, and how far they run
        self.steps: dict[Index, Expr] = {}

    def spelling(self, frame: tuple[Index, ...], extents: Mapping[Index, Expr], where: str) -> ArraySpelling:
        frame = tuple(i for i in frame if i not in self.loops)
        known = {**extents, **self.steps}
        spelling = ArraySpelling(frame, known, self.shapes, self.names.tensors, where, self.loops)
        spelling.inlined, spelling.products = self.inlined, self.products
        return spelling

    def plain(self, equation: Equation) -> tuple[Index, ...]:
        """The plain indices that no loop around fixes."""
        return tuple(i for i in equation.indices if i not in self.loops)

    def kernel(self, kernel: Kernel) -> Iterator[str]:
        """The lines of one kernel."""
        if isinstance(kernel, Scan):
            yield from self.scan(kernel)
            return
        if isinstance(kernel, Branch):
            yield f"if {self.spelling((), {}, '').condition(kernel.condition).text}:"
            yield from (f"    {line}" for inner in kernel.body for line in self.kernel(inner))
            return
        if isinstance(kernel, Contraction):
            yield from self.contraction(kernel)
            return
        for statement in kernel.statements:
            if statement.inline:
                self.inlined[statement.target] = (statement.equation.indices, statement.equation.body)
            else:
                yield from self.statement(statement)

    # --- recurrences
    def scan(self, kernel: Scan) -> Iterator[str]:
        """A loop over the steps; the arrays that it fills are made before the outermost one."""
        comment = note(*kernel.numbers)
        if not self.loops:
            for equation in scanned(kernel):
                if equation.target not in self.out:
                    extents = self._shape(equation.shape)
                    kind = "np.int64" if equation.target in self.integers else "DTYPE"
                    yield f"{self.names.tensors[equation.target]} = np.empty({extents}, {kind}){comment}"
        name, extent = self.names.free(kernel.index.name), self._extent(kernel.extent)
        self.loops[kernel.index], self.steps[kernel.index] = name, kernel.extent
        yield f"for {name} in {f'range({extent})' if kernel.step > 0 else f'reversed(range({extent}))'}:"
        for inner in kernel.body:
            yield from (f"    {line}" for line in self.kernel(inner))
        del self.loops[kernel.index], self.steps[kernel.index]

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
        return spelling.lift(value, self.plain(equation)).text

    def _value(self, spelling: ArraySpelling, equation: Equation) -> Written:
        if equation.op is None:
            if equation.target in self.integers:
                return spelling.integer(equation.body)
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
            exact = equation.target in self.integers
            value = spelling.integer(body) if exact else spelling.write(body)
            written = self._reduced(spelling, value, equation, "sum")
        if scale == 1:
            return written
        spelling.known[_PART] = written
        return spelling.write(scale * _PART)

    def _einsum(self, equation: Equation, factors: list[Expr]) -> Written | None:
        """Three or more dense factors that no single matrix product serves."""
        arrays = [f for f in factors if isinstance(f, Access) and not isinstance(f, IntegerAccess)]
        own = [i for i in equation.all_indices if i not in self.loops]
        sets = [free_indices(f) - self.loops.keys() for f in arrays]
        if len(arrays) != len(factors) or any(a.outside is not None for a in arrays):
            return None
        if any(s == frozenset(own) for s in sets) or frozenset().union(*sets) != frozenset(own):
            return None
        spelling = self.spelling((), equation.extents, "")
        values = [spelling.sliced(a, self.names.tensors[a.name]) for a in arrays]
        if any(v is None for v in values) or len(own) > len(_LETTERS):
            return None
        letters = {i: _LETTERS[k] for k, i in enumerate(own)}
        if all(len(i.name) == 1 for i in letters):
            letters = {i: i.name for i in letters}
        spec = ",".join("".join(letters[i] for i in a.subscripts if i in letters) for a in arrays)
        spec += "->" + "".join(letters[i] for i in self.plain(equation))
        names = ", ".join(v[0].text for v in values if v is not None)
        return Written(f'np.einsum("{spec}", {names}, optimize=True)', ATOM, self.plain(equation))

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
        plain = self.plain(equation)
        frame = plain + equation.reduced
        full = value if value.axes == frame else self._broadcast(spelling, value, frame, equation)
        assert equation.reduction is not None
        shape = [spelling.write(equation.extents[i]).text for i in equation.reduced]
        lead = "".join(spelling.write(equation.extents[i]).text + ", " for i in plain)
        if len(shape) == 1:
            text = f"{full.at_least(ATOM)}.argmax({len(plain)})"
        else:
            flat = f"{full.at_least(ATOM)}.reshape({lead}-1).argmax({len(plain)})"
            text = f"np.unravel_index({flat}, ({', '.join(shape)}))[{equation.reduction.component}]"
        if not equation.where:
            return Written(text, ATOM, plain, "integer")
        axes = tuple(range(len(plain), len(frame)))
        text = f"np.where({full.at_least(ATOM)}.max({axes}) > -np.inf, {text}, -1)"
        return Written(text, ATOM, plain, "integer")

    def _broadcast(
        self, spelling: ArraySpelling, value: Written, axes: tuple[Index, ...], equation: Equation
    ) -> Written:
        if value.axes == axes:
            return value
        shape = self._shape([equation.extents[i] for i in axes])
        if value.kind == "number":
            kind = "np.int64" if equation.target in self.integers else "DTYPE"
            return Written(f"np.full({shape}, {value.text}, {kind})", ATOM, axes)
        return Written(f"np.broadcast_to({spelling.lift(value, axes).text}, {shape})", ATOM, axes)

    def _stored(self, target: str, value: Written, equation: Equation, spelling: ArraySpelling) -> str:
        plain = self.plain(equation)
        if equation.target not in self.integers:
            value = spelling.cast(value)
        if equation.target in self.out or plain != equation.indices:
            return f"{target}[{self._part(equation)}] = {spelling.lift(value, plain).text}"
        if value.axes != plain:
            value = self._broadcast(spelling, value, plain, equation)
        elif value.kind == "number":
            value = Written(f"DTYPE({value.text})")
        elif equation.op is None and isinstance(equation.body, Access):
            value = Written(f"{value.at_least(ATOM)}.copy()" if value.axes else value.text, ATOM, value.axes)
        return f"{target} = {value.text}"

    def _part(self, equation: Equation) -> str:
        """The subscripts of the part of a target that is filled at this step."""
        parts = [self.loops.get(i, ":") for i in equation.indices]
        while parts and parts[-1] == ":":
            parts.pop()
        return ", ".join(parts) or "..."

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
        if kernel.inline:
            binding = ATOM if grouped else MUL
            self.products[kernel.target] = Written(product, binding, axes)
        elif kernel.target not in self.out:
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
        if operand.name in self.inlined:
            indices, body = self.inlined[operand.name]
            spelling = self.spelling(operand.indices, kernel.extents, f"equation ({kernel.number})")
            spelling.prelude = prelude
            value = spelling.write(body.xreplace(dict(zip(indices, operand.indices, strict=True))))
            self.helpers |= spelling.helpers
            value = spelling.spread(value, operand.indices)
        else:
            at = ", ".join(self.spelling((), kernel.extents, "").integer(s).text for s in operand.at)
            value = Written(self.names.tensors[operand.name] + (f"[{at}]" if at else ""))
        groups = [kernel.batch, second, first] if transposed else [kernel.batch, first, second]
        groups = [g for g in groups if g]
        if any(len(g) > 1 for g in groups):
            shape = ", ".join(self._extent(sympy.Mul(*[kernel.extents[i] for i in g])) for g in groups)
            value = Written(f"{value.at_least(ATOM)}.reshape({shape})")
        if not transposed:
            return value
        turn = ".swapaxes(-1, -2)" if kernel.batch else ".T" if first and second else ""
        return Written(f"{value.at_least(ATOM)}{turn}")

    def _shape(self, extents: Sequence[Expr]) -> str:
        return f"({', '.join(map(self._extent, extents))}{',' if len(extents) == 1 else ''})"

    def _extent(self, extent: Expr) -> str:
        return ArraySpelling((), {}, {}, {}).integer(extent).text


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
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


def scanned(kernel: Scan) -> list[Equation]:
    """The equations of a loop, each once."""
    found: dict[str, Equation] = {}
    for inner in leaf_kernels(kernel.body):
        for statement in inner.statements if isinstance(inner, Nest) else ():
            if not statement.inline:
                found.setdefault(statement.target, statement.equation)
    return list(found.values())


def functions(network: Network, names: Names) -> tuple[list[Function], set[str]]:
    """The functions of all stages, and the helpers that they call."""
    tensors = {t.name: t for t in (*network.system.tensors, *network.tensors)}
    found, helpers = [], set()
    for segment in network.segments:
        function, called = _stage(network, segment, tensors, names)
        found.append(function)
        helpers |= called
    return found, helpers


def _stage(
    network: Network, segment: Segment, tensors: Mapping[str, Tensor], names: Names
) -> tuple[Function, set[str]]:
    gradients = network.derivation.gradients
    backward = segment.name == "backward"
    first_use = {gradients[p.name]: p.name for p in reversed(network.parameters)} if backward else {}
    filled = {t.name for t in segment.program.buffers}
    out = {g: p for g, p in first_use.items() if g in filled}
    lines = NumpyLines(tensors, names, frozenset(out))
    body: list[str] = []
    for kernel in segment.program.kernels:
        body += lines.kernel(kernel)
    head = _unpacked(network, segment, names, body)
    own = [(p.name, g) for p in network.parameters for g in out if out[g] == p.name]
    head += _unpacked_names([(p, names.tensors[g]) for p, g in own], "gradients")
    if backward:
        rest = [p.name for p in network.parameters if out.get(gradients[p.name]) != p.name]
        body += [f'gradients["{p}"][...] = {names.tensors[gradients[p]]}' for p in rest]
    kept = [t.name for t in segment.program.buffers if t.name not in segment.program.inlined]
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
        given = [t for t in network.data if t.name in network.forward_data]
        found = network.witness(size, (*network.parameters, *given, *network.data))
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
