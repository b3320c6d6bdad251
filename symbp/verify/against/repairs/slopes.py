"""Slips in slopes: one that is missing or taken twice, taken at another place, of another function or layer.

Enters: a shop. Leaves: mutants. Must not know: sums, steps in time.

A slope is what multiplies an adjoint and rests on the forward pass alone: all factors of a product that read
the same elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, Mod, accesses
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation, System
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.activations import Activation
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, inside, with_body

Subscripts = tuple[Expr, ...]


def missing_slopes(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """An equation without one of its slopes."""
    yield from _changed(shop, equation, _missing)


def other_slopes(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One slope taken elsewhere: before or behind the activation, at another layer, on the other side."""
    yield from _changed(shop, equation, _elsewhere)


def powers(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One slope with another power, or that of another function."""
    yield from _changed(shop, equation, _others)


Form = tuple[Slip, str, Expr, int]
"""The slip, the hint, what stands in the place of the slope, the effort."""
Forms = Callable[[Shop, Equation, Expr, Expr], Iterator[Form]]


def _changed(shop: Shop, equation: Equation, forms: Forms) -> Iterator[Mutant]:
    for whole, group in groups_in(shop, equation):
        for slip, hint, new, effort in forms(shop, equation, whole, group):
            body = equation.body.xreplace({whole: whole / group * new})
            if body != equation.body:
                yield Mutant(slip, f"{shop.of(equation)}{hint}", (with_body(equation, body),), effort)


def groups_in(shop: Shop, equation: Equation) -> list[tuple[Expr, Expr]]:
    """The products of a body with the slopes in each."""
    found: dict[tuple[Expr, Expr], None] = {}
    seed = not shop.passes(equation.body)
    for whole in inside(equation.body):
        if isinstance(whole, sympy.Mul) and (seed or shop.passes(whole)):
            for group in grouped(shop, whole):
                found[whole, group] = None
    return list(found)


def grouped(shop: Shop, whole: Expr) -> list[Expr]:
    """Factors of a product that rest on the forward pass, those that read the same elements as one."""
    found: dict[frozenset[Access], Expr] = {}
    for factor in sympy.Mul.make_args(whole):
        reads = frozenset(a for a in accesses(factor) if not isinstance(a, IntegerAccess))
        if reads and not shop.passes(factor):
            found[reads] = found.get(reads, sympy.Integer(1)) * factor
    return list(found.values())


def _missing(shop: Shop, equation: Equation, _: Expr, group: Expr) -> Iterator[Form]:
    text, at = expression_text(group, equation.indices), activation_of(shop, group)
    slope = at is not None and not isinstance(group, Access)  # else it is the activation itself
    what = (
        f"the slope of {at[0].target} is missing: {text}" if at and slope else f"the factor {text} is missing"
    )
    yield "missing slope", what, sympy.Integer(1), 1


def _elsewhere(shop: Shop, equation: Equation, whole: Expr, group: Expr) -> Iterator[Form]:
    text, at = expression_text(group, equation.indices), activation_of(shop, group)
    if isinstance(group, Guard):
        for read in (a for a in accesses(whole) if a.name in shop.adjoints):
            hint = f"the condition is one on {expression_text(read)}, not {text}"
            yield "wrong slope", hint, Guard(">", read, 0), 1
    if at is None:
        if isinstance(group, Guard):
            yield "wrong slope", f"the condition is the other way round: {text}", group.complement(), 1
            yield from _other_bounds(group, text)
        for inner in sorted(group.atoms(sympy.Function, sympy.exp), key=sympy.count_ops):
            hint = f"the slope is {text}: {expression_text(inner)}, not {expression_text(inner.args[0])}"
            yield "wrong slope", hint, group.xreplace({inner: inner.args[0]}), 1
            yield "wrong slope", f"{expression_text(inner)} itself stands for the slope {text}", inner, 1
            if group.is_Add:
                yield "wrong slope", f"the factor {expression_text(inner)} is too many", group * inner, 1
        return
    activation, subscripts = at
    value, before = activation.at(activation.value, subscripts), activation.at(activation.before, subscripts)
    belongs = f"{activation.target}'s slope is {text}"
    if isinstance(group, Access):  # it is no slope, but what multiplies: the activation itself
        hint = f"{expression_text(before)} stands where {expression_text(group)} belongs"
        yield "stale value", hint, before, 1
        return
    for form in filter(None, (activation.by_value, activation.by_before)):
        right = activation.at(form, subscripts)
        for here, there in ((value, before), (before, value), (before, -before)):
            place = f"{expression_text(here)}, not at {expression_text(there)}"
            yield "wrong slope", f"{belongs}, taken at {place}", right.xreplace({here: there}), 1
        for guard in right.atoms(Guard):
            hint = f"the condition is the other way round: {belongs}"
            yield "wrong slope", hint, right.xreplace({guard: guard.complement()}), 1
    for there in (value, before):
        hint = f"{expression_text(there)} itself stands for the slope: {belongs}"
        yield "wrong slope", hint, there, 1
    yield from _of_others(shop, activation, subscripts, belongs)
    yield from _at_other_steps(shop, activation, subscripts, belongs)


def _at_other_steps(
    shop: Shop, activation: Activation, subscripts: Subscripts, belongs: str
) -> Iterator[Form]:
    """The slope at the step before or after."""
    shape = shop.bench.system.tensor(activation.target).shape
    if activation.by_value is None:
        return
    for axis in (k for k, extent in enumerate(shape) if extent in shop.steps):
        for by in (1, -1):
            plain = (*subscripts[:axis], subscripts[axis] + by, *subscripts[axis + 1 :])
            around = (*subscripts[:axis], Mod(subscripts[axis] + by, shape[axis]), *subscripts[axis + 1 :])
            last = shape[axis] - 1 if by > 0 else sympy.Integer(0)
            edge = Access(activation.target, *subscripts[:axis], last, *subscripts[axis + 1 :])
            for there, outside in ((plain, sympy.Integer(0)), (plain, edge), (around, sympy.Integer(0))):
                read = Access(activation.target, *there, outside=outside)
                hint = f"{belongs}, taken at {expression_text(Access(activation.target, *plain))}"
                yield "step in time", hint, activation.by_value.xreplace({activation.value: read}), 1


def _other_bounds(group: Guard, text: str) -> Iterator[Form]:
    """A condition on values without its constant, or with this on the other side."""
    constant, rest = (group.lhs - group.rhs).as_coeff_Add()
    for bound in (0, constant) if constant else ():
        new = Guard(group.op, rest, bound)
        yield "wrong slope", f"{expression_text(new)} stands where {text} belongs", new, 1


def _of_others(shop: Shop, activation: Activation, subscripts: Subscripts, belongs: str) -> Iterator[Form]:
    """The slope of another layer of the same shape, or this one's taken there."""
    shape = shop.bench.system.tensor(activation.target).shape
    for other in shop.activations.values():
        same = shop.bench.system.tensor(other.target).shape == shape
        if other.target == activation.target or not same:
            continue
        hint = f"the slope of {other.target} stands for that of {activation.target}: {belongs}"
        for form in filter(None, (other.by_value, other.by_before)):
            yield "slope of another layer", hint, other.at(form, subscripts), 1
        if activation.by_value is not None:
            there = activation.by_value.xreplace(
                {activation.value: other.at(other.value, activation.indices)}
            )
            yield "slope of another layer", hint, activation.at(there, subscripts), 1


def _others(shop: Shop, equation: Equation, _: Expr, group: Expr) -> Iterator[Form]:
    text, at = expression_text(group, equation.indices), activation_of(shop, group)
    yield "wrong slope", f"{text} is a factor once, not twice", group**2, 2
    yield "wrong slope", f"{text} is a factor itself, not its inverse", 1 / group, 2
    yield "wrong slope", f"{text} is a factor itself, not its square root", sympy.sqrt(group), 2
    for power in (p for p in group.atoms(sympy.Pow) if p.exp == 2 and p != group):
        for exponent in (1, 3):
            other = power.base**exponent
            hint = f"{expression_text(other)} stands where {expression_text(power)} belongs"
            yield "wrong slope", f"{hint}: the slope is {text}", group.xreplace({power: other}), 2
    base, exponent = group.as_base_exp()
    for more in (-1, 1, sympy.Rational(1, 2), -sympy.Rational(1, 2)):
        if exponent.is_Rational and exponent != 1:
            hint = f"{expression_text(base ** (exponent + more))} stands where {text} belongs"
            yield "wrong slope", hint, base ** (exponent + more), 2
    if at is None:
        return
    activation, subscripts = at
    if isinstance(group, Access):
        return
    value, before = activation.at(activation.value, subscripts), activation.at(activation.before, subscripts)
    for new in _plain_slopes(value, before):
        hint = f"{expression_text(new)} stands for the slope: {activation.target}'s slope is {text}"
        yield "wrong slope", hint, new, 2


def _plain_slopes(value: Expr, before: Expr) -> Iterator[Expr]:
    """Slopes of common functions."""
    for at in (value, before):
        yield from (1 - at**2, at * (1 - at), 1 - at, 1 + at, 1 + at**2, (1 - at) ** 2, Guard(">", at, 0))
        yield from (1 / at, 2 * at, 1 / (2 * at), at**2, 1 - sympy.tanh(at) ** 2, at * (1 + at))


def activation_of(shop: Shop, group: Expr) -> tuple[Activation, Subscripts] | None:
    """The activation of which a group is the slope, or the value, and at which subscripts."""
    reads = {a for a in accesses(group) if not isinstance(a, IntegerAccess)}
    found = _reading(shop, reads)
    if found is None:
        return None
    activation, subscripts = found
    forms = [f for f in (activation.by_value, activation.by_before, activation.value) if f is not None]
    return found if any(_equal(activation.at(f, subscripts), group) for f in forms) else None


def _equal(one: Expr, other: Expr) -> bool:
    return bool(one == other or sympy.expand(one - other) == 0)


def folded(shop: Shop) -> System:
    """The system in which slopes are said by the activations' own values: 1 − h² for 1 − tanh(u)²."""
    changed = {}
    for equation in shop.bench.system.equations:
        if equation.target not in shop.adjoints:
            continue
        body = equation.body
        for whole, group in groups_in(shop, equation):
            at = activation_of(shop, group)
            if (
                at is not None
                and at[0].by_value is not None
                and _equal(group, at[0].at(at[0].by_before, at[1]))
            ):
                body = body.xreplace({whole: whole / group * at[0].at(at[0].by_value, at[1])})
        if body != equation.body:
            changed[equation.target] = with_body(equation, body)
    equations = tuple(changed.get(e.target, e) for e in shop.bench.system.equations)
    return shop.bench.system.with_(equations=equations)


def _reading(shop: Shop, reads: set[Access]) -> tuple[Activation, Subscripts] | None:
    """The activation that gives what is read, or takes all of it."""
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


def _solved(needed: set[Access], reads: set[Access], indices: tuple[Index, ...]) -> Subscripts | None:
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
