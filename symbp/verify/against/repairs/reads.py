"""Slips in what is read: a step before or after, another tensor, exchanged subscripts.

Enters: a shop. Leaves: mutants. Must not know: slopes, sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import sympy

from symbp.ir.expr import Access, Expr, Guard, IntegerAccess, Mod, accesses
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.agreement import ratio
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, inside, is_step, with_body
from symbp.verify.against.repairs.slopes import grouped


def _reads(equation: Equation) -> list[Access]:
    return [a for a in accesses(equation.body) if not isinstance(a, IntegerAccess) and a.subscripts]


def shifted(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One read a step before or after."""
    yield from _along(shop, equation, recurrent=True)


def shifted_elsewhere(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One read of the next element, or the one before, along an axis that has no recurrence."""
    yield from _along(shop, equation, recurrent=False)


def _along(shop: Shop, equation: Equation, *, recurrent: bool) -> Iterator[Mutant]:
    for access in _reads(equation):
        shape = shop.bench.system.tensor(access.name).shape
        for axis, (subscript, extent) in enumerate(zip(access.subscripts, shape, strict=True)):
            if (extent in shop.steps) is recurrent and subscript.free_symbols:
                for by in (1, -1):
                    yield from _shifted(shop, equation, access, axis, extent, by)


def _shifted(
    shop: Shop, equation: Equation, access: Access, axis: int, extent: Expr, by: int
) -> Iterator[Mutant]:
    wrong = expression_text(type(access)(access.name, *_at(access, axis, access.subscripts[axis] + by)))
    hint = f"{shop.of(equation)}{wrong} stands where {expression_text(access)} belongs"
    for new, effort, note in _moved(access, axis, extent, by):
        body = equation.body.xreplace({access: new})
        for form in dict.fromkeys([body, _unguarded(body, axis, access, extent)]):
            yield Mutant("step in time", f"{hint}{note}", (with_body(equation, form),), effort)


def _moved(access: Access, axis: int, extent: Expr, by: int) -> Iterator[tuple[Expr, int, str]]:
    """A read a step off, with what code may have at the end: nothing, what was there, the last one again, or
    the first; the effort, and what to say of it."""
    old, new = access.subscripts[axis], access.subscripts[axis] + by
    outside = access.outside if access.outside is not None else sympy.Integer(0)
    moved = type(access)(access.name, *_at(access, axis, new), outside=outside)
    yield moved, 1, ""
    if is_step(old):
        yield moved * Guard("<=", 0, old) * Guard("<", old, extent), 1, ""
    edge = type(access)(access.name, *_at(access, axis, extent - 1 if by > 0 else sympy.Integer(0)))
    yield type(access)(access.name, *_at(access, axis, new), outside=edge), 2, ""
    around = type(access)(access.name, *_at(access, axis, Mod(new, extent)))
    yield around, 2, ", and the last step is no neighbour of the first"


def _at(access: Access, axis: int, subscript: Expr) -> list[Expr]:
    """The subscripts of a read with another one along an axis."""
    return [subscript if k == axis else s for k, s in enumerate(access.subscripts)]


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
                subscripts = [shape[k] - 1 - s if k in axes else s for k, s in enumerate(access.subscripts)]
                new = type(access)(access.name, *subscripts, outside=access.outside)
                hint = f"{access.name} is read from the other end: {expression_text(access)} belongs there"
                body = equation.body.xreplace({access: new})
                yield Mutant("transpose", f"{shop.of(equation)}{hint}", (with_body(equation, body),), 2)


def renamed(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Another tensor of the same shape in the place of one, wherever it stands, or as one factor alone."""
    later = shop.bench.resting([equation.target])
    products = [e for e in inside(equation.body) if isinstance(e, sympy.Mul) and shop.passes(e)]
    for access in _reads(equation):
        inner = shop.bench.system.defining.get(access.name) if access.name in shop.adjoints else None
        alone = [e for e in products if access in e.args and e.count(access) > 1]
        for other in shop.alike(access.name):
            if other in later and not any(is_step(s) for s in access.subscripts):
                continue
            new = access.with_(name=other)
            hint = f"{expression_text(new)} stands where {expression_text(access)} belongs"
            slip: Slip = "missing slope" if inner is not None and other in inner.read_names else "stale value"
            everywhere = equation.body.xreplace({access: new})
            single = [equation.body.xreplace({e: e / access * new}) for e in alone]
            for body in (b for b in (everywhere, *single) if b != equation.body):
                yield Mutant(slip, f"{shop.of(equation)}{hint}", (with_body(equation, body),), 2)


def picked(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One element of what a sum, a mean or a maximum is of, in the place of that."""
    for access in _reads(equation):
        inner = shop.bench.system.defining.get(access.name)
        if inner is None or inner.op not in ("sum", "max") or access.name in shop.adjoints:
            continue
        reads = accesses(inner.body)
        if len(reads) != 1:
            continue
        (read,) = reads
        at = dict(zip(inner.indices, access.subscripts, strict=True))
        for last in (False, True):
            ends = {i: inner.extents[i] - 1 if last else sympy.Integer(0) for i in inner.reduced}
            new = read.xreplace({**ends, **at})
            hint = f"{expression_text(new)} stands where {expression_text(access)} belongs"
            body = equation.body.xreplace({access: new})
            yield Mutant("stale value", f"{shop.of(equation)}{hint}", (with_body(equation, body),), 2)


def instead(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Another adjoint in the place of the whole, times a constant: its own slope is missing."""
    if equation.target != shop.bench.target:
        return
    before = {name for e in shop.bench.between for name in e.read_names}
    for other in shop.alike(equation.target):
        if other not in before or other == equation.target:
            continue
        found = [ratio(a, shop.bench.right(k, other)) for k, a in enumerate(shop.answered)]
        numbers = [f for f in found if f is not None]
        form = shop.recogniser.monomial(numbers) if len(numbers) == len(found) else None
        if form is None:
            continue
        body = shop.expression(form) * Access(other, *equation.indices)
        changed = equation.with_(body=body, reduction=None, ranges=equation.shape)
        hint = f"{shop.theirs} is {other} itself: what lies between is missing, {equation_text(equation)}"
        yield Mutant("missing slope", hint, (changed,), 2)


def replaced(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """What multiplies an adjoint, all of it or what reads one tensor, replaced by a tensor of the forward
    pass."""
    for whole in inside(equation.body):
        if not isinstance(whole, sympy.Mul) or not shop.passes(whole):
            continue
        groups = grouped(shop, whole)
        for ours in dict.fromkeys([*groups, sympy.Mul(*groups)]):
            for new in _instead_of(shop, equation, ours):
                body = equation.body.xreplace({whole: whole / ours * new})
                hint = f"{expression_text(new)} stands where {expression_text(ours)} belongs"
                if body != equation.body:
                    yield Mutant("stale value", f"{shop.of(equation)}{hint}", (with_body(equation, body),), 2)


def _instead_of(shop: Shop, equation: Equation, ours: Expr) -> Iterator[Access]:
    """Tensors of the forward pass with the indices of a factor, and these a step before."""
    indices = tuple(i for i in equation.all_indices if i in ours.free_symbols)
    read = [a.subscripts for a in accesses(ours) if {*a.subscripts} == {*indices}]
    for order in dict.fromkeys([indices, *read]):
        for name in shop.of_shape(tuple(equation.extents[i] for i in order)):
            if name not in shop.adjoints:
                yield Access(name, *order)
                for axis in (k for k, i in enumerate(order) if equation.extents[i] in shop.steps):
                    at = [i - 1 if k == axis else i for k, i in enumerate(order)]
                    yield Access(name, *at, outside=sympy.Integer(0))
