"""The legend of a page: ranges of indices, sizes, what stands outside a range, directions, parts, helpers.

Enters: a derivation, the equations as shown, symbols. Leaves: entries made of prose, tensors and expressions,
which each format spells. Must not know: formats, ops.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symbp.derive.derivation import Derivation
from symbp.ir.axes.examples import examples
from symbp.ir.expr import Access, Expr, Guard, Index, JumpFunction, Size, free_indices, free_sizes
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.read.display import Along, Constant, Reduced, bound, relu, sigmoid, softplus
from symbp.read.forms import KNOWN, Form, form, known_letters
from symbp.read.indices import STEPS
from symbp.read.named_places import gates
from symbp.read.origin import Origin
from symbp.read.symbols import Symbols, differentials
from symbp.read.textbook.functions import DEFINITIONS


@dataclass(frozen=True)
class Named:
    """A tensor by its name, to be spelled by its symbol."""

    name: str


Piece = str | Named | Expr


@dataclass(frozen=True)
class Entry:
    """One line of a legend; `kind` says what about, for programs."""

    kind: str
    pieces: tuple[Piece, ...]


def legend(
    derivation: Derivation,
    shown: Mapping[str, Equation],
    symbols: Symbols,
    lengths: Mapping[Expr, Size],
    numbers: Mapping[str, int],
    origin: Origin,
) -> tuple[Entry, ...]:
    """What a reader has to know before the first equation; `numbers` are those of the lines. The equations
    have indices that start at 0, the page those that start at the `origin`."""
    system, first = derivation.system, origin.first
    return (
        *_origin(shown, origin),
        *_indices(shown, _meanings(derivation), numbers, origin),
        *_sizes(system),
        *(Entry("size", (size, " = ", extent)) for extent, size in lengths.items()),
        *_outside(shown, origin),
        *_places(shown, origin),
        *_directions(derivation, shown, first),
        *_guards(shown),
        *_functions(shown),
        *_held(shown),
        *_derivatives(derivation, symbols),
        *_helpers(derivation, shown, symbols),
    )


# --- indices and sizes
def _origin(shown: Mapping[str, Equation], origin: Origin) -> Iterator[Entry]:
    """What starts elsewhere than in code."""
    if not origin.first:
        return
    start = f"indices and subscripts start at {origin.first}"
    read = {name for equation in shown.values() for name in (equation.target, *equation.read_names)}
    names = [t.name for t in origin.system.tensors if t.name in read & origin.places]
    if not names:
        yield Entry("origin", (f"{start} here, at 0 in code",))
        return
    verb = "counts" if len(names) == 1 else "count"
    so = (f"{start}, and so {verb} ", *_listed([Named(name) for name in names]))
    yield Entry("origin", (*so, "; in code and data all start at 0"))


def _indices(
    shown: Mapping[str, Equation], meanings: Mapping[Expr, str], numbers: Mapping[str, int], origin: Origin
) -> Iterator[Entry]:
    """Each index with its range, or with its ranges and the equations in which it has all but the most
    frequent of them."""
    first = origin.first
    ranges: dict[str, dict[Expr, list[int]]] = {}
    for name, equation in shown.items():
        for index, extent in bound(equation).items():
            ranges.setdefault(index.name, {}).setdefault(extent, []).append(numbers[name])
    alike: dict[tuple[Piece, ...], list[str]] = {}  # j, j' = 0, …
    for letter in sorted(ranges, key=lambda n: (len(n.rstrip("'")), n)):
        ordered = sorted(ranges[letter].items(), key=lambda item: (-len(item[1]), item[1]))
        pieces: list[Piece] = []
        for extent, where in ordered:
            pieces += ["; ", Index(letter.rstrip("'"))] if pieces else []
            called = origin.named.letters.get(letter)
            pieces += [f" = {first}, …, ", extent - 1 + first] if called is None else _either(called)
            if extent in meanings:
                pieces.append(f" ({meanings[extent]})")
            if len(ordered) > 1:
                pieces.append(f" in {counted(where)}")
        stem = (letter.rstrip("'"),) if len(ordered) == 1 else (letter,)
        alike.setdefault((*stem, *pieces), []).append(letter)
    for (_, *said), letters in alike.items():
        yield Entry("index", (*_listed([Index(letter) for letter in letters]), *said))


def counted(numbers: Sequence[int]) -> str:
    """`(3), (5)–(7)`."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"({run[0]})" if len(run) == 1 else f"({run[0]})–({run[-1]})" for run in runs)


