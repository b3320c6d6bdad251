"""Bodies in index notation: one walk that replaces reads and symbols, and what a body may be made of.

Enters: scalar SymPy expressions over reads. Leaves: the same with exact constants and guards for kinks.
Must not know: tensors, networks, or ops by name.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from fractions import Fraction

import sympy

from symbp.errors import DeclarationError
from symbp.ir.expr import Access, Expr, Guard, Index, Size
from symbp.ir.sizes.canonical import with_divisions
from symbp.language.naming.frames import here
from symbp.language.sizes import RangedIndex

SHORT = 1000  # the largest denominator of a fraction that a float is taken for
DIGITS = 12  # a decimal with no more of them is what its author wrote

LARGEST = sympy.Rational(1, 100)  # of a number with a name: a page shows the name wherever the number stands


class NamedNumber(sympy.Symbol):  # type: ignore[misc]
    """A small positive number that a definition's author calls by a letter, ε in √(v + ε)."""

    letter: str
    value: Expr

    def __new__(cls, letter: str, value: Expr) -> NamedNumber:
        found = super().__new__(cls, f"{letter}={value}", positive=True)
        found.letter, found.value = letter, value
        return found  # type: ignore[no-any-return]


def named_number(letter: str, value: Expr) -> Expr:
    """The number under its letter; as it is, where it isn't one that can have a letter."""
    small = value.is_Rational and 0 < value <= LARGEST
    return NamedNumber(letter, value) if small else value


Spell = Callable[[Access, tuple[Expr, ...], Expr | None], Expr]


def rewrite(expr: Expr, spell: Spell, symbols: Mapping[Expr, Expr] | None = None) -> Expr:
    """`expr` with each read replaced by `spell(read, its rewritten subscripts, its outside value)` and
    each symbol, or larger part, by what `symbols` says."""
    symbols = symbols or {}

    def walk(e: Expr) -> Expr:
        if isinstance(e, Access):
            outside = None if e.outside is None else walk(e.outside)
            return spell(e, tuple(walk(s) for s in e.subscripts), outside)
        if e in symbols or not e.args:
            return symbols.get(e, e)
        arguments = [walk(a) for a in e.args]
        if all(new is old for new, old in zip(arguments, e.args, strict=True)):
            return e
        return e.func(*arguments)

    return walk(expr)


def same_read(access: Access, subscripts: tuple[Expr, ...], outside: Expr | None) -> Expr:
    """The read of the same tensor at the given subscripts: `rewrite` with it changes symbols only."""
    return type(access)(access.args[0], *subscripts, outside=outside)


def occurrences(expr: Expr, count: dict[Access, int]) -> None:
    """Adds to `count` how often each read stands in the expression as it is written."""
    if isinstance(expr, Access):
        count[expr] = count.get(expr, 0) + 1
    for arg in expr.args:
        occurrences(arg, count)


def number(value: object) -> Expr | None:
    """The exact rational of a number, a decimal taken as it is written, a short fraction (`1 / 3`) as that;
    None if it is no number.

    Raises DeclarationError for a number that isn't finite.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, sympy.Expr):
        return value if value.is_number or _sizes_only(value) else None
    if isinstance(value, numbers.Integral):
        return sympy.Integer(int(value))
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    if not isinstance(value, numbers.Real):
        return None
    if not math.isfinite(value):
        raise DeclarationError(f"a constant can't be {value}", where=here(), help="use a finite number")
    return rational(float(value))


def rational(value: float) -> Expr:
    """A float as the short decimal or the short fraction that rounds to it, else as the shortest decimal."""
    text = repr(value)
    digits = len(text.partition("e")[0].replace(".", "").replace("-", "").strip("0"))
    fraction = Fraction(value).limit_denominator(SHORT)
    if digits > DIGITS and fraction.numerator / fraction.denominator == value:
        return sympy.Rational(fraction.numerator, fraction.denominator)
    return sympy.Rational(text)


def _sizes_only(value: Expr) -> bool:
    return bool(value.free_symbols) and all(isinstance(s, Size) for s in value.free_symbols)


_WORDS = {sympy.I: "the imaginary unit", sympy.nan: "0/0", sympy.zoo: "what is divided by 0"}
_STEPS = (sympy.floor, sympy.ceiling, sympy.Mod, sympy.frac)


def exact(body: Expr) -> Expr:
    """The body with decimals, and numbers that go by a letter, as exact rationals, `//` and `%` of integers,
    and |u| and sign(u) as guards.

    Raises DeclarationError for SymPy's own kinks, whose derivatives aren't this library's conventions, and
    for symbols that are neither indices nor sizes.
    """
    floats = {f: rational(float(f)) for f in body.atoms(sympy.Float)}
    floats |= {named: named.value for named in body.atoms(NamedNumber)}
    body = without_kinks(with_divisions(body.xreplace(floats) if floats else body))
    refused = (
        sympy.Max,
        sympy.Min,
        sympy.Piecewise,
        sympy.Heaviside,
        sympy.Derivative,
        sympy.Sum,
        sympy.Integral,
    )
    for node in sympy.preorder_traversal(body):
        if isinstance(node, refused):
            raise DeclarationError(
                f"{type(node).__name__} of SymPy can't stand in a definition",
                where=here(),
                help="use bp.maximum, bp.minimum, bp.where and bp.Sum, which say what happens at a kink",
            )
        if node is sympy.I or node in (sympy.nan, sympy.zoo):
            raise DeclarationError(
                f"a definition is made of real numbers, not of {_WORDS[node]}",
                where=here(),
                help="keep real and imaginary parts as two tensors" if node is sympy.I else None,
            )
        if isinstance(node, _STEPS):
            raise DeclarationError(
                f"{type(node).__name__} of SymPy can't stand here", where=here(), help="use bp.floor, bp.mod"
            )
        if isinstance(node, sympy.Symbol) and not isinstance(node, (Index, Size)):
            raise DeclarationError(
                f"{node} in a definition is neither a tensor's element, an index nor a size",
                where=here(),
                help=f'declare it: {node} = bp.hyper("{node}"), or bp.param("{node}", ())',
            )
    return body


def without_kinks(body: Expr) -> Expr:
    """|u| as [u > 0]·u − [u < 0]·u and sign(u) as [u > 0] − [u < 0]: both have derivative 0 at 0."""
    if not body.has(sympy.Abs, sympy.sign):
        return body
    body = body.replace(sympy.Abs, lambda u: Guard(">", u, 0) * u - Guard("<", u, 0) * u)
    return body.replace(sympy.sign, lambda u: Guard(">", u, 0) - Guard("<", u, 0))


def strip_ranges(expr: Expr) -> tuple[Expr, dict[Index, Expr]]:
    """The expression over plain indices, and how far the indices run that carry a range."""
    ranged = sorted((s for s in expr.free_symbols if isinstance(s, RangedIndex)), key=lambda s: s.name)
    plain = {s: Index(s.letter) for s in ranged}
    return rewrite(expr, same_read, plain), {plain[s]: s.extent for s in ranged}
