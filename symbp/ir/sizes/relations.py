"""What follows for sizes where two extents are one: a size that is a formula of others, one that leaves a
known rest, a quotient that is another formula.

Enters: equalities of extents, by `equate`. Leaves: extents in which what is equal is written alike, and which
equalities are left for somebody to check. Must not know: which sizes have values, tensors.

Of an equality, one size that stands alone in it is replaced by the rest (W − 2 = H − 2 makes W the size H).
One that says of a quotient how much it leaves makes its size a multiple: 2·(H // 2) = H means that 2 divides
H, and then (H + 1) // 2 is H // 2, too. Of any other, one quotient is written as the rest; and where that
isn't whole, one extent is written as the other, wherever it stands as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd, lcm

import sympy

from symbp.ir.expr import Expr, FloorDiv, Size, free_sizes, parts_of
from symbp.ir.sizes.canonical import canonical, normal, terms_of

Pair = tuple[Expr, Expr]


class Relations:
    """Equalities of extents, and what they make of other extents."""

    def __init__(self) -> None:
        self._replaced: dict[Expr, Expr] = {}
        self._multiples: dict[Expr, tuple[int, int, Size]] = {}  # size = d·(t − 1) + r, with r from 1 to d
        self._rewritten: dict[Expr, Expr] = {}
        self._pairs: list[Pair] = []
        self._again = False  # whether equalities that were stated are being looked at again

    def replaced(self, extent: Expr) -> Expr:
        """The extent without the sizes that are formulas of others."""
        while True:
            step = {s: self._replaced[s] for s in extent.free_symbols if s in self._replaced}
            if not step:
                return extent
            extent = extent.xreplace(step)

    def find(self, extent: Expr) -> Expr:
        """The one way in which the extent, and all that are known to be equal to it, are written."""
        e = self._normal(extent)
        return canonical(self._back(self._rewritten.get(e, e)))

    def gap(self, one: Expr, other: Expr) -> Expr:
        """The difference of two extents by all that is known: 0 where they are equal."""
        first, second = self._normal(one), self._normal(other)
        if self._rewritten.get(first, first) == self._rewritten.get(second, second):
            return sympy.S.Zero
        return canonical(self._back(self._normal(first - second)))

    def replace(self, size: Expr, extent: Expr) -> bool:
        """From now on the size is the extent, which doesn't mention it; False where that breaks what was
        known before."""
        self._replaced[size] = self.replaced(extent)
        stated, self._pairs = self._pairs, []
        self._multiples, self._rewritten = {}, {}
        kept = [self.equate(one, other) for one, other in stated]
        return all(kept)

    def follows(self, one: Expr, other: Expr, order: Iterable[Expr] = ()) -> bool | None:
        """Makes two extents one where a size can be written as a formula of the others: the first of `order`
        that can be, or a multiple of something. None where none can, False where that breaks what is known.
        """
        gap = self._normal(one) - self._normal(other)
        if normal(gap) == 0:
            return True
        for size in order:
            formula = alone(self.gap(one, other), size)
            if formula is not None:
                return self.replace(size, formula)
        for _, _, t in reversed(self._multiples.values()):
            formula = alone(normal(gap), t)
            if formula is not None and (found := self._of_declared(t, formula)) is not None:
                return self.replace(*found)
        return None

    def _of_declared(self, t: Expr, formula: Expr) -> tuple[Expr, Expr] | None:
        """The declared size that t is a part of, as d·(t − 1) + r says, and its formula once t has one; None
        where that mentions the size itself."""
        owners = {part: (size, d, r) for size, (d, r, part) in self._multiples.items()}
        size = t
        while size in owners:
            size, d, r = owners[size]
            formula = normal(d * (formula - 1) + r)
        formula = canonical(self._back(formula))
        return None if size in formula.free_symbols else (size, formula)

    def equate(self, one: Expr, other: Expr, order: Iterable[Expr] = ()) -> bool:
        """Makes two extents one; False where no sizes can. A size that is replaced is the first of `order`
        that can be; sizes that aren't in it stay as they are."""
        gap = normal(self._normal(one) - self._normal(other))
        if not _may_vanish(gap):
            return False
        followed = self.follows(one, other, order)
        if followed is not None:
            return followed
        self._pairs.append((one, other))
        rest = self._as_multiple(gap)
        if rest is None:
            return self._as_formula(gap, one, other)
        return self._stated_again() if rest and self._rewritten and not self._again else rest

    def _stated_again(self) -> bool:
        """Looks once more at what was stated before the last equality: that says of a size what it is a
        multiple of, and quotients that others were written with are formulas of that now."""
        stated, self._rewritten = self._pairs, {}
        self._again = True
        kept = [self.equate(one, other) for one, other in stated[:-1]]
        self._again = False
        self._pairs = stated
        return all(kept)

    def left(self) -> tuple[Pair, ...]:
        """The equalities that don't hold by themselves: what somebody must check. None follows from those
        that were stated after it: that 8 divides a size says that 2 does."""
        found: list[Pair] = []
        known = Relations()
        for one, other in reversed(self._pairs):
            pair = canonical(self.replaced(one)), canonical(self.replaced(other))
            if known.gap(*pair) != 0:
                known.equate(*pair)
                found.append(pair)
        return tuple(reversed(found))

    def _normal(self, extent: Expr) -> Expr:
        """The normal form with all that is known put in, but for what stands as a whole."""
        e = self.replaced(extent)
        while True:
            step: dict[Expr, Expr] = {
                s: d * (t - 1) + r for s, (d, r, t) in self._multiples.items() if s in e.free_symbols
            }
            e = normal(e.xreplace(step) if step else e)
            atoms = {a: self._rewritten[a] for a in parts_of(e, FloorDiv) if a in self._rewritten}
            if not atoms:
                return e
            e = normal(e.xreplace(atoms))

    def _back(self, e: Expr) -> Expr:
        """An extent in the sizes that were declared."""
        for size, (d, r, t) in self._multiples.items():
            if t in e.free_symbols:
                e = _without(e, t, size + d - r, d)
        return e

    def _as_multiple(self, gap: Expr) -> bool | None:
        """Takes α·(a // d) + rest = 0 as what a leaves over d, where that is a number and a has one size;
        None if it says another thing."""
        for times, quotient in terms_of(gap):
            if not isinstance(quotient, FloorDiv) or not quotient.args[1].is_Integer:
                continue
            top, d = quotient.args[0], int(quotient.args[1])
            left = sympy.expand((gap - times * quotient + times * top / d) * d / times)
            sizes = sorted(free_sizes(top), key=lambda s: s.name)
            if not left.is_number:
                continue
            if not left.is_Integer or not 0 <= left < d:
                return False
            if len(sizes) != 1 or parts_of(top, FloorDiv):
                continue
            (size,), number = sizes, top.as_coeff_Add()[0]
            weight = sympy.expand(top - number).coeff(size, 1)
            if sympy.expand(top - number - weight * size) == 0 and sympy.gcd(weight, d) == 1:
                rest = int((int(left) - int(number)) * pow(int(weight), -1, d)) % d or d
                self._multiples[size] = d, rest, Size(f"{size.name}/{d}")
                return True
        return None

    def _as_formula(self, gap: Expr, one: Expr, other: Expr) -> bool:
        """Writes a quotient that stands alone in the equality as the rest; or one extent as the other."""
        quotients = [product for _, product in terms_of(gap) if isinstance(product, FloorDiv)]
        for quotient in sorted(quotients, key=sympy.default_sort_key, reverse=True):
            rest = alone(gap, quotient)
            if rest is not None:
                self._rewritten[quotient] = rest
                return True
        first, second = self._normal(one), self._normal(other)
        longer, shorter = sorted((first, second), key=lambda e: (e.count_ops(), str(e)), reverse=True)
        self._rewritten[longer] = self._rewritten.get(shorter, shorter)
        return True


