"""Slips in slopes: one that is missing or taken twice, taken at another place, of another function or layer.

Enters: a shop. Leaves: mutants. Must not know: sums, steps in time.

A slope is what multiplies an adjoint and rests on the forward pass alone: all factors of a product that read
the same elements.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, Size, accesses
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Activation, Shop, inside, with_body

Subscripts = tuple[Expr, ...]


def slopes(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Every slope of an equation in another form."""
    for whole, group in groups_in(shop, equation):
        for slip, hint, new, effort in _forms(shop, equation, group):
            body = equation.body.xreplace({whole: whole / group * new} if whole != group else {whole: new})
            if body != equation.body:
                yield Mutant(slip, f"{shop.of(equation)}{hint}", (with_body(equation, body),), effort)


def groups_in(shop: Shop, equation: Equation) -> list[tuple[Expr, Expr]]:
    """The products of a body with the slopes in each."""
    found: dict[tuple[Expr, Expr], None] = {}
    for whole in inside(equation.body):
        if isinstance(whole, sympy.Mul):
            for group in grouped(shop, whole):
                found[whole, group] = None
    if not isinstance(equation.body, sympy.Mul) and not shop.passes(equation.body):
        return list(found)
    return list(found)


def grouped(shop: Shop, whole: Expr) -> list[Expr]:
    """Factors of a product that rest on the forward pass, those that read the same elements as one."""
    found: dict[frozenset[Access], Expr] = {}
    for factor in sympy.Mul.make_args(whole):
        reads = frozenset(a for a in accesses(factor) if not isinstance(a, IntegerAccess))
        if reads and not shop.passes(factor):
            found[reads] = found.get(reads, sympy.Integer(1)) * factor
    return list(found.values())


def _forms(shop: Shop, equation: Equation, group: Expr) -> Iterator[tuple[Slip, str, Expr, int]]:
    text = expression_text(group, equation.indices)
    at = _activation(shop, group)
    one = sympy.Integer(1)
    if at is None:
        yield "missing slope", f"the factor {text} is missing", one, 1
        if isinstance(group, Guard):
            yield "wrong slope", f"the condition is the other way round: {text}", group.complement(), 1
        yield "wrong slope", f"{text} is a factor once, not twice", group**2, 2
        yield "wrong slope", f"{text} multiplies, its inverse doesn't", 1 / group, 2
        yield "wrong slope", f"{text} belongs there, not its square root", sympy.sqrt(group), 2
        return
    activation, subscripts = at
    said = _function(activation)
    value, before = activation.at(activation.value, subscripts), activation.at(activation.before, subscripts)
    place = expression_text(before)
    yield "missing slope", f"the slope of {said} is missing: {text}", one, 1
    yield "wrong slope", f"the slope of {said} is a factor once, not twice: {text}", group**2, 2
    belongs = f"{said} at {place} has the slope {text}"
    for new, what in _elsewhere(activation, subscripts):
        yield "wrong slope", f"{what} stands for the slope: {belongs}", new, 1
    for other in shop.activations.values():
        if other.target == activation.target or len(other.indices) != len(subscripts):
            continue
        if shop.bench.system.tensor(other.target).shape != shop.bench.system.tensor(activation.target).shape:
            continue
        what = f"the slope of another layer, at {other.target}, stands for that at {activation.target}: {text}"
        for form in filter(None, (other.by_value, other.by_before)):
            yield "slope of another layer", what, other.at(form, subscripts), 1
        if activation.by_value is not None:
            mixed = activation.by_value.xreplace({activation.value: other.at(other.value, activation.indices)})
            yield "slope of another layer", what, activation.at(mixed, subscripts), 1
    for new in _plain_slopes(value, before):
        yield "wrong slope", f"the slope of another function stands there: {belongs}", new, 2


def _elsewhere(activation: Activation, subscripts: Subscripts) -> Iterator[tuple[Expr, str]]:
    """The slope taken where it isn't, and what is no slope at all."""
    value, before = activation.at(activation.value, subscripts), activation.at(activation.before, subscripts)
    if activation.by_value is not None:
        form = activation.at(activation.by_value, subscripts)
        yield form.xreplace({value: before}), f"{expression_text(form.xreplace({value: before}))}"
    form = activation.at(activation.by_before, subscripts)
    if before in form.atoms(type(before)) or form.has(before):
        yield form.xreplace({before: value}), f"the slope at {expression_text(value)}"
        yield activation.at(activation.by_before, subscripts).xreplace({before: -before}), "the slope at minus"
    yield value, expression_text(value)
    yield before, expression_text(before)
    for guard in form.atoms(Guard):
        yield form.xreplace({guard: guard.complement()}), "the other side"


def _plain_slopes(value: Expr, before: Expr) -> Iterator[Expr]:
    """Slopes of common functions."""
    for at in (value, before):
        yield from (1 - at**2, at * (1 - at), 1 - at, 1 + at, 1 + at**2, (1 - at) ** 2, Guard(">", at, 0))
        yield from (1 / at, 2 * at, 1 / (2 * at), at**2, 1 - sympy.tanh(at) ** 2, at * (1 + at))


def _activation(shop: Shop, group: Expr) -> tuple[Activation, Subscripts] | None:
    """The activation of which a group is the slope, and at which subscripts: it reads what the activation
    gives, or all that it takes."""
    reads = {a for a in accesses(group) if not isinstance(a, IntegerAccess)}
    if len(reads) == 1:
        (read,) = reads
        if read.name in shop.activations:
            return shop.activations[read.name], read.subscripts
    for activation in shop.activations.values():
        needed = {a for a in accesses(activation.before) if not isinstance(a, IntegerAccess)}
        if {a.name for a in needed} != {a.name for a in reads} or len(needed) != len(reads):
            continue
        solved = _solved(needed, reads, activation.indices)
        if solved is not None:
            return activation, solved
    return None


def _solved(
    needed: set[Access], reads: set[Access], indices: tuple[Index, ...]
) -> Subscripts | None:
    """The subscripts for which an activation takes what is read."""
    found: dict[Expr, Expr] = {}
    by_name = {a.name: a for a in reads}
    for access in needed:
        for mine, theirs in zip(access.subscripts, by_name[access.name].subscripts, strict=True):
            if isinstance(mine, Index):
                if found.setdefault(mine, theirs) != theirs:
                    return None
            elif mine != theirs and not mine.free_symbols & {*indices}:
                return None
    return tuple(found[i] for i in indices) if all(i in found for i in indices) else None


def _function(activation: Activation) -> str:
    """What makes the value."""
    return activation.target


__all__ = ["Size", "grouped", "groups_in", "slopes"]
