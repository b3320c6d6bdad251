"""What a textbook writes for brackets and in their presence: their opposites, subscripts that they determine,
and long conditions once.

Enters: pages. Leaves: pages of the same values. Must not know: names, formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, free_indices, unused_name
from symbp.ir.system import Equation, Role, Tensor
from symbp.read.cases import opposite
from symbp.read.display import Reduced, bound
from symbp.read.textbook.page import Page, size
from symbp.read.textbook.terms import everywhere

ZERO, HALF = sympy.Integer(0), sympy.Rational(1, 2)
MOST = 3  # conditions that stand beside each other
LONG = 8  # parts of a condition that is written once, and called by a name


# --- opposites
def with_opposites(page: Page) -> Page:
    """The page with [r] for 1 − [not r]."""
    return page.mapped(lambda e: e.with_(body=everywhere(e.body, _opposite)))


def _opposite(e: Expr) -> Expr:
    if e.is_Add and len(e.args) == 2 and sympy.Integer(1) in e.args:
        other = -(e - 1)
        if isinstance(other, Guard):
            return opposite(other)
    return e


# --- roots of what is never negative
def with_plain_roots(page: Page) -> Page:
    """The page with √s for [s > 0]·√s, if nothing beside it needs the bracket, and [s > 0] once for
    [s > 0]·[s ≠ 0], where s is a sum of squares."""
    squares = {e.target for e in page.equations if e.op == "sum" and e.body.is_Pow and e.body.exp == 2}

    def change(e: Expr) -> Expr:
        if not e.is_Mul:
            return e
        own = {a for a in e.atoms(Access) if a.name in squares and a.outside is None}
        factors = [f.base if f.is_Pow and isinstance(f.base, Guard) else f for f in e.args]
        factors = [f.xreplace({Guard("!=", a, ZERO): Guard("<", ZERO, a) for a in own}) for f in factors]
        roots = {Guard("<", ZERO, f.base) for f in factors if f.is_Pow and f.exp == HALF and f.base in own}
        others = [f for f in factors if f not in roots and not (f.is_Pow and f.exp == HALF)]
        needless = roots if all(map(_has_value_everywhere, others)) else set()
        return sympy.Mul(*(f for f in dict.fromkeys(factors) if f not in needless))

    return page.mapped(lambda e: e.with_(body=everywhere(e.body, change))) if squares else page


# --- how many conditions hold
def with_counts(page: Page) -> Page:
    """The page with the conditions under each other of a sum that only they are under."""
    return page.mapped(lambda e: e.with_(body=everywhere(e.body, _counted)))


def _counted(e: Expr) -> Expr:
    """a·([i = 0] + [i = 1]) for Σ_q [i = q]·a over two or three q. A sum of brackets doesn't guard a where
    none holds, so a has a value everywhere."""
    if not isinstance(e, Reduced) or e.op != "sum" or len(e.indices) != 1 or e.where:
        return e
    (index,), (extent,) = e.indices, e.extents.values()
    factors = sympy.Mul.make_args(e.body)
    inner = [f for f in factors if index in free_indices(f)]
    if len(inner) != 1 or not isinstance(inner[0], Guard) or not extent.is_Integer or extent > MOST:
        return e
    others = [f for f in factors if f not in inner]
    if not all(map(_has_value_everywhere, others)):
        return e
    terms = [inner[0].xreplace({index: sympy.Integer(k)}) for k in range(int(extent))]
    return sympy.Mul(*others, sympy.Add(*terms))


def _has_value_everywhere(e: Expr) -> bool:
    """Whether nothing in a formula can fail: no division, root, logarithm, no read outside a tensor."""
    if isinstance(e, Access):
        return e.outside is None and all(isinstance(s, Index) for s in e.subscripts)
    if isinstance(e, Guard):
        return _has_value_everywhere(e.lhs) and _has_value_everywhere(e.rhs)
    if e.is_Pow and not (e.exp.is_Integer and e.exp > 0):
        return False
    known = e.is_number or e.is_Add or e.is_Mul or e.is_Pow or isinstance(e, (Index, sympy.exp))
    return bool(known) and all(map(_has_value_everywhere, e.args))


# --- subscripts that a bracket determines
def with_plain_subscripts(page: Page) -> Page:
    """The page with [t = T − 1]·a[t] for [t = T − 1]·a[T − 1]."""

    def change(equation: Equation) -> Equation:
        extents = bound(equation)
        return equation.with_(
            body=everywhere(equation.body, lambda e: plain_subscripts(e, extents, page.tensors))
        )

    return page.mapped(change)


def plain_subscripts(product: Expr, extents: Mapping[Index, Expr], tensors: Mapping[str, Tensor]) -> Expr:
    """A product with an index in the place of the formula that a bracket among its factors says it equals."""
    if not product.is_Mul:
        return product
    factors = list(product.args)
    for guard in [f for f in factors if isinstance(f, Guard) and f.op == "="]:
        for index, value in _determined(guard):
            others = [f for f in factors if f is not guard]
            reads = {a for f in others for a in f.atoms(Access) if value in a.subscripts}
            found = {a: _read(a, value, index, extents, tensors) for a in reads}
            if found:
                factors = [guard, *(f.xreplace(found) for f in others)]
    return sympy.Mul(*factors)


def _determined(guard: Guard) -> Iterator[tuple[Index, Expr]]:
    """Each index with the formula that it equals where the bracket holds."""
    difference = sympy.expand(guard.lhs - guard.rhs)
    for index in sorted(free_indices(guard), key=lambda i: i.name):
        coefficient = difference.coeff(index)
        rest = sympy.expand(difference - coefficient * index)
        if coefficient in (1, -1) and not rest.has(index):
            value = sympy.expand(-coefficient * rest)
            if value.is_Add:
                yield index, value


def _read(
    access: Access, value: Expr, index: Index, extents: Mapping[Index, Expr], tensors: Mapping[str, Tensor]
) -> Access:
    subscripts = [index if s == value else s for s in access.subscripts]
    shape = tensors[access.name].shape
    inside = all(
        extents.get(s) == extent or s in (0, extent - 1) for s, extent in zip(subscripts, shape, strict=True)
    )
    return type(access)(access.name, *subscripts, outside=None if inside else access.outside)


# --- long conditions once
def with_conditions_once(page: Page) -> Page:
    """The page with a name for a number that only conditions make, is long, and stands in several places."""
    for pattern, extents in _numbers(page):
        indices = tuple(i for i in extents if i in free_indices(pattern))
        name = unused_name("reach", page.tensors)
        equation = Equation(name, indices, pattern, ranges=tuple(extents[i] for i in indices))
        tensor = Tensor(name, equation.shape, Role.HIDDEN, integer=True)
        lines = [_with_named(line, pattern, tensor, indices) for line in page.equations]
        changed = [k for k, line in enumerate(lines) if line != page.equations[k]]
        reads = [{a for a in line.reads if a.name == name} for line in lines]
        if sum(map(len, reads)) > 1:
            lines.insert(changed[0], equation)
            made = replace(
                page,
                equations=tuple(lines),
                tensors={**page.tensors, name: tensor},
                defined={**page.defined, name: equation},
            )
            return with_conditions_once(made)
    return page


def _numbers(page: Page) -> Iterator[tuple[Expr, dict[Index, Expr]]]:
    """The sides of conditions, integers, that hold conditions themselves, where their indices run along whole
    axes."""
    for equation in page.equations:
        extents = bound(equation)
        for part in (equation.body, *equation.where):
            for guard in sorted(part.atoms(Guard), key=sympy.default_sort_key):
                for side in (guard.lhs, guard.rhs):
                    plain = all(i in extents for i in free_indices(side))
                    long = size(side) >= LONG and free_indices(side)
                    if side.is_integer and side.atoms(Guard) and plain and long:
                        yield side, extents


def _with_named(line: Equation, pattern: Expr, tensor: Tensor, indices: tuple[Index, ...]) -> Equation:
    """The equation with the name wherever the number stands, for other elements, too: where an index is
    moved by another, elsewhere only if a factor is 0 beyond the range."""
    if line.body == pattern:
        return line
    own = bound(line)
    body, where = line.body, list(line.where)
    plain = tensor.at(*indices)
    body = body.xreplace({pattern: plain})
    where = [g.xreplace({pattern: plain}) for g in where]
    for index in indices:
        for step in own:
            if index in own and step != index:
                moved = {index: index + step}
                number = pattern.xreplace(moved)
                if body.has(number):
                    read = plain.xreplace(moved)
                    body = everywhere(body, partial(_moved, number, read, index + step))
    return line.with_(body=body, where=tuple(where))


def _moved(number: Expr, read: Access, subscript: Expr, e: Expr) -> Expr:
    """A product with a read of the number, which may be beyond its range where the product is 0."""
    if not e.is_Mul or not any(isinstance(f, Guard) and f.has(number) for f in e.args):
        return e
    vanishes = any(isinstance(f, Access) and f.outside == 0 and subscript in f.subscripts for f in e.args)
    if not vanishes:
        return e
    return e.xreplace({number: read.with_(outside=sympy.Integer(0))})
