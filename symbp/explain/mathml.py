"""Expressions as MathML Core, which browsers show without help, and read aloud.

Enters: the symbols of a page. Leaves: fragments of markup, every text in them escaped.
Must not know: pages, other formats, or how an expression is ordered.

A fragment is one or several elements beside each other; where MathML wants one (a base, a subscript, a
numerator) they are put in a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape, unescape

from symbp.explain.chosen import chosen_mathml
from symbp.ir.decimals import decimal
from symbp.ir.expr import Expr, Index
from symbp.ir.labels import Differential
from symbp.ir.printer import ADD, ATOM, MUL, Notation, Written
from symbp.read.matrix.spell import Spelling
from symbp.read.spelling import GREEK, LETTERS, Symbol, text_symbol
from symbp.read.symbols import Symbols

TAG = re.compile(r"<(/?)\w[^>]*?(/?)>")
SPACE = '<mspace width="1em"/>'
THIN = '<mspace width=".17em"/>'
APPLIED = "<mo>\u2061</mo>"  # "of", for a screen reader
MARKS = {"hat": "^", "tilde": "~", "bar": "¯"}


def operator(sign: str) -> str:
    """A sign: `<mo>+</mo>`."""
    return f"<mo>{escape(sign)}</mo>"


def word(text: str) -> str:
    """Words or a name, upright: `<mtext>where</mtext>`."""
    return f"<mtext>{escape(text)}</mtext>"


def identifier(name: str) -> str:
    """A letter, italic, or a word, upright: `<mi>x</mi>`."""
    return f"<mi>{escape(name)}</mi>"


def number(digits: str) -> str:
    """Digits: `<mn>2</mn>`."""
    return f"<mn>{escape(digits)}</mn>"


def row(fragment: str) -> str:
    """The fragment as one element."""
    return fragment if _is_one(fragment) else f"<mrow>{fragment}</mrow>"


def _is_one(fragment: str) -> bool:
    depth = 0
    for tag in TAG.finditer(fragment):
        depth += -1 if tag[1] else 0 if tag[2] else 1
        if depth == 0:
            return tag.end() == len(fragment)
    return False


def plain(fragment: str) -> str:
    """The text of a fragment, without markup."""
    return unescape(TAG.sub("", fragment))


def below(base: str, subscript: str) -> str:
    """The base with a subscript."""
    return f"<msub>{row(base)}{row(subscript)}</msub>"


def above(base: str, superscript: str) -> str:
    """The base with a superscript."""
    return f"<msup>{row(base)}{row(superscript)}</msup>"


def over(numerator: str, denominator: str) -> str:
    """A fraction."""
    return f"<mfrac>{row(numerator)}{row(denominator)}</mfrac>"


def listed(fragments: Sequence[str]) -> str:
    """The fragments with commas between."""
    return operator(",").join(fragments)


def named(name: str) -> str:
    """A name as mathematics, taken apart like in LaTeX: `W1` is W with the subscript 1, `mask` is upright."""
    stem = name.rstrip("'")
    if stem != name:
        return above(named(stem), operator("′" * (len(name) - len(stem))))
    if name in GREEK or len(name) == 1:
        return identifier(GREEK.get(name, name))
    name = LETTERS.get(name, name)
    split = re.fullmatch(r"([^\W\d_]+)_?(\d+)", name) or re.fullmatch(r"([^\W_]+)_(\w+)", name)
    if split is None:
        return identifier(name)
    digits = split[2].isdigit()
    if len(split[1]) > 1 and split[1] not in GREEK and len(split[2]) > 1 and not digits:
        return identifier(name)
    return below(named(split[1]), number(split[2]) if digits else named(split[2]))


class MathML(Notation):
    """Index notation in MathML, with the symbols of a page; terms and factors stand in the order that they
    have in the notation `like`, in which formulas are read aloud."""

    times = f"{THIN}<mo>\u2062</mo>"
    one = number("1")
    plus = operator("+")
    minus = operator("−")
    comma = operator(",")
    relation = {  # noqa: RUF012
        sign: operator(shown)
        for sign, shown in {"=": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}.items()
    }
    reduce_names = {  # noqa: RUF012
        **{op: operator(name) for op, name in Notation.reduce_names.items()},
        "sum": operator("∑"),
        "prod": operator("∏"),
    }

    def __init__(self, symbols: Symbols | None = None, like: Notation | None = None) -> None:
        self.symbols: Mapping[str, Symbol] = symbols.symbols if symbols is not None else {}
        self.like = like

    def tensor(self, name: str) -> str:
        """A tensor's name without subscripts."""
        return self.access(name, [], None)

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        symbol = self.symbols.get(name) or Symbol(name)
        written = self._access(symbol, subscripts)
        if outside is None or plain(outside) == "0":
            return written
        return self.parenthesis(written + operator("∣") + outside)

    def _access(self, symbol: Symbol, subscripts: Sequence[str]) -> str:
        """A symbol with subscripts, in a derivative shared out to what is differentiated, then by what."""
        if symbol.quotient is None or symbol.latex is not None:
            return self._subscripted(_simple(symbol), subscripts)
        if not symbol.is_fraction:
            return self._subscripted(self._short(symbol, self.tensor(symbol.quotient.by[0][0])), subscripts)
        rest, parts = list(subscripts), []
        for name, rank in (symbol.quotient.of, *symbol.quotient.by):
            parts.append(self.access(name, rest[:rank], None))
            rest = rest[rank:]
        order = len(symbol.quotient.by)
        sign = identifier("∂")
        head = above(sign, number(str(order))) if order > 1 else sign
        written = over(head + parts[0], "".join(sign + part for part in parts[1:]))
        if not symbol.part:
            return written
        return above(self.parenthesis(written), self.parenthesis(number(str(symbol.part))))

    def _short(self, symbol: Symbol, by: str) -> str:
        """A derivative as δ or d."""
        delta = symbol.notation == "delta"
        written = below(identifier("δ"), by) if delta else f'<mi mathvariant="normal">d</mi>{by}'
        if not symbol.part:
            return written
        return above(self.parenthesis(written), self.parenthesis(number(str(symbol.part))))

    def _subscripted(self, symbol: str, subscripts: Sequence[str]) -> str:
        """In parentheses where the symbol has subscripts of its own, or where these could be its."""
        if not subscripts:
            return symbol
        shown = [plain(s) for s in subscripts]
        has_own = "<msub" in symbol or all(s.isdigit() for s in shown)
        short = all(re.fullmatch(r"\w′*", s) for s in shown)
        return below(
            self.parenthesis(symbol) if has_own else symbol,
            "".join(subscripts) if short else listed(subscripts),
        )

    def symbol(self, symbol: Expr) -> str:
        return named(symbol.name)

    def number(self, value: Expr) -> str:
        """Fractions as such, small numbers with a power of ten."""
        sign = self.sign("-") if value.is_negative else ""
        written, _, exponent = decimal(value).removeprefix("-").partition("e-")
        if exponent:
            power = above(number("10"), self.sign("-") + number(exponent))
            return sign + (power if written == "1" else number(written) + operator("·") + power)
        numerator, _, denominator = written.partition("/")
        return sign + (over(number(numerator), number(denominator)) if denominator else number(written))

    def sign(self, sign: str) -> str:
        return operator({"-": "−"}.get(sign, sign))

    def prose(self, words: str) -> str:
        return word(words.replace(" ", "\u00a0"))

    def raised(self, base: str, sign: str) -> str:
        return above(base, sign)

    def lowered(self, base: str, below_it: str) -> str:
        return below(base, below_it)

    def constant(self, value: Expr) -> str:
        if str(value) == "-oo":
            return self.sign("-") + identifier("∞")
        return identifier({"pi": "π", "E": "e", "oo": "∞"}.get(str(value), str(value)))

    def call(self, name: str, arguments: Sequence[str]) -> str:
        if name == "floor":
            return f"<mrow><mo>⌊</mo>{arguments[0]}<mo>⌋</mo></mrow>"
        name = {"sigmoid": "σ"}.get(name, name)
        function = identifier(name.removesuffix("_slope"))
        if name.endswith("_slope"):
            function = above(function, operator("′"))
        return f"<mrow>{function}{APPLIED}{self.parenthesis(listed(arguments))}</mrow>"

    def slope(self, of: str, by: str) -> str:
        return over(identifier("∂") + of, identifier("∂") + by)

    def power(self, base: str, exponent: Expr, written: str) -> str:  # noqa: ARG002
        return above(self.base(base), written)

    def base(self, written: str) -> str:
        """A fraction in parentheses."""
        return self.parenthesis(written) if written.startswith("<mfrac>") else row(written)

    def root(self, inner: str) -> str:
        return f"<msqrt>{inner}</msqrt>"

    def fraction(self, numerator: Written, denominator: Written) -> Written:
        return over(numerator[0], denominator[0]), MUL

    def guard(self, op: str, lhs: str, rhs: str) -> str:
        return f"<mrow><mo>[</mo>{lhs}{self.relation[op]}{rhs}<mo>]</mo></mrow>"

    def equal(self, left: str, right: str) -> str:
        return left + operator("=") + right

    def holding(self, guard: str) -> str:
        inner = guard.removeprefix("<mrow><mo>[</mo>").removesuffix("<mo>]</mo></mrow>")
        return SPACE + self.prose("for ") + inner

    def quotient(self, a: Written, b: Written, sign: str) -> Written:
        if sign == "//":
            return f"<mrow><mo>⌊</mo>{over(a[0], b[0])}<mo>⌋</mo></mrow>", ATOM
        return f"{self.wrapped(a, ATOM)}<mo>mod</mo>{self.wrapped(b, ATOM)}", ADD

    def parenthesis(self, inner: str) -> str:
        return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def along(self, function: str, indices: Sequence[str], body: str, conditions: Sequence[str]) -> str:
        head = below(identifier(function), listed(indices))
        inside = self.parenthesis(body + self._such(conditions))
        return f"<mrow>{head}{APPLIED}{inside}</mrow>"

    def reduction(self, op: str, indices: Sequence[str], conditions: Sequence[str], body: Written) -> str:
        under = f"<munder>{self.reduce_names[op]}{row(listed(indices))}</munder>"
        return under + THIN + self.wrapped(body, MUL) + self._such(conditions)

    def _such(self, conditions: Sequence[str]) -> str:
        return SPACE + self.prose("where ") + listed(conditions) if conditions else ""

    def element(self, matrix: str, subscripts: Sequence[str]) -> str:
        return below(f"<mrow><mo>[</mo>{matrix}<mo>]</mo></mrow>", listed(subscripts))

    def derivative(self, what: Differential, total: bool) -> str:
        of = (operator("∑") if total else "") + self.tensor(what.of)
        whole = self.slope(of, self.tensor(what.by))
        return self.prose("a part of ") + whole if what.part else whole

    def component(self, place: str, index: str) -> str:
        return below(self.parenthesis(place), index)

    def place(self, written: str) -> str:
        return plain(written)

    def sorted_as(self, e: Expr, written: str, order: tuple[Index, ...]) -> str:
        return self.place(written) if self.like is None else self.like.place(self.like.show(e, order))


