"""The atoms of a body: indices, sizes, tensor accesses and guards, as light SymPy expressions.

Enters: names and SymPy expressions. Leaves: expressions in which `sympy.diff` works once an access
has been replaced by a symbol (`partial`). Must not know: systems, shapes, or any op.

SymPy's own `Indexed`, `Eq` and `Piecewise` stay out: `Indexed` is three to four times slower, relations
evaluate themselves, and `Piecewise` wraps every sum. A guard is an Iverson bracket: 1 where its relation
holds and 0 elsewhere; as a factor it is lazy, so what it excludes is neither evaluated nor differentiated.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.symbol import Str

from symbp.ir.comparisons import canonical_relation, relation_holds

Expr = Any  # a SymPy expression; SymPy's own annotations are partial


@lru_cache(maxsize=4096)
def _symbol(cls: type[sympy.Symbol], name: str) -> Any:
    """An index, or a size, which is positive; the same object each time, so that comparing costs nothing."""
    assumed = {"positive": True} if issubclass(cls, Size) else {}
    return sympy.Symbol.__new__(cls, name, integer=True, **assumed)


class Index(sympy.Symbol):
    """A summation or plain index: an integer from 0 up to a range that its equation states."""

    def __new__(cls: Any, name: str) -> Index:
        return _symbol(cls, name)  # type: ignore[no-any-return]

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.name,), {}  # what a copy and a pickle are made from


class Size(sympy.Symbol):
    """The extent of an axis, a positive integer symbol such as `N`; its value is bound later, or never."""

    def __new__(cls: Any, name: str) -> Size:
        return _symbol(cls, name)  # type: ignore[no-any-return]

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.name,), {}


class Access(sympy.Expr):
    """A read of one element of a real tensor, `x[n, i]`; a scalar tensor is read as `x[]`.

    `outside` is the value of a read beyond the tensor's range (0 for padding, `h0[n, j]` for the first
    step of a recurrence); None means that such a read is an error.
    """

    is_commutative = True
    is_real = True
    is_finite = True

    name: str
    subscripts: tuple[Expr, ...]
    outside: Expr | None

    def __new__(cls: Any, name: str | Str, *subscripts: Expr, outside: Expr | None = None) -> Access:
        subs = tuple([s if isinstance(s, sympy.Basic) else sympy.sympify(s) for s in subscripts])
        if isinstance(name, Str) and type(name) is not Str:  # a label that is more than its name
            return _new_access(cls, name, subs, sympy.sympify(outside))
        return _access(cls, name.name if isinstance(name, Str) else name, subs, sympy.sympify(outside))

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.name, *self.subscripts), {"outside": self.outside}

    @property
    def func(self) -> Any:
        """Rebuilding from `args` (as `xreplace` does) must not fold the outside value into the subscripts."""
        cls = type(self)

        def rebuild(name: Str, subs: Any, *rest: Expr) -> Access:
            return cls(name, *subs, outside=rest[0] if rest else None)

        return rebuild

    def with_(self, *, name: str | None = None, outside: Expr | None = None) -> Access:
        """The same read of another tensor, or with another outside value."""
        return type(self)(
            self.name if name is None else name,
            *self.subscripts,
            outside=self.outside if outside is None else outside,
        )

    def _eval_derivative(self, symbol: Expr) -> Expr:  # noqa: ARG002
        return sympy.Integer(0)  # subscripts carry no derivative; outside values get theirs in the sweep

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}[{', '.join(printer._print(s) for s in self.subscripts)}]"


def _new_access(cls: type[Access], label: Str, subscripts: tuple[Expr, ...], outside: Expr | None) -> Access:
    rest = () if outside is None else (outside,)
    access = sympy.Expr.__new__(cls, label, sympy.Tuple(*subscripts), *rest)
    access.name = str(label.name)  # asked for more often than anything else: no property
    access.subscripts, access.outside = subscripts, outside
    return access  # type: ignore[no-any-return]


@lru_cache(maxsize=16384)
def _access(cls: type[Access], name: str, subscripts: tuple[Expr, ...], outside: Expr | None) -> Access:
    """A read; the same object each time, so that comparing is quick, and what is known of it is kept."""
    return _new_access(cls, Str(name), subscripts, outside)


class IntegerAccess(Access):
    """A read of an integer tensor (labels, tokens, an argmax); it may stand in a subscript."""

    is_integer = True


BINDING = 60  # of SymPy's scale: a sum or a product stands in parentheses beside `//`


class FloorDiv(sympy.Expr):
    """`a // b` on integers, b positive; lighter than `sympy.floor`, and never rewritten silently."""

    is_commutative = True
    is_integer = True

    def __new__(cls, a: Expr, b: Expr) -> Expr:
        a, b = sympy.sympify(a), sympy.sympify(b)
        if a.is_Integer and b.is_Integer:
            return sympy.Integer(int(a) // int(b))
        if b == 1:
            return a
        return sympy.Expr.__new__(cls, a, b)

    def _sympystr(self, printer: Any) -> str:
        top, below = (printer.parenthesize(e, BINDING) for e in self.args)
        return f"({top}//{below})"


class Mod(sympy.Expr):
    """`a % b` on integers, b positive, with a result from 0 to b − 1."""

    is_commutative = True
    is_integer = True

    def __new__(cls, a: Expr, b: Expr) -> Expr:
        a, b = sympy.sympify(a), sympy.sympify(b)
        if a.is_Integer and b.is_Integer:
            return sympy.Integer(int(a) % int(b))
        if b == 1:
            return sympy.Integer(0)
        return sympy.Expr.__new__(cls, a, b)

    def _sympystr(self, printer: Any) -> str:
        top, below = (printer.parenthesize(e, BINDING) for e in self.args)
        return f"({top}%{below})"


class JumpFunction(sympy.Function):
    """A real function that is constant but for jumps: its derivative is 0.

    It stands alone, as the whole body of an equation that is `constant`, so nothing is differentiated or
    compared through it.
    """

    is_real = True
    is_finite = True

    def fdiff(self, argindex: int = 1) -> Expr:  # noqa: ARG002
        return sympy.Integer(0)


class Floor(JumpFunction):
    """The largest integer that is not above a real value."""

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        return sympy.floor(u) if u.is_number else None


class FloorQuotient(JumpFunction):
    """⌊a/b⌋ of reals, where the quotient is not rounded before its floor is taken."""

    @classmethod
    def eval(cls, a: Expr, b: Expr) -> Expr | None:
        return sympy.floor(a / b) if a.is_number and b.is_number and b != 0 else None


class Round(JumpFunction):
    """The integer nearest to a real value, the even one of two that are equally near."""

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        return sympy.Integer(round(Fraction(int(u.p), int(u.q)))) if u.is_Rational else None


_COMPLEMENT = {"=": "!=", "!=": "=", "<": "<=", "<=": "<"}  # of "<" and "<=" with the sides exchanged


class Guard(sympy.Expr):
    """An Iverson bracket `[lhs op rhs]` with op one of `=`, `!=`, `<`, `<=`: 0 or 1, lazy as a factor.

    Relations between integers are canonical, so that `[i = j] − [j = i]` and `[t − 1 >= 0] − [1 <= t]`
    vanish: terms move to the side where their sign is positive and `a < b` becomes `a + 1 <= b`.
    """

    is_commutative = True
    is_real = True
    is_finite = True
    is_integer = True
    is_nonnegative = True

    op: str
    lhs: Expr
    rhs: Expr

    def __new__(cls: Any, op: str | Str, lhs: Expr, rhs: Expr) -> Expr:
        return _guard(cls, op.name if isinstance(op, Str) else op, sympy.sympify(lhs), sympy.sympify(rhs))

    def complement(self) -> Expr:
        """The bracket of the negated relation, `1 − [r]` in a form that stays lazy."""
        if self.op in ("=", "!="):
            return Guard(_COMPLEMENT[self.op], self.lhs, self.rhs)
        return Guard(_COMPLEMENT[self.op], self.rhs, self.lhs)

    def relation(self) -> Expr:
        """The relation as SymPy's, for conditions that a declaration joins."""
        return {"=": sympy.Eq, "!=": sympy.Ne, "<": sympy.Lt, "<=": sympy.Le}[self.op](self.lhs, self.rhs)

    def __and__(self, other: Expr) -> Expr:
        return sympy.And(self.relation(), other.relation() if isinstance(other, Guard) else other)

    def __or__(self, other: Expr) -> Expr:
        return sympy.Or(self.relation(), other.relation() if isinstance(other, Guard) else other)

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Expr:
        return self.complement()

    def _eval_power(self, exponent: Expr) -> Expr | None:
        return self if exponent.is_positive else None  # idempotent: 0 and 1 are their own powers

    def _eval_derivative(self, symbol: Expr) -> Expr:  # noqa: ARG002
        return sympy.Integer(0)

    def _sympystr(self, printer: Any) -> str:
        return f"[{printer._print(self.lhs)} {self.op} {printer._print(self.rhs)}]"


