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
from symbp.ir.expr import Expr, Index, Size
from symbp.ir.shapes import Witness
from symbp.language.frames import here
from symbp.language.names import check_name

_serials = itertools.count(1)  # tells anonymous sizes apart; no number is ever shown


class Dim(Size):
    """A size with a value: `D=64`, or anonymous, when `name` is empty."""

    letter: str
    value: int
    serial: int

    def __new__(cls, name: str, value: int, serial: int = 0) -> Dim:
        # The label holds all that tells two of them apart, because SymPy keeps one object per label.
        dim = super().__new__(cls, f"#{serial:09d}={value}" if serial else f"{name}={value}")
        dim.letter, dim.value, dim.serial = name, value, serial
        return dim

    @property
    def anonymous(self) -> bool:
        """Whether a bare integer stood in its place."""
        return not self.letter

    def _sympystr(self, printer: object) -> str:  # noqa: ARG002
        return f"{self.letter}={self.value}" if self.letter else str(self.value)


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


def dim(name: str, value: int | None = None) -> Size:
    """`dim("D", 64)`: a named size, with its value if given."""
    check_name(name, "a size")
    return Size(name) if value is None else Dim(name, _positive(value, f"size {name}"))


def as_size(extent: object) -> Expr:
    """A shape's entry as a size expression; an integer becomes an anonymous size.

    Raises DeclarationError for anything that isn't a positive integer, a size, or a formula of sizes.
    """
    if isinstance(extent, sympy.Expr) and not extent.is_Integer:
        symbols = extent.free_symbols
        if symbols and all(isinstance(symbol, Size) for symbol in symbols):
            return extent
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
    values = {s: sympy.Integer(s.value) for s in extent.free_symbols if isinstance(s, Dim)}
    number = extent.xreplace(values)
    return int(number) if number.is_Integer else None


def is_one(extent: Expr) -> bool:
    """Whether the axis has the bare integer 1 as its size and therefore broadcasts."""
    return isinstance(extent, Dim) and extent.anonymous and extent.value == 1


def mismatch(what: str, sides: Sequence[tuple[Witness, Expr]], where: Origin | None) -> ShapeError:
    """The error that says which two axes disagree: each a witness, and the size that it was found to be."""
    help = "make the two sizes agree, or transpose or reshape one of the tensors"
    (_, first), (_, second) = sides
    for number, open_size in ((first, second), (second, first)):
        if _is_anonymous(number) and value_of(open_size) is None:
            help = f'give {open_size} its value where it is declared: bp.dim("{open_size}", {number})'
    details = tuple(
        f"{side.why}: {side.extent}" + ("" if found == side.extent else f", which is {found}")
        for side, found in sides
    )
    return ShapeError(f"{what}: the sizes of two axes differ", where=where, details=details, help=help)


class Unifier:
    """Joins anonymous sizes with what they must equal; `find` gives the one size that stands for all.

    A named size is one size wherever its name occurs, with its value as soon as one mention states it.
    """

    def __init__(self) -> None:
        self._parent: dict[Expr, Expr] = {}
        self.named: dict[str, Dim] = {}

    def find(self, extent: Expr) -> Expr:
        """The extent in representatives."""
        self._note(extent)
        while True:
            step = {s: t for s in extent.free_symbols if (t := self._next(s)) is not s}
            if not step:
                return extent
            extent = extent.xreplace(step)

    def join(self, what: str, first: Witness, second: Witness, where: Origin | None) -> None:
        """Makes the two extents one. Raises ShapeError where they can't be."""
        self._note(first.extent)
        a, b = self.find(second.extent), self.find(first.extent)
        if sympy.expand(a - b) == 0:
            return
        value = value_of(a)
        pairs = [(a, b)] if _is_anonymous(a) or _is_anonymous(b) else _paired(sympy.expand(a - b))
        if value is None or value != value_of(b) or not pairs:
            raise mismatch(what, ((first, b), (second, a)), where)
        for one, other in pairs:
            if not _is_anonymous(one) or (_is_anonymous(other) and one.serial < other.serial):
                one, other = other, one
            # 4 and 2·(4//2) have one value, and neither stands for the other
            if one not in other.free_symbols:
                self._parent[one] = other

    def _next(self, symbol: Expr) -> Expr:
        if isinstance(symbol, Dim):
            return self._parent.get(symbol, symbol)
        return self.named.get(symbol.name, symbol)

    def _note(self, extent: Expr) -> None:
        for symbol in sorted(extent.free_symbols, key=lambda s: s.name):
            if isinstance(symbol, Dim) and not symbol.anonymous:
                known = self.named.setdefault(symbol.letter, symbol)
                if known is not symbol and known.value != symbol.value:
                    raise DeclarationError(
                        f"size {symbol.letter} has two values, {known.value} and {symbol.value}",
                        where=here(),
                        help="give one of the two sizes another name",
                    )


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
