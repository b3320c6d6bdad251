r"""LaTeX as symbp prints it, as the plain text that says the same.

Enters: index notation in LaTeX, and which symbol stands for which name. Leaves: plain index notation, for
`parse_equation`. Must not know: how LaTeX is printed elsewhere; only what it means.

Names can't be told from LaTeX alone: `s_{p}` is a name or an element, `\beta ` a letter or a tensor. The
caller knows: `symbols` maps spellings to names, `derivatives` what is differentiated, by what, to tensors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from symbp.errors import FormulaError
from symbp.read.grammar.cursor import DEEPEST
from symbp.read.grammar.places import error_at
from symbp.read.grammar.tokens import LONGEST, RAISED

Derivatives = Mapping[tuple[str, ...], str]

REDUCTIONS = {
    r"\sum": "Σ", r"\prod": "Π", r"\max": "max", r"\operatorname*{argmax}": "argmax",
    r"\operatorname*{argsort}": "argsort", r"\operatorname*{eigenvalues}": "eigenvalues",
    r"\operatorname*{eigenvectors}": "eigenvectors", r"\operatorname*{singular\ values}": "singular values",
    r"\operatorname*{left\ vectors}": "left vectors", r"\operatorname*{right\ vectors}": "right vectors",

    r"\operatorname*{inverse}": "inverse", r"\det": "det", r"\log\lvert\det\rvert": "log|det|",
    r"\operatorname*{cholesky}": "cholesky", r"\operatorname*{cofactors}": "cofactors",
}  # fmt: skip
SIGNS = {
    r"\neq": " ≠ ", r"\leq": " ≤ ", r"\geq": " ≥ ", r"\le": " ≤ ", r"\ge": " ≥ ", r"\bmod": "%",
    r"\,": "·", r"\cdot": "·", r"\pi": "π", r"\infty": "∞", "=": " = ", "<": " < ", ">": " > ", "+": " + ",
    "-": " - ", ",": ",", "/": "/", r"\odot": " ⊙ ", r"\oslash": " ⊘ ", r"\star": " ⋆ ", r"\otimes": " ⊗ ",
    r"\mathbf{1}": "𝟏",
}  # fmt: skip
ALONG = {
    rf"\operatorname{{{name}}}": name.replace("\\", "") for name in ("softmax", r"log\_softmax", "logsumexp")
}
STOPS = ("}", r"\right", r"\mid", r"\rfloor")
CIRCLE = r"\circ"
FUNCTION = re.compile(
    r"\\(?:operatorname\{(?P<named>(?:\w|\\_)+)\}(?P<slope>'?)|(?P<plain>[a-z]+))(?=\\left\()"
)
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
JOINED = re.compile(r"(?:[A-Za-z0-9]'*|\\[a-z]+ ?)+\Z")
PART = re.compile(r"\\left\( \\frac\{\\partial(?:(?!\\left|\\right).)*\\right\)\^\{\((?P<part>\d+)\)\}")


def plain(
    latex: str,
    symbols: Mapping[str, str],
    derivatives: Derivatives | None = None,
    *,
    matrices: bool = False,
) -> str:
    """The equation or expression in plain index notation, or in matrix notation, where subscripts stay such.
    Raises FormulaError: what is neither."""
    if len(latex) > 4 * LONGEST:
        raise FormulaError(f"{len(latex)} characters of LaTeX are too many")
    reader = _Reader(latex, symbols, derivatives or {}, matrices)
    found = reader.run()
    if reader.position < len(latex):
        raise reader.error("this has no meaning in index notation")
    return found.strip()


class _Reader:
    def __init__(
        self, text: str, symbols: Mapping[str, str], derivatives: Derivatives, matrices: bool
    ) -> None:
        self.text, self.position, self.nested, self.matrices = text, 0, 0, matrices
        self.opening, self.closing = ("_{", "}") if matrices else ("[", "]")
        self.symbols = dict(sorted(symbols.items(), key=lambda pair: -len(pair[0])))
        self.derivatives = derivatives

    # --- words
    def error(self, what: str) -> FormulaError:
        return error_at(self.text, (self.position, self.position + 1), what)

    def at(self, word: str) -> bool:
        return self.text.startswith(word, self.position)

    def skip(self) -> None:
        while self.position < len(self.text) and self.text[self.position] == " ":
            self.position += 1

    def take(self, word: str) -> bool:
        self.skip()
        if not self.at(word):
            return False
        self.position += len(word)
        return True

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.error(f"expected {word}")

    # --- parts
    def run(self) -> str:
        """Everything up to a closing sign; what a reduction excludes is said behind it."""
        self.nested += 1
        if self.nested > DEEPEST:
            raise self.error(f"more than {DEEPEST} levels")
        found, conditions = "", ""
        self.skip()
        while self.position < len(self.text) and not any(map(self.at, STOPS)):
            along = next((word for word in ALONG if self.at(word + "_{")), None)
            if along is not None:
                self.need(along)
                names = [self.within(index) for index in _apart(self.braces("_{"))]
                found += f"{ALONG[along]}_{','.join(names)}"  # with its parenthesis right behind it
                continue
            if self.take(r"\quad \text{where }"):
                return self.ended(f"{found.strip()} where {self.run()}")
            if self.take(r"\quad \text{for }"):
                return self.ended(f"{found.strip()}{conditions} for {self.run()}")
            reduction = next((r for r in REDUCTIONS if self.at(r + "_{")), None)
            if reduction is None:
                found = _beside(found, self.atom())
            else:
                under, conditions = self.under(reduction)
                found += under
            self.skip()
        return self.ended(found + conditions)

    def ended(self, found: str) -> str:
        self.nested -= 1
        return found

    def under(self, reduction: str) -> tuple[str, str]:
        """The indices of a reduction, and its conditions."""
        self.need(reduction)
        inner = self.braces("_{")
        indices, _, conditions = inner.partition(r"\,:\,")
        names = [self.within(index) for index in _apart(indices)]
        where = f" where {self.within(conditions)}" if conditions else ""
        return f"{REDUCTIONS[reduction]}_{','.join(names)} ", where

    def within(self, part: str) -> str:
        """A part of the text on its own."""
        inner = _Reader(part, self.symbols, self.derivatives, self.matrices)
        inner.nested = self.nested
        found = inner.run()
        if inner.position < len(part):
            raise inner.error("this has no meaning in index notation")
        return found.strip()

    def braces(self, opening: str = "{") -> str:
        """The text of a group in braces."""
        self.need(opening)
        start, open_groups = self.position, 1
        while open_groups and self.position < len(self.text):
            open_groups += {"{": 1, "}": -1}.get(self.text[self.position], 0)
            self.position += 1
        if open_groups:
            raise self.error("expected }")
        return self.text[start : self.position - 1]

    def atom(self) -> str:
        if self.at(r"\frac{\partial"):
            return self.derivative()
        part = PART.match(self.text, self.position)
        if part is not None:
            self.position += len(r"\left( ")
            found = self.derivative(int(part["part"]))
            self.position = part.end()
            return found
        symbol = next((s for s in self.symbols if self.at(s)), None)
        if symbol is not None:
            return self.named(symbol)
        if self.take(r"\frac"):
            return f"(({self.within(self.braces())})/({self.within(self.braces())}))"
        if self.take(r"\sqrt"):
            return f"sqrt({self.within(self.braces())})"
        if self.at("{"):
            return f"({self.within(self.braces())})"
        if self.take(r"^{\top}"):
            return "ᵀ"
        if self.at(r"^{\circ"):
            return f"^∘({self.within(self.braces('^{').removeprefix(CIRCLE))})"
        if self.take("^"):
            return f"^({self.within(self.braces())})"
        return self.enclosed() or self.sign()

    def named(self, symbol: str) -> str:
        """A name with its subscripts, if it has any."""
        self.position += len(symbol)
        self.skip()
        found = self.symbols[symbol] + self.subscripts()
        self.skip()
        return found + ("·" if self.at(r"\left(") else "")  # no function: these are commands

    def subscripts(self) -> str:
        if not self.at("_{"):
            return ""
        inner = self.braces("_{")
        parts = re.findall(r"[A-Za-z0-9]'*|\\[a-z]+ ?", inner) if JOINED.match(inner) else _apart(inner)
        shown = [part if part == ":" else self.within(part) for part in parts]
        return f"{self.opening}{','.join(shown)}{self.closing}"

    def enclosed(self) -> str | None:
        """Parentheses, brackets, floors, and elements of what stands in them."""
        if self.take(r"\left\lfloor"):
            self.need(r"\frac")
            over, under = self.within(self.braces()), self.within(self.braces())
            self.need(r"\right\rfloor")
            return f"(({over})//({under}))"
        if self.take(r"\left\lVert"):
            inner = self.run()
            self.need(r"\right\rVert")
            return f"‖{inner}‖"
        if self.take(r"\left\lvert"):
            inner = self.run()
            self.need(r"\right\rvert")
            return f"abs({inner})"
        if self.take(r"\lfloor"):
            inner = self.run()
            self.need(r"\rfloor")
            return f"floor({inner})"
        if self.take(r"\left("):
            inner = self.run()
            if self.take(r"\mid"):
                outside = self.run()
                self.need(r"\right)")
                return f"{inner.strip().removesuffix(self.closing)} | {outside.strip()}{self.closing}"
            self.need(r"\right)")
            if self.matrices and self.at("_{"):
                return inner.strip() + self.subscripts()
            component = f"_{self.within(self.braces('_{'))}" if self.at("_{") else ""
            return f"({inner}){component}"
        if self.take(r"\left["):
            inner = self.run()
            self.need(r"\right]")
            return f"({inner}){self.subscripts()}" if self.at("_{") else f"[{inner.strip()}]"
        return None

    def sign(self) -> str:
        function = FUNCTION.match(self.text, self.position)
        if function is not None:
            self.position = function.end()
            name = (function["named"] or function["plain"]).replace("\\_", "_")
            return f"{name}′" if function["slope"] else name
        number = NUMBER.match(self.text, self.position)
        if number is not None:
            self.position = number.end()
            return number.group()
        for word, sign in SIGNS.items():
            if self.take(word):
                return sign
        if self.take("e"):
            return "e"
        if self.matrices and self.take("I"):
            return "I" + self.subscripts()
        if self.at("("):  # a name with subscripts of its own
            closing = next((s for s in self.symbols if self.at(f"({s})")), None)
            if closing is not None:
                self.position += len(closing) + 2
                return self.symbols[closing] + self.subscripts()
        raise self.error("this has no meaning in index notation")

    def derivative(self, summand: int = 0) -> str:
        r"""`\frac{\partial L}{\partial W_{ij}}` is an element of the tensor that holds it, or a summand."""
        self.need(r"\frac")
        over, under = self.braces(), self.braces()
        parts = [re.sub(r"\\partial(\^\{\d+\})?\s*", "", over)]
        parts += [part for part in re.split(r"\s*(?:\\,)?\s*\\partial\s*", under) if part]
        names, subscripts, outside = [], [], ""
        for part in map(self.within, parts):
            name, _, rest = part.removesuffix(self.closing).partition(self.opening)
            rest, _, beyond = rest.partition(" | ")
            names.append(name)
            subscripts += [rest] if rest else []
            outside = f" | {beyond}" if beyond else outside
        if summand:
            names.append(str(summand))
        if tuple(names) not in self.derivatives:
            raise self.error(f"nothing is known as the derivative of {names[0]} by {', '.join(names[1:])}")
        inner = ",".join(subscripts) + outside
        return self.derivatives[tuple(names)] + (f"{self.opening}{inner}{self.closing}" if inner else "")


def _beside(found: str, more: str) -> str:
    """Two parts of a line: letters and digits don't run into one another."""
    apart = found[-1:].isalnum() and more[:1].isalnum() and more[0] not in RAISED
    return f"{found} {more}" if apart else found + more


def _apart(inner: str) -> list[str]:
    """The text between the commas that stand in no group."""
    parts, depth = [""], 0
    for before, sign in zip(" " + inner, inner, strict=False):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "," and before != "\\" and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]
