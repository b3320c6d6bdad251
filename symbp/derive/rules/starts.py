"""What the forms of an equation may start from: itself in terms of other tensors, by their definitions.

Enters: an equation, where values may be looked for, what is known of other equations. Leaves: bodies or
sums of the same value. Must not know: costs, or which of them will be taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import sympy

from symbp.derive.rules.algebra import expand
from symbp.derive.rules.brackets import under_guards
from symbp.derive.rules.branches import Branches, read_back
from symbp.derive.rules.fold import Search, fold
from symbp.derive.rules.inverse import Inversion, inverted, written_out
from symbp.derive.rules.neighbours import Neighbours, at_other_steps
from symbp.derive.rules.reindex import shorter_sums
from symbp.derive.rules.sums import exchanged
from symbp.derive.search.cancellation import as_sharp
from symbp.ir.expr import Access, Expr, parts_of
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, Tensor

MOST_APART = 24  # terms of a product multiplied out, each of which is looked for among the saved values


@dataclass(frozen=True)
class Known:
    """What rules may know of the equations beside the one they rewrite: `tensors` gives the facts,
    `inversions` what definitions are solved for and may be, `definition` the present equation of a backward
    tensor, `meets` whether a map reads two tensors, one perhaps through other maps."""

    tensors: Mapping[str, Tensor]
    inversions: Mapping[str, Inversion]
    branches: Branches
    neighbours: Neighbours
    scaled: Mapping[str, Equation]
    repeated: Mapping[str, Equation]
    definition: Callable[[str], Equation | None]
    meets: Callable[[str, str], bool]
    signs: Signs

    def shape(self, name: str) -> tuple[Expr, ...]:
        return self.tensors[name].shape


@dataclass(frozen=True)
class Start:
    """A body, where values may be looked for then, the definitions it rests on (if not those that it reads
    and the other didn't), and the parts that were `read` back, each with what it became."""

    body: Expr
    search: Search
    rests_on: tuple[str, ...] | None = None
    read: tuple[tuple[Expr, Expr], ...] | None = None


BodyRule = Callable[[Equation, Search, Known], Iterable[Start]]
SumRule = Callable[[Equation, Search, Known], Iterable[Equation]]


def definition_inverted(equation: Equation, search: Search, known: Known) -> Iterator[Start]:
    """With saved values in the place of what they were made of."""
    body = equation.body
    usable = {name: inv for name, inv in known.inversions.items() if search.allowed(inv.source)}
    hidden = {name: inv for name, inv in usable.items() if not inv.of_leaf}
    for turned in dict.fromkeys([inverted(body, hidden), inverted(body, usable)]):
        gone = {a.name for a in parts_of(body, Access)} - {a.name for a in parts_of(turned, Access)}
        sources = [known.inversions[n].source for n in sorted(gone) if n in known.inversions]
        yield Start(turned, search.without(gone), tuple(dict.fromkeys(sources)))


def repetition_read_once(equation: Equation, search: Search, known: Known) -> Iterator[Start]:
    """Without maps that only repeat something along further indices."""
    yield Start(written_out(equation.body, known.repeated), search.without(known.repeated))


def read_under_bracket(equation: Equation, search: Search, known: Known) -> Iterator[Start]:
    """With functions read back from what they made, under the bracket where they did."""
    yield Start(read_back(equation.body, known.branches, search.allowed), search)


def value_of_another_step(equation: Equation, search: Search, known: Known) -> Iterator[Start]:
    """With what a recurrence computes at another step."""
    body = at_other_steps(equation.body, known.neighbours, equation.extents, known.shape, search.allowed)
    yield Start(body, search)


def index_under_bracket(equation: Equation, search: Search, _: Known) -> Iterator[Start]:
    """A sum with indices in the place of what brackets say that they are."""
    if equation.op == "sum":
        yield Start(under_guards(equation.body, towards_index=True), search)


def folded_apart(equation: Equation, search: Search, known: Known) -> Iterator[Start]:
    """A map with saved values found term by term, after its products are multiplied out."""
    apart = expand(equation.body)
    if equation.reduction is not None or len(sympy.Add.make_args(apart)) > MOST_APART:
        return
    fresh = search.without(())
    folded = apart if apart == equation.body else fold(apart, fresh)
    if folded != apart and as_sharp(apart, equation.body, known.signs):
        yield Start(folded, search, read=tuple(fresh.found))


def shorter_axis(equation: Equation, _: Search, known: Known) -> list[Equation]:
    """The sum over another index, with a shorter axis."""
    return shorter_sums(equation, known.tensors)


def other_order(equation: Equation, search: Search, known: Known) -> list[Equation]:
    """The sum of sums in the other order; not if it then meets a tensor of its own again. `d − Σ p·d` is 0 to
    the last digit where p is a one among zeros; with a Σ p·d that isn't made of d, it is what d was rounded
    by, however large d is."""

    def alike(other: Equation) -> bool:
        gone = (name for name in equation.read_names if name not in other.read_names)
        return not any(known.meets(equation.target, name) for name in gone)

    return [e for e in exchanged(equation, search, known.definition) if alike(e)]
