"""Bodies as scalar expressions of one element, inside explicit loops (the Numba target).

Enters: bodies, and the names of the loops. Leaves: code such as `e[n, k] / s[n]`.
Must not know: kernels, the module around the code.

Numba computes float32 with a Python number in float64; so numbers are written `F32(2)` beside float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.bodies import Spelling
from symbp.codegen.spelling.terms import repeated_parts
from symbp.codegen.spelling.written import DTYPES, ZERO, Kind, Written
from symbp.codegen.tree import Assign, Attribute, Between, Constant, Expression, Unary
from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, IntegerAccess, Mod, Size
from symbp.ir.functions import ELEMENTARY, numpy_names
from symbp.lower.program import plain_subscripts

IN_MATH = {f.name: f"math.{f.math}" for f in ELEMENTARY.values() if f.math}
VECTORISED = ("exp", "expm1", "log", "log1p", "tanh")  # helpers that compilers make vector instructions of
FUNCTIONS = numpy_names() | IN_MATH | {name: f"_{name}" for name in VECTORISED}


class ElementSpelling(Spelling):
    """Spells one element; `loops` renames the equation's indices to the loops around, `registers` says
    which scalars live in a local variable, `points` which are arrays without an axis, `axes` which axes a
    tensor has in memory where that is not all of them (none: it is a variable)."""

    target = "Numba"
    functions = FUNCTIONS

    def __init__(
        self,
        loops: Mapping[Index, str],
        shapes: Mapping[str, tuple[Expr, ...]],
        names: Mapping[str, str],
        real: str = "",
        where: str = "",
        extents: Mapping[Index, Expr] | None = None,
    ) -> None:
        super().__init__(where)
        self.loops, self.shapes, self.names, self.real_type = loops, shapes, names, real
        self.extents = extents or {}
        self.prelude: list[Assign] = []
        self.scalars: set[str] = set()
        self.locals: frozenset[str] = frozenset()
        self.points: frozenset[str] = frozenset()
        self.axes: Mapping[str, tuple[int, ...]] = {}

    def together(self, values: Sequence[Written]) -> tuple[list[Written], tuple[Index, ...]]:
        return list(values), ()

    def index(self, e: Index) -> Written:
        return Written(infer.integer(self.loops[e]), kind="integer")

    def index_value(self, e: Index) -> Written:
        return Written(self._cast(self.index(e).node, "float"))

    def _cast(self, value: Expression, otherwise: str = "") -> Expression:
        """A number as one of the module's type, where that is not Python's own."""
        kind = self.real_type or otherwise
        return infer.elementwise(kind, value) if kind else value

    def access(self, e: Access) -> Written:
        name = self.names.get(e.name, e.name)
        if e.name in self.scalars:
            return Written(self._cast(infer.name(name)))
        if e.name in self.locals:
            return Written(infer.name(name))
        kind: Kind = "integer" if isinstance(e, IntegerAccess) else "real"
        positions = [self.integer(s) for s in e.subscripts]
        bounds = list(zip(e.subscripts, self.shapes[e.name], positions, strict=True))
        if e.outside is not None and any(0 in within(s, n, self.extents) for s, n, _ in bounds):
            return self.write(e.outside)
        if e.name in self.axes:
            positions = [positions[k] for k in self.axes[e.name]]
        alone = infer.tuple_of() if e.name in self.points else infer.number(0)
        array = infer.name(name, self.shapes[e.name], DTYPES[kind])
        value = Written(infer.sliced(array, [p.node for p in positions] or [alone], ()), (), kind)
        if self.axes.get(e.name) == ():
            value = Written(infer.name(name, (), DTYPES[kind]), (), kind)
        if e.outside is None:
            return value
        inside = [c for s, extent, p in bounds for c in self._inside(s, extent, p)]
        if inside and kind == "integer":  # may be a position, so it stays one
            return self.choose_integer(self.both(inside), value, self.integer(e.outside))
        return self.choose(self.both(inside), value, self.write(e.outside)) if inside else value

    def _inside(self, subscript: Expr, extent: Expr, position: Written) -> list[Written]:
        """What keeps a position in range, as far as it isn't certain."""
        guards = within(subscript, extent, self.extents)
        if len(guards) < 2:
            return [self.condition(guard) for guard in guards]
        node = Between((), "boolean", infer.number(0), position.node, self.integer(extent).node)
        return [Written(node, (), "bool")]

    def both(self, conditions: Sequence[Written]) -> Written:
        if len(conditions) == 1:
            return conditions[0]
        op = "&" if self.eager else "and"
        return Written(infer.joined(op, [c.node for c in conditions]), (), "bool")

    def evaluable(self, *bodies: Expr) -> bool:
        """Sums and products of reads that are certain to be in range: a choice between such costs less than
        a branch. What a choice reads for its condition anyway needs no such care."""
        reads = [a for body in bodies for a in body.atoms(Access)]
        cheap = (Access, Guard, Index, Size, FloorDiv, Mod)
        known = {a for body in bodies if isinstance(body, Guard) for a in body.atoms(Access)}
        plain = all(_is_cheap(body, cheap) for body in bodies)
        return plain and not set(reads) <= known and all(self._certain(a) for a in reads)

    def _certain(self, access: Access) -> bool:
        """Whether a read is in range wherever its equation is."""
        positions = zip(access.subscripts, self.shapes[access.name], strict=True)
        return (
            bool(self.extents)
            and access.outside is None
            and not any(within(s, n, self.extents) for s, n in positions)
        )

    def choose(self, condition: Written, yes: Written, no: Written) -> Written:
        a, b = self.real(yes), self.real(no)
        if self.eager:
            self.helpers.add("_either")
            return Written(infer.elementwise("_either", condition.node, a.node, b.node))
        return Written(infer.choice(a.node, condition.node, b.node))

    def choose_integer(self, condition: Written, value: Written, other: Written = ZERO) -> Written:
        return Written(infer.choice(value.node, condition.node, other.node), (), "integer")

    def real(self, value: Written) -> Written:
        if value.kind == "bool":
            return Written(infer.choice(self.one(1), value.node, self.one(0)))
        if value.kind == "number" and not self.real_type:
            if _is_float(value.node):
                return value
            whole = isinstance(value.node, Constant)
            return self.number(f"{value.text}.0") if whole else Written(self._cast(value.node, "float"))
        if value.kind == "number" or (value.kind == "integer" and self.real_type):
            return Written(self._cast(value.node))
        return value

    def one(self, value: int) -> Expression:
        """A whole number as an element."""
        number = infer.number(value) if self.real_type else infer.number(float(value))
        return self._cast(number)

    def infinity(self, negative: bool) -> Written:
        return Written(infer.infinity(negative), kind="number")

    def _added(self, terms: Sequence[tuple[bool, Written]], kind: Kind) -> Written:
        if kind == "real" and any(v.kind != "number" for _, v in terms):
            terms = [(sign, self._meets_real(v)) for sign, v in terms]
        return super()._added(terms, kind)

    def _over(self, over: list[Written], under: list[Written]) -> Written:
        if any(v.kind not in ("number",) for v in [*over, *under]):
            over, under = [self._meets_real(v) for v in over], [self._meets_real(v) for v in under]
        return super()._over(over, under)

    def _meets_real(self, value: Written) -> Written:
        """A number beside a real element keeps the element's precision."""
        if value.kind == "real" or not self.real_type:
            return value
        return Written(self._cast(value.node))

    def name_repeated(self, body: Expr, fresh: str = "u") -> None:
        """Gives names to subexpressions that occur more than once, and to powers' bases."""
        for part in repeated_parts(body, self._worth_a_name):
            value = self.write(part).node
            number = len(self.prelude) + 1
            while f"{fresh}{number}" in self.names.values():
                number += 100
            name = infer.name(f"{fresh}{number}")
            self.prelude.append(Assign(name, value))
            self.known[part] = Written(name)

    def _worth_a_name(self, e: Expr) -> bool:
        reads = e.atoms(Access)
        if not reads or any(not self._safe(access) for access in reads):
            return False
        return bool(
            e.is_Function or e.is_Add or (e.is_Pow and not e.exp.is_Integer) or isinstance(e, sympy.exp)
        )

    def _safe(self, access: Access) -> bool:
        """Whether a read may stand outside of the guards around it: it never leaves its range."""
        if plain_subscripts(access) is None:
            return False
        positions = zip(access.subscripts, self.shapes[access.name], strict=True)
        return not self.extents or not any(within(s, n, self.extents) for s, n in positions)


def size(extent: Expr) -> Expression:
    """A size as code."""
    return ElementSpelling({}, {}, {}).integer(extent).node


class ScalarSpelling(ElementSpelling):
    """Spells a number that is computed once, in double precision."""

    functions = FUNCTIONS | IN_MATH


def _is_cheap(e: Expr, leaves: tuple[type, ...]) -> bool:
    """Sums and products of reads, numbers, indices and guards."""
    if isinstance(e, leaves) or e.is_number:
        return True
    if e.is_Pow:
        return bool(e.exp.is_Integer and 0 < e.exp <= 4) and _is_cheap(e.base, leaves)
    return bool(e.is_Add or e.is_Mul) and all(_is_cheap(a, leaves) for a in e.args)


def _is_float(node: Expression) -> bool:
    """Whether a number is surely no integer: a decimal, infinity, or made of one."""
    if isinstance(node, Unary):
        return _is_float(node.operand)
    if isinstance(node, Constant):
        return not node.text.isdigit()
    return any(
        isinstance(n, Attribute) or (isinstance(n, Constant) and not n.text.isdigit()) for n in node.walk()
    )


__all__ = ["FUNCTIONS", "ElementSpelling", "ScalarSpelling"]
