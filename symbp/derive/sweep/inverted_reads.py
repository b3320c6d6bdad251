"""Inverting a read: for which indices does `X[e(i)]` touch the element `X[a]`?

Enters: the subscripts of one access, the indices in scope with their extents, an index for each axis.
Leaves: each determined index as an expression of the axes, guards for what remains, new indices.
Must not know: bodies, adjoints, the rest of the system.

A plain subscript is a renaming; a mixed-radix sum `h·Dh + d` splits into quotient and remainder; an affine
subscript is solved for an index with coefficient ±1; `i // s` and `i % s` introduce the missing part as a
new index; whatever else stays as the guard `[a = e(i)]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.ir.bounds import simplify_guard, within
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod, free_indices, parts_of


@dataclass(frozen=True)
class Inverse:
    """`solution[i]` in terms of the axes and of indices left in scope; `left` are summed over (with
    extents, new ones included); `guards` say when the solution is a solution."""

    solution: Mapping[Index, Expr]
    left: tuple[Index, ...]
    extents: Mapping[Index, Expr]
    guards: tuple[Expr, ...]


def invert(
    subscripts: Sequence[Expr],
    axes: Sequence[Index],
    shape: Sequence[Expr],
    scope: Sequence[Index],
    extents: Mapping[Index, Expr],
    fresh: Sequence[Index],
) -> Inverse:
    """Solves `axes[k] = subscripts[k]` for as many of the indices in scope as possible.

    `extents` are those of the scope; `shape` those of the axes; `fresh` supplies unused indices.
    """
    work = _Inversion(dict(zip(axes, shape, strict=True)), list(scope), dict(extents), list(fresh))
    pending = sorted(zip(axes, subscripts, strict=True), key=lambda pair: not isinstance(pair[1], Index))
    found = work.digits(pending)
    for axis, subscript in pending:
        if axis not in found:
            work.match(axis, subscript)
    return work.result()


class _Inversion:
    def __init__(
        self, axes: dict[Index, Expr], scope: list[Index], extents: dict[Index, Expr], fresh: list[Index]
    ) -> None:
        self.axes, self.scope, self.extents, self.fresh = axes, scope, extents, fresh
        self.solution: dict[Index, Expr] = {}
        self.equations: list[tuple[Index, Expr]] = []
        self.ranged: list[Index] = []  # solved indices whose range must be kept by guards

    def digits(self, pairs: Sequence[tuple[Index, Expr]]) -> set[Index]:
        """Solves for the indices all of whose mixed-radix digits are read, `i // (w·m)`, `(i // w) % m` and
        `i % w`, as the element that they make up. Leaves the axes that said it."""
        used: set[Index] = set()
        for index in self.scope:
            chain = _chain([(axis, *d) for axis, e in pairs if (d := _digit(e, index)) is not None])
            if len(chain) < 2:
                continue
            top, weight, modulus = chain[-1]
            if modulus is not None and not _same(weight * modulus, self.extents[index]):
                continue  # a higher digit isn't read
            self._solve(index, sympy.Add(*[axis * w for axis, w, _ in chain]))
            whole = _same(weight * self.axes[top], self.extents[index])
            for axis, _, m in chain:
                if m is not None and not _same(self.axes[axis], m):
                    self.equations.append((axis, Mod(axis, m)))
                    whole = False
            if whole:
                self.ranged.remove(index)  # the digits make up every element, and no other
            used |= {axis for axis, _, _ in chain}
        return used

    def match(self, axis: Index, subscript: Expr) -> None:
        e = subscript.xreplace(self.solution)
        if e in self.scope and e not in self.solution:
            self._solve(e, axis)
        elif not (self._mixed_radix(axis, e) or self._unit(axis, e) or self._quotient(axis, e)):
            self.equations.append((axis, subscript))

    def _solve(self, index: Index, value: Expr) -> None:
        self.solution = {k: v.xreplace({index: value}) for k, v in self.solution.items()}
        self.solution[index] = value
        self.ranged.append(index)

    def _unsolved(self, e: Expr) -> list[Index]:
        """The indices of scope that `e` contains outside of integer tensors, in the order of the scope."""
        if parts_of(e, Access):
            return []
        return [i for i in self.scope if i in free_indices(e) and i not in self.solution]

    def _mixed_radix(self, axis: Index, e: Expr) -> bool:
        """`e = Σ weight·index` where each weight is the product of the later extents."""
        indices = self._unsolved(e)
        terms = sympy.Add.make_args(sympy.expand(e))
        if len(indices) < 2 or len(terms) != len(indices):
            return False
        weights = {}
        for index in indices:
            weight = sympy.expand(e).coeff(index, 1)
            if free_indices(weight) or (weight.is_number and weight <= 0):
                return False
            weights[index] = weight
        if sympy.expand(e - sum(w * i for i, w in weights.items())) != 0:
            return False
        chain: list[Index] = []
        weight = sympy.Integer(1)
        while len(chain) < len(indices):
            following = [i for i in indices if i not in chain and _same(weights[i], weight)]
            if len(following) != 1:
                return False
            chain.append(following[0])
            weight = weight * self.extents[following[0]]
        for position, index in enumerate(chain):
            part = FloorDiv(axis, weights[index])
            last = position == len(chain) - 1
            self._solve(index, part if last else Mod(part, self.extents[index]))
            if not last:
                self.ranged.remove(index)  # a remainder is in range by definition
        if _same(weight, self.axes[axis]):
            self.ranged.remove(chain[-1])
        return True

    def _unit(self, axis: Index, e: Expr) -> bool:
        """An affine subscript in which an index has coefficient ±1."""
        expanded = sympy.expand(e)
        for index in self._unsolved(e):
            coefficient = expanded.coeff(index, 1)
            rest = sympy.expand(expanded - coefficient * index)
            if coefficient in (1, -1) and index not in free_indices(rest):
                self._solve(index, sympy.expand((axis - rest) * coefficient))
                return True
        return False

    def _quotient(self, axis: Index, e: Expr) -> bool:
        """`i // s` leaves the remainder, `i % s` the quotient, as a new index that is summed over."""
        if not isinstance(e, (FloorDiv, Mod)) or e.args[0] not in self._unsolved(e):
            return False
        index, divisor = e.args
        if free_indices(divisor):
            return False
        other = self.fresh.pop(0)
        if isinstance(e, FloorDiv):
            self.extents[other] = divisor
            value = divisor * axis + other
        else:
            self.extents[other] = FloorDiv(self.extents[index] + divisor - 1, divisor)
            value = divisor * other + axis
            if sympy.expand(self.axes[axis] - divisor) != 0:
                self.equations.append((axis, Mod(axis, divisor)))
        self.scope.append(other)
        self._solve(index, value)
        return True

    def result(self) -> Inverse:
        left = tuple(i for i in self.scope if i not in self.solution)
        ranges = {**self.axes, **{i: self.extents[i] for i in left}}
        guards: list[Expr] = []
        for index in self.ranged:
            guards += within(self.solution[index], self.extents[index], ranges)
        for axis, e in self.equations:
            guards.append(simplify_guard(Guard("=", axis, e.xreplace(self.solution)), ranges))
        return Inverse(dict(self.solution), left, ranges, tuple(dict.fromkeys(g for g in guards if g != 1)))


Digit = tuple[Index, Expr, Expr | None]  # the axis, w, m of `axis = (index // w) % m`


def _digit(e: Expr, index: Index) -> tuple[Expr, Expr | None] | None:
    """(w, m) if `e` is the digit `(index // w) % m`; m is None for `index // w`."""
    modulus, weight = None, sympy.Integer(1)
    if isinstance(e, Mod):
        e, modulus = e.args
    if isinstance(e, FloorDiv):
        e, weight = e.args
    sizes = free_indices(weight) or (modulus is not None and free_indices(modulus))
    return (weight, modulus) if e == index and not sizes else None


def _chain(digits: Sequence[Digit]) -> list[Digit]:
    """All the digits in order, each weight the product of the moduli below; none if they aren't so."""
    chain: list[Digit] = []
    weight: Expr | None = sympy.Integer(1)
    while len(chain) < len(digits):
        following = [] if weight is None else [d for d in digits if _same(d[1], weight)]
        if len(following) != 1:
            return []
        chain += following
        modulus = following[0][2]
        weight = None if modulus is None else following[0][1] * modulus
    return chain


def _same(a: Expr, b: Expr) -> bool:
    """Whether two sizes are equal whatever the sizes in them."""
    return bool(sympy.expand(a - b) == 0)
