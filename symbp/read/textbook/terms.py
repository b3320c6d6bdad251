"""How a textbook writes the terms of an equation: common factors once, zeros outside a range without
brackets.

Enters: pages. Leaves: pages of the same equations, each with the same value. Must not know: names, formats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

import sympy

from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod, free_indices
from symbp.ir.system import Equation, Tensor
from symbp.read.display import Reduced, bound, unused
from symbp.read.textbook.page import Page


def with_common_factors(page: Page) -> Page:
    """The page with r·(A − B) − r·C as r·(A − B − C), and p − y for (1 − y)·p − (1 − p)·y."""

    def change(e: Expr) -> Expr:
        return _without_fractions(_collected(_cancelled(e)))

    return page.mapped(lambda e: e.with_(body=everywhere(e.body, change)))


def _cancelled(e: Expr) -> Expr:
    """A sum with its products of sums multiplied out, where terms cancel that leave less."""
    if not e.is_Add or not any(f.is_Add for t in e.args for f in sympy.Mul.make_args(t)):
        return e
    plain = sympy.Add(*(sympy.expand_mul(term, deep=False) for term in e.args))
    fewer = len(sympy.Add.make_args(plain)) <= len(e.args) and len(_factors(plain)) < len(_factors(e))
    return plain if fewer else e


def _factors(e: Expr) -> list[Expr]:
    """All factors of all terms, also of sums within them."""
    factors = [f for term in sympy.Add.make_args(e) for f in sympy.Mul.make_args(term)]
    return [inner for f in factors for inner in (_factors(f) if f.is_Add else [f])]


def _without_fractions(product: Expr) -> Expr:
    """r·(a − b)/10 for r·(a/10 − b/10), where a sum is beside other factors."""
    if not product.is_Mul or sum(not f.is_Rational for f in product.args) < 2:
        return product
    split = [f.primitive() if f.is_Add else (sympy.Integer(1), f) for f in product.args]
    content = sympy.Mul(*(c for c, _ in split if c.q != 1))
    return sympy.Mul(
        content, *(rest if c.q != 1 else f for (c, rest), f in zip(split, product.args, strict=True))
    )


def with_known_differences(page: Page) -> Page:
    """The page with c·z/σ − c·μ/σ as c·ẑ in a derivative, where ẑ = (z − μ)/σ has a name."""
    place = {e.target: k for k, e in enumerate(page.equations)}
    known = [
        e
        for e in page.equations
        if e.target in page.declared and page.tensors[e.target].differential is None and _is_difference(e)
    ]

    def change(e: Equation) -> Equation:
        if page.tensors[e.target].differential is None:
            return e
        before = [one for one in known if place[one.target] < place[e.target]]
        return e.with_(body=everywhere(e.body, lambda part: _read_back(part, before, page.tensors)))

    return page.mapped(change)


def _is_difference(e: Equation) -> bool:
    """Whether a tensor is a difference of two others, times something: each of its terms is a product."""
    totals = [f for f in sympy.Mul.make_args(e.body) if f.is_Add]
    plain = e.op is None and not e.where and not e.constant and e.body.is_Mul
    return plain and len(totals) == 1 and len(totals[0].args) == 2


def _terms_of(difference: Expr) -> tuple[Expr, Expr]:
    """Its two terms, each with what multiplies both; what is a sum within them stays."""
    (total,) = (f for f in difference.args if f.is_Add)
    shared = sympy.Mul(*(f for f in difference.args if f is not total))
    first, second = (shared * term for term in total.args)
    return first, second


def _read_back(e: Expr, known: Sequence[Equation], tensors: Mapping[str, Tensor]) -> Expr:
    """A sum with one term for two that are a multiple of a known difference."""
    ways = ((equation, terms) for equation in known for terms in permutations(_terms_of(equation.body)))
    for equation, (one, other) in ways if e.is_Add else ():
        leads = {a.name for a in one.atoms(Access) if a.subscripts == equation.indices}
        factors = ((term, f) for term in e.args for f in sympy.Mul.make_args(term))
        for term, read in ((t, f) for t, f in factors if isinstance(f, Access) and f.name in leads):
            there = dict(zip(equation.indices, read.subscripts, strict=True))
            multiple = term / one.xreplace(there)
            partner = multiple * other.xreplace(there)
            if partner in e.args:
                rest = [t for t in e.args if t not in (term, partner)]
                value = tensors[equation.target].at(*read.subscripts)
                return _read_back(sympy.Add(*rest, multiple * value), known, tensors)
    return e


def with_zeros_outside(page: Page) -> Page:
    """The page with [t < T − 1]·a[t + 1]·b as a[t + 1]·b where a is 0 beyond its range."""

    def change(e: Expr) -> Expr:
        return zeros_outside(e, page.tensors) if e.is_Mul else e

    return page.mapped(lambda e: e.with_(body=everywhere(e.body, change)))


def with_outer_signs(page: Page) -> Page:
    """The page with a sum of −a as minus the sum of a."""

    def change(e: Equation) -> Equation:
        if e.op == "sum" and _is_negative(e.body):
            total = Reduced("sum", e.body, e.reduced, [e.extents[i] for i in e.reduced])
            return e.with_(body=_outside(total), reduction=None, ranges=e.shape)
        return e.with_(body=everywhere(e.body, _outside))

    return page.mapped(change)


def with_shared_indices(page: Page) -> Page:
    """The page with one index for the sums of an equation that run over equal axes beside each other."""

    def change(e: Equation) -> Equation:
        names: dict[Expr, list[Index]] = {}
        return e.with_(body=_sharing(e.body, frozenset(e.all_indices), names, set(bound(e))))

    return page.mapped(change)


def _sharing(e: Expr, scope: frozenset[Index], names: dict[Expr, list[Index]], taken: set[Index]) -> Expr:
    """The expression with the first names for axes of each extent that nothing in scope has."""
    if not e.args or not e.atoms(Reduced):
        return e
    if not isinstance(e, Reduced):
        args = [_sharing(a, scope, names, taken) if isinstance(a, sympy.Expr) else a for a in e.args]
        return e.func(*args)
    body = _sharing(e.body, scope | set(e.indices), names, taken)
    inner = {i for node in body.atoms(Reduced) for i in node.indices}
    chosen: dict[Index, Index] = {}
    for index, extent in e.extents.items():
        known = names.setdefault(extent, [])
        busy = {*scope, *inner, *chosen.values()}
        free = next((i for i in known if i not in busy), None)
        if free is None:
            free = unused(taken, index)
            known.append(free)
            taken.add(free)
        chosen[index] = free
    apart = {i: Index(f"{i.name}__apart") for i in chosen}
    back = {apart[i]: chosen[i] for i in chosen}
    where = [g.xreplace(apart).xreplace(back) for g in e.where]
    return Reduced(e.op, body.xreplace(apart).xreplace(back), chosen.values(), e.args[3], where)


def _is_negative(body: Expr) -> bool:
    """Whether a body is −a, or all its terms are."""
    return all(term.could_extract_minus_sign() for term in sympy.Add.make_args(body))


def _outside(e: Expr) -> Expr:
    """−Σ a for Σ −a, with what doesn't depend on the indices outside, too."""
    if not isinstance(e, Reduced) or e.op != "sum" or not _is_negative(e.body):
        return e
    body = sympy.Add(*[-term for term in sympy.Add.make_args(e.body)])
    factors = sympy.Mul.make_args(body)
    outer = [f for f in factors if not f.free_symbols & set(e.indices)]
    inner = [f for f in factors if f not in outer]
    return -sympy.Mul(*outer, Reduced("sum", sympy.Mul(*inner), e.indices, e.args[3], e.where))


