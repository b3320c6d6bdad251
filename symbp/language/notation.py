"""Index notation as users write it: indices, reductions inside formulas, conditions.

Enters: formulas over elements `x[n, i]`. Leaves: tensors, one equation for each reduction.
Must not know: ops by name, networks.
"""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sympy
from sympy.core.symbol import Str

from symbp.errors import DeclarationError
from symbp.ir.build import Brackets
from symbp.ir.expr import Access, Expr, Floor, FloorQuotient, Guard, Index, free_indices
from symbp.language.naming.allowed import check_name
from symbp.language.naming.frames import here
from symbp.language.node import Hint, node_of
from symbp.language.sizes import RangedIndex, as_size
from symbp.language.tensor import Condition, Operand, Scalar, Tensor, pointwise

CONSTANT = "constant"  # the operation of what is held constant in a formula

_RELATIONS = {
    sympy.StrictLessThan: "<",
    sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
    sympy.Equality: "=",
    sympy.Unequality: "!=",
}


def indices(names: str) -> tuple[Index, ...]:
    """`n, i, j = indices("n i j")`."""
    return tuple(Index(check_name(name, "an index")) for name in names.replace(",", " ").split())


def index(name: str, extent: Any = None) -> Index:
    """One index; with an extent, where no tensor's axis says how far it runs: `p = index("p", 3)`."""
    check_name(name, "an index")
    return Index(name) if extent is None else RangedIndex(name, as_size(extent))


class Reduced(sympy.Expr):  # type: ignore[misc]
    """A reduction inside a formula, `Sum(x[n, i], i)`, or what is held constant in it, over no index;
    `define` gives it an equation of its own."""

    is_commutative = True
    is_real = True

    def __new__(cls, op: str | Str, body: Expr, over: Any, guards: Any) -> Reduced:
        label = op if isinstance(op, Str) else Str(op)
        return sympy.Expr.__new__(cls, label, body, sympy.Tuple(*over), sympy.Tuple(*guards))  # type: ignore[no-any-return]

    @property
    def free_symbols(self) -> set[Expr]:
        """Without what is reduced over, which may be another's index: a sum may stand inside a sum."""
        return super().free_symbols - set(self.args[2])  # type: ignore[no-any-return]

    @property
    def free_indices(self) -> frozenset[Index]:
        """The indices that the reduction leaves."""
        inner = [free_indices(e) for e in (self.args[1], *self.args[3])]
        return frozenset().union(*inner) - frozenset(self.args[2])


def Sum(body: Operand, *over: Index, where: Any = ()) -> Expr:
    """The sum of an expression over indices, of the elements where the conditions hold."""
    return _reduced("sum", body, over, where)


def Prod(body: Operand, *over: Index, where: Any = ()) -> Expr:
    """The product of an expression over indices, of the elements where the conditions hold."""
    return _reduced("prod", body, over, where)


def Max(body: Operand, *over: Index, where: Any = ()) -> Expr:
    """The maximum of an expression over indices, of the elements where the conditions hold; −∞ if none."""
    return _reduced("max", body, over, where)


def _reduced(op: str, body: Operand, over: Sequence[Index], where: Any) -> Reduced:
    if not over or not all(isinstance(i, Index) for i in over):
        raise DeclarationError(
            "a reduction needs the indices that it runs over", where=here(), help="Sum(x[n, i], i)"
        )
    conditions = where if isinstance(where, (tuple, list)) else (where,)
    each, body = [_brackets(condition) for condition in conditions], _formula(body)
    if all(len(brackets.yes) == 1 for brackets in each):
        guards = [g for brackets in each for g in sympy.Mul.make_args(brackets.yes[0]) if g != 1]
        return Reduced(op, body, over, guards)
    brackets = functools.reduce(Brackets.both, each)
    left = {"sum": sympy.S.Zero, "prod": sympy.S.One, "max": -sympy.oo}[op]  # what changes nothing
    return Reduced(op, brackets.choose(body, left), over, ())


def stopped(body: Scalar, *operands: Operand, rule: str) -> Any:
    """`body` of the operands' elements, in an equation of its own through which nothing is differentiated."""
    found = pointwise(body, *operands, rule=rule, kept=True, constant=True, hint=Hint("c"))
    if isinstance(found, Tensor) or found.is_number:
        return found
    return Reduced(CONSTANT, found, (), ())


def stop_gradient(x: Operand) -> Any:
    """The value of x as a constant: no gradient flows through it, also none of second order.

    Of a tensor, or of elements in index notation. So a straight-through estimator is
    `x + bp.stop_gradient(bp.round(x) - x)`.
    """
    if isinstance(x, Tensor) and x.integer:
        return x
    return stopped(lambda e: e, x, rule="stop_gradient")


def _formula(body: Operand) -> Expr:
    """A formula in index notation; a scalar tensor stands for its element."""
    return pointwise(lambda e: e, body, rule="element") if not isinstance(body, Tensor) else _scalar(body)


def _scalar(tensor: Tensor) -> Expr:
    return tensor.at()


