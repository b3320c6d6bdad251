"""The normal form of a sum: what does not depend on the summed indices leaves it, deltas are eliminated,
and each remaining core is looked up as 0, a constant, or a saved value.

Enters: an equation with a sum. Leaves: an equivalent map over core sums, with what was used.
Must not know: any op; `Σ_k y[n,k] = 1` comes from the values of a leaf with that fact.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbp.derive.rules.algebra import common_factor, expand
from symbp.derive.rules.fold import Search
from symbp.derive.search.cancellation import as_sharp, unopposed
from symbp.ir.bounds import never_negative, within
from symbp.ir.expr import (
    Access,
    Expr,
    Guard,
    Index,
    IntegerAccess,
    free_indices,
    parts_of,
    unused_index,
    value_accesses,
)
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, Reduction, Role, System

Extents = Mapping[Index, Expr]


@dataclass(frozen=True)
class Core:
    """`outer · Σ_reduced inner`, where outer is free of the summed indices."""

    outer: Expr
    inner: Expr
    reduced: tuple[Index, ...]


@dataclass(frozen=True)
class Lemma:
    """`Σ_reduced inner = value`, supported by the values; `rests_on` the facts of leaves it reads."""

    inner: Expr
    reduced: tuple[Index, ...]
    value: Expr


@dataclass(frozen=True)
class SumForm:
    """`settled` plus the sum of the cores."""

    settled: Expr
    cores: tuple[Core, ...]
    lemmas: tuple[Lemma, ...]


def sum_forms(equation: Equation, body: Expr, system: System, search: Search, signs: Signs) -> list[SumForm]:
    """Normal forms of `Σ body`, from the body as it stands and from its expansion; those that keep the
    digits: a sum of differences does not become a difference of sums."""
    bodies = dict.fromkeys([body, expand(body)])
    forms = [_normal_form(b, equation.reduced, equation.extents, system, search) for b in bodies]
    whole = _one_sum(body, equation.reduced)
    forms += [] if whole is None else [whole]
    forms += [_together(form) for form in forms if len(form.cores) > len(_by_outer(form))]
    return [form for form in forms if _sharp(form, body, signs)]


def _sharp(form: SumForm, body: Expr, signs: Signs) -> bool:
    """Whether what the form adds up doesn't cancel, and each part is as sharp as the body of the sum. Where
    brackets left one element of each term, it adds up what the body did."""
    if not form.cores and all(lemma.value == 0 for lemma in form.lemmas):
        return as_sharp(form.settled, body, signs)
    summed = [core.outer * core.inner for core in form.cores]
    parts = [*summed, *(sympy.Add.make_args(form.settled) if form.settled != 0 else ())]
    return unopposed(parts, signs) and all(as_sharp(part, body, signs) for part in summed)


def _by_outer(form: SumForm) -> dict[tuple[Expr, tuple[Index, ...]], list[Core]]:
    """The cores by what stands outside them, but for numbers."""
    found: dict[tuple[Expr, tuple[Index, ...]], list[Core]] = {}
    for core in form.cores:
        found.setdefault((core.outer.as_coeff_Mul()[1], core.reduced), []).append(core)
    return found


def _together(form: SumForm) -> SumForm:
    """`4·w·Σ a − 4·w·Σ b` as `4·w·Σ (a − b)`: one pass, and terms that may have a factor in common."""
    cores = []
    for (outer, reduced), own in _by_outer(form).items():
        numbers = [core.outer.as_coeff_Mul()[0] for core in own]
        number = sympy.gcd_list(numbers) if all(x.is_Rational for x in numbers) else sympy.Integer(1)
        inner = sympy.Add(*[x / number * core.inner for x, core in zip(numbers, own, strict=True)])
        cores.append(Core(number * outer, common_factor(inner), reduced))
    return SumForm(form.settled, tuple(cores), form.lemmas)


def _one_sum(body: Expr, reduced: tuple[Index, ...]) -> SumForm | None:
    """`Σ (2·a − 2·b)` as `2·Σ (a − b)`: the number leaves the sum, the rest stays together."""
    terms = sympy.Add.make_args(body)
    number = sympy.gcd_list([term.as_coeff_Mul()[0] for term in terms])
    if len(terms) < 2 or not number.is_Rational or number == 1:
        return None
    return SumForm(sympy.Integer(0), (Core(number, sympy.Add(*[t / number for t in terms]), reduced),), ())


def _normal_form(
    body: Expr, reduced: tuple[Index, ...], extents: Extents, system: System, search: Search
) -> SumForm:
    settled: Expr = sympy.Integer(0)
    grouped: dict[tuple[Expr, tuple[Index, ...]], Expr] = {}
    for term in sympy.Add.make_args(body):
        core = split(term, reduced, extents, system)
        if not core.reduced:
            settled += core.outer * core.inner
            continue
        key = (core.outer, core.reduced)
        grouped[key] = grouped.get(key, sympy.Integer(0)) + core.inner
    by_inner: dict[tuple[Expr, tuple[Index, ...]], Expr] = {}
    for (outer, left), inner in grouped.items():
        by_inner[inner, left] = by_inner.get((inner, left), sympy.Integer(0)) + outer
    cores, lemmas = [], []
    for (inner, left), outer in by_inner.items():
        value = search.lookup(inner, left)
        if value is None:
            cores.append(Core(outer, inner, left))
        else:
            lemmas.append(Lemma(inner, left, value))
            settled += outer * value
    return SumForm(settled, tuple(cores), tuple(lemmas))


def split(term: Expr, reduced: Sequence[Index], extents: Extents, system: System) -> Core:
    """One term: deltas eliminated, factors sorted into those that depend on the summed indices and not."""
    left = list(reduced)
    term, left = _eliminate_deltas(term, left, extents, system)
    inner: list[Expr] = []
    outer: list[Expr] = []
    content, term = term.as_content_primitive() if not term.is_Add else (sympy.Integer(1), term)
    outer.append(content)
    factors = sympy.Mul.make_args(term)
    for factor in factors:
        (inner if free_indices(factor) & set(left) else outer).append(factor)
    if any(_may_leave_its_range(access, extents, system) for access in sympy.Mul(*inner).atoms(Access)):
        inner += [f for f in outer if isinstance(f, Guard)]  # a guard stays with what it protects
        outer = [f for f in outer if not isinstance(f, Guard)]
    if any(isinstance(f, Guard) for f in inner):
        inner += [f for f in outer if _unknown_range(f, system)]
        outer = _protected([f for f in outer if not _unknown_range(f, system)], extents, system)
    for index in [i for i in left if not any(i in free_indices(f) for f in inner)]:
        outer.append(extents[index])
        left.remove(index)
    return Core(sympy.Mul(*outer), sympy.Mul(*inner), tuple(left))


def _protected(outer: Sequence[Expr], extents: Extents, system: System) -> list[Expr]:
    """Factors that leave a sum, whose guards stay, with guards of their own: a read that one of those kept
    in its range, `r[t + 1]` in `Σ_j [t + 1 < T]·r[t + 1]·a[t + 1, j]`, is made only where it is in range.
    That changes nothing, since all terms are 0 elsewhere, whichever of the guards says so."""
    needed: dict[Expr, None] = {}
    for access in sorted(sympy.Mul(*outer).atoms(Access), key=sympy.default_sort_key):
        tensor = system.by_name.get(access.name)
        if access.outside is not None or tensor is None:
            continue
        for subscript, extent in zip(access.subscripts, tensor.shape, strict=True):
            if not _known_below(subscript, extent, system):
                needed |= dict.fromkeys(within(subscript, extent, extents))
    stated = [f for f in outer if isinstance(f, Guard)]
    return [*outer, *(g for g in needed if not any(_implies(h, g, extents) for h in stated))]


def _unknown_range(factor: Expr, system: System) -> bool:
    """Whether it reads a value that is only now being named, at other places than it was defined at."""
    return not isinstance(factor, Guard) and any(
        access.name not in system.by_name and not all(isinstance(s, Index) for s in access.subscripts)
        for access in parts_of(factor, Access)
    )


def _implies(stated: Expr, wanted: Expr, extents: Extents) -> bool:
    """Whether one comparison of integers follows from another."""
    if stated == wanted or wanted.op != "<=" or stated.op != "<=" or not stated.lhs.is_integer:
        return bool(stated == wanted)
    return never_negative((wanted.rhs - wanted.lhs) - (stated.rhs - stated.lhs), extents)


def _may_leave_its_range(access: Access, extents: Extents, system: System) -> bool:
    """Whether a subscript is more than an index, or an index that runs along another axis than this one."""
    if access.outside is not None:
        return False
    tensor = system.by_name.get(access.name)  # a value only now being named is read as it was defined
    if tensor is None:
        return not all(isinstance(s, Index) for s in access.subscripts)
    return any(extents.get(s) != e for s, e in zip(access.subscripts, tensor.shape, strict=True))


def _eliminate_deltas(
    term: Expr, left: list[Index], extents: Extents, system: System
) -> tuple[Expr, list[Index]]:
    """`Σ_k [k = e] f(k) = f(e)`, with guards that e is in range unless that is known."""
    again = True
    while again:
        again = False
        for factor in sorted(sympy.Mul.make_args(term), key=sympy.default_sort_key):
            hit = _delta(factor, left)
            if hit is None:
                continue
            index, value = hit
            left = [i for i in left if i != index]
            guards = (
                [] if _known_below(value, extents[index], system) else within(value, extents[index], extents)
            )
            term = sympy.Mul((term / factor).xreplace({index: value}), *guards)
            again = True
            break
    return term, left


def _delta(factor: Expr, left: Sequence[Index]) -> tuple[Index, Expr] | None:
    if not isinstance(factor, Guard):
        return None
    if factor.op == "<=" and factor.lhs in left and factor.rhs == 0:
        return factor.lhs, sympy.Integer(0)
    if factor.op != "=":
        return None
    for index, value in ((factor.lhs, factor.rhs), (factor.rhs, factor.lhs)):
        if index in left and index not in free_indices(value):
            return index, value
    return None


def _known_below(value: Expr, extent: Expr, system: System) -> bool:
    """An integer leaf whose fact says that it is below this size, or a place in an order of so many; a number
    at which the forward pass reads an axis so long."""
    if value.is_Integer:
        return value >= 0 and _is_read_at(value, extent, system)
    if not isinstance(value, IntegerAccess):
        return False
    fact = system.tensor(value.name).fact("below")
    bound = None if fact is None else fact.bound
    defining = system.defining.get(value.name)
    if defining is not None and defining.op == "argsort":
        bound = defining.extents[defining.reduced[0]]
    return bound is not None and sympy.expand(bound - extent) == 0


def _is_read_at(place: Expr, extent: Expr, system: System) -> bool:
    """Whether an axis of this length has this place: the forward pass reads it, whatever else is."""
    for equation in system.equations:
        if system.tensor(equation.target).role in (Role.ADJOINT, Role.GRADIENT):
            continue
        if equation.where or parts_of(equation.body, Guard):
            continue  # what a bracket excludes isn't read
        for access in parts_of(equation.body, Access):
            shape = system.tensor(access.name).shape
            if access.outside is None and any(
                at.is_Integer and at >= place and sympy.expand(n - extent) == 0
                for at, n in zip(access.subscripts, shape, strict=True)
            ):
                return True
    return False


def partly_summed(equation: Equation, search: Search) -> list[Equation]:
    """`Σ_n,d g·h` as `Σ_n m` where `m = Σ_d g·h` is a saved value; most indices at once first."""
    found = []
    for count in range(len(equation.reduced) - 1, 0, -1):
        for inner in itertools.combinations(equation.reduced, count):
            value = search.lookup(equation.body, inner)
            if value is None or not parts_of(value, Access):
                continue
            left = tuple(i for i in equation.reduced if i not in inner)
            ranges = tuple(equation.extents[i] for i in (*equation.indices, *left))
            found.append(equation.with_(body=value, reduction=Reduction("sum", left), ranges=ranges))
    return found


def exchanged(
    equation: Equation, search: Search, definition: Callable[[str], Equation | None]
) -> list[Equation]:
    """`Σ_j P Σ_c V·g` as `Σ_c g·O` where `O = Σ_j P·V` is a saved value (Dao et al. 2022, appendix B.2)."""
    found = []
    factors = sympy.Mul.make_args(equation.body)
    for factor in factors:
        inner = definition(factor.name) if isinstance(factor, Access) else None
        if inner is None or inner.op != "sum" or not all(isinstance(s, Index) for s in factor.subscripts):
            continue
        fresh: dict[Index, Index] = {}
        for index in inner.reduced:
            taken = (*equation.all_indices, *fresh.values())
            fresh[index] = unused_index(index, taken) if index in taken else index
        names = {**dict(zip(inner.indices, factor.subscripts, strict=True)), **fresh}
        body = inner.body.xreplace(names)
        extents = {**equation.extents, **{fresh[i]: inner.extents[i] for i in inner.reduced}}
        everything = [*sympy.Mul.make_args(body), *(f for f in factors if f is not factor)]
        summed = [f for f in everything if free_indices(f) & set(equation.reduced)]
        rest = [f for f in everything if not free_indices(f) & set(equation.reduced)]
        over = tuple(fresh.values())
        wider = replace(search, indices=(*equation.all_indices, *over), extents=extents, found=[])
        value = wider.lookup(sympy.Mul(*summed), equation.reduced)
        if value is not None and value_accesses(value):
            ranges = tuple(extents[i] for i in (*equation.indices, *over))
            body = sympy.Mul(value, *rest)
            found.append(equation.with_(body=body, reduction=Reduction("sum", over), ranges=ranges))
    return found


def joined(equation: Equation, parts: Sequence[Equation]) -> Equation | None:
    """Two sums that a map adds up, over boxes of the same extents, as one sum: its body is the product that
    is left when the common factor is taken out (`Σ_j A[i,j]·v[j] + Σ_j A[j,i]·v[j]`); None if there is none.

    `parts` are the definitions of the two, whose plain indices are those of the map in the same order.
    """
    first = parts[0]
    coefficients = [_coefficient(equation.body, Access(p.target, *equation.indices)) for p in parts]
    shapes = [tuple(p.extents[i] for i in p.reduced) for p in parts]
    if shapes[0] != shapes[1] or any(c is None for c in coefficients):
        return None
    over: list[Index] = []
    for index in first.reduced:
        taken = (*equation.indices, *over)
        over.append(unused_index(index, taken) if index in taken else index)
    bodies = []
    for part, coefficient in zip(parts, coefficients, strict=True):
        names = dict(zip(part.indices, equation.indices, strict=True))
        names |= dict(zip(part.reduced, over, strict=True))
        bodies.append(coefficient * part.body.xreplace(names))
    whole = sympy.Add(*map(_one_sign, bodies))
    body = next((b for b in (common_factor(whole), common_factor(expand(whole))) if b.is_Mul), None)
    if body is None or not as_sharp(body, whole, Signs.told(())):
        return None
    ranges = tuple(equation.extents[i] for i in equation.indices) + shapes[0]
    return first.with_(
        indices=equation.indices, body=body, reduction=Reduction("sum", tuple(over)), ranges=ranges
    )


def _one_sign(term: Expr) -> Expr:
    """`w·(b − a)` as `−w·(a − b)`: of a difference and its opposite, always the same."""
    factors = []
    for factor in sympy.Mul.make_args(term):
        turned = factor.is_Add and factor.could_extract_minus_sign()
        factors += [sympy.Integer(-1), -factor] if turned else [factor]
    return sympy.Mul(*factors)


def _coefficient(body: Expr, read: Access) -> Expr | None:
    """The number that multiplies a read in a sum of terms."""
    found = [t for t in sympy.Add.make_args(body) if read in parts_of(t, Access)]
    if len(found) != 1:
        return None
    factor = found[0] / read
    return factor if factor.is_number else None


def scaled_sum(reader: Equation, source: Equation) -> Equation | None:
    """A map `c·S[…]`, c a number, as the sum S with c inside; None if it isn't that, with S's own axes."""
    factor, access = reader.body.as_coeff_Mul()
    if reader.reduction is not None or not isinstance(access, Access) or access.name != source.target:
        return None
    if access.outside is not None or sorted(map(str, access.subscripts)) != sorted(map(str, reader.indices)):
        return None
    names: dict[Expr, Index] = dict(zip(source.indices, access.subscripts, strict=True))
    for index in source.reduced:
        taken = (*reader.indices, *names.values())
        names[index] = unused_index(index, taken) if index in taken else index
    reduced = tuple(names[i] for i in source.reduced)
    ranges = (*reader.shape, *(source.extents[i] for i in source.reduced))
    body = factor * source.body.xreplace(names)
    return reader.with_(body=body, reduction=Reduction("sum", reduced), ranges=ranges)
