"""Bodies of equations as expressions over whole arrays: arithmetic, functions, guards.

Enters: a SymPy expression and its frame. Leaves: a value. Must not know: statements, targets.

The general form serves every body: each index is an axis, a guard is a mask, and what a mask excludes is not
taken. Reads are in `reads`, sums in `sums`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays import reads, sums
from symbp.codegen.arrays.frame import Frame
from symbp.codegen.arrays.values import Value, elementwise, filled, joined
from symbp.codegen.tree import Expression
from symbp.errors import GenerationError
from symbp.ir.decimals import decimal
from symbp.ir.expr import (
    Access,
    Expr,
    FloorDiv,
    Guard,
    Index,
    IntegerAccess,
    Mod,
    Size,
    free_indices,
    guards_of,
    nan_guards,
    nan_reads,
)
from symbp.ir.functions import ELEMENTARY
from symbp.ir.printer import TEXT
from symbp.ir.relations import number_last, strict_relation
from symbp.read.display import Along, Reduced

HELPERS = ("sigmoid", "softplus", "erf", "erfc", "gamma", "loggamma")  # what NumPy lacks of the table
SHAPED = ("gelu", "gelu_slope", "gelu_tanh", "gelu_tanh_slope")  # what only pages name
FUNCTIONS = {
    **{f.name: f"np.{f.numpy}" for f in ELEMENTARY.values() if f.numpy},
    **{name: name for name in (*HELPERS, *SHAPED)},
    "relu": "np.maximum",
    "abs": "np.abs",
}
"""Elementwise functions, by the names of their classes: of NumPy, or helpers of a module's own."""
BESIDE = {"relu": (0,)}  # further arguments
POLYGAMMA = {0: "digamma", 1: "trigamma"}
CONSTANTS = {"pi": "np.pi", "E": "np.e", "oo": "np.inf", "-oo": "-np.inf"}
COMPARE = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def real(e: Expr, frame: Frame) -> Value:
    """The value of an expression of real numbers."""
    if isinstance(e, (IntegerAccess, Index, Size, FloorDiv, Mod)):
        return integer(e, frame)
    if isinstance(e, Access):
        return reads.read(e, frame, real)
    if isinstance(e, Reduced):
        return sums.reduction(e, frame)
    if isinstance(e, Along):
        return sums.along(e, frame)
    if e.is_Rational:
        return Value(_rational(e))
    if e.is_Add:
        return _sum(e, frame)
    if e.is_Mul or isinstance(e, Guard):
        return product(e, frame)
    if e.is_Pow and not isinstance(e, sympy.exp):
        return _power(e, frame)
    if e.is_Function:
        return _function(e, frame)
    if str(e) in CONSTANTS:
        return Value(infer.number(CONSTANTS[str(e)], "real"))
    if e.is_number:
        return Value(infer.number(float(e)))
    raise GenerationError(f"no array expression for {type(e).__name__}: {e}")


def _rational(e: Expr) -> Expression:
    text = decimal(e)
    if "/" not in text:
        return infer.number(text, "integer" if e.is_Integer else "real")
    return infer.binary("/", infer.number(int(e.p)), infer.number(int(e.q)))


def counted(value: Value) -> Value:
    """The value as a number where it is a truth value."""
    if value.node.dtype != "boolean":
        return value
    return Value(infer.binary("*", infer.number(1), value.node), value.axes)


def _sum(e: Expr, frame: Frame) -> Value:
    terms = sorted(e.args, key=lambda term: TEXT.term_key(term, frame.order))
    total: Value | None = None
    while terms:
        term = terms.pop(0)
        other = next((t for t in terms if _is_otherwise(term, t)), None)
        negative = other is None and bool(term.could_extract_minus_sign())
        if other is None:
            value = real(-term if negative else term, frame)
        else:
            terms.remove(other)
            value = _either(term, other, frame)
        if total is None:
            total = _negated(value) if negative else value
            continue
        if total.node.dtype == "boolean":
            total = counted(total)
        total = _binary("-" if negative else "+", total, value, frame)
    assert total is not None
    return total


def _split(term: Expr) -> tuple[list[Guard], Expr]:
    """The guards of a term, and the rest of it."""
    factors = sympy.Mul.make_args(term)
    guards = [f for f in factors if isinstance(f, Guard)]
    return guards, sympy.Mul(*(f for f in factors if not isinstance(f, Guard)))