def _meanings(derivation: Derivation) -> dict[Expr, str]:
    """What the elements along an axis of that extent are, where roles and facts say so."""
    system, found = derivation.system, dict[Expr, str]()
    for group in groups(system):
        if group.loop is not None:
            equation = group.equations[0]
            found.setdefault(equation.extents[group.loop_index(equation)], "steps of a recurrence")
    for tensor in system.with_role(Role.INPUT, Role.TARGET):
        bound = tensor.fact("below")
        if bound is not None and bound.bound is not None:
            of = "classes" if tensor.role is Role.TARGET else "values"
            found.setdefault(bound.bound, f"{of} of {tensor.name}")
    counted_by = examples(derivation.declared, system.sizes)
    if counted_by not in (None, STEPS):
        found.setdefault(Size(counted_by), "examples")
    return found


def _sizes(system: System) -> Iterator[Entry]:
    """The sizes that have a value, each with the first axis that it is the length of."""
    known = [name for name in system.sizes if name in system.bound]
    if not known:
        return
    pieces: list[Piece] = []
    for name in known:
        pieces += ["; " if pieces else "", Size(name), f" = {system.bound[name]}"]
        owner = next(((t, k) for t in system.tensors for k, e in enumerate(t.shape) if e == Size(name)), None)
        if owner is not None:
            pieces += [f", axis {owner[1] + 1} of ", Named(owner[0].name)]
    yield Entry("size", tuple(p for p in pieces if p != ""))


def constants_legend(
    equations: Collection[Equation],
    constants: Mapping[Constant, Expr],
    hyper: Mapping[str, float],
    masks: Mapping[str, Constant],
) -> Iterator[Entry]:
    """The values of numbers that go by a letter, and of an author's own constants, if an equation has them;
    of rates, what they are to their `masks`."""
    used = {c for e in equations for part in (e.body, *e.where) for c in part.atoms(Constant)}
    for constant, value in constants.items():
        if constant in used:
            own = [name for name, rate in masks.items() if rate == constant]
            names = (part for k, name in enumerate(own) for part in (", " if k else "", Named(name)))
            what = (", the probability of a 0 in ", *names) if own else ()
            yield Entry("constant", (constant, " = ", value, *what))
    read = {name for equation in equations for name in equation.read_names}
    for name, known in hyper.items():
        if name in read:
            yield Entry("constant", (Named(name), " = ", sympy.Rational(repr(known))))


# --- what stands outside, directions, brackets
def _outside(shown: Mapping[str, Equation], origin: Origin) -> Iterator[Entry]:
    """The values that stand for elements beyond a tensor's range."""
    zero: dict[tuple[Piece, ...], dict[str, None]] = {}
    other: dict[str, dict[Piece, None]] = {}
    for equation in shown.values():
        for access in equation.reads:
            if access.outside == 0:
                zero.setdefault(_beyond(access, equation, origin.first), {})[access.name] = None
            elif access.outside is not None:
                value = access.outside  # of a tensor, whichever letters its subscripts have
                other.setdefault(access.name, {})[
                    Named(value.name) if isinstance(value, Access) else origin.value(value)
                ] = None
    for where, names in zero.items():
        yield Entry("outside", (*_listed([Named(name) for name in names]), ": 0 ", *where))
    for name, values in other.items():
        yield Entry("outside", (Named(name), " outside the range of an index: ", *_listed(list(values))))


def _beyond(access: Access, equation: Equation, first: int) -> tuple[Piece, ...]:
    """Where a read may leave the range: one step before it or behind it along one axis, or anywhere."""
    steps = [s for s in access.subscripts if not isinstance(s, Index) and free_indices(s)]
    if len(steps) == 1:
        (index,) = sorted(free_indices(steps[0]), key=lambda i: i.name)[:1]
        step = sympy.expand(steps[0] - index)
        if step == -1:
            return ("at ", index, f" = {first - 1}")
        if step == 1 and index in bound(equation):
            return ("at ", index, " = ", bound(equation)[index] + first)
    return ("outside the range of an index",)