def equal(a: Operand, b: Operand) -> Any:
    """The condition a = b, of tensors or in index notation (Python's `==` compares objects, not values)."""
    return _relation("=", a, b)


def unequal(a: Operand, b: Operand) -> Any:
    """The condition a ≠ b, of tensors or in index notation."""
    return _relation("!=", a, b)


def _relation(op: str, a: Operand, b: Operand) -> Any:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return Condition(op, (a, b))
    return Guard(op, a, b)


def where(condition: Any, yes: Operand, no: Operand = 0) -> Any:
    """`yes` where the condition holds, else `no`; what is not taken is neither computed nor differentiated.

    The condition compares tensors (`x > 0`, broadcast) or elements in index notation (`i < j`), with &, |
    and ~ between; a tensor holds where it isn't 0. Either value may be −∞, which excludes an element from a
    softmax or a maximum.
    """
    yes, no = _infinite(yes), _infinite(no)
    if isinstance(condition, Tensor):
        condition = unequal(condition, 0)
    more = {"kept": True} if any(isinstance(e, sympy.Expr) and e.is_infinite for e in (yes, no)) else {}
    if isinstance(condition, Condition):
        count = len(condition.operands)

        def choose(*elements: Expr) -> Expr:
            return condition.brackets(elements[:count]).choose(*elements[count:])

        return pointwise(choose, *condition.operands, yes, no, rule="choice", **more)
    return pointwise(_brackets(condition).choose, yes, no, rule="choice", **more)


def _infinite(value: Operand) -> Operand:
    """±∞ as SymPy's: they may stand where they are chosen, but nowhere else in a declaration."""
    infinite = isinstance(value, numbers.Real) and not isinstance(value, sympy.Expr) and math.isinf(value)
    return (sympy.oo if value > 0 else -sympy.oo) if infinite else value


def _brackets(condition: Any) -> Brackets:
    """A condition in index notation as brackets; the empty tuple always holds."""
    if isinstance(condition, tuple) and not condition:
        return Brackets.of(sympy.S.One)
    if isinstance(condition, (sympy.And, sympy.Or)):
        parts = [_brackets(part) for part in sorted(condition.args, key=sympy.default_sort_key)]
        join = Brackets.both if isinstance(condition, sympy.And) else Brackets.either
        return functools.reduce(join, parts)
    if isinstance(condition, sympy.Not):
        return ~_brackets(condition.args[0])
    if isinstance(condition, sympy.Mul) and all(isinstance(f, Guard) for f in condition.args):
        return functools.reduce(Brackets.both, [Brackets.of(f) for f in condition.args])
    if isinstance(condition, (Guard, sympy.Integer)):  # a guard that is always or never true is 1 or 0
        return Brackets.of(condition)
    if isinstance(condition, (sympy.logic.boolalg.BooleanTrue, sympy.logic.boolalg.BooleanFalse)):
        return Brackets.of(sympy.Integer(int(bool(condition))))
    op = _RELATIONS.get(type(condition))
    if op is None:
        raise DeclarationError(
            f"{condition!r} is not a condition between elements or indices",
            where=here(),
            help="use <, <=, >, >=, bp.equal, bp.unequal (Python's == compares objects), and &, |, ~ of them",
        )
    return Brackets.of(Guard(op, condition.lhs, condition.rhs))


def checked_indices(name: str | None, plain: Index | Sequence[Index]) -> tuple[Index, ...]:
    """The indices of a left-hand side. Raises DeclarationError: no index, or one twice, or a bad name."""
    if name is not None:
        check_name(name)
    left = (plain,) if isinstance(plain, Index) else tuple(plain)
    for position, i in enumerate(left):
        if not isinstance(i, Index) or i in left[:position]:
            raise DeclarationError(
                f"the left-hand side {name}{list(left)} must list distinct indices",
                where=here(),
                help='n, i = bp.indices("n i"); put other subscripts on the right-hand side',
            )
    return left


def stated_ranges(left: Sequence[Index], ranges: Mapping[Index, Any] | None) -> dict[Index, Expr]:
    """How far indices run where their author says so, beside the left-hand side or in the index itself."""
    stated = {i: as_size(extent) for i, extent in (ranges or {}).items()}
    return stated | {i: i.extent for i in left if isinstance(i, RangedIndex)}


def formula(
    plain: Sequence[Index],
    body: Operand,
    *,
    rule: str,
    ranges: Mapping[Index, Expr] | None = None,
    may_end: Collection[Index] = (),
    **more: Any,
) -> Tensor:
    """A tensor from a formula in which reductions may stand anywhere: the way ops are written, too. Indices
    that `may_end` before the axes they read have ranges that an author stated for this; ops state theirs for
    sizes to agree."""
    body = _with_factors_inside(_with_steps(sympy.sympify(_formula(body))))
    if isinstance(body, Reduced) and not set(body.args[2]) & set(plain):
        body = _without_single(body, ranges or {})
    if isinstance(body, Reduced) and not set(body.args[2]) & set(plain):
        op, inner, over, guards = body.args
        inner, *guards = (_split(part, plain, ranges, may_end, rule) for part in (inner, *guards))
        return Tensor.defined(
            plain,
            inner,
            None if op.name == CONSTANT else op.name,
            tuple(over),
            where=guards,
            constant=op.name == CONSTANT,
            rule=rule,
            ranges=_within(ranges, plain, over),
            may_end=may_end,
            **more,
        )
    body = _split(body, plain, ranges, may_end, rule)
    return Tensor.defined(plain, body, rule=rule, ranges=_within(ranges, plain, ()), may_end=may_end, **more)


