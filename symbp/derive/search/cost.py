"""What an equation costs: operations, passes over memory, materialised operands, stores.

Enters: bodies and equations. Leaves: one number that ranks forms of the same value.
Must not know: rewrites. The cost decides the forms: operations alone do not pick the published ones.

Every symbolic size counts as `NOMINAL`, so that the choice never depends on the sizes a user binds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

import sympy

from symbp.derive.rules.brackets import exclusive
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices
from symbp.ir.machine import DIVIDE, FUNCTION, GATHER, GUARD, MATERIALISE, READ, ROOT, STORE
from symbp.ir.system import Equation

NOMINAL = 16.0
LINE = 8.0  # what each equation costs on its own, to read and to run

Extents = Mapping[Index, Expr]


def extent(size: Expr) -> float:
    """The nominal value of a size expression."""
    return _extent(size)


@lru_cache(maxsize=4096)
def _extent(size: Expr) -> float:
    value = sympy.sympify(size)
    value = value.xreplace({s: sympy.Integer(int(NOMINAL)) for s in value.free_symbols})
    return float(value) if value.is_Rational else NOMINAL


def volume(indices: Iterable[Index], extents: Extents) -> float:
    """The number of elements of a box of indices."""
    return math.prod(_extent(extents[i]) if i in extents else NOMINAL for i in indices)


def body_cost(body: Expr, extents: Extents) -> float:
    """Operations to evaluate a body over the box of its indices, each node over its own indices only."""
    key = tuple(sorted((i.name, volume((i,), extents)) for i in free_indices(body)))
    return _body_cost(body, key)


@lru_cache(maxsize=65536)
def _body_cost(e: Expr, nominal: tuple[tuple[str, float], ...]) -> float:
    widths = dict(nominal)

    def box(indices: Iterable[Index]) -> float:
        return math.prod(widths.get(i.name, NOMINAL) for i in indices)

    def walk(part: Expr) -> float:
        return _body_cost(part, nominal)

    def chain(args: Iterable[Expr]) -> float:
        operands = sorted((len(free_indices(a)), walk(a), a.sort_key(), a) for a in args)
        total, seen = operands[0][1], free_indices(operands[0][3])
        for _, cost, _, operand in operands[1:]:
            seen = seen | free_indices(operand)
            total += cost + box(seen)
        return total

    if isinstance(e, Access):
        gathered = not all(isinstance(s, Index) for s in e.subscripts)
        return (GATHER if gathered else READ) * box(free_indices(e))
    if isinstance(e, Guard):
        return GUARD * box(free_indices(e))
    if not e.args:
        return 0.0
    here = box(free_indices(e))
    if e.is_Pow and not isinstance(e, sympy.exp):
        return walk(e.base) + here * _power_cost(e.exp)
    if e.is_Add:
        apart = exclusive(e)
        if apart is None:
            return chain(e.args)
        return sum(walk(rest) + READ * box(free_indices(rest)) for rest in apart.values())
    if e.is_Mul:
        under = [1 / f for f in e.args if divides(f)]
        over = [f for f in e.args if not divides(f) and f != -1]
        if not under:
            return chain(over)
        divisor = free_indices(sympy.Mul(*under))
        return chain([*over, *under]) + (DIVIDE - 1.0 if over else DIVIDE) * box(divisor)
    return sum(walk(a) for a in e.args) + FUNCTION * here


def divides(factor: Expr) -> bool:
    """Whether a factor of a product stands below the line."""
    return bool(factor.is_Pow and not isinstance(factor, sympy.exp) and factor.exp.could_extract_minus_sign())


def _power_cost(exponent: Expr) -> float:
    if exponent.is_Integer:
        size = abs(int(exponent))
        return (size - 1 if size < 4 else 3) + (DIVIDE if exponent.is_negative else 0.0)
    return ROOT + (DIVIDE if exponent.is_negative else 0.0)


def equation_cost(equation: Equation) -> float:
    """The body, the pass of a reduction over its box, operands of a contraction that must be stored
    first, and the store of the result."""
    extents = equation.extents
    cost = LINE + body_cost(equation.body, extents) + STORE * volume(equation.indices, extents)
    if equation.leaf is not None:
        return cost + NOMINAL * volume((i for i in equation.all_indices if i not in equation.result), extents)
    if equation.reduction is not None:
        cost += volume(equation.all_indices, extents) + _materialised(equation)
    return cost


def _materialised(equation: Equation) -> float:
    """Stores for factor groups of a contraction that are not plain tensors: matmul needs them in memory."""
    groups: dict[frozenset[Index], list[Expr]] = {}
    for factor in sympy.Mul.make_args(equation.body):
        groups.setdefault(free_indices(factor), []).append(factor)
    if len([g for g in groups if g]) < 2:
        return 0.0
    return sum(
        LINE + MATERIALISE * volume(indices, equation.extents)
        for indices, factors in groups.items()
        if indices and (len(factors) > 1 or not isinstance(factors[0], Access))
    )
