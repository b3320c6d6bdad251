"""Bodies as vectorised NumPy expressions: every value is an array whose axes carry indices.

Enters: bodies, and the frame (the order of indices). Leaves: code such as `e / s[:, None]`.
Must not know: kernels, the module around the code.

A value keeps the fewest axes it can; it is lifted (`[:, None]`) only where it meets one with more. A read
that isn't plain becomes fancy indexing; under a guard its positions are clipped, since NumPy evaluates both
branches of a choice. A condition without axes is decided by Python and evaluates one branch only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.codegen import infer
from symbp.codegen.expressions import ATOM, level_of
from symbp.codegen.spelling.bodies import Spelling
from symbp.codegen.spelling.terms import repeated_parts
from symbp.codegen.spelling.written import DTYPES, ZERO, Kind, Written
from symbp.codegen.tree import Assign, Call, Expression, Name, NewAxis, Node, Rest, Slice
from symbp.ir.bounds import never_negative, within
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, free_indices
from symbp.ir.functions import numpy_names
from symbp.lower.program import plain_subscripts
from symbp.targets.numpy.kernels.views import shifted, view

FUNCTIONS = numpy_names()
OF_SIZES = {"sqrt": "math.sqrt", "log": "math.log"}
DTYPE = infer.word("DTYPE")
INT64 = infer.word("np.int64")


class ArraySpelling(Spelling):
    """Spells values over a frame; `prelude` collects statements that must come first."""

    target = "NumPy"
    functions = FUNCTIONS

    def __init__(
        self,
        frame: Sequence[Index],
        extents: Mapping[Index, Expr],
        shapes: Mapping[str, tuple[Expr, ...]],
        names: Mapping[str, str],
        where: str = "",
        loops: Mapping[Index, Expression] | None = None,
    ) -> None:
        super().__init__(where)
        self.frame, self.loops = tuple(frame), dict(loops or {})
        self.extents, self.shapes, self.names = extents, shapes, names
        self.prelude: list[Assign] = []
        self.hoisted: list[Assign] | None = None
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
            return Written(infer.elementwise(OF_SIZES[name], value.node, dtype="number"), kind="number")
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
        marks: list[Node] = [Slice() if i in value.axes else NewAxis() for i in axes[first:]]
        while len(marks) > 2 and marks[:2] == [Slice(), Slice()]:  # `[..., None]` for leading axes
            marks = [Rest(), *marks[2:]] if marks[2] == NewAxis() else marks[1:]
        return Written(infer.subscript(value.node, *marks), axes[first:], value.kind)

    def arange(self, index: Index, *, real: bool = False) -> Written:
        extent = self.integer(self.extents[index]).node
        more = {"dtype": DTYPE} if real else {}
        kind: Kind = "real" if real else "integer"
        shape = (self.extents[index],)
        node = infer.call("np.arange", extent, shape=shape, dtype=DTYPES[kind], more=more)
        return Written(node, (index,), kind)

    def index(self, e: Index) -> Written:
        return Written(self.loops[e], kind="number") if e in self.loops else self.arange(e)

    def index_value(self, e: Index) -> Written:
        return self.index(e) if e in self.loops else self.arange(e, real=True)

    # --- reads
    def access(self, e: Access) -> Written:
        if e.name in self.inlined:
            indices, body = self.inlined[e.name]
            return self.write(body.xreplace(dict(zip(indices, e.subscripts, strict=True))))
        if e.name in self.products:
            product = self.products[e.name]
            return self._transposed(Written(product.node, e.subscripts))
        kind: Kind = "integer" if isinstance(e, IntegerAccess) else "real"
        name = self.array(e.name, kind)
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

    def array(self, name: str, kind: Kind = "real") -> Name:
        """The array of a tensor."""
        return infer.name(self.names.get(name, name), self.shapes.get(name, ()), DTYPES[kind])

    def shape(self, axes: Sequence[Index]) -> tuple[Expr, ...]:
        """The extents of axes."""
        return tuple(self.extents[i] for i in axes)

    def _transposed(self, value: Written) -> Written:
        axes = tuple(i for i in self.frame if i in value.axes)
        if axes == value.axes:
            return value
        shape, dtype = self.shape(axes), value.node.dtype
        if len(axes) == 2:
            self.helpers.add("_transposed")
            node = infer.call("_transposed", value.node, shape=shape, dtype=dtype)
            return Written(node, axes, value.kind)
        order = [infer.number(value.axes.index(i)) for i in axes]
        node = infer.call(".transpose", value.node, *order, shape=shape, dtype=dtype)
        return Written(node, axes, value.kind)

    def sliced(self, e: Access, name: Name, kind: Kind = "real") -> tuple[Written, list[Expr]] | None:
        """A read by basic indexing, each subscript a distinct index or a number: the view, its axes as they
        stand, and the guards that keep the numbers in range. None if the read is not of this kind."""
        parts: list[Node] = []
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
                position = self.integer(subscript).node
                clip = bool(guards) and self.guarded and e.outside is None
                last = self.integer(extent - 1).node
                if clip:
                    position = infer.elementwise("max", position, infer.number(0), dtype="number")
                    position = infer.elementwise("min", position, last, dtype="number")
                parts.append(position)
            else:
                return None
        return Written(part_of(name, parts, self.shape(kept)), tuple(kept), kind), leaving

    def _span(self, index: Index, extent: Expr) -> Slice | None:
        """The slice of an axis that an index runs over; None if it may run past its end."""
        if self._covers(index, extent):
            return Slice()
        own = self.extents[index]
        return Slice(stop=self.integer(own).node) if never_negative(extent - own, {}) else None

    def _gathered(self, e: Access, name: Name, kind: Kind) -> Written:
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

    def _taken(self, e: Access, name: Name, kind: Kind, positions: list[Written]) -> Written:
        """The elements at some positions; one array of positions among slices keeps its place."""
        axes = [p.axes for p in positions]
        spans = [
            self._span(s, n) if isinstance(s, Index) and s not in self.loops else None
            for s, n in zip(e.subscripts, self.shapes[e.name], strict=True)
        ]
        arrays = [k for k, p in enumerate(positions) if p.axes and spans[k] is None]
        flat = tuple(i for own in axes for i in own)
        if len(arrays) == 1 and len(set(flat)) == len(flat):
            parts = [spans[k] or p.node for k, p in enumerate(positions)]
            scalars = [k for k, p in enumerate(positions) if not p.axes]
            if not scalars or len(positions) == 1 + len(scalars):
                return self._transposed(Written(part_of(name, parts, self.shape(flat)), flat, kind))
        values, common = self.together(positions)
        return Written(infer.sliced(name, [v.node for v in values], self.shape(common)), common, kind)

    def _covers(self, index: Index, extent: Expr) -> bool:
        return bool(sympy.expand(self.extents[index] - extent) == 0)

    def _clipped(self, position: Written, extent: Expr) -> tuple[Written, Written]:
        """The position brought into range, and the condition that it was."""
        if not is_plain(position.node):
            position = self.named("at", position, "integer")
        at, zero = position.node, infer.number(0)
        size, last = self.integer(extent).node, self.integer(extent - 1).node
        inside = infer.binary("&", infer.binary("<=", zero, at), infer.binary("<", at, size))
        clipped = infer.elementwise("np.clip", at, zero, last, dtype="integer")
        return Written(clipped, position.axes, "integer"), Written(inside, position.axes, "bool")

    def named(self, stem: str, value: Written, kind: Kind) -> Written:
        """A value under a local name, which it gets first."""
        name = infer.name(self.fresh(stem), value.node.shape, DTYPES[kind])
        self.prelude.append(Assign(name, value.node))
        return Written(name, value.axes, kind)

    # --- choices
    def both(self, conditions: Sequence[Written]) -> Written:
        values, axes = self.together(conditions)
        return Written(infer.joined("&", [v.node for v in values]), axes, "bool")

    def choose(self, condition: Written, yes: Written, no: Written) -> Written:
        plain = yes.kind == "number" and no.kind == "number"
        a, b = (v if v.kind == "number" else self.cast(v) for v in (yes, no))
        if not condition.axes:
            axes = tuple(i for i in self.frame if i in yes.axes or i in no.axes)
            kind: Kind = "number" if plain else "real"
            if not plain:
                a, b = self.spread(a, axes), self.spread(b, axes)
            return Written(infer.choice(a.node, condition.node, b.node), axes, kind)
        (test, a, b), axes = self.together([condition, a, b])
        if plain:
            return Written(infer.where(test.node, in_dtype(a.node), in_dtype(b.node)), axes)
        self.helpers.add("_where")
        return Written(infer.elementwise("_where", test.node, a.node, b.node), axes)

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
            return Written(infer.elementwise(words, a.node, b.node), axes) if axes else None
        value = high if low == 0 else low if high == 0 else None
        if value is None or (yes, no) != ((value, -value) if low == 0 else (-value, value)):
            return None
        inner = self.write(value)
        return Written(infer.elementwise("np.abs", inner.node), inner.axes) if inner.axes else None

    def choose_integer(self, condition: Written, value: Written, other: Written = ZERO) -> Written:
        (test, a, b), axes = self.together([condition, value, other])
        if not condition.axes:
            return Written(infer.choice(a.node, test.node, b.node), axes, "integer")
        return Written(infer.where(test.node, a.node, b.node), axes, "integer")

    def spread(self, value: Written, axes: tuple[Index, ...]) -> Written:
        """The value with all of these axes at their full extents."""
        if value.axes == axes:
            return Written(in_dtype(value.node)) if value.kind == "number" else value
        extents = self.shape(axes)
        shape = infer.tuple_of(*(self.integer(e).node for e in extents))
        if value.node == ZERO.node:
            return Written(infer.call("np.zeros", shape, DTYPE, shape=extents), axes)
        if not value.axes:
            return Written(infer.call("np.full", shape, value.node, DTYPE, shape=extents), axes)
        return Written(infer.call("np.broadcast_to", self.lift(value, axes).node, shape, shape=extents), axes)

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
            return Written(in_dtype(value.node))
        node = infer.call(".astype", value.node, DTYPE, shape=value.node.shape)
        return Written(node, value.axes)

    def infinity(self, negative: bool) -> Written:
        return Written(infer.infinity(negative), kind="number")

    def integer_power(self, value: Written, times: int) -> Written:
        if times == 2:
            return Written(infer.elementwise("np.square", value.node), value.axes)
        return super().integer_power(value, times)

    # --- whole bodies
    def name_repeated(self, body: Expr) -> None:
        """Gives names to subexpressions that occur more than once."""
        for part in repeated_parts(body, self._worth_a_name):
            written = self.write(part)
            self.known[part] = self.named("u", written, written.kind)

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


def in_dtype(value: Expression) -> Call:
    """A number as one of the module's reals: `DTYPE(2)`."""
    return infer.elementwise("DTYPE", value)


def part_of(array: Expression, items: Sequence[Node], shape: Sequence[Expr]) -> Expression:
    """`array[items]` without what keeps all of the last axes."""
    kept = list(items)
    while kept and kept[-1] == Slice():
        kept.pop()
    return infer.sliced(array, kept, shape) if kept else array


def is_plain(node: Expression) -> bool:
    """Whether an expression is a name or a part of an array, and calls nothing."""
    return level_of(node) == ATOM and not node.calls()


def _of_sizes(e: Expr) -> bool:
    """Whether an expression has sizes and numbers only, and is at least 1 whatever the sizes."""
    return e.free_symbols != set() and not e.atoms(Access, Index, Guard) and never_negative(e - 1, {})
