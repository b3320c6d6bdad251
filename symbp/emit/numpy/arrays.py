"""Bodies as vectorised NumPy expressions: every value is an array whose axes carry indices.

Enters: bodies, and the frame (the order of indices). Leaves: text such as `e / s[:, None]`.
Must not know: kernels, the module around the text.

A value keeps the fewest axes it can; it is lifted (`[:, None]`) only where it meets one with more. A read
that isn't plain becomes fancy indexing; under a guard its positions are clipped, since NumPy evaluates both
branches of a choice. A condition without axes is decided by Python and evaluates one branch only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.emit.spelling import ADD, ATOM, CHOICE, COMPARE, OR, UNARY, ZERO, Kind, Spelling, Written
from symbp.emit.terms import repeated_parts
from symbp.emit.views import shifted, view
from symbp.ir.bounds import never_negative, within
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, free_indices
from symbp.ir.functions import numpy_names
from symbp.lower.program import plain_subscripts

FUNCTIONS = numpy_names()
OF_SIZES = {"sqrt": "math.sqrt", "log": "math.log"}


class ArraySpelling(Spelling):
    """Spells values over a frame; `prelude` collects lines that must come first."""

    target = "NumPy"
    functions = FUNCTIONS

    def __init__(
        self,
        frame: Sequence[Index],
        extents: Mapping[Index, Expr],
        shapes: Mapping[str, tuple[Expr, ...]],
        names: Mapping[str, str],
        where: str = "",
        loops: Mapping[Index, str] | None = None,
    ) -> None:
        super().__init__(where)
        self.frame, self.loops = tuple(frame), dict(loops or {})
        self.extents, self.shapes, self.names = extents, shapes, names
        self.prelude: list[str] = []
        self.hoisted: list[str] | None = None
        self.inlined: dict[str, tuple[tuple[Index, ...], Expr]] = {}
        self.products: dict[str, Written] = {}

    def fresh(self, stem: str) -> str:
        """A local name that no tensor has."""
        number = len(self.prelude) + len(self.hoisted or ()) + 1
        while f"{stem}{number}" in self.names.values():
            number += 100
        return f"{stem}{number}"

    def call(self, name: str, *arguments: Expr) -> Written:
        """A function of sizes alone is a plain number: NumPy's own would make float64 of what it meets."""
        if name in OF_SIZES and all(_of_sizes(a) for a in arguments):
            (value,) = map(self.write, arguments)
            return Written(f"{OF_SIZES[name]}({value.text})", ATOM, kind="number")
        return super().call(name, *arguments)

    def lazily(self, e: Expr) -> Written:
        before = list(self.prelude)
        value = self.write(e)
        if self.prelude == before:
            return value
        self.prelude[:] = before
        self.guarded += 1
        value = self.write(e)
        self.guarded -= 1
        return value

    # --- axes
    def together(self, values: Sequence[Written]) -> tuple[list[Written], tuple[Index, ...]]:
        met = {axis for value in values for axis in value.axes}
        axes = tuple(i for i in self.frame if i in met)
        return [self.lift(value, axes) for value in values], axes

    def lift(self, value: Written, axes: tuple[Index, ...]) -> Written:
        """The value with `None` axes so that it broadcasts against an array with these axes."""
        first = next((k for k, i in enumerate(axes) if i in value.axes), len(axes))
        if axes[first:] == value.axes:
            return value
        marks = [":" if i in value.axes else "None" for i in axes[first:]]
        while len(marks) > 2 and marks[:2] == [":", ":"]:  # `[..., None]` for leading axes
            marks = ["...", *marks[2:]] if marks[2] == "None" else marks[1:]
        inside = ", ".join(marks)
        return Written(f"{value.at_least(ATOM)}[{inside}]", ATOM, axes[first:], value.kind)

    def arange(self, index: Index, dtype: str = "") -> Written:
        extent = self.integer(self.extents[index]).text
        kind = f", dtype={dtype}" if dtype else ""
        return Written(f"np.arange({extent}{kind})", ATOM, (index,), "real" if dtype else "integer")

    def index(self, e: Index) -> Written:
        return Written(self.loops[e], kind="number") if e in self.loops else self.arange(e)

    def index_value(self, e: Index) -> Written:
        return self.index(e) if e in self.loops else self.arange(e, "DTYPE")

    # --- reads
    def access(self, e: Access) -> Written:
        if e.name in self.inlined:
            indices, body = self.inlined[e.name]
            return self.write(body.xreplace(dict(zip(indices, e.subscripts, strict=True))))
        if e.name in self.products:
            product = self.products[e.name]
            return self._transposed(Written(product.text, product.binding, e.subscripts))
        name = self.names.get(e.name, e.name)
        kind: Kind = "integer" if isinstance(e, IntegerAccess) else "real"
        if not e.subscripts:
            return Written(name, kind=kind)
        found = self.sliced(e, name, kind)
        if found is None:
            viewed = view(self, e, name, kind) or shifted(self, e, name, kind)
            return self._gathered(e, name, kind) if viewed is None else self._transposed(viewed)
        value, leaving = self._transposed(found[0]), found[1]
        if e.outside is None or not leaving:
            return value
        if 0 in leaving:
            return self.write(e.outside)
        conditions = [self.condition(guard) for guard in leaving]
        inside = self.both(conditions) if len(conditions) > 1 else conditions[0]
        return self._or_outside(inside, value, e.outside, kind)

    def _transposed(self, value: Written) -> Written:
        axes = tuple(i for i in self.frame if i in value.axes)
        if axes == value.axes:
            return value
        if len(axes) == 2:
            self.helpers.add("_transposed")
            return Written(f"_transposed({value.text})", ATOM, axes, value.kind)
        order = ", ".join(str(value.axes.index(i)) for i in axes)
        return Written(f"{value.at_least(ATOM)}.transpose({order})", ATOM, axes, value.kind)

    def sliced(self, e: Access, name: str, kind: Kind = "real") -> tuple[Written, list[Expr]] | None:
        """A read by basic indexing, each subscript a distinct index or a number: the view, its axes as they
        stand, and the guards that keep the numbers in range. None if the read is not of this kind."""
        parts: list[str] = []
        kept: list[Index] = []
        leaving: list[Expr] = []
        for subscript, extent in zip(e.subscripts, self.shapes[e.name], strict=True):
            if isinstance(subscript, Index) and subscript not in self.loops:
                span = self._span(subscript, extent)
                if span is None or subscript in kept:
                    return None
                parts.append(span)
                kept.append(subscript)
            elif free_indices(subscript) <= self.loops.keys() and not subscript.atoms(Access):
                guards = within(subscript, extent, self.extents)
                leaving += guards
                position = self.integer(subscript).text
                clip = bool(guards) and self.guarded and e.outside is None
                last = self.integer(extent - 1).text
                parts.append(f"min(max({position}, 0), {last})" if clip else position)
            else:
                return None
        while parts and parts[-1] == ":":
            parts.pop()
        text = f"{name}[{', '.join(parts)}]" if parts else name
        return Written(text, ATOM, tuple(kept), kind), leaving

    def _span(self, index: Index, extent: Expr) -> str | None:
        """The slice of an axis that an index runs over; None if it may run past its end."""
        if self._covers(index, extent):
            return ":"
        own = self.extents[index]
        return f":{self.integer(own).text}" if never_negative(extent - own, {}) else None

    def _gathered(self, e: Access, name: str, kind: Kind) -> Written:
        shape = self.shapes[e.name]
        inside: list[Written] = []
        positions: list[Written] = []
        for subscript, extent in zip(e.subscripts, shape, strict=True):
            position = self.integer(subscript)
            safe = not within(subscript, extent, self.extents)
            if not safe and (e.outside is not None or self.guarded):
                position, met = self._clipped(position, extent)
                inside.append(met)
            positions.append(position)
        value = self._taken(e, name, kind, positions)
        if e.outside is None or not inside:
            return value
        self.guarded += 1
        met = self.both(inside) if len(inside) > 1 else inside[0]
        chosen = self._or_outside(met, value, e.outside, kind)
        self.guarded -= 1
        return chosen

    def _or_outside(self, inside: Written, value: Written, outside: Expr, kind: Kind) -> Written:
        """What is read, or what stands outside; an integer stays one, as it may be a position."""
        if kind == "integer":
            return self.choose_integer(inside, value, self.integer(outside))
        return self.choose(inside, value, self.write(outside))

    def _taken(self, e: Access, name: str, kind: Kind, positions: list[Written]) -> Written:
        """The elements at some positions; one array of positions among slices keeps its place."""
        axes = [p.axes for p in positions]
        spans = [
            self._span(s, n) if isinstance(s, Index) and s not in self.loops else None
            for s, n in zip(e.subscripts, self.shapes[e.name], strict=True)
        ]
        arrays = [k for k, p in enumerate(positions) if p.axes and spans[k] is None]
        flat = tuple(i for own in axes for i in own)
        if len(arrays) == 1 and len(set(flat)) == len(flat):
            parts = [spans[k] or p.text for k, p in enumerate(positions)]
            scalars = [k for k, p in enumerate(positions) if not p.axes]
            if not scalars or len(positions) == 1 + len(scalars):
                while parts[-1] == ":":
                    parts.pop()
                return self._transposed(Written(f"{name}[{', '.join(parts)}]", ATOM, flat, kind))
        values, common = self.together(positions)
        return Written(f"{name}[{', '.join(v.text for v in values)}]", ATOM, common, kind)

    def _covers(self, index: Index, extent: Expr) -> bool:
        return bool(sympy.expand(self.extents[index] - extent) == 0)

    def _clipped(self, position: Written, extent: Expr) -> tuple[Written, Written]:
        """The position brought into range, and the condition that it was."""
        if position.binding < ATOM or "(" in position.text:
            name = self.fresh("at")
            self.prelude.append(f"{name} = {position.text}")
            position = Written(name, ATOM, position.axes, "integer")
        size = self.integer(extent)
        last = self.integer(extent - 1)
        within = f"(0 <= {position.text}) & ({position.text} < {size.at_least(ADD)})"
        clipped = Written(f"np.clip({position.text}, 0, {last.text})", ATOM, position.axes, "integer")
        return clipped, Written(within, ADD - 1, position.axes, "bool")

    # --- choices
    def both(self, conditions: Sequence[Written]) -> Written:
        values, axes = self.together(conditions)
        return Written(" & ".join(f"({v.text})" for v in values), COMPARE, axes, "bool")

    def choose(self, condition: Written, yes: Written, no: Written) -> Written:
        plain = yes.kind == "number" and no.kind == "number"
        a, b = (v if v.kind == "number" else self.cast(v) for v in (yes, no))
        if not condition.axes:
            axes = tuple(i for i in self.frame if i in yes.axes or i in no.axes)
            kind: Kind = "number" if plain else "real"
            if not plain:
                a, b = self.spread(a, axes), self.spread(b, axes)
            text = f"{a.at_least(OR)} if {condition.at_least(OR)} else {b.at_least(CHOICE)}"
            return Written(text, CHOICE, axes, kind)
        (test, a, b), axes = self.together([condition, a, b])
        branches = f"DTYPE({a.text}), DTYPE({b.text})" if plain else f"{a.text}, {b.text}"
        if plain:
            return Written(f"np.where({test.text}, {branches})", ATOM, axes)
        self.helpers.add("_where")
        return Written(f"_where({test.text}, {branches})", ATOM, axes)

    def extreme(self, guard: Guard, yes: Expr, no: Expr) -> Written | None:
        """`np.maximum(x, 0)` for `[x > 0]·x`; a NaN stays one."""
        low, high = guard.lhs, guard.rhs
        if guard.op not in ("<", "<=") or (low.is_integer and high.is_integer):
            return None
        if (yes, no) in ((high, low), (low, high)):
            words = "np.maximum" if yes == high else "np.minimum"
            (a, b), axes = self.together(
                [self.write(e) for e in ((high, low) if low.is_number else (low, high))]
            )
            return Written(f"{words}({a.text}, {b.text})", ATOM, axes) if axes else None
        value = high if low == 0 else low if high == 0 else None
        if value is None or (yes, no) != ((value, -value) if low == 0 else (-value, value)):
            return None
        inner = self.write(value)
        return Written(f"np.abs({inner.text})", ATOM, inner.axes) if inner.axes else None

    def choose_integer(self, condition: Written, value: Written, other: Written = ZERO) -> Written:
        (test, a, b), axes = self.together([condition, value, other])
        if not condition.axes:
            text = f"{a.at_least(OR)} if {test.at_least(OR)} else {b.at_least(OR)}"
            return Written(text, CHOICE, axes, "integer")
        return Written(f"np.where({test.text}, {a.text}, {b.text})", ATOM, axes, "integer")

    def spread(self, value: Written, axes: tuple[Index, ...]) -> Written:
        """The value with all of these axes at their full extents."""
        if value.axes == axes:
            return Written(f"DTYPE({value.text})", ATOM) if value.kind == "number" else value
        shape = ", ".join(self.integer(self.extents[i]).text for i in axes)
        shape = f"({shape}{',' if len(axes) == 1 else ''})"
        if value.text == "0":
            return Written(f"np.zeros({shape}, DTYPE)", ATOM, axes)
        if not value.axes:
            return Written(f"np.full({shape}, {value.text}, DTYPE)", ATOM, axes)
        return Written(f"np.broadcast_to({self.lift(value, axes).text}, {shape})", ATOM, axes)

    def real(self, value: Written) -> Written:
        # NumPy adds and multiplies booleans with reals as 0 and 1; alone they are made reals when stored.
        return value

    def _added(self, terms: Sequence[tuple[bool, Written]], kind: Kind) -> Written:
        if kind == "real" and not any(v.kind == "real" for _, v in terms):
            terms = [(sign, self.cast(v)) for sign, v in terms]
        elif kind == "real" and terms[0][1].kind == "bool" and (terms[0][0] or terms[1][1].kind == "bool"):
            # NumPy neither negates nor subtracts booleans, and the sum of two is whether one is true
            terms = [(terms[0][0], self.cast(terms[0][1])), *terms[1:]]
        return super()._added(terms, kind)

    def _over(self, over: list[Written], under: list[Written]) -> Written:
        if len(over) + len(under) > 1 and not any(v.kind == "real" for v in [*over, *under]):
            over, under = [self.cast(v) for v in over], [self.cast(v) for v in under]
        return super()._over(over, under)

    def cast(self, value: Written) -> Written:
        """A condition or integer as an array of the module's reals."""
        if value.kind in ("real", "number"):
            return value
        if not value.axes:
            return Written(f"DTYPE({value.text})", ATOM)
        return Written(f"{value.at_least(ATOM)}.astype(DTYPE)", ATOM, value.axes)

    def infinity(self, negative: bool) -> Written:
        return Written("-np.inf" if negative else "np.inf", UNARY if negative else ATOM, kind="number")

    def integer_power(self, value: Written, times: int) -> Written:
        if times == 2:
            return Written(f"np.square({value.text})", ATOM, value.axes)
        return super().integer_power(value, times)

    # --- whole bodies
    def name_repeated(self, body: Expr) -> None:
        """Gives names to subexpressions that occur more than once."""
        for part in repeated_parts(body, self._worth_a_name):
            written = self.write(part)
            name = self.fresh("u")
            self.prelude.append(f"{name} = {written.text}")
            self.known[part] = Written(name, ATOM, written.axes, written.kind)

    def _worth_a_name(self, e: Expr) -> bool:
        reads = e.atoms(Access)
        if not reads or any(not self._safe(access) for access in reads):
            return False
        return bool(
            e.is_Function or e.is_Add or (e.is_Pow and not e.exp.is_Integer) or isinstance(e, sympy.exp)
        )

    def _safe(self, access: Access) -> bool:
        """Whether a read may stand outside of the guards around it."""
        positions = zip(access.subscripts, self.shapes[access.name], strict=True)
        return plain_subscripts(access) is not None and all(
            isinstance(s, Index) and self._covers(s, extent) for s, extent in positions
        )


def _of_sizes(e: Expr) -> bool:
    """Whether an expression has sizes and numbers only, and is at least 1 whatever the sizes."""
    return e.free_symbols != set() and not e.atoms(Access, Index, Guard) and never_negative(e - 1, {})
