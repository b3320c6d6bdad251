"""Kernels as vectorised NumPy: each equation as the line that a NumPy programmer would write.

Enters: kernels of a program. Leaves: lines. Must not know: stages, ops, files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import sympy

from symbp.emit.blocks import note
from symbp.emit.numpy.arrays import ArraySpelling
from symbp.emit.numpy.cases import at_position, positions
from symbp.emit.numpy.frame import NumpyFrame
from symbp.emit.numpy.positions import over_positions, started
from symbp.emit.numpy.products import contraction, matrix_leaf
from symbp.emit.spelling import ATOM, Written
from symbp.emit.terms import guard_rank
from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, accesses, free_indices
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import FLAT, Equation
from symbp.lower.program import (
    Branch,
    Contraction,
    EquationKernel,
    Kernel,
    MatrixKernel,
    Nest,
    Scan,
    leaf_kernels,
)
from symbp.lower.select.contraction import split_scale


class NumpyLines(NumpyFrame):
    """The lines of one stage."""

    def kernel(self, kernel: Kernel) -> Iterator[str]:
        """The lines of one kernel."""
        if isinstance(kernel, Scan):
            yield from self.scan(kernel)
            return
        if isinstance(kernel, Branch):
            yield f"if {self.spelling((), {}, '').condition(kernel.condition).text}:"
            yield from (f"    {line}" for inner in kernel.body for line in self.kernel(inner))
            return
        if isinstance(kernel, MatrixKernel):
            yield from matrix_leaf(self, kernel)
            return
        if isinstance(kernel, Contraction):
            yield from contraction(self, kernel)
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
                    extents = self.shape(equation.shape)
                    kind = "np.int64" if equation.target in self.integers else "DTYPE"
                    yield f"{self.names.tensors[equation.target]} = np.empty({extents}, {kind}){comment}"
        name, extent = self.names.free(kernel.index.name), self.extent(kernel.extent)
        self.loops[kernel.index], self.steps[kernel.index] = name, kernel.extent
        yield f"for {name} in {f'range({extent})' if kernel.step > 0 else f'reversed(range({extent}))'}:"
        for inner in kernel.body:
            yield from (f"    {line}" for line in self.kernel(inner))
        del self.loops[kernel.index], self.steps[kernel.index]

    # --- maps and reductions
    def statement(self, statement: EquationKernel) -> Iterator[str]:
        equation, where = (
            statement.equation,
            f"equation ({statement.number}) {equation_text(statement.equation)}",
        )
        spelling = self.spelling(vector_order(equation, self.loops), equation.extents, where)
        target, comment = self.names.tensors[equation.target], note(*statement.numbers)
        if statement.scaling:
            scaling = self._scaling(spelling, equation)
            self.helpers |= spelling.helpers
            yield from (line + comment for line in spelling.prelude)
            yield f"{target} {scaling}{comment}"
            return
        cases = None if statement.at else positions(equation, self.plain(equation))
        if cases is not None:
            yield from self.each_position(statement, *cases)
            return
        passes = over_positions(self, statement)
        if passes is not None:
            yield from passes
            return
        if statement.at:
            yield from (line + comment for line in self._added(statement, target, where))
            return
        value = self._value(spelling, equation)
        self.helpers |= spelling.helpers
        for line in spelling.prelude:
            yield f"{line}{comment}"
        yield self._stored(target, value, equation, spelling) + comment

    def each_position(
        self, statement: EquationKernel, index: Index, places: Sequence[Expr], complete: bool
    ) -> Iterator[str]:
        """A line for each of the positions along an index at which there are terms; 0 elsewhere."""
        equation, comment = statement.equation, note(*statement.numbers)
        target, start = started(self, equation, "0")
        if not complete:
            yield start + comment
        elif equation.target not in self.out and self.plain(equation) == equation.indices:
            kind = "np.int64" if equation.target in self.integers else "DTYPE"
            yield f"{target} = np.empty({self.shape(equation.shape)}, {kind}){comment}"
        for place in places:
            self.loops[index] = self.extent(place)
            yield from self.statement(replace(statement, equation=at_position(equation, index, place)))
            del self.loops[index]

    def _added(self, statement: EquationKernel, target: str, where: str) -> Iterator[str]:
        """A sum whose terms say where they go: `np.add.at` adds up what repeats, `_add_rows` whole rows."""
        equation, places = statement.equation, statement.places
        others = tuple(i for i in self.plain(equation) if i not in places)
        factors = sympy.Mul.make_args(equation.body)
        whole = [g for g in factors if isinstance(g, Guard) and free_indices(g) <= self.loops.keys()]
        reduced = self._in_memory(equation)
        spelling = self.spelling(reduced + others, equation.extents, where)
        lazy = any(isinstance(f, Guard) and f not in whole for f in factors)
        spelling.guarded += lazy  # what a guard excludes may be out of range
        positions, inside = {}, []
        for index, place in places.items():
            position = spelling.integer(place)
            if not self._stated(place, equation.extents[index]) and within(
                place, equation.extents[index], spelling.extents
            ):
                position, met = spelling._clipped(position, equation.extents[index])
                inside.append(met)
            positions[index] = position
        spelling.guarded += bool(inside)
        value = spelling.cast(spelling.write(sympy.Mul(*[f for f in factors if f not in whole])))
        spelling.guarded -= bool(inside) + lazy
        if inside:
            value = spelling.choose(spelling._all(inside), value, spelling.number("0"))
        self.helpers |= spelling.helpers
        plain = self.plain(equation)
        leading = plain[: len(places)]
        axes = reduced
        if set(leading) != set(places) or any(set(p.axes) - set(axes) for p in positions.values()):
            leading, axes = plain, reduced + others
        rows = [positions[i] if i in positions else spelling.arange(i) for i in leading]
        full = {i for row in rows for i in row.axes} == set(axes)
        lifted = [spelling.lift(row, axes) for row in rows]
        if not full:
            lifted[0] = spelling.spread(rows[0], axes)
        at = ", ".join(v.text for v in lifted)
        value = spelling.spread(value, reduced + others)
        rows_apart = len(lifted) == 1 and bool(others) and axes == reduced and self._in_rows(equation)
        if rows_apart and not whole:
            target = f"{target}[{self.part(equation)}]"
        elif equation.target in self.out or plain != equation.indices:
            target = f"{target}[{self.part(equation)}]"
            yield f"{target} = 0"
        else:
            kind = "np.int64" if equation.target in self.integers else "DTYPE"
            yield f"{target} = np.zeros({self.shape(equation.shape)}, {kind})"
        target = target.removesuffix("[...]")
        indent = ""
        if whole:
            yield f"if {spelling._all([spelling.condition(g) for g in sorted(whole, key=guard_rank)]).text}:"
            indent = "    "
        yield from (indent + line for line in spelling.prelude)
        if rows_apart:
            yield from (indent + line for line in self._rows_added(equation, target, at, value, reduced))
        else:
            yield f"{indent}np.add.at({target}, {f'({at})' if len(lifted) > 1 else at}, {value.text})"

    def _rows_added(
        self, equation: Equation, target: str, at: str, value: Written, reduced: tuple[Index, ...]
    ) -> Iterator[str]:
        """Whole rows added up by `_add_rows`, with room to sort them in."""
        self.helpers.add("_add_rows")
        count = self.extent(sympy.Mul(*[equation.extents[i] for i in reduced]))
        order, ordered = self.names.free("order"), self.names.free("ordered")
        yield f"{order} = np.empty({count}, np.int64)"
        yield f"{ordered} = np.empty({self.shape([equation.extents[i] for i in value.axes])}, DTYPE)"
        yield f"_add_rows({target}, {at}, {value.text}, np.arange({count}), {order}, {ordered})"

    def _in_rows(self, equation: Equation) -> bool:
        """Whether the part of a target that is filled at this step is one piece of memory, of reals."""
        fixed = [i in self.loops for i in equation.indices]
        return fixed == sorted(fixed, reverse=True) and equation.target not in self.integers

    @staticmethod
    def _in_memory(equation: Equation) -> tuple[Index, ...]:
        """The indices of a sum in the order in which the first array with all of them has them."""
        for access in accesses(equation.body):
            found = tuple(dict.fromkeys(s for s in access.subscripts if s in equation.reduced))
            if len(found) == len(equation.reduced) and not isinstance(access, IntegerAccess):
                return found
        return equation.reduced

    def _stated(self, place: Expr, extent: Expr) -> bool:
        """Whether the place is an integer tensor whose values are declared to be below the extent."""
        fact = self.tensors[place.name].fact("below") if isinstance(place, IntegerAccess) else None
        return place.outside is None and fact is not None and fact.bound == extent if fact else False

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
        written = self._einsum(equation, factors) or self._dot(spelling, equation, factors)
        if written is None:
            body = sympy.Mul(*factors)
            spelling.name_repeated(body)
            exact = equation.target in self.integers
            value = spelling.integer(body) if exact else spelling.write(body)
            written = self.reduced(spelling, value, equation, "sum")
        if scale == 1:
            return written
        spelling.known[_PART] = written
        return spelling.write(scale * _PART)

    def _dot(self, spelling: ArraySpelling, equation: Equation, factors: Sequence[Expr]) -> Written | None:
        """The sum of all products of two arrays, which nothing needs to hold."""
        body = sympy.Mul(*factors)
        if self.plain(equation) or equation.target in self.integers or body.atoms(Guard, IntegerAccess):
            return None
        base, power = body.as_base_exp()
        pair = [base, base] if power == 2 else list(sympy.Mul.make_args(body))
        values = [spelling.write(f) for f in pair]
        if len(pair) != 2 or any(v.axes != spelling.frame or v.kind != "real" for v in values):
            return None
        texts: dict[str, str] = {}
        for value in values:
            if value.binding < ATOM or "(" in value.text or "[" in value.text:
                name = texts.get(value.text) or spelling.fresh("u")
                if value.text not in texts:
                    spelling.prelude.append(f"{name} = {value.text}")
                texts[value.text] = name
        left, right = (texts.get(v.text, v.text) for v in values)
        return Written(f"np.vdot({left}, {right})", ATOM, (), "real")

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
            return self.reduced(spelling, value, equation, str(op))
        return self._argmax(spelling, value, equation)

    def _argmax(self, spelling: ArraySpelling, value: Written, equation: Equation) -> Written:
        plain = self.plain(equation)
        frame = plain + equation.reduced
        full = value if value.axes == frame else self._broadcast(spelling, value, frame, equation)
        assert equation.reduction is not None
        shape = [spelling.integer(equation.extents[i]).text for i in equation.reduced]
        lead = "".join(spelling.integer(equation.extents[i]).text + ", " for i in plain)
        if len(shape) == 1:
            text = f"{full.at_least(ATOM)}.argmax({len(plain)})"
        else:
            flat = f"{full.at_least(ATOM)}.reshape({lead}-1).argmax({len(plain)})"
            text = flat
            if equation.reduction.component != FLAT:
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
        shape = self.shape([equation.extents[i] for i in axes])
        if value.kind == "number":
            kind = "np.int64" if equation.target in self.integers else "DTYPE"
            return Written(f"np.full({shape}, {value.text}, {kind})", ATOM, axes)
        return Written(f"np.broadcast_to({spelling.lift(value, axes).text}, {shape})", ATOM, axes)

    def _stored(self, target: str, value: Written, equation: Equation, spelling: ArraySpelling) -> str:
        plain = self.plain(equation)
        if equation.target not in self.integers:
            value = spelling.cast(value)
        if equation.target in self.out or plain != equation.indices:
            return f"{target}[{self.part(equation)}] = {spelling.lift(value, plain).text}"
        if value.axes != plain:
            value = self._broadcast(spelling, value, plain, equation)
        elif value.kind == "number":
            value = Written(f"DTYPE({value.text})")
        elif equation.op is None and isinstance(equation.body, Access):
            value = Written(f"{value.at_least(ATOM)}.copy()" if value.axes else value.text, ATOM, value.axes)
        return f"{target} = {value.text}"


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PART = Access("(the sum)")  # stands for text already written; no tensor can have this name


def vector_order(equation: Equation, loops: Collection[Index] = ()) -> tuple[Index, ...]:
    """The axes of a body: those of the largest array read, if its plain indices stand as in the target."""
    own = tuple(i for i in equation.all_indices if i not in loops)
    if equation.op == "argmax":
        return own
    plain = tuple(i for i in equation.indices if i not in loops)
    for access in sorted(equation.reads, key=lambda a: (-len(a.subscripts), expression_text(a))):
        moving = [s for s in access.subscripts if not free_indices(s) <= set(loops)]
        if len(set(moving)) == len(moving) and set(moving) == set(own):
            if tuple(i for i in moving if i in plain) == plain:
                return tuple(moving)
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
