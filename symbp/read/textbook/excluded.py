"""logsumexp where everything may be excluded: −∞ then, and a share of nothing is 0.

Enters: pages on which such a sum stands as it is computed. Leaves: pages with logsumexp in its place, of the
same values. Must not know: names, formats, what the sum is for.

Computed are m = max_k u, m′ = [m > −∞]·m, s = Σ_k exp(u − m′), r = [s = 0] + s, so that nothing overflows and
nothing is ∞ − ∞. With L = logsumexp_k(u), −∞ where no k is left, these are identities:

    log r + m = L        exp(u_k − m′)/r = [L > −∞]·exp(u_k − L)

If L > −∞, m is finite, m′ = m, and r = s ≥ 1. If L = −∞, every u_k is −∞, m′ = 0, r = 1: both sides are −∞,
or 0. So the second holds for exponents that are one of the u_k only, which is looked for: for an index that
runs as far as k does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index
from symbp.ir.system import Equation, Role, Tensor
from symbp.read.display import Reduced, bound
from symbp.read.textbook.functions import exponential
from symbp.read.textbook.page import Page, inlined
from symbp.read.textbook.terms import everywhere

NOTHING = -sympy.oo


@dataclass(frozen=True)
class Shifted:
    """The names of m, m′, s and r; `index` is k, `exponent` u and `where` the conditions on k, in terms of
    the `indices` of r."""

    most: str
    shift: str
    total: str
    safe: str
    indices: tuple[Index, ...]
    index: Index
    extent: Expr
    exponent: Expr
    where: tuple[Guard, ...]

    @property
    def names(self) -> frozenset[str]:
        """What only the computation has."""
        return frozenset((self.most, self.shift, self.total, self.safe))

    def at(self, subscripts: tuple[Expr, ...], index: Expr) -> tuple[Expr, tuple[Guard, ...]]:
        """u and the conditions for one k at one place."""
        here = dict(zip(self.indices, subscripts, strict=True)) | {self.index: index}
        apart = {old: Index(f"{old.name}__apart") for old in here}
        back = {apart[old]: new for old, new in here.items()}
        return (
            self.exponent.xreplace(apart).xreplace(back),
            tuple(g.xreplace(apart).xreplace(back) for g in self.where),
        )


def with_logsumexp(page: Page) -> Page:
    """The page with logsumexp for sums that are kept from being 0."""
    for equation in page.equations:
        found = _shifted(page, equation)
        if found is not None:
            page = _rewritten(page, found)
    return page


def _shifted(page: Page, safe: Equation) -> Shifted | None:
    """The four equations, found from the last, r = [s = 0] + s."""
    total = _only(page, safe, lambda a: safe.body == a + Guard("=", a, sympy.Integer(0)))
    if total is None or total.op != "sum" or len(total.reduced) != 1:
        return None
    split = exponential(total.body)
    if split is None or not page.is_helper(safe.target):
        return None
    argument, guards = split
    for term in sympy.Add.make_args(argument):
        read = -term
        if not isinstance(read, Access) or read.name not in page.by_name or not page.is_helper(read.name):
            continue
        shift = page.by_name[read.name]
        most = _only(page, shift, partial(_is_finite_part, shift.body))
        same = tuple(read.subscripts) == total.indices and tuple(shift.indices) == total.indices
        if most is None or most.op != "max" or not same or most.indices != total.indices:
            continue
        renamed = dict(zip(most.reduced, total.reduced, strict=False))
        exponent = argument - term
        where = {g.xreplace(renamed) for g in most.where}
        if most.body.xreplace(renamed) == exponent and where == set(guards):
            (index,) = total.reduced
            names = (most.target, shift.target, total.target, safe.target)
            return Shifted(*names, total.indices, index, total.extents[index], exponent, guards)
    return None


def _is_finite_part(body: Expr, most: Access) -> bool:
    """Whether a body is [m > −∞]·m."""
    return bool(body == most * Guard("<", NOTHING, most))


def _only(page: Page, equation: Equation, is_it: Callable[[Access], bool]) -> Equation | None:
    """The equation of the one helper, read with its own indices, of which something is true."""
    for access in equation.body.atoms(Access):
        known = access.name in page.by_name and page.is_helper(access.name)
        if known and tuple(access.subscripts) == equation.indices and is_it(access):
            return page.by_name[access.name]
    return None


def _rewritten(page: Page, found: Shifted) -> Page:
    """The page with L for the four; as it was, where something would still read one of them."""
    gathered = _gathered(page, found)
    name = next(n for n in (f"lse{k}" for k in itertools.count(1)) if n not in page.tensors)
    shape = page.tensors[found.safe].shape
    total = Reduced("logsumexp", found.exponent, [found.index], [found.extent], found.where)
    equation = Equation(name, found.indices, total, ranges=page.by_name[found.safe].shape)
    safe, most = (page.tensors[n].at(*found.indices) for n in (found.safe, found.most))
    behind = equation.with_(body=sympy.log(safe) + most)
    made = Tensor(name, shape, Role.HIDDEN)
    lines = []
    for line in gathered.equations:
        if line.target == found.safe:
            lines.append(equation)
        elif line.target not in found.names:
            lines.append(_written(line, found, made))
    left = {n for line in lines for n in line.read_names} & found.names
    if left:
        return page
    return replace(
        gathered,
        equations=tuple(lines),
        tensors={**page.tensors, name: made},
        defined={**page.defined, name: behind},
    ).without_unread()


def _gathered(page: Page, found: Shifted) -> Page:
    """The page on which 1/r and exp(u − m′) stand in one product: what holds only one of them, and that for
    itself, stands where it is read."""
    for parts in (_divides(found), _sums(found)):
        for name in [e.target for e in page.equations]:
            equation = page.by_name.get(name)
            if equation is None or name in found.names or not page.is_helper(name) or not parts(equation):
                continue
            what = page.waiting.get(name)
            if what is not None and not what.part and what.by not in found.names:
                continue  # a derivative that the page is to have
            reads = [a for r in page.readers.get(name, ()) for a in page.by_name[r].reads if a.name == name]
            if name not in equation.read_names and all(a.outside is None for a in reads):
                page = page.mapped(partial(_putting, equation)).without_unread()
    return page


def _putting(definition: Equation, line: Equation) -> Equation:
    return inlined(line, {definition.target: definition}) if definition.target in line.read_names else line


def _divides(found: Shifted) -> Callable[[Equation], bool]:
    def parts(e: Equation) -> bool:
        return e.op is None and any(_is_over(f, found) for f in sympy.Mul.make_args(e.body))

    return parts


def _sums(found: Shifted) -> Callable[[Equation], bool]:
    def parts(e: Equation) -> bool:
        return e.op in (None, "sum") and found.shift in e.read_names and found.safe not in e.read_names

    return parts


def _is_over(factor: Expr, found: Shifted) -> bool:
    is_power = factor.is_Pow and factor.exp == -1
    return bool(is_power) and isinstance(factor.base, Access) and factor.base.name == found.safe


def _written(line: Equation, found: Shifted, total: Tensor) -> Equation:
    """The equation with L in the place of the four."""
    extents = bound(line)

    def change(e: Expr) -> Expr:
        if e.is_Add:
            return _logarithm(e, found, total)
        return _share(e, found, total, extents) if e.is_Mul else e

    body = everywhere(line.body, change)
    return line.with_(body=body)


def _logarithm(e: Expr, found: Shifted, total: Tensor) -> Expr:
    """log r + m as L."""
    for most in sorted(e.atoms(Access), key=sympy.default_sort_key):
        if most.name != found.most:
            continue
        logarithm = sympy.log(Access(found.safe, *most.subscripts))
        for sign in (1, -1):
            if sign * most in e.args and sign * logarithm in e.args:
                rest = [t for t in e.args if t not in (sign * most, sign * logarithm)]
                return sympy.Add(*rest, sign * total.at(*most.subscripts))
    return e


def _share(e: Expr, found: Shifted, total: Tensor, extents: Mapping[Index, Expr]) -> Expr:
    """exp(u_k − m′)/r as [L > −∞]·exp(u_k − L), also where the exponentials stand in a sum that r is
    outside of."""
    factors = list(sympy.Mul.make_args(e))
    for over in [f for f in factors if _is_over(f, found)]:
        subscripts = tuple(over.base.subscripts)
        whole = total.at(*subscripts)
        rest = [f for f in factors if f is not over]
        for k, factor in enumerate(rest):
            others = rest[:k] + rest[k + 1 :]
            if isinstance(factor, Reduced) and factor.op == "sum":
                inner = sympy.Mul(factor.body, over)
                changed = _share(inner, found, total, {**extents, **factor.extents})
                free = not set(factor.indices) & over.free_symbols
                if changed != inner and free:
                    parts = sympy.Mul.make_args(changed)
                    is_something = Guard("<", NOTHING, whole)
                    body = sympy.Mul(*[f for f in parts if f != is_something])
                    sums = Reduced("sum", body, factor.indices, factor.args[3], factor.where)
                    return sympy.Mul(*others, is_something, sums)
            elif isinstance(factor, sympy.exp):
                exponent = factor.args[0] + Access(found.shift, *subscripts)
                places = [index for index, extent in extents.items() if extent == found.extent]
                if not exponent.has(Access(found.shift, *subscripts)) and any(
                    _is_one(exponent, others, found.at(subscripts, index)) for index in places
                ):
                    return sympy.Mul(*others, Guard("<", NOTHING, whole), sympy.exp(exponent - whole))
    return e


def _is_one(exponent: Expr, factors: list[Expr], term: tuple[Expr, tuple[Guard, ...]]) -> bool:
    """Whether an exponent is that of a term whose conditions hold: the same, or the same element, read
    where it is within its range."""
    wanted, where = term
    if not all(g in factors for g in where):
        return False
    if wanted == exponent:
        return True
    same = isinstance(wanted, Access) and isinstance(exponent, Access) and wanted.name == exponent.name
    return same and all(
        sympy.expand(a - b) == 0 for a, b in zip(wanted.subscripts, exponent.subscripts, strict=True)
    )