def _is_otherwise(term: Expr, other: Expr) -> bool:
    """Whether two terms have one guard each and these exclude each other: one of both counts."""
    (mine, rest), (theirs, left) = _split(term), _split(other)
    if not len(mine) == len(theirs) == 1 or mine[0].complement() != theirs[0] or 1 in (rest, left):
        return False
    found, besides = nan_reads(mine[0], rest), nan_reads(mine[0], left)
    return found <= besides or besides <= found  # one of both is NaN wherever the other one would be


def _either(term: Expr, other: Expr, frame: Frame) -> Value:
    """One value where a guard holds, another one elsewhere; that of NaN is NaN."""
    (guards, then), (_, otherwise) = _split(term), _split(other)
    if not nan_reads(guards[0], then) <= nan_reads(guards[0], otherwise):
        return _either(other, term, frame)  # of NaN the second is taken
    mask = conjunction(guards, frame)
    scalar = not mask.axes and not guards[0].atoms(Access)
    elsewhere = Value(infer.unary("~", mask.node), mask.axes)
    frames = [
        frame.assuming([g]) if scalar else under(m, frame)
        for g, m in ((guards[0], mask), (guards[0].complement(), elsewhere))
    ]
    values = [counted(real(e, f)) for e, f in zip((then, otherwise), frames, strict=True)]
    if mask.axes or (not scalar and (frame.differentiated or any(v.axes for v in values))):
        return elementwise(infer.where, [mask, *values], frame.order)
    axes = joined([v.axes for v in values], frame.order)
    nodes = [filled(v, axes, frame.extents, lambda e: length(e, frame)) for v in values]
    return Value(infer.choice(nodes[0], mask.node, nodes[1]), axes)


def _negated(value: Value) -> Value:
    value = counted(value)
    return Value(infer.unary("-", value.node), value.axes)


def _binary(op: str, left: Value, right: Value, frame: Frame) -> Value:
    return elementwise(lambda a, b: infer.binary(op, a, b), [left, right], frame.order)


def product(e: Expr, frame: Frame) -> Value:
    """Numbers, then what is multiplied, over what it is divided by; where all guards hold, else 0."""
    factors = sympy.Mul.make_args(e)
    guards = [f for f in factors if isinstance(f, Guard)]
    rest = [f for f in factors if not isinstance(f, Guard)]
    if not guards:
        return quotient(rest, frame)
    mask = conjunction(guards, frame)
    if not rest:
        return mask
    if nan_guards(e):
        return _unless(e, frame)
    numbers = all(
        (f.is_number and f.is_finite) or isinstance(f, Size) or (f.is_Pow and not f.atoms(Access))
        for f in rest
    )
    if numbers and not any(f.free_symbols - f.atoms(Size) for f in rest):
        return quotient(rest, frame, mask)
    zero = Value(infer.number(0))
    if not mask.axes and not any(g.atoms(Access) for g in guards):
        taken = quotient(rest, frame.assuming(guards))
        otherwise = filled(zero, taken.axes, frame.extents, lambda e: length(e, frame))
        return Value(infer.choice(taken.node, mask.node, otherwise), taken.axes)
    taken = quotient(rest, under(mask, frame))
    return _chosen(mask, taken, zero, frame)


def _unless(e: Expr, frame: Frame) -> Value:
    """A product, but 0 where a guard fails: asked in this way, a NaN that is compared gets through."""
    guards, rest = _split(e)
    passed = [g for g in guards_of(guards) if g in nan_guards(e)]
    others = [g for g in guards if g not in passed]
    inside = frame.under_guard() if others else frame
    fails = reduce(lambda a, b: _binary("|", a, b, frame), [holds(g.complement(), inside) for g in passed])
    zero, value = Value(infer.number(0)), quotient([rest], under(conjunction(guards, frame), frame))
    value = _chosen(fails, zero, value, frame)
    return _chosen(conjunction(others, frame), value, zero, frame) if others else value


def _chosen(mask: Value, then: Value, otherwise: Value, frame: Frame) -> Value:
    if any(v.axes for v in (mask, then, otherwise)) or frame.differentiated:
        return elementwise(infer.where, [mask, then, otherwise], frame.order)
    return Value(infer.choice(then.node, mask.node, otherwise.node))


