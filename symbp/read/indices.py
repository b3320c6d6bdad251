"""Index letters as a page shows them: one letter for one axis, t along time, primes for a second index.

Enters: a system. Leaves: its equations with bound names that a reader expects; their values are the same.
Must not know: symbols of tensors, formats.

The letter of an axis is the one that most equations have along it. An axis is known by its length, a size or
a number; along what is computed from sizes, an index keeps its name where it can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from symbp.ir.expr import Expr, FloorDiv, Index, Size
from symbp.ir.groups import groups
from symbp.ir.system import Equation, System
from symbp.read.display import bound

TIME, STEPS = "t", "T"
LENGTHS = "PQRABCFGJLMUXYZ"
SIZES = "DEFGHKLMPQRSUVWABCJXYZ"
SPARE = "ijklmpqruvwabcdefghnosxyz"


@dataclass(frozen=True)
class Lettering:
    """The letters of a page's axes, the words that no index may be called by, and names for long lengths.
    `others` are names for a second index along an axis, which no index along another axis has."""

    letters: Mapping[Expr, str]
    words: frozenset[str]
    lengths: Mapping[Expr, Size]
    others: Mapping[Expr, tuple[str, ...]]

    def of(self, equation: Equation) -> dict[Index, Index]:
        """What each index of the equation is called, where that is another letter."""
        return _letters(equation, self)

    def shown(self, equation: Equation) -> Equation:
        """The equation with the letters of the page, and its long lengths by their names."""
        return _abbreviated(_renamed(equation, self.of(equation)), self.lengths)


def lettering(
    system: System,
    words: Collection[str],
    lengths: Mapping[Expr, Size],
    chosen: Mapping[str, str] | None = None,
) -> Lettering:
    """The letters of a system's axes, some of them `chosen` by the names of sizes; no index is called as one
    of the `words`, the names of tensors and sizes."""
    letters = axis_letters(system, words, chosen)
    return Lettering(letters, frozenset(words), lengths, _others(system, letters, words))


def size_letters(system: System, words: Collection[str]) -> dict[str, str]:
    """A letter for each size that its author gave as a number, in the order in which shapes mention them;
    none is one of the words."""
    unnamed = [name for name in system.sizes if name in system.unnamed]
    free = (letter for letter in SIZES if letter not in words)
    return dict(zip(unnamed, free, strict=False))


def lengths(system: System, words: Collection[str]) -> dict[Expr, Size]:
    """A name for each length of an axis that is a formula of sizes too long to stand in subscripts."""
    long = {
        e: None for t in system.tensors for e in t.shape if e.is_Add and (len(e.args) > 2 or e.has(FloorDiv))
    }
    free = (letter for letter in LENGTHS if letter not in words)
    return {extent: Size(letter) for extent, letter in zip(long, free, strict=False)}


def _abbreviated(equation: Equation, lengths: Mapping[Expr, Size]) -> Equation:
    if not lengths:
        return equation
    return equation.with_(
        body=equation.body.xreplace(lengths),
        where=tuple(g.xreplace(lengths) for g in equation.where),
        ranges=tuple(extent.xreplace(lengths) for extent in equation.ranges),
    )


def axis_letters(
    system: System, words: Collection[str], chosen: Mapping[str, str] | None = None
) -> dict[Expr, str]:
    """The letter of each axis; none has that of another, or one of the words."""
    votes: dict[Expr, Counter[str]] = {}
    for equation in system.equations:
        for index, extent in bound(equation).items():
            votes.setdefault(extent, Counter())[index.name] += 1
    wanted = {Size(name): letter for name, letter in (chosen or {}).items() if letter not in words}
    found: dict[Expr, str] = {extent: letter for extent, letter in wanted.items() if extent in votes}
    time = _time(system)
    if (
        time in votes
        and time not in found
        and TIME not in found.values()
        and TIME not in words
        and not any(TIME in counted for counted in votes.values())
    ):
        found[time] = TIME
    for extent in sorted(votes, key=lambda e: (not _is_plain(e), -max(votes[e].values()))):
        if not _is_plain(extent) and any(name.isalpha() for name in votes[extent]):
            continue
        named = (name for name, _ in votes[extent].most_common() if name.isalpha())
        spare = (c for c in SPARE if not any(c in counted for counted in votes.values()))
        free = (c for c in (*named, *spare) if c not in words and c not in found.values())
        if extent not in found and (letter := next(free, None)) is not None:
            found[extent] = letter
    return found


def _is_plain(extent: Expr) -> bool:
    return isinstance(extent, Size) or bool(extent.is_Integer)


def _time(system: System) -> Expr:
    """The extent along which the first recurrence of the system runs, or what its author called T."""
    for group in groups(system):
        if group.loop is not None:
            equation = group.equations[0]
            return equation.extents[group.loop_index(equation)]
    return Size(STEPS)


def _others(
    system: System, letters: Mapping[Expr, str], words: Collection[str]
) -> dict[Expr, tuple[str, ...]]:
    """The names that are used along one axis only, the most frequent first. What gave way to another letter
    for the axis, t for time, is none of them: it would seem to run along another axis."""
    votes: dict[str, Counter[Expr]] = {}
    for equation in system.equations:
        for index, extent in bound(equation).items():
            votes.setdefault(index.name, Counter())[extent] += 1
    gave_way = set()
    for extent, letter in letters.items():
        along = {name: counted[extent] for name, counted in votes.items() if counted[extent]}
        gave_way |= {max(along, key=along.__getitem__)} if along and letter not in along else set()
    taken = {*letters.values(), *words, *gave_way}
    alone = {n: c for n, c in votes.items() if len(c) == 1 and n.isalpha() and n not in taken}
    found: dict[Expr, list[str]] = {}
    for name in sorted(alone, key=lambda n: (-alone[n].total(), n)):
        (extent,) = alone[name]
        found.setdefault(extent, []).append(name)
    return {extent: tuple(names) for extent, names in found.items()}


def _letters(equation: Equation, page: Lettering) -> dict[Index, Index]:
    """What each index of the equation is called, all different: the first along an axis by its letter, others
    by names that no other axis has, their own before others, or by the letter with primes."""
    letters, words = page.letters, page.words
    found: dict[Index, str] = {}
    for index, extent in bound(equation).items():
        if extent in letters and letters[extent] not in found.values():
            found[index] = letters[extent]
    for index, extent in bound(equation).items():
        if index in found:
            continue
        name = index.name
        stem = letters.get(extent, name if name.isalpha() else name.rstrip("0123456789") or name)
        others = page.others.get(extent, ())
        loose = extent not in letters and name not in letters.values()
        candidates = [name] if name.isalpha() and (loose or name in others) else []
        candidates += others
        candidates += [stem + "'" * count for count in range(1, len(bound(equation)) + 1)]
        found[index] = next(c for c in candidates if c not in found.values() and c not in words)
    return {index: Index(name) for index, name in found.items() if name != index.name}


def _renamed(equation: Equation, letters: Mapping[Index, Index]) -> Equation:
    if not letters:
        return equation

    def new(index: Index) -> Index:
        return letters.get(index, index)

    # By way of names that nothing has, so that a letter may pass from one index to another.
    apart = {index: Index(f"{index.name}__apart") for index in letters}
    back = {apart[index]: letter for index, letter in letters.items()}
    reduction = equation.reduction
    if reduction is not None:
        reduction = replace(reduction, indices=tuple(map(new, reduction.indices)))
    return equation.with_(
        indices=tuple(map(new, equation.indices)),
        body=equation.body.xreplace(apart).xreplace(back),
        where=tuple(g.xreplace(apart).xreplace(back) for g in equation.where),
        reduction=reduction,
    )
