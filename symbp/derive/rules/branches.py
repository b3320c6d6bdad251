"""Functions read back from what they made: of `y = [x ≤ 0]·α·(exp(x) − 1)`, `α·exp(x) = y + α` where x ≤ 0.

Enters: the forward maps. Leaves: bodies with such functions replaced, each under the bracket where it holds.
Must not know: which function it is, or whether the new body is cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy

from symbp.derive.rules.algebra import expand
from symbp.ir.expr import Access, Expr, Guard, Index, parts_of
from symbp.ir.system import Equation, System


@dataclass(frozen=True)
class Branch:
    """Where all `guards` hold, `tensor[indices] = slope·function + rest`; `divisors` are not zero there."""

    tensor: str
    indices: tuple[Index, ...]
    guards: frozenset[Expr]
    function: Expr
    slope: Expr
    rest: Expr
    divisors: frozenset[Expr]

    def at(self, function: Expr) -> Branch | None:
        """The same with other indices, such that the function is that one; None if it never is."""
        change = _renaming(self.function, function, self.indices)
        if change is None:
            return None
        guards = frozenset(g.xreplace(change) for g in self.guards)
        indices = tuple(change[i] for i in self.indices)
        divisors = frozenset(d.xreplace(change) for d in self.divisors)
        slope, rest = self.slope.xreplace(change), self.rest.xreplace(change)
        return Branch(self.tensor, indices, guards, function, slope, rest, divisors)


Branches = dict[str, tuple[Branch, ...]]
"""By the names of the tensors that a function reads."""


def branches(system: System, forward: Sequence[Equation]) -> Branches:
    """The branches of the forward maps that are linear in their only function."""
    found: Branches = {}
    for equation in forward:
        if equation.reduction is not None or not parts_of(equation.body, Guard):
            continue  # without brackets, folding finds the value
        if system.tensor(equation.target).integer:
            continue
        for branch in _of_equation(equation):
            key = _names(branch.function)
            found[key] = (*found.get(key, ()), branch)
    return found


def _of_equation(equation: Equation) -> list[Branch]:
    pieces: dict[frozenset[Expr], Expr] = {}
    for term in sympy.Add.make_args(expand(equation.body)):
        guards = frozenset(f for f in sympy.Mul.make_args(term) if isinstance(f, Guard))
        pieces[guards] = pieces.get(guards, sympy.Integer(0)) + term / sympy.Mul(*guards)
    found = []
    for guards, piece in pieces.items():
        functions = sorted(_functions(piece), key=sympy.default_sort_key)
        if len(functions) != 1 or not guards or not _only(guards, pieces):
            continue
        function, symbol = functions[0], sympy.Dummy("f")
        marked = expand(piece.xreplace({function: symbol}))
        slope = marked.coeff(symbol, 1)
        rest = expand(marked - slope * symbol)
        if slope != 0 and symbol not in rest.free_symbols | slope.free_symbols:
            divisors = frozenset(p.base for p in parts_of(equation.body, sympy.Pow) if p.exp.is_negative)
            found.append(Branch(equation.target, equation.indices, guards, function, slope, rest, divisors))
    return found


def _only(guards: frozenset[Expr], pieces: dict[frozenset[Expr], Expr]) -> bool:
    """Whether no other piece is there where these guards hold: each has the complement of one of them."""
    return all(any(g.complement() in other for g in guards) for other in pieces if other != guards)


def _functions(e: Expr) -> set[Expr]:
    """The outermost functions of an expression."""
    if isinstance(e, (Access, Guard)):
        return set()
    if e.is_Function or isinstance(e, sympy.exp):
        return {e}
    return {f for a in e.args for f in _functions(a)}


def read_back(e: Expr, known: Branches, allowed: Callable[[str], bool]) -> Expr:
    """`e` with functions under brackets replaced by the tensor that they made, without new divisors."""
    if not known or not parts_of(e, Guard):
        return e
    return sympy.Add(*[_term_read_back(term, known, allowed) for term in sympy.Add.make_args(expand(e))])


def _term_read_back(term: Expr, known: Branches, allowed: Callable[[str], bool]) -> Expr:
    factors = sympy.Mul.make_args(term)
    guards = {f for f in factors if isinstance(f, Guard)}
    for function in sorted((f for f in factors if _functions(f) == {f}), key=sympy.default_sort_key):
        for candidate in known.get(_names(function), ()):
            branch = candidate.at(function) if allowed(candidate.tensor) else None
            if branch is None or not branch.guards <= guards:
                continue
            scale = term / function / branch.slope
            below = {p.base for p in sympy.Mul.make_args(scale) if p.is_Pow and p.exp.is_negative}
            before = {p.base for p in factors if p.is_Pow and p.exp.is_negative}
            if all(base.is_number or base in branch.divisors | before for base in below):
                return scale * (Access(branch.tensor, *branch.indices) - branch.rest)
    return term


def _names(function: Expr) -> str:
    return " ".join([type(function).__name__, *sorted({a.name for a in parts_of(function, Access)})])


def _renaming(pattern: Expr, e: Expr, indices: Sequence[Index]) -> dict[Index, Index] | None:
    """The change of indices that makes the pattern the expression, from the reads of one name each."""
    change: dict[Index, Index] = {}
    theirs = {a.name: a for a in sorted(parts_of(e, Access), key=sympy.default_sort_key)}
    for access in sorted(parts_of(pattern, Access), key=sympy.default_sort_key):
        other = theirs.get(access.name)
        if other is None or len(other.subscripts) != len(access.subscripts):
            return None
        for mine, its in zip(access.subscripts, other.subscripts, strict=True):
            if isinstance(mine, Index) and isinstance(its, Index):
                change.setdefault(mine, its)
    if set(indices) != set(change) or pattern.xreplace(change) != e:
        return None
    return change