def _simple(symbol: Symbol) -> str:
    """A symbol that is no derivative; the symbol as text, where its author's LaTeX is beyond a symbol's."""
    if symbol.latex is not None:
        return chosen_mathml(symbol.latex) or identifier(text_symbol(replace(symbol, latex=None)))
    written = _upright(symbol.base) if symbol.upright else named(symbol.base)
    if symbol.mark:
        written = f'<mover accent="true">{row(written)}{operator(MARKS[symbol.mark])}</mover>'
    if symbol.number is not None:
        written = below(written, number(str(symbol.number)))
    return above(written, word(symbol.above)) if symbol.above else written


def _upright(name: str) -> str:
    return f'<mi mathvariant="normal">{escape(name)}</mi>' if len(name) == 1 else identifier(name)


def spelling(notation: MathML) -> Spelling:
    """Matrix notation in MathML."""
    return Spelling(
        notation,
        transpose=identifier("⊤"),
        times=notation.times,
        hadamard=operator("⊙"),
        divide=operator("⊘"),
        ones='<mi mathvariant="normal">𝟏</mi>',
        identity=identifier("I"),
        inverse=notation.sign("-") + notation.one,
        minus=notation.minus,
        norm="<mrow><mo>‖</mo>{}<mo>‖</mo></mrow>",
        square="<mn>2</mn>",
        power="<msup>{}<mrow><mo>∘</mo>{}</mrow></msup>",
        correlation=operator("⋆"),
        kronecker=operator("⊗"),
        summed=f"<munder>{operator('∑')}<mrow>{{}}</mrow></munder>{THIN}",
        rows="<mrow>{}<mrow><mo>[</mo>{}<mo>]</mo></mrow></mrow>",
        named=lambda scalar, name, subscripts: _with_subscripts(scalar, name, subscripts),
        beyond=lambda inside, outside: notation.parenthesis(inside + operator("∣") + outside),
    )


def _with_subscripts(notation: Notation, name: str, subscripts: Sequence[str]) -> str:
    """A tensor with subscripts at some of its axes; behind a derivative by several tensors, that has them."""
    shown = [operator(s) if s == ":" else s for s in subscripts]
    symbol = notation.symbols.get(name) if isinstance(notation, MathML) else None
    quotient = symbol.quotient if symbol is not None else None
    ranked = [n for _, n in (quotient.of, *quotient.by) if n] if quotient is not None else []
    if shown and len(ranked) > 1 and len(shown) < sum(ranked):
        return below(notation.parenthesis(notation.access(name, [], None)), listed(shown))
    return notation.access(name, shown, None)