def quotient(factors: Sequence[Expr], frame: Frame, first: Value | None = None) -> Value:
    """The product of factors, those with a negative power below the line; `first` is one more above it."""
    coefficient, rest = sympy.Mul(*factors).as_coeff_Mul(rational=True)
    if coefficient.is_negative:
        return _negated(quotient([-coefficient, rest], frame, first))
    over: list[Expr] = []
    under_line: list[Expr] = []
    if coefficient != 1:
        if "/" in decimal(coefficient):
            under_line.append(sympy.Integer(coefficient.q))
            over += [] if coefficient.p == 1 else [sympy.Integer(coefficient.p)]
        else:
            over.append(coefficient)
    for factor in sympy.Mul.make_args(rest):
        base, exponent = factor.as_base_exp()
        if factor == 1:
            continue
        if exponent.is_number and exponent.is_negative and not factor.is_Function:
            under_line.append(base**-exponent)
        else:
            over.append(factor)
    if first is None:
        first = sums.mean(over, under_line, frame)
    above = [] if first is None else [counted(first) if over else first]
    above += [real(f, frame) for f in _ranked(over, frame)]
    below = [real(f, frame) for f in _ranked(under_line, frame)]
    top = _multiplied(above, frame) if above else Value(infer.number(1))
    if not below:
        return top
    divisor = _multiplied(below, frame)
    if any(f.atoms(Access) for f in under_line):
        divisor = harmless(divisor, frame)
    return _binary("/", top, divisor, frame)


def _ranked(factors: Sequence[Expr], frame: Frame) -> list[Expr]:
    return sorted(factors, key=lambda factor: TEXT.factor_key(factor, frame.order))


def _multiplied(values: Sequence[Value], frame: Frame) -> Value:
    first, *rest = values
    return reduce(lambda a, b: _binary("*", a, b, frame), rest, first)


def _power(e: Expr, frame: Frame) -> Value:
    base, exponent = e.as_base_exp()
    if exponent.is_number and exponent.is_negative:
        return quotient([e], frame)
    value = counted(real(base, frame))
    if base.atoms(Access) and not (exponent.is_Integer and exponent.is_positive):
        value = harmless(value, frame)
    if exponent == sympy.Rational(1, 2):
        return Value(infer.elementwise("np.sqrt", value.node), value.axes)
    raised = real(exponent, frame)
    if value.node.dtype == "integer" and not (exponent.is_Integer and exponent.is_positive):
        value = Value(infer.binary("*", infer.number(1.0), value.node), value.axes)
    return _binary("**", value, raised, frame)


def _function(e: Expr, frame: Frame) -> Value:
    name = type(e).__name__
    if name == "polygamma" and e.args[0] in POLYGAMMA:
        value = harmless(counted(real(e.args[1], frame)), frame)
        return Value(infer.elementwise(POLYGAMMA[e.args[0]], value.node), value.axes)
    arguments = [counted(real(argument, frame)) for argument in e.args]
    if name in HARMLESS and e.atoms(Access):
        arguments = [harmless(argument, frame, HARMLESS[name]) for argument in arguments]
    arguments += [Value(infer.number(number)) for number in BESIDE.get(name, ())]
    if name not in FUNCTIONS:
        raise GenerationError(
            f"no function of arrays is known for {name}", help="write it with SymPy's elementwise functions"
        )
    return elementwise(lambda *n: infer.elementwise(FUNCTIONS[name], *n), arguments, frame.order)


# --- guards
HARMLESS: dict[str, float] = {
    "exp": 0, "log": 1, "tan": 0, "asin": 0, "acos": 0, "sinh": 0, "cosh": 0, "acosh": 2, "atanh": 0,
    "atan2": 1, "loggamma": 1, "gamma": 1,
}  # fmt: skip
"""Where functions have a finite slope, of those that don't everywhere."""


def under(mask: Value, frame: Frame) -> Frame:
    """The frame where a mask excludes some elements."""
    inside = frame.under_guard()
    if not frame.differentiated:
        return inside
    return replace(inside, mask=mask if frame.mask is None else _binary("&", frame.mask, mask, frame))


def harmless(value: Value, frame: Frame, instead: float = 1) -> Value:
    """The value with another one in the place of what the mask around excludes, where that counts."""
    if frame.mask is None:
        return value
    return elementwise(infer.where, [frame.mask, value, Value(infer.number(instead))], frame.order)