@lru_cache(maxsize=16384)
def _guard(cls: type[Guard], op: str, lhs: Expr, rhs: Expr) -> Expr:
    """The bracket of a relation, or the number that it always is; the same object each time."""
    if op in (">", ">="):
        op, lhs, rhs = ("<" if op == ">" else "<="), rhs, lhs
    if op not in _COMPLEMENT:
        raise ValueError(f"unknown relation {op!r}: use one of =, !=, <, <=, >, >=")
    if lhs.is_integer and rhs.is_integer:
        op, lhs, rhs = canonical_relation(op, lhs, rhs)
    elif op in ("=", "!=") and sympy.default_sort_key(rhs) < sympy.default_sort_key(lhs):
        lhs, rhs = rhs, lhs
    if lhs == rhs:
        return sympy.Integer(int(op in ("=", "<=")))
    if lhs.is_number and rhs.is_number and (holds := relation_holds(op, lhs, rhs)) is not None:
        return sympy.Integer(int(holds))
    guard = sympy.Expr.__new__(cls, Str(op), lhs, rhs)
    guard.op, guard.lhs, guard.rhs = str(op), lhs, rhs
    return guard


@lru_cache(maxsize=65536)
def parts_of(expr: Expr, kind: type) -> frozenset[Any]:
    """The subexpressions of one kind, as `atoms` finds them; parts are looked through once."""
    found = [parts for a in expr.args if (parts := parts_of(a, kind))]
    if isinstance(expr, kind):
        found.append(frozenset((expr,)))
    return found[0] if len(found) == 1 else frozenset().union(*found)


