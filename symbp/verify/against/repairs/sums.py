"""Slips in sums on the way: a Jacobian taken for a diagonal one, one summand for the sum, a sum too many.

Enters: a shop. Leaves: mutants. Must not know: slopes, steps in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, accesses, free_indices, unused_index
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Reduction, Role, Tensor
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, with_body, with_total

NESTED = 3  # loops in one another


def sums(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Every sum of an equation in another extent."""
    yield from _diagonal(shop, equation)
    if equation.op == "sum":
        yield from _single(shop, equation)
        yield from _overwritten(shop, equation)
    yield from _across(shop, equation)
    yield from _everything(shop, equation)
    yield from _unchosen(shop, equation)


def _inner(shop: Shop, equation: Equation) -> Iterator[tuple[Access, Equation, Index, str]]:
    """The sums over one index that an equation reads, with that index, and how they are spelled."""
    for access in accesses(equation.body):
        inner = shop.bench.backward.get(access.name)
        if inner is not None and inner.op == "sum" and len(inner.reduced) == 1:
            text = equation_text(inner).split(" = ", 1)[1]
            yield access, inner, inner.reduced[0], f"{expression_text(access)} = {text}"


def _diagonal(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """A sum that is read, replaced by its term at the reader's own index: Σ_k' f(n, k') by f(n, k)."""
    for access, inner, summed, text in _inner(shop, equation):
        for index in equation.all_indices:
            if equation.extents[index] != inner.extents[summed]:
                continue
            values = dict(zip(inner.indices, access.subscripts, strict=True))
            term = inner.body.xreplace({**values, summed: index})
            body = equation.body.xreplace({access: term})
            hint = f"{shop.said(equation.target)} rests on all of {text}: its Jacobian isn't diagonal"
            yield Mutant("elementwise", hint, (with_body(equation, body),), 1)


def _across(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """A sum that is read, taken over another axis: Σ_t f(t, s) for Σ_s f(t, s)."""
    for access, inner, summed, text in _inner(shop, equation):
        for place, kept in enumerate(inner.indices):
            for index in equation.indices:
                if equation.extents[index] != inner.extents[summed] or index in access.subscripts:
                    continue
                lengths = tuple(inner.extents[summed if i == kept else i] for i in inner.indices)
                helper = Tensor(f"{inner.target} across", lengths, Role.ADJOINT)
                body = inner.body.xreplace({summed: kept, kept: summed})
                over, ranges = Reduction("sum", (summed,)), (*lengths, inner.extents[kept])
                other = Equation(helper.name, inner.indices, body, over, (), ranges)
                subscripts = [index if k == place else s for k, s in enumerate(access.subscripts)]
                changed = with_body(equation, equation.body.xreplace({access: helper.at(*subscripts)}))
                hint = f"{shop.of(equation)}{text} is summed over {summed}, not over the other axis"
                yield Mutant("transpose", hint, (changed, other), 1, (helper,))
        yield from _bare(shop, equation, access, inner, f"{shop.of(equation)}{text}")


def _bare(shop: Shop, equation: Equation, access: Access, inner: Equation, text: str) -> Iterator[Mutant]:
    """The sum of an adjoint that the equation reads, without what multiplies it."""
    (summed,) = inner.reduced
    for read in accesses(equation.body):
        if read.name not in shop.adjoints or read == access:
            continue
        for index in equation.indices:
            if index not in read.subscripts or index in access.subscripts:
                continue
            helper = Tensor(f"{inner.target} bare", inner.shape, Role.ADJOINT)
            back = dict(zip(access.subscripts, inner.indices, strict=True))
            body = read.xreplace({index: summed}).xreplace(back)
            if free_indices(body) - {*inner.all_indices}:
                continue
            for sign in (1, -1):
                other = inner.with_(target=helper.name, body=sign * body)
                changed = with_body(equation, equation.body.xreplace({access: helper.at(*access.subscripts)}))
                hint = f"a factor is missing under the sum: {text}"
                yield Mutant("missing term", hint, (changed, other), 2, (helper,))


def _single(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """One summand for the sum: what the last step of a loop leaves, or of loops in loops."""
    for count in range(2, min(len(equation.reduced), NESTED) + 1):
        for some in combinations(equation.reduced, count):
            left = {i: equation.extents[i] for i in equation.reduced if i not in some}
            body = equation.body.xreplace({i: equation.extents[i] - 1 for i in some})
            names = ", ".join(i.name for i in some)
            hint = f"{shop.of(equation)}the sum over {names} is missing: {equation_text(equation)}"
            yield Mutant("missing sum", hint, (with_total(equation, body, left),), 1)
    for index in equation.reduced:
        extent = equation.extents[index]
        for at in (sympy.Integer(0), extent - 1):
            left = {i: equation.extents[i] for i in equation.reduced if i != index}
            body = equation.body.xreplace({index: at})
            hint = f"{shop.of(equation)}the sum over {index} is missing: {equation_text(equation)}"
            yield Mutant("missing sum", hint, (with_total(equation, body, left),), 1)
        over = equation.body / extent
        if equation.target not in shop.bench.recurrent:
            continue
        hint = f"{shop.of(equation)}the sum over {index} is no mean: {equation_text(equation)}"
        yield Mutant("mean for sum", hint, (with_body(equation, over),), 1)


def _everything(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """A sum over an index that it should keep."""
    if equation.op not in (None, "sum"):
        return
    for index in equation.indices:
        other = unused_index(index, equation.all_indices)
        reduced = {i: equation.extents[i] for i in equation.reduced} | {other: equation.extents[index]}
        hint = f"{shop.of(equation)}the sum over {index} is too many: {equation_text(equation)}"
        for body in dict.fromkeys(_over(equation, index, other)):
            yield Mutant("sum too many", hint, (with_total(equation, body, reduced),), 1)
            mean = with_total(equation, body / equation.extents[index], reduced)
            yield Mutant("sum too many", hint, (mean,), 2)


def _over(equation: Equation, index: Index, other: Index) -> Iterator[Expr]:
    """The body with another index to sum over; and with only those factors summed that are a sum anyhow."""
    yield equation.body.xreplace({index: other})
    factors = sympy.Mul.make_args(equation.body)
    inside = [f for f in factors if f.free_symbols & {*equation.reduced}]
    before = [f for f in factors if f not in inside]
    if equation.reduced and any(index in f.free_symbols for f in before):
        yield sympy.Mul(*inside).xreplace({index: other}) * sympy.Mul(*before)


def _overwritten(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Of what goes to one place, only the last, of all or of each step: `d[tokens] = g` adds nothing up."""
    for guard in equation.body.atoms(Guard):
        labels = [e for e in (guard.lhs, guard.rhs) if e.atoms(IntegerAccess)]
        if guard.op != "=" or len(labels) != 1:
            continue
        by = [i for i in equation.reduced if i in labels[0].free_symbols]
        hint = f"{shop.of(equation)}what has one {expression_text(labels[0])} adds up: "
        hint += f"{equation_text(equation)} (np.add.at, not an assignment)"
        for over in [by, *([i] for i in by if len(by) > 1)] if by else []:
            last = _last(f"{equation.target} last", labels[0], by, over, equation)
            tensor = Tensor(last.target, last.shape, Role.ADJOINT)
            changed = with_body(equation, equation.body * tensor.at(*last.indices))
            yield Mutant("missing sum", hint, (changed, last), 1, (tensor,))


def _last(name: str, label: Expr, by: list[Index], over: list[Index], equation: Equation) -> Equation:
    """1 where none that comes later, along some of the indices of a label, has the same label; else 0."""
    twins: dict[Index, Index] = {}
    for index in over:
        twins[index] = unused_index(index, (*equation.all_indices, *twins.values()))
    flat, twin = _flat(over, equation), _flat([twins[i] for i in over], equation, twins)
    body, later = Guard("!=", label, label.xreplace(twins)), Guard("<", flat, twin)
    ranges = tuple(equation.extents[i] for i in (*by, *over))
    return Equation(name, tuple(by), body, Reduction("prod", tuple(twins.values())), (later,), ranges)


def _flat(indices: list[Index], equation: Equation, twins: dict[Index, Index] | None = None) -> Expr:
    back = {twin: index for index, twin in (twins or {}).items()}
    flat: Expr = sympy.Integer(0)
    for index in indices:
        flat = flat * equation.extents[back.get(index, index)] + index
    return flat


def _unchosen(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Without the brackets that say where something goes: the place of a maximum, a label."""
    guards = [g for g in equation.body.atoms(Guard) if any(isinstance(a, IntegerAccess) for a in accesses(g))]
    for some in [guards, *([g] for g in guards if len(guards) > 1)] if guards else []:
        text = "·".join(sorted(expression_text(g) for g in some))
        hint = f"{shop.of(equation)}the factor {text} is missing: only that element counts"
        body = equation.body.xreplace(dict.fromkeys(some, sympy.Integer(1)))
        yield Mutant("missing slope", hint, (with_body(equation, body),), 1)