def _either(names: Sequence[str]) -> list[Piece]:
    """`∈ {i, f, g, o}`."""
    return [" ∈ {", *_listed([Named(name) for name in names]), "}"]


def _places(shown: Mapping[str, Equation], origin: Origin) -> Iterator[Entry]:
    """Which place along an axis each name is, or each function that a place has."""
    owners: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for (name, axis), names in origin.named.axes.items():
        tensor = origin.system.tensor(name)
        if tensor.role is not Role.ADJOINT and tensor.differential is None:
            owners.setdefault(names, []).append((name, axis))
    for owner, names in gates(tuple(shown.values())).items():
        if owner not in origin.named.axes:
            owners.setdefault(names, []).append(owner)
    for names, axes in owners.items():
        pieces: list[Piece] = ["along "]
        for count, (name, axis) in enumerate(axes):
            pieces += [f"{', ' if count else ''}axis {axis + 1} of ", Named(name)]
        for k, name in enumerate(names):
            pieces += [f"{', ' if k else ': '}{k + origin.first} is ", Named(name)]
        yield Entry("place", tuple(pieces))


def _directions(derivation: Derivation, shown: Mapping[str, Equation], first: int) -> Iterator[Entry]:
    """In which direction each recurrence runs, forward and backward."""
    for group in _loops(groups(derivation.system)):
        assert group.loop is not None
        lead = group.equations[0].target
        position = group.loop.axis[lead]
        index, extent = shown[lead].indices[position], shown[lead].ranges[position]
        last = extent - 1 + first
        ends: tuple[Piece, ...] = (" runs upwards, from ", index, f" = {first} to ", last)
        if group.loop.step < 0:
            ends = (" runs backwards, from ", index, " = ", last, f" to {first}")
        yield Entry("direction", ("the recurrence of ", *_listed([Named(n) for n in group.targets]), *ends))


def _loops(among: Sequence[Group]) -> Iterator[Group]:
    """The groups with a loop, those inside a step of another too."""
    for group in among:
        if group.loop is not None:
            yield group
        yield from _loops(group.inner)


def _guards(shown: Mapping[str, Equation]) -> Iterator[Entry]:
    if any(e.where or e.body.atoms(Guard) for e in shown.values()):
        words = "[…] is 1 where the condition holds, else 0; what it multiplies by 0 is not evaluated"
        yield Entry("bracket", (words,))


EXPLAINED: Mapping[Any, Callable[[Expr], Expr]] = {
    sigmoid: lambda u: 1 / (1 + sympy.exp(-u)),
    softplus: lambda u: sympy.log(1 + sympy.exp(u)),
    relu: lambda u: Guard("<", sympy.Integer(0), u) * u,
    **DEFINITIONS,
}
ALONG = {
    "softmax": ": exp of each number, divided by the sum of exp of all; they are positive and add up to 1",
    "log_softmax": ": the logarithm of softmax: each number less the logarithm of the sum of exp of all",
    "logsumexp": ": the logarithm of the sum of exp of all numbers",
}


def _functions(shown: Mapping[str, Equation]) -> Iterator[Entry]:
    """What functions are that a reader may not know."""
    u, bodies = Index("u"), [e.body for e in shown.values()]
    used = {type(f).__name__ for body in bodies for f in body.atoms(sympy.Function)}
    for function, definition in EXPLAINED.items():
        if {function.__name__, f"{function.__name__}_slope"} & used:
            yield Entry("function", (function(u), " = ", definition(u)))
    along: dict[str, dict[Index, None]] = {}
    for body in bodies:
        for node in sorted(body.atoms(Along, Reduced), key=sympy.default_sort_key):
            name = node.function if isinstance(node, Along) else node.op
            indices = (node.index,) if isinstance(node, Along) else node.indices
            along.setdefault(name, {}).update(dict.fromkeys(indices))
    for name, words in ALONG.items():
        if name in along:
            yield Entry("function", (f"{name} over ", *_listed(list(along[name])), words))