def everywhere(e: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with every part changed, the inner ones first; subscripts and conditions stay."""
    if not e.args or e.is_Symbol or isinstance(e, (Access, Guard, FloorDiv, Mod)):
        return e
    args = [everywhere(a, change) if isinstance(a, sympy.Expr) else a for a in e.args]
    same = all(a is b for a, b in zip(args, e.args, strict=True))
    return change(e if same else e.func(*args))


def _collected(e: Expr) -> Expr:
    """A sum with a term that is a product of a sum: others with the same factors go into that sum."""
    if not e.is_Add:
        return e
    for term in sorted(e.args, key=sympy.default_sort_key):
        factors = sympy.Mul.make_args(term)
        totals = [f for f in factors if f.is_Add]
        rest = [f for f in factors if not f.is_Add]
        if len(totals) != 1 or not any(f.free_symbols or f.atoms(Access) for f in rest):
            continue
        shared = [u for u in e.args if u is not term and _has(u, rest)]
        if shared:
            inner = [totals[0], *(_divided(u, rest) for u in shared)]
            others = [u for u in e.args if u is not term and u not in shared]
            return _collected(sympy.Add(sympy.Mul(*rest, sympy.Add(*inner)), *others))
    return e


def _has(term: Expr, factors: list[Expr]) -> bool:
    have = list(sympy.Mul.make_args(term))
    return all(f in have for f in factors)


def _divided(term: Expr, factors: list[Expr]) -> Expr:
    return sympy.Mul(*[f for f in sympy.Mul.make_args(term) if f not in factors])


def zeros_outside(product: Expr, tensors: Mapping[str, Tensor]) -> Expr:
    """A product without the conditions that keep its reads in their range, where what stands beyond can be
    taken for 0 and makes the product 0."""
    factors = list(sympy.Mul.make_args(product))
    split = _distributed(factors, tensors)
    if split is not None:
        return split
    for guard in [f for f in factors if isinstance(f, Guard) and f.op == "<="]:
        rest = [f for f in factors if f is not guard]
        changed = _beyond(rest, guard, tensors)
        if changed is not None:
            factors = changed
    return sympy.Mul(*factors)


def _distributed(factors: list[Expr], tensors: Mapping[str, Tensor]) -> Expr | None:
    """a[t + 1]·b + a[t + 1]·c for [t < T − 1]·(a[t + 1]·b + a[t + 1]·c), if each term can do without."""
    guards, totals = [f for f in factors if isinstance(f, Guard)], [f for f in factors if f.is_Add]
    if len(factors) != 2 or len(guards) != 1 or len(totals) != 1:
        return None
    terms = [zeros_outside(guards[0] * term, tensors) for term in totals[0].args]
    return None if any(term.has(guards[0]) for term in terms) else sympy.Add(*terms)


def _beyond(factors: list[Expr], guard: Guard, tensors: Mapping[str, Tensor]) -> list[Expr] | None:
    """The factors with 0 outside for each read that the condition keeps in its range; None, if without the
    condition the product isn't 0 for sure or couldn't be evaluated."""
    moved: dict[Expr, Expr] = {}
    indices = free_indices(guard)
    for access in {a for f in factors for a in f.atoms(Access)}:
        if _is_kept(access, guard, tensors) and access.outside in (None, 0):
            moved[access] = access.with_(outside=sympy.Integer(0))
        elif access.outside is None and any(
            s not in indices and free_indices(s) & indices for s in access.subscripts
        ):
            return None  # it may be out of its range, too
    makes_zero = any(f in moved or _is_zero_sum(f, moved) for f in factors)
    if not makes_zero or any(_is_singular(f, moved) for f in factors):
        return None
    return [f.xreplace(moved) for f in factors]


def _is_kept(access: Access, guard: Guard, tensors: Mapping[str, Tensor]) -> bool:
    """Whether the condition says that the read is within the tensor's range along one axis."""
    shape = tensors[access.name].shape
    for subscript, extent in zip(access.subscripts, shape, strict=True):
        if not isinstance(subscript, Index) and free_indices(subscript):
            ends = Guard("<=", subscript + 1, extent), Guard("<=", sympy.Integer(0), subscript)
            if guard in ends:
                return True
    return False


def _is_zero_sum(e: Expr, moved: Mapping[Expr, Expr]) -> bool:
    """Whether a sum within a product is 0 where the moved reads are."""
    return isinstance(e, Reduced) and e.op == "sum" and any(f in moved for f in sympy.Mul.make_args(e.body))


def _is_singular(e: Expr, moved: Mapping[Expr, Expr]) -> bool:
    """Whether e may have no value where the moved reads are 0."""
    powers = [p for p in e.atoms(sympy.Pow) if not p.exp.is_nonnegative and p.base.has(*moved)]
    return bool(powers) or any(f.has(*moved) for f in e.atoms(sympy.log))
