"""Slips in what is read: a step before or after, another tensor, exchanged subscripts.

Enters: a shop. Leaves: mutants. Must not know: slopes, sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, Mod, accesses
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, with_body


def _reads(equation: Equation) -> list[Access]:
    return [a for a in accesses(equation.body) if not isinstance(a, IntegerAccess) and a.subscripts]


def shifted(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One read a step before or after."""
    for access in _reads(equation):
        shape = shop.bench.system.tensor(access.name).shape
        for axis, (subscript, extent) in enumerate(zip(access.subscripts, shape, strict=True)):
            if extent not in shop.steps or not subscript.free_symbols:
                continue
            for by in (1, -1):
                yield from _shifted(shop, equation, access, axis, extent, by)


def _shifted(
    shop: Shop, equation: Equation, access: Access, axis: int, extent: Expr, by: int
) -> Iterator[Mutant]:
    subscripts = list(access.subscripts)
    subscripts[axis] = subscripts[axis] + by
    outside = access.outside if access.outside is not None else sympy.Integer(0)
    moved = type(access)(access.name, *subscripts, outside=outside)
    text, wrong = expression_text(access), expression_text(type(access)(access.name, *subscripts))
    forward = access.name not in shop.adjoints
    slip: Slip = "stale value" if forward and by < 0 else "step in time"
    hint = f"{shop.of(equation)}{wrong} stands where {text} belongs"
    body = equation.body.xreplace({access: moved})
    yield Mutant(slip, hint, (with_body(equation, body),), 1)
    free = _unguarded(body, axis, access, extent)
    if free != body:
        yield Mutant(slip, hint, (with_body(equation, free),), 1)
    subscripts[axis] = Mod(subscripts[axis], extent)
    body = equation.body.xreplace({access: type(access)(access.name, *subscripts)})
    yield Mutant("step in time", f"{hint}, and the last step is no neighbour of the first", (with_body(equation, body),), 2)


def _unguarded(body: Expr, axis: int, access: Access, extent: Expr) -> Expr:
    """Without the brackets that keep the read in its range."""
    indices = access.subscripts[axis].free_symbols
    guards = [g for g in body.atoms(Guard) if g.free_symbols & indices and extent in g.free_symbols]
    return body.xreplace({g: sympy.Integer(1) for g in guards if g.op == "<="})


def permuted(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One read with two subscripts exchanged, along axes of one length, or from the other end."""
    for access in _reads(equation):
        shape = shop.bench.system.tensor(access.name).shape
        for one, other in combinations(range(len(shape)), 2):
            if shape[one] == shape[other] and access.subscripts[one] != access.subscripts[other]:
                subscripts = list(access.subscripts)
                subscripts[one], subscripts[other] = subscripts[other], subscripts[one]
                new = type(access)(access.name, *subscripts, outside=access.outside)
                hint = f"{access.name} is transposed: {expression_text(access)} belongs there"
                body = equation.body.xreplace({access: new})
                yield Mutant("transpose", f"{shop.of(equation)}{hint}", (with_body(equation, body),), 1)
    yield from _turned(shop, equation)


def _turned(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    for access in _reads(equation):
        shape = shop.bench.system.tensor(access.name).shape
        summed = [k for k, s in enumerate(access.subscripts) if s in equation.reduced]
        for count in range(1, len(summed) + 1):
            for axes in combinations(summed, count):
                subscripts = [
                    shape[k] - 1 - s if k in axes else s for k, s in enumerate(access.subscripts)
                ]
                new = type(access)(access.name, *subscripts, outside=access.outside)
                hint = f"{access.name} is read from the other end: {expression_text(access)} belongs there"
                body = equation.body.xreplace({access: new})
                yield Mutant("transpose", f"{shop.of(equation)}{hint}", (with_body(equation, body),), 2)


def renamed(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Another tensor of the same shape in the place of one."""
    for access in _reads(equation):
        for other in shop.alike(access.name):
            new = access.with_(name=other)
            text = expression_text(access)
            hint = f"{expression_text(new)} stands where {text} belongs"
            body = equation.body.xreplace({access: new})
            if body != equation.body:
                yield Mutant("stale value", f"{shop.of(equation)}{hint}", (with_body(equation, body),), 2)


def _index(e: Expr) -> bool:
    return isinstance(e, Index)