def _without_single(body: Reduced, ranges: Mapping[Index, Expr]) -> Expr:
    """The reduction without indices that run over one element: there they are 0."""
    op, inner, over, guards = body.args
    single = {i: sympy.S.Zero for i in over if ranges.get(i, getattr(i, "extent", None)) == 1}
    left = [i for i in over if i not in single]
    if not single or (guards and not left):
        return body
    inner, guards = inner.xreplace(single), [g.xreplace(single) for g in guards]
    return Reduced(op, inner, left, guards) if left else inner


def _with_factors_inside(body: Expr) -> Expr:
    """A sum times numbers and sizes as the sum of the scaled body, which is one equation and not two."""
    if not body.is_Mul:
        return body
    sums = [f for f in body.args if isinstance(f, Reduced) and f.args[0].name == "sum"]
    constants = [f for f in body.args if not f.has(Access, Index)]
    if len(sums) != 1 or len(constants) + 1 != len(body.args):
        return body
    op, inner, over, guards = sums[0].args
    return Reduced(op, sympy.Mul(inner, *constants), over, guards)


def _with_steps(body: Expr) -> Expr:
    """SymPy's floor, ceiling and Mod of reals as steps held constant; those of integers are subscripts."""
    if not body.has(sympy.floor, sympy.ceiling, sympy.Mod):
        return body

    def quotient(over: Expr, under: Expr) -> Expr:
        return Reduced(CONSTANT, Floor(over) if under == 1 else FloorQuotient(over, under), (), ())

    def floor(u: Expr) -> Expr:
        over, under = sympy.fraction(sympy.together(u))
        return sympy.floor(u) if over.is_integer and under.is_integer else quotient(over, under)

    def mod(a: Expr, b: Expr) -> Expr:
        return sympy.Mod(a, b) if a.is_integer and b.is_integer else a - b * quotient(a, b)

    body = body.replace(sympy.Mod, mod).replace(sympy.ceiling, lambda u: -sympy.floor(-u))
    return body.replace(sympy.floor, floor)


def _split(
    body: Expr,
    plain: Sequence[Index],
    ranges: Mapping[Index, Expr] | None,
    may_end: Collection[Index],
    rule: str,
) -> Expr:
    """The body with each reduction replaced by a read of a tensor that holds it. How far its indices run may
    be told beside it alone: `Sum(x[t, i]·W[i], i) + Sum(h[t − 1, i]·U[i], i)`."""
    found = sorted(_outermost(body), key=sympy.default_sort_key)
    told = _told(body) if found else {}
    replaced = {}
    for reduced in found:
        beside = {i: told[i] for i in told.keys() - _told(reduced).keys() if i in reduced.free_indices}
        replaced[reduced] = _own_equation(reduced, plain, beside | dict(ranges or {}), may_end, rule)
    return body.xreplace(replaced) if replaced else body


def _told(body: Expr) -> dict[Index, Expr]:
    """The extents that reads at plain subscripts tell, but of indices that are reduced over."""
    if isinstance(body, Access):
        shape = node_of(body).shape if body.outside is None else ()
        found = {i: e for i, e in zip(body.subscripts, shape, strict=False) if isinstance(i, Index)}
    else:
        found = {}
    for arg in body.args:
        found = _told(arg) | found
    over = body.args[2] if isinstance(body, Reduced) else ()
    return {i: extent for i, extent in found.items() if i not in over}


def _outermost(body: Expr) -> set[Reduced]:
    if isinstance(body, Reduced):
        return {body}
    return set().union(*[_outermost(arg) for arg in body.args]) if body.args else set()


def _own_equation(
    reduced: Reduced,
    plain: Sequence[Index],
    ranges: Mapping[Index, Expr] | None,
    may_end: Collection[Index],
    rule: str,
) -> Access:
    free = reduced.free_indices
    outer = [i for i in plain if i in free] + sorted(
        (i for i in free if i not in plain), key=lambda i: i.name
    )
    what = reduced.args[0].name
    letter = {"sum": "s", "prod": "q", "max": "m", CONSTANT: "c"}[what]
    tensor = formula(
        outer,
        reduced,
        ranges=ranges,
        may_end=may_end,
        rule=f"{what} in the {rule}",
        hint=Hint(letter),
        kept=True,
        lettered=rule == "definition",
    )
    return tensor.at(*outer)


def _within(
    ranges: Mapping[Index, Expr] | None, plain: Iterable[Index], over: Iterable[Index]
) -> Mapping[Index, Expr]:
    used = {*plain, *over}
    return {i: extent for i, extent in (ranges or {}).items() if i in used}
