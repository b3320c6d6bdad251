"""Which indices of an equation stay as subscripts, so that the rest is matrices, `S_{n} = Q_{n}·K_{n}ᵀ`.

Enters: equations and the tensors they read. Leaves: equations in matrix notation, or None. Must not know: how
they are printed or proven.

Every set of indices may stay; the best one has the fewest, then those that other equations of the page need
anyway (t in a recurrence, n in attention), then the first ones; then the fewest 𝟏 and explicit sums, then the
smallest tree. An
equation that has no vector left is no matrix notation but index notation, and has no form.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import sympy

from symbp.ir.expr import Access, Expr, Index, Size, free_indices
from symbp.ir.printer import TEXT, Notation
from symbp.ir.system import Equation, Tensor
from symbp.read.display import Reduced
from symbp.read.matrix.flattened import named, over_two
from symbp.read.matrix.graph import Frame, NoMatrixForm
from symbp.read.matrix.recognise import BySymbols, Recogniser
from symbp.read.matrix.rewrite import nodes
from symbp.read.matrix.sized import is_sized
from symbp.read.matrix.tree import (
    Flattened,
    MatrixEquation,
    Named,
    Node,
    OfMatrix,
    Ones,
    Range,
    Summed,
    Total,
)
from symbp.read.matrix.windows import window_form

MOST_KEPT = 5  # subscripts of an equation, beyond which no reader gains anything
OF_MATRIX = ("inverse", "det", "logdet", "cholesky", "cofactors", "eigenvalues")  # that a reader can evaluate
Kept = tuple[Index, ...]
Choice = tuple[Kept, tuple[int, ...], MatrixEquation]  # with the places of what is kept among all indices
Lengths = Mapping[Size, Expr]


def matrix_equation(
    equation: Equation,
    tensors: Mapping[str, Tensor],
    *,
    fixed: Mapping[Index, Expr] | None = None,
    lengths: Lengths | None = None,
    liked: Sequence[str] = (),
) -> MatrixEquation | None:
    """The equation in matrix notation, or None; vectors are columns, examples are rows.

    `fixed` gives plain indices a number: the equation of that slice. `lengths` says what sizes stand for that
    are names of formulas; `liked` are letters that should be subscripts where there is a
    choice, the first before the others.
    """
    setting = Setting(tensors, lengths or {}, fixed=fixed or {})
    found = _smallest(_fixed(equation, setting.fixed), setting)
    return min(found, key=lambda pair: _cost(pair, liked))[-1] if found else None


def matrix_equations(
    equations: Sequence[Equation],
    tensors: Mapping[str, Tensor],
    lengths: Lengths | None = None,
    symbols: Mapping[str, str] | None = None,
    fixed: Sequence[Mapping[Index, Expr]] | None = None,
    must: Sequence[Collection[Index]] | None = None,
) -> list[MatrixEquation | None]:
    """The matrix notation of the equations of a page, in their order, all with the same subscripts; terms
    stand in the order of the `symbols` that tensors have in text. `fixed` has for each equation the places
    at which it holds alone, `must` the indices that stay subscripts, since a condition speaks of them."""
    setting, count = Setting(tensors, lengths or {}, BySymbols(symbols or {})), len(equations)
    found = [
        _smallest(_fixed(e, places), replace(setting, fixed=places, must=frozenset(stay)))
        for e, places, stay in zip(equations, fixed or [{}] * count, must or [()] * count, strict=True)
    ]
    few = {i.name for e in equations for i, extent in e.extents.items() if extent.is_Integer}
    liked = _liked([[kept for kept, *_ in choices] for choices in found], few)
    return [min(choices, key=lambda pair: _cost(pair, liked))[-1] if choices else None for choices in found]


def _liked(choices: Sequence[Sequence[Kept]], few: Collection[str]) -> list[str]:
    """The letters that subscripts have by how many equations can do with them, given those before; of gates
    and heads there are `few`, and one matrix for each is what a reader expects."""
    found: list[str] = []
    seen = list(dict.fromkeys(i.name for choice in choices for kept in choice for i in kept))
    open_choices = [[{i.name for i in kept} for kept in choice] for choice in choices if choice]
    while True:
        votes: dict[str, float] = {}
        for choice in open_choices:
            for name in set().union(*choice) - set(found):
                part = sum(name in kept for kept in choice) / len(choice)
                votes[name] = votes.get(name, 0) + part * (1.25 if name in few else 1)
        if not votes:
            return found
        best = min(votes, key=lambda name: (-votes[name], seen.index(name)))
        found.append(best)
        open_choices = [[k for k in choice if best in k] or choice for choice in open_choices]


def _cost(choice: Choice, liked: Sequence[str]) -> tuple[object, ...]:
    kept, place, found = choice
    tree = list(nodes(found.right))
    ones = sum(isinstance(node, (Ones, Range)) for node in tree)
    sums = sum(len(node.indices) for node in tree if isinstance(node, Summed))
    names = {i.name for i in kept}
    unliked = [name not in names for name in liked]
    alone = (
        isinstance(found.left, Named) and bool(found.left.subscripts) and not found.left.rank
    )  # one number of a tensor at a time
    return len(kept), unliked, alone, place, ones + sums, len(tree)


# --- choices
@dataclass(frozen=True)
class Setting:
    """What the equations of a page share, the indices that are at one place, and those that `must` stay."""

    tensors: Mapping[str, Tensor]
    lengths: Lengths
    notation: Notation = TEXT
    fixed: Mapping[Index, Expr] = field(default_factory=dict)
    must: frozenset[Index] = frozenset()


def _smallest(equation: Equation, setting: Setting) -> list[Choice]:
    """The forms with the fewest subscripts, each with these; but what slides over something else isn't taken
    apart into its places, `x_{l+w}`, where it has a form as a whole."""
    fixed = setting.fixed
    inner = [i for e in equation.body.atoms(Reduced) for i in e.indices]
    indices = [i for i in dict.fromkeys((*equation.all_indices, *sorted(inner, key=str))) if i not in fixed]
    apart: list[Choice] = []
    for count in range(min(len(indices), MOST_KEPT) + 1):
        found: list[Choice] = []
        for kept in combinations(indices, count):
            if setting.must <= set(kept) and _possible(equation, kept, setting):
                form = _form(equation, kept, setting)
                place = tuple(map(indices.index, kept))
                found += [(kept, place, form)] if form is not None else []
        whole = [choice for choice in found if not _slides(choice[-1])]
        if whole or (found and apart):
            return whole or apart
        apart = found
    return apart or _over_two(equation, setting)


def _slides(form: MatrixEquation) -> bool:
    """Whether a subscript is the place at which one thing lies over another: a sum of indices."""
    read = [s for n in nodes(form.right) if isinstance(n, Named) for s in n.subscripts if s is not None]
    return any(s.is_Add and len(free_indices(s)) > 1 for s in read)


def _over_two(equation: Equation, setting: Setting) -> list[Choice]:
    """The form between flattened tensors, if nothing else has been found."""
    by = Recogniser(setting.tensors, {}, [], (), setting.lengths)
    several = len(equation.indices) > 2 and not setting.must
    flat = over_two(equation, setting.tensors, by.same) if several else None
    form = None if flat is None else _form(flat[0], (), replace(setting, tensors=flat[1]))
    form = None if form is None else named(form)
    return [] if form is None else [((), (), form)]


def _possible(equation: Equation, kept: Kept, setting: Setting) -> bool:
    """Whether at most two axes are left of each tensor: a first look, without any form."""
    plain = [i for i in equation.indices if i not in kept and i not in setting.fixed]
    if len(plain) > 2 and not len(equation.indices) == len(plain) == 4:
        return False
    names = set(kept)
    for access in equation.body.atoms(Access):
        left = [s for s in access.subscripts if free_indices(s) - names]
        if len(left) > 2 and not isinstance(equation.body, Access):
            return False
    return True


def _fixed(equation: Equation, fixed: Mapping[Index, Expr]) -> Equation:
    if not fixed:
        return equation
    numbers = {index: sympy.sympify(place) for index, place in fixed.items()}
    return equation.with_(
        body=equation.body.xreplace(numbers), where=tuple(g.xreplace(numbers) for g in equation.where)
    )


def _form(equation: Equation, kept: Kept, setting: Setting) -> MatrixEquation | None:
    order, fixed = list(equation.all_indices), setting.fixed
    by = Recogniser(setting.tensors, dict(equation.extents), order, kept, setting.lengths, setting.notation)
    try:
        right = _right(by, equation, fixed)
    except NoMatrixForm:
        return None
    at = [fixed.get(i, i) for i in equation.indices]
    axes = [k for k, i in enumerate(equation.indices) if i not in kept and i not in fixed]
    left = by.named(Access(equation.target, *at), axes)
    found = MatrixEquation(left, right)
    return found if _says_something(found) and is_sized(right) else None


def _says_something(found: MatrixEquation) -> bool:
    """Whether there is a vector or a matrix, or there never were indices."""
    right = list(nodes(found.right))
    if isinstance(found.left, Flattened):
        return True
    if not found.left.subscripts and found.left.rank == 0 and not any(isinstance(n, Summed) for n in right):
        return True
    return found.left.rank > 0 or any(isinstance(n, Named) and n.rank for n in right)


def _right(by: Recogniser, equation: Equation, fixed: Mapping[Index, Expr]) -> Node:
    frame = tuple(i for i in equation.indices if i not in by.kept and i not in fixed)
    reduced = tuple(i for i in equation.reduced if i not in by.kept)
    summed = tuple((i, equation.extents[i]) for i in equation.reduced if i in by.kept)
    if summed and equation.op != "sum":
        raise NoMatrixForm
    found = window_form(by, equation, frame, reduced)
    if found is None:
        found = _general(by, equation, frame, reduced)
    match found:
        case _ if not summed:
            return found
        case Total(((True, term),)):
            return Total(((True, Summed(summed, term)),))
        case _:
            return Summed(summed, found)


def _general(by: Recogniser, e: Equation, frame: Frame, reduced: Frame) -> Node:
    if len(frame) == 4 and e.op in (None, "sum") and not e.where:
        return by.kronecker(e.body, frame, reduced)
    if len(frame) > 2:
        raise NoMatrixForm
    if e.op in (None, "sum") and not e.where:
        return by.expression(e.body, frame, reduced)
    if e.op in ("max", "argmax"):
        return by.largest(e.op, e.body, frame, reduced, e.where)
    if e.op in OF_MATRIX and frame == e.result:
        return OfMatrix(e.op, by.expression(e.body, reduced, ()))
    raise NoMatrixForm