# --- derivatives and helpers
def _held(shown: Mapping[str, Equation]) -> Iterator[Entry]:
    """Values through which no gradient passes, since their author says so. Through a jump none ever does, and
    the maximum that a softmax is shifted by is no part of what is read."""
    jumps = {name for name, e in shown.items() if e.reduction is not None or e.body.atoms(JumpFunction)}
    held = [name for name, e in shown.items() if e.constant and name not in jumps]
    if held:
        names = _listed([Named(name) for name in held])
        yield Entry("constant", (*names, ": held constant, no gradient passes through"))


def _derivatives(derivation: Derivation, symbols: Symbols) -> Iterator[Entry]:
    """What short forms of derivatives mean, what adds up to one, and the letters that stand for one."""
    system, known = derivation.system, differentials(derivation)
    loss = system.loss
    short = [n for n, s in symbols.symbols.items() if s.quotient and n in known and known[n].of == loss]
    if loss is not None and short:
        one = next((n for n in short if not symbols.symbols[n].part), short[0])
        yield Entry(
            "derivative",
            (Named(one), ": the derivative of ", Named(loss), " by ", Named(known[one].by), "; and so on"),
        )
    parts: dict[tuple[str, str], list[str]] = {}
    for name in symbols.parts:
        parts.setdefault((known[name].of, known[name].by), []).append(name)
    for (of, by), names in parts.items():
        start = _listed([Named(name) for name in names])
        verb = ": summands of the derivative of " if len(names) > 1 else ": a summand of the derivative of "
        yield Entry("part", (*start, verb, Named(of), " by ", Named(by)))
    for name, what in known.items():
        if name not in symbols.symbols or symbols.symbols[name].quotient or _is_given(system.tensor(name)):
            continue
        verb = ": a summand of the derivative of " if what.part else ": the derivative of "
        yield Entry("derivative", (Named(name), verb, Named(what.of), " by ", Named(what.by)))
    summed = [
        n for n, d in known.items() if system.tensor(d.of).shape and not d.whole and n in symbols.symbols
    ]
    if summed:
        differentiated = dict.fromkeys(known[name].of for name in summed)
        said = (": a derivative of it is that of the sum of its elements",)
        yield Entry("derivative", (*_listed([Named(name) for name in differentiated]), *said))


ON_THE_WAY_BACK = Form("g", "a step of the backward pass, not the derivative by one tensor")


def _helpers(derivation: Derivation, shown: Mapping[str, Equation], symbols: Symbols) -> Iterator[Entry]:
    """What each helper is, those alike together."""
    alike: dict[tuple[Piece, ...], list[str]] = {}
    system, known = derivation.system, differentials(derivation)
    letters = known_letters(system)
    for name, equation in shown.items():
        tensor = system.tensor(name)
        if _is_given(tensor) or name in known or symbols.symbols[name].quotient:
            continue
        found = KNOWN.get(letters.get(name, ""), form(equation))
        if tensor.role is Role.ADJOINT and tensor.label is not None:
            found = ON_THE_WAY_BACK
        over = [" over ", *_listed(equation.reduced)] if found.over else []
        late = tensor.label is not None and tensor.label.stands_for is not None
        words: tuple[Piece, ...] = (f": {found.words}", *over, *([" at inference"] if late else []))
        alike.setdefault(words, []).append(name)
    for words, names in alike.items():
        yield Entry("helper", (*_listed([Named(name) for name in names]), *words))


def _is_given(tensor: Tensor) -> bool:
    return tensor.label is not None and tensor.label.given and tensor.label.stands_for is None


def _listed(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with commas between."""
    return [part for k, piece in enumerate(pieces) for part in ((", ", piece) if k else (piece,))]


def indices_of(entries: Sequence[Entry]) -> set[str]:
    """The letters of the indices that the legend explains."""
    return {p.name for e in entries if e.kind == "index" for p in e.pieces if isinstance(p, Index)}


def sizes_of(system: System) -> set[str]:
    """The names of all sizes that a page may print."""
    found = set(system.sizes)
    for equation in system.equations:
        found |= {size.name for size in free_sizes(sympy.Add(equation.body, *equation.ranges))}
    return found
