"""Sizes as users state them: named, named with a value, or a bare integer; and which of them are one.

Enters: what stands in a shape. Leaves: size expressions, and `Unifier`, which joins the sizes that
equations force to agree. Must not know: tensors, ops, or how names are found.

A bare integer is an anonymous size that happens to have that value: two of them are the same size only if
an equation makes them so, so that the text of equations never depends on values.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence

import sympy

from symbp.errors import DeclarationError, Origin, ShapeError
from symbp.ir.expr import Expr, FloorDiv, Index, Size
from symbp.ir.shapes import Witness
from symbp.ir.sizes.canonical import canonical, never_same, with_divisions
from symbp.ir.sizes.relations import Relations, alone
from symbp.language.naming.allowed import check_name
from symbp.language.naming.frames import here

_serials = itertools.count(1)  # tells anonymous sizes apart; no number is ever shown


class Dim(Size):
    """A size with a value: `D=64`, or anonymous, when `name` is empty. `index` is the letter of the index
    along it that its author chose, or empty."""

    letter: str
    value: int
    serial: int
    index: str

    def __new__(cls, name: str, value: int, serial: int = 0, index: str = "") -> Dim:
        # The label holds all that tells two of them apart, because SymPy keeps one object per label.
        label = f"#{serial:09d}={value}" if serial else f"{name}={value}"
        dim = super().__new__(cls, f"{label} {index}" if index else label)
        dim.letter, dim.value, dim.serial, dim.index = name, value, serial, index
        return dim

    @property
    def anonymous(self) -> bool:
        """Whether a bare integer stood in its place."""
        return not self.letter

    def _sympystr(self, printer: object) -> str:  # noqa: ARG002
        return f"{self.letter}={self.value}" if self.letter else str(self.value)


class Lettered(Size):
    """A size without a value whose author chose the letter of the index along it."""

    letter: str
    index: str

    def __new__(cls, name: str, index: str) -> Lettered:
        size = super().__new__(cls, f"{name} {index}")
        size.letter, size.index = name, index
        return size

    def _sympystr(self, printer: object) -> str:  # noqa: ARG002
        return self.letter


class RangedIndex(Index):
    """An index whose author states how far it runs."""

    letter: str
    extent: Expr

    def __new__(cls, name: str, extent: Expr) -> RangedIndex:
        index = super().__new__(cls, f"{name}<{sympy.srepr(extent)}")
        index.letter, index.extent = name, extent
        return index


def dims(names: str) -> tuple[Size, ...]:
    """`N, D = dims("N D")`: sizes whose values come later, or never."""
    return tuple(Size(check_name(name, "a size")) for name in names.replace(",", " ").split())


def dim(name: str, value: int | None = None, *, index: str | None = None) -> Size:
    """`dim("D", 64)`: a named size, with its value if given; `dim("T", index="t")`: the index along it is
    called t on pages. Raises DeclarationError: no name, no positive value."""
    check_name(name, "a size")
    letter = "" if index is None else check_name(index, "an index")
    if value is not None:
        return Dim(name, _positive(value, f"size {name}"), index=letter)
    return Lettered(name, letter) if letter else Size(name)


def as_size(extent: object) -> Expr:
    """A shape's entry as a size expression; an integer becomes an anonymous size.

    Raises DeclarationError for anything that isn't a positive integer, a size, or a formula of sizes.
    """
    if isinstance(extent, sympy.Expr) and not extent.is_Integer:
        formula: Expr = with_divisions(extent)
        symbols = formula.free_symbols
        if symbols and all(isinstance(symbol, Size) for symbol in symbols):
            return formula
    elif not isinstance(extent, bool):
        try:
            value = operator.index(extent)  # type: ignore[arg-type]
        except TypeError:
            pass
        else:
            return Dim("", _positive(value, "an axis"), next(_serials))
    raise DeclarationError(
        f"{extent!r} can't be the size of an axis",
        where=here(),
        help='use a positive integer, or a size: D = bp.dim("D", 64), or N, D = bp.dims("N D")',
    )


def as_shape(shape: object) -> tuple[Expr, ...]:
    """A shape as users write it: a tuple, or one size alone."""
    entries = shape if isinstance(shape, (tuple, list)) else (shape,)
    return tuple(as_size(entry) for entry in entries)


def _positive(value: int, what: str) -> int:
    if isinstance(value, bool) or value < 1:
        raise DeclarationError(f"{what} can't be {value}", where=here(), help="sizes are positive integers")
    return int(value)


def value_of(extent: Expr) -> int | None:
    """The extent as a number, if every size in it has a value."""
    number = with_values(extent)
    return int(number) if number.is_Integer else None


def with_values(extent: Expr) -> Expr:
    """The extent with the numbers of the sizes in it that have values."""
    return extent.xreplace({s: sympy.Integer(s.value) for s in extent.free_symbols if isinstance(s, Dim)})


def surely_differ(one: Expr, other: Expr) -> bool:
    """Whether two extents differ at all values of the sizes in them that are open."""
    return never_same(with_values(one), with_values(other))


def is_one(extent: Expr) -> bool:
    """Whether the axis has the bare integer 1 as its size, or a formula of bare integers that is 1, and
    therefore broadcasts."""
    numbers = extent.free_symbols
    return bool(extent == 1 or (numbers and all(map(_is_anonymous, numbers)) and value_of(extent) == 1))


def mismatch(what: str, sides: Sequence[tuple[Witness, Expr]], where: Origin | None) -> ShapeError:
    """The error that says which two axes disagree: each a witness, and the size that it was found to be."""
    help = "make the two sizes agree, or transpose or reshape one of the tensors"
    sides = [(side, sympy.sympify(found)) for side, found in sides]
    (_, first), (_, second) = sides
    for number, open_size in ((first, second), (second, first)):
        if _is_anonymous(number) and open_size.is_Symbol and value_of(open_size) is None:
            help = f'give {open_size} its value where it is declared: bp.dim("{open_size}", {number})'
    details = tuple(
        f"{side.why}: {side.extent}"
        + ("" if found == side.extent or str(found) == str(side.extent) else f", which is {found}")
        + (f" = {value_of(found)}" if value_of(found) is not None and found.args else "")
        for side, found in sides
    )
    return ShapeError(f"{what}: the sizes of two axes differ", where=where, details=details, help=help)


def simplest(ways: Sequence[Expr]) -> Expr:
    """Of some ways in which one extent is written, the one that names most and says least; the first if
    several do."""
    tidy = [canonical(e) for e in ways]
    return min(tidy, key=lambda e: (sum(map(_is_anonymous, e.free_symbols)), e.count_ops()))


class Unifier:
    """Joins sizes with what they must equal; `find` gives the one extent for all that are equal.

    A named size is one size wherever its name occurs, with its value as soon as one mention states it.
    Extents that are equal at all sizes are one. Those that are equal by their values are made so: an integer
    becomes the other extent, or stays the number that it is (a kernel of 3, whose padding of 1 keeps an image
    as it is). What is left to be equal is a condition (2·(H // 2) = H), or gives an open size its formula or
    its value.
    """

    def __init__(self) -> None:
        self._known = Relations()
        self._stated: list[tuple[str, Witness, Witness, Origin | None]] = []
        self.named: dict[str, Dim] = {}
        self.letters: dict[str, str] = {}  # of the indices along named sizes, as their authors chose them

    def find(self, extent: Expr) -> Expr:
        """The extent in the one form of all that are equal to it."""
        self._note(extent)
        return self._known.find(extent)

    def valued(self, extent: Expr) -> Expr:
        """The extent as it is, but for the values that named sizes were given."""
        return extent.xreplace({Size(name): dim for name, dim in self.named.items()})

    def join(self, what: str, first: Witness, second: Witness, where: Origin | None) -> None:
        """Makes the two extents one. Raises ShapeError where they differ at all sizes, by their values, or
        as two names, or a name and a number: these say that the sizes are two."""
        for witness in (first, second):
            self._note(witness.extent)
        a, b = self.find(second.extent), self.find(first.extent)
        gap = self._known.gap(a, b)
        if gap == 0:
            return
        plain = all(e.is_Symbol or e.is_Integer for e in (a, b))
        values = value_of(a), value_of(b)
        wrong = plain or surely_differ(a, b) if None in values else values[0] != values[1]
        if wrong or value_of(gap) or not self._made_one(a, b):
            raise mismatch(what, ((first, b), (second, a)), where)
        self._stated.append((what, first, second, where))

    def conditions(self) -> tuple[tuple[Expr, Expr], ...]:
        """The equalities that sizes must obey, by no size's formula and at no value for sure.

        Raises ShapeError where the values that sizes have got since break one.
        """
        for what, first, second, where in self._stated:
            a, b = (canonical(self._known.replaced(w.extent)) for w in (second, first))
            if None not in (values := (value_of(a), value_of(b))) and values[0] != values[1]:
                raise mismatch(what, ((first, b), (second, a)), where)
        return self._known.left()

    def _made_one(self, a: Expr, b: Expr) -> bool:
        """Makes two extents one that aren't shown to be equal; False where they can't be."""
        gap = self._known.gap(a, b)
        if value_of(a) is not None and value_of(a) == value_of(b):
            for dim in _kept_by(a) + _kept_by(b):
                self._known.replace(dim, sympy.Integer(dim.value))
            a, b = self.find(a), self.find(b)
            pairs = [(a, b)] if _is_anonymous(a) or _is_anonymous(b) else _paired(self._known.gap(a, b))
            for one, other in pairs:
                if not _is_anonymous(one) or (_is_anonymous(other) and one.serial < other.serial):
                    one, other = other, one
                # 4 and 2·(4//2) have one value, and neither stands for the other
                if one not in other.free_symbols:
                    self._known.replace(one, other)
        numbers = _numbers(gap := self._known.gap(a, b))
        for dim in _numbers_that_make_one(gap, numbers):
            self._known.replace(dim, sympy.Integer(dim.value))
        if self._known.gap(a, b) == 0:
            return True
        named = sorted(gap.free_symbols - set(numbers), key=lambda s: s.name, reverse=True)
        opened = [s for s in named if value_of(s) is None]
        if opened == named and len(opened) == 1 and gap.is_polynomial():
            return self._with_value(opened[0], gap, a, b)
        followed = self._known.follows(a, b, opened)
        if followed is not None:
            return followed
        largest = numbers[-1].value if numbers and not named else None
        for dim in numbers:
            if dim.value != largest or gap.is_polynomial():
                self._known.replace(dim, sympy.Integer(dim.value))
        return self._known.equate(a, b, [*opened, *(s for s in named if s not in opened)])

    def _with_value(self, size: Expr, gap: Expr, a: Expr, b: Expr) -> bool:
        """Gives an open size the one value at which two extents are one; False where it has none."""
        rest = alone(gap.xreplace({s: sympy.Integer(s.value) for s in _numbers(gap)}), size)
        if rest is None or not rest.is_Integer or rest < 1:
            return False
        self._note(Dim(size.name, int(rest)))
        one, other = self.find(a), self.find(b)
        return self._known.gap(one, other) == 0 or self._made_one(one, other)

    def _note(self, extent: Expr) -> None:
        for symbol in sorted(extent.free_symbols, key=lambda s: s.name):
            if isinstance(symbol, (Dim, Lettered)) and symbol.index:
                self._choose(symbol)
            if isinstance(symbol, Dim) and not symbol.anonymous:
                known = self.named.setdefault(symbol.letter, symbol)
                if known.value != symbol.value:
                    raise DeclarationError(
                        f"size {symbol.letter} has two values, {known.value} and {symbol.value}",
                        where=here(),
                        help="give one of the two sizes another name",
                    )
                if known == symbol:  # SymPy may have forgotten that they are one
                    self._known.replace(Size(symbol.letter), symbol)
                elif self._known.replaced(symbol) == symbol:  # with a letter, where the first has none
                    self._known.replace(symbol, known)

    def _choose(self, size: Dim | Lettered) -> None:
        """Notes the letter of the index along a size."""
        chosen = self.letters.setdefault(size.letter, size.index)
        if chosen != size.index:
            raise DeclarationError(
                f"the index along {size.letter} has two letters, {chosen} and {size.index}",
                where=here(),
                help=f"choose one of them wherever {size.letter} is declared, or declare it once",
            )
        if isinstance(size, Lettered) and self._known.replaced(size) == size:
            self._known.replace(size, Size(size.letter))


def _numbers(gap: Expr) -> list[Dim]:
    """The bare integers of a difference, the smallest first."""
    found = [s for s in gap.free_symbols if _is_anonymous(s)]
    return sorted(found, key=lambda s: (s.value, s.serial))


def _kept_by(extent: Expr) -> list[Dim]:
    """The smaller bare integers in a formula that, by their values, leaves its largest one as it is: a kernel
    of 1, or one of 3 with a padding of 1."""
    numbers = _numbers(extent)
    if len(numbers) < 2 or len(numbers) < len(extent.free_symbols):
        return []
    *smaller, largest = numbers
    kept = canonical(extent.xreplace({s: sympy.Integer(s.value) for s in smaller}))
    return smaller if kept == largest else []


def _numbers_that_make_one(gap: Expr, numbers: Sequence[Dim]) -> list[Dim]:
    """The fewest of the bare integers, small ones first, that must be the numbers that they are for a
    difference to be 0; none if it isn't so then. Kernels come before images."""

    def numbered(dims: Sequence[Dim]) -> Expr:
        return canonical(gap.xreplace({s: sympy.Integer(s.value) for s in dims}))

    count = next((k for k in range(len(numbers) + 1) if numbered(numbers[:k]) == 0), None)
    needed = list(numbers[: count or 0])
    images = {s for q in gap.atoms(FloorDiv) for s in q.free_symbols}
    if needed and needed[-1] in images and numbered(needed[:-1]).atoms(FloorDiv):
        return []  # an image whose halves fit is left open, as long as its halves fit
    for dim in reversed(needed):
        fewer = [s for s in needed if s is not dim]
        needed = fewer if numbered(fewer) == 0 else needed
    return needed


def _is_anonymous(extent: Expr) -> bool:
    return isinstance(extent, Dim) and extent.anonymous


def _paired(difference: Expr) -> list[tuple[Expr, Expr]]:
    """The anonymous sizes of a difference that is 0 term by term, `D1 + D2 − D3 − D4`, by their values; none
    if it is another. So two concatenations of equal parts agree."""
    positive: list[Expr] = []
    negative: list[Expr] = []
    for term in sympy.Add.make_args(difference):
        sign, size = term.as_coeff_Mul()
        if not _is_anonymous(size) or abs(sign) != 1:
            return []
        (positive if sign == 1 else negative).append(size)
    sides = [sorted(side, key=lambda s: (s.value, s.serial)) for side in (positive, negative)]
    if [s.value for s in sides[0]] != [s.value for s in sides[1]]:
        return []
    return list(zip(*sides, strict=True))


def name_sizes(extents: Iterable[Expr], taken: Iterable[str]) -> dict[Expr, Size]:
    """The plain size that each size becomes, in the order in which the extents mention them.

    Named sizes lose their values; anonymous ones become D1, D2, …, skipping taken names.
    """
    found = dict.fromkeys(s for e in extents for s in sorted(e.free_symbols, key=lambda s: s.name))
    named = {s: Size(getattr(s, "letter", s.name)) for s in found if not _is_anonymous(s)}
    used = {*taken, *(size.name for size in named.values())}
    fresh = (f"D{k}" for k in itertools.count(1))
    return {s: named.get(s) or Size(next(n for n in fresh if n not in used)) for s in found}