def _may_vanish(gap: Expr) -> bool:
    """False where what all products have in common doesn't divide the number beside them, 2·W − 5, and where
    it is more than 0 or less at all sizes: W − W // 2."""
    if _is_positive(gap) or _is_positive(sympy.expand(-gap)):
        return False
    factors = [int(c) for c, product in terms_of(gap) if product != 1 and c.is_Integer]
    number = sum(c for c, product in terms_of(gap) if product == 1)
    return bool(number % gcd(*factors) == 0) if factors else number == 0


def _is_positive(e: Expr) -> bool:
    """Whether an extent is shown to be more than 0 at all sizes: what it is at least has no fewer for larger
    sizes, and more than 0 for sizes of 1."""
    least = _bound(e, low=True)
    if least is None or any(c < 0 for c, product in terms_of(least) if product != 1):
        return False
    return bool(least.xreplace(dict.fromkeys(free_sizes(least), sympy.S.One)) > 0)


def _bound(e: Expr, *, low: bool) -> Expr | None:
    """A polynomial of sizes that an extent is at least, or at most; (a − d + 1)/d ≤ a // d ≤ a/d."""
    found = sympy.S.Zero
    for times, product in terms_of(e):
        if not product.has(FloorDiv):
            found += times * product
            continue
        if not isinstance(product, FloorDiv) or not product.args[1].is_Integer or product.args[1] < 1:
            return None
        down = bool(times > 0) == low
        top, d = _bound(product.args[0], low=down), product.args[1]
        if top is None:
            return None
        found += times * ((top - d + 1) / d if down else top / d)
    return sympy.expand(found)


def alone(gap: Expr, part: Expr) -> Expr | None:
    """A size or a quotient in `gap = 0` as a formula of the rest; None where it stands elsewhere, too, or the
    rest isn't whole."""
    times = next((c for c, product in terms_of(gap) if product == part), None)
    if times is None:
        return None
    rest = sympy.expand((times * part - gap) / times)
    return None if rest.has(part) or any(not c.is_Integer for c, _ in terms_of(rest)) else rest


def _without(e: Expr, t: Size, top: Expr, divisor: int) -> Expr:
    """An extent in normal form with t written as top / divisor, which it is and which is whole."""
    if isinstance(e, FloorDiv):
        above = sympy.expand(_without(e.args[0], t, top, divisor).subs(t, top / divisor))
        common = lcm(*[int(c.q) for c, _ in terms_of(above)])
        return FloorDiv(sympy.expand(above * common), _without(e.args[1], t, top, divisor) * common)
    inner = {a: _without(a, t, top, divisor) for a in _outermost(e)}
    held = {a: sympy.Dummy(integer=True) for a in inner}
    e = sympy.expand(e.xreplace(held))
    found = sympy.S.Zero
    for times, product in terms_of(e):
        power = int(sympy.degree(product, t)) if t in product.free_symbols else 0
        others = times * product / t**power
        for _ in range(power):
            shared = gcd(int(times), divisor)
            whole = top if shared == divisor else FloorDiv(top, sympy.Integer(divisor // shared))
            others, times = sympy.expand(others / shared * whole), times / shared
        found += others
    return sympy.expand(found.xreplace({held[a]: inner[a] for a in inner}))


def _outermost(e: Expr) -> set[Expr]:
    if isinstance(e, FloorDiv):
        return {e}
    return set().union(*map(_outermost, e.args)) if e.args else set()