def conjunction(guards: Sequence[Expr], frame: Frame) -> Value:
    """Where all guards hold: a mask. A guard that reads stands where those before it hold."""
    found: Value | None = None
    for guard in guards_of(guards):
        one = holds(guard, frame if found is None else frame.under_guard())
        found = one if found is None else _binary("&", found, one, frame)
    assert found is not None
    return found


def holds(guard: Guard, frame: Frame) -> Value:
    """Where one relation holds, spelled as on a page: `[z > 0]`, `[m < A]`."""
    op, lhs, rhs = strict_relation(*number_last(guard.op, guard.lhs, guard.rhs))
    whole = lhs.is_integer and rhs.is_integer
    value = integer if whole else real
    if whole and any(i in frame.running for i in free_indices(lhs - rhs)):
        op, lhs, rhs = _about(op, lhs, rhs, frame)
    if op in ("=", "!=") and isinstance(rhs, Index) and not isinstance(lhs, Index):
        lhs, rhs = rhs, lhs
    return _binary(COMPARE[op], value(lhs, frame), value(rhs, frame), frame)


def _about(op: str, lhs: Expr, rhs: Expr, frame: Frame) -> tuple[str, Expr, Expr]:
    """A relation as one about the running index of a loop, where it can be solved for that: `t < T - 1`."""
    running = sorted((i for i in free_indices(lhs - rhs) if i in frame.running), key=str)
    index, difference = running[0], sympy.expand(rhs - lhs)
    weight = difference.coeff(index)
    rest = sympy.expand(difference - weight * index)
    if weight not in (1, -1) or rest.has(index):
        return op, lhs, rhs
    place = -weight * rest  # lhs op rhs says: 0 op weight·(index - place)
    if op in ("=", "!="):
        return op, index, place
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op] if weight == 1 else op
    if turned == "<=" and not place.is_number:
        return "<", index, sympy.expand(place + 1)
    return (">", index, place - 1) if turned == ">=" and place.is_number else (turned, index, place)


# --- integers
def integer(e: Expr, frame: Frame) -> Value:
    """The value of an expression of integers: a subscript, a size, the body of an integer tensor."""
    if isinstance(e, Index):
        if e in frame.running:
            return Value(infer.name(frame.running[e], (), "integer"))
        extent = frame.extents[e]
        length = integer(extent, frame).node
        return Value(infer.call("np.arange", length, shape=(extent,), dtype="integer"), (e,))
    if e.is_Integer:
        return Value(infer.number(int(e)))
    if isinstance(e, Size):
        return Value(frame.size(e))
    if isinstance(e, IntegerAccess):
        return reads.read(e, frame, integer)
    if isinstance(e, (FloorDiv, Mod)):
        a, b = (integer(part, frame) for part in e.args)
        return _binary("//" if isinstance(e, FloorDiv) else "%", a, b, frame)
    if e.is_Add:
        return _integer_sum(e, frame)
    if e.is_Mul or isinstance(e, Guard):
        factors = sympy.Mul.make_args(e)
        guards = [f for f in factors if isinstance(f, Guard)]
        rest = _ranked([f for f in factors if not isinstance(f, Guard)], frame)
        inside = frame.under_guard() if guards else frame
        values = [integer(f, inside) for f in rest]
        value = _multiplied(values, frame) if values else Value(infer.number(1))
        if not guards:
            return value
        zero = Value(infer.number(0))
        return elementwise(infer.where, [conjunction(guards, frame), value, zero], frame.order)
    if e.is_Pow and e.exp.is_Integer and e.exp > 0:
        return _binary("**", integer(e.base, frame), Value(infer.number(int(e.exp))), frame)
    raise GenerationError(f"{e} is not made of integers")


def _integer_sum(e: Expr, frame: Frame) -> Value:
    terms = sorted(e.args, key=lambda term: (term.could_extract_minus_sign(), term.is_number, str(term)))
    total: Value | None = None
    for term in terms:
        negative = bool(term.could_extract_minus_sign())
        value = integer(-term if negative else term, frame)
        if total is None:
            total = _negated(value) if negative else value
        else:
            total = _binary("-" if negative else "+", total, value, frame)
    assert total is not None
    return total


def length(extent: Expr, frame: Frame) -> Expression:
    """A length as a number at run time."""
    return integer(extent, frame).node