@lru_cache(maxsize=65536)
def accesses(expr: Expr) -> tuple[Access, ...]:
    """Every distinct access in `expr`, those inside subscripts and outside values too, in a stable order."""
    return tuple(sorted(parts_of(expr, Access), key=sympy.default_sort_key))


@lru_cache(maxsize=65536)
def value_accesses(expr: Expr) -> tuple[Access, ...]:
    """The real accesses that carry a derivative: not those inside subscripts or guards, and the outermost
    ones only (an outside value belongs to the access that holds it). In a stable order."""
    found: set[Access] = set()

    def walk(e: Expr) -> None:
        if isinstance(e, Access):
            if not isinstance(e, IntegerAccess):
                found.add(e)
        elif not isinstance(e, (Guard, FloorDiv, Mod)):
            for arg in e.args:
                walk(arg)

    walk(expr)
    return tuple(sorted(found, key=sympy.default_sort_key))


@lru_cache(maxsize=65536)
def nan_reads(guard: Guard, chosen: Expr) -> frozenset[Access]:
    """The reals that a condition compares and that stand in what it chooses, too: a NaN among them lets the
    condition pass. No comparison with NaN is true, but `[x > 0]·x²` of NaN is NaN, and not 0."""
    if guard.lhs.is_integer and guard.rhs.is_integer:
        return frozenset()
    return frozenset(value_accesses(chosen)).intersection(
        value_accesses(guard.lhs) + value_accesses(guard.rhs)
    )


@lru_cache(maxsize=65536)
def nan_guards(product: Expr) -> frozenset[Guard]:
    """The guards of a product that let a NaN pass, which another factor reads."""
    factors = sympy.Mul.make_args(product)
    return frozenset(
        g
        for g in factors
        if isinstance(g, Guard) and any(nan_reads(g, f) for f in factors if not isinstance(f, Guard))
    )


@lru_cache(maxsize=65536)
def _free(expr: Expr) -> frozenset[Any]:
    """The free symbols; a node may say itself which of its own are bound."""
    if expr.args and type(expr).free_symbols is sympy.Basic.free_symbols:
        return frozenset().union(*map(_free, expr.args))
    return frozenset(expr.free_symbols)


@lru_cache(maxsize=65536)
def free_indices(expr: Expr) -> frozenset[Index]:
    """The indices that occur anywhere in `expr`, subscripts included."""
    return frozenset(s for s in _free(expr) if isinstance(s, Index))


def free_sizes(expr: Expr) -> frozenset[Size]:
    """The sizes that occur anywhere in `expr`."""
    return frozenset(s for s in _free(expr) if isinstance(s, Size))


def rename(expr: Expr, names: Mapping[str, str]) -> Expr:
    """`expr` with tensors renamed, wherever they are read."""
    if not names:
        return expr
    return expr.replace(
        lambda e: isinstance(e, Access) and e.name in names, lambda e: e.with_(name=names[e.name])
    )


def product(factors: Iterable[Expr]) -> Expr:
    """The product of the factors, 1 if there are none."""
    return sympy.Mul(*factors)


def unused_index(index: Index, taken: Iterable[Index]) -> Index:
    """`j` → `j2`, `j3`, … until nothing has that name."""
    names = {i.name for i in taken}
    base, count = index.name.rstrip("0123456789") or index.name, 2
    while f"{base}{count}" in names:
        count += 1
    return Index(f"{base}{count}")


def unused_name(name: str, taken: Container[str]) -> str:
    """`h_row`, `h_row_`, …: the first that nothing has."""
    while name in taken:
        name += "_"
    return name


def guards_of(factors: Iterable[Expr]) -> list[Guard]:
    """The guards among factors, those that read nothing first: they say whether the others may be read."""
    guards = [f for f in factors if isinstance(f, Guard)]
    return sorted(guards, key=_number_of_reads) if len(guards) > 1 else guards


@lru_cache(maxsize=4096)
def _number_of_reads(e: Expr) -> int:
    return len(parts_of(e, Access))
