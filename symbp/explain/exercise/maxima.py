"""Right sides as Maxima spells them: `.` is the matrix product, `*`, `/` and `^` are elementwise.

Enters: a tree of matrix notation, a name for each tensor. Leaves: text. Must not know: values, or what asks
for an answer. What has no such spelling, axes beyond two, subscripts, windows, raises `Unspelled`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import sympy

from symbp.ir.expr import Expr
from symbp.read.grammar.tokens import GREEK, SUBSCRIPTS
from symbp.read.matrix.tree import (
    Bracket,
    Elementwise,
    Hadamard,
    Named,
    Node,
    Number,
    OneHot,
    Ones,
    Power,
    Product,
    Rowwise,
    Scale,
    SquaredNorm,
    Total,
    Transpose,
)

FUNCTIONS = frozenset({
    "abs", "cos", "cosh", "exp", "ispos", "log", "onehot", "ones", "relu", "sigmoid", "sin", "sinh",
    "softmax", "sqrt", "tanh", "transpose",
})  # fmt: skip
"""What `templates/exercise_stack.mac` evaluates."""

TAKEN = FUNCTIONS | {
    "E", "e", "i", "j", "pi", "inf", "minf", "true", "false", "and", "or", "not", "if", "then", "else", "for",
    "in", "do", "from", "step", "thru", "while", "unless", "next", "ln", "lambda", "matrix", "block", "diff",
    "rand", "simp", "float", "all", "allbut", "und", "ind", "phi", "gamma", "zag", "plus", "return",
}  # fmt: skip
"""Words that Maxima, or STACK, reads as something else than a variable."""

SUM, TIMES, DOT, POWER, ATOM = range(1, 6)  # how strongly the outermost sign binds


class Unspelled(Exception):
    """What Maxima has no sign for."""


def words(symbols: Mapping[str, str]) -> dict[str, str]:
    """A word for each symbol, letters and digits only, all different; those in front get theirs first."""
    found: dict[str, str] = {}
    for name, symbol in symbols.items():
        letters = "".join(GREEK.get(sign, sign) for sign in symbol.translate(SUBSCRIPTS).replace("∂", "d"))
        word = re.sub(r"[^A-Za-z0-9]", "", letters).lstrip("0123456789") or "v"
        tried, count = word, 1
        while tried in TAKEN or tried in found.values() or tried.startswith("sb"):
            tried, count = f"{word}v{count}", count + 1
        found[name] = tried
    return found


def as_number(symbol: str) -> str:
    """The key under which `words` has a size, or a constant: a tensor may be called alike."""
    return f"#{symbol}"


def spelled(node: Node, names: Mapping[str, str]) -> str:
    """The expression, tensors by their `names`. Raises Unspelled."""
    return _Speller(names).write(node)[0]


class _Speller:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def wrapped(self, node: Node, least: int) -> str:
        text, strength = self.write(node)
        return text if strength >= least else f"({text})"

    def write(self, node: Node) -> tuple[str, int]:
        match node:
            case Named(name, _, subscripts) if name in self.names and not subscripts:
                return self.names[name], ATOM
            case Number(value):
                return self.number(value)
            case Ones(extent):
                return f"ones({self.number(extent)[0]})", ATOM
            case OneHot(Named(name)) if name in self.names:
                return f"onehot({self.names[name]})", ATOM
            case Transpose(inner):
                return f"transpose({self.write(inner)[0]})", ATOM
            case Elementwise(function, inner) if function in FUNCTIONS:
                return f"{function}({self.write(inner)[0]})", ATOM
            case Rowwise("softmax", inner) if inner.rank == 2:
                return f"softmax({self.write(inner)[0]})", ATOM
            case Bracket("<", Number(zero), inner) if zero == 0:
                return f"ispos({self.write(inner)[0]})", ATOM
            case Product(factors):
                return " . ".join(self.wrapped(factor, DOT + 1) for factor in factors), DOT
            case Power(base, exponent):
                above, strength = self.number(exponent)
                return f"{self.wrapped(base, ATOM)}^{above if strength == ATOM else f'({above})'}", POWER
            case Total(terms):
                return self.total(terms), SUM
            case Scale(over, under, body):
                return self.quotient((*over, *(() if body is None else (body,))), under)
            case Hadamard(over, under):
                return self.quotient(over, under)
            case SquaredNorm(inner) if inner.rank == 1:
                text = self.write(inner)[0]
                return f"transpose({text}) . {self.wrapped(inner, DOT + 1)}", DOT
            case _:
                raise Unspelled(type(node).__name__)

    def total(self, terms: tuple[tuple[bool, Node], ...]) -> str:
        text = ""
        for negative, term in terms:
            sign = ("-" if negative else "") if not text else " - " if negative else " + "
            text += sign + self.wrapped(term, TIMES)
        return text

    def quotient(self, over: tuple[Node, ...], under: tuple[Node, ...]) -> tuple[str, int]:
        if len(over) == 1 and not under:
            return self.write(over[0])
        above = "*".join(self.wrapped(factor, TIMES if k == 0 else DOT) for k, factor in enumerate(over))
        below = [self.wrapped(factor, DOT) for factor in under]
        return "/".join([above or "1", *below]), TIMES

    def number(self, value: Expr) -> tuple[str, int]:
        """A number, a size, or an expression of these, which SymPy writes alike but for the power."""
        atoms = value.atoms()
        named = {a: sympy.Symbol(self.names.get(as_number(str(a)), "")) for a in atoms if a.is_Symbol}
        if value.has(sympy.Function) or not all(a.is_Number or a in named for a in atoms):
            raise Unspelled(str(value))
        if any(not str(word) for word in named.values()):
            raise Unspelled(str(value))
        text = str(value.xreplace(named)).replace("**", "^")
        if value.is_Symbol or (value.is_Integer and value >= 0):
            return text, ATOM
        return text, SUM if value.is_Add or value.could_extract_minus_sign() else TIMES
