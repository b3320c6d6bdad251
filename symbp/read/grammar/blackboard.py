r"""LaTeX as people type it: `\frac{1}{N} X^\top (\hat y - y)`, `\sum_{n=1}^N`, `W_{2,jk}`, `\log p_{nk}`.

Enters: text, the names of a page. Leaves: the plain text that says the same, for `parse_answer`, or
FormulaError with a caret. Must not know: what names stand for; LaTeX as symbp prints it, for `latex.py`.

A letter with subscripts is a name and its indices, and only the names of a page tell where the one ends: W₂
and jk in `W_{2jk}`, h and nj in `h_{nj}`. The longest name that there is, is taken.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass

from symbp.errors import FormulaError
from symbp.read.grammar.cursor import DEEPEST
from symbp.read.grammar.places import error_at
from symbp.read.grammar.tokens import GREEK

WORDS = re.compile(r"\\[A-Za-z]+\*?|\\.|[A-Za-z]+|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
IGNORED = (
    r"\left", r"\right", r"\big", r"\Big", r"\bigg", r"\Bigg", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr",
    r"\biggl", r"\biggr", r"\,", r"\;", r"\:", r"\!", r"\quad", r"\limits", r"\displaystyle", r"\textstyle",
    "&", "\\ ",
)  # fmt: skip
STYLES = (
    r"\mathbf", r"\boldsymbol", r"\bm", r"\mathrm", r"\mathit", r"\mathsf", r"\mathcal", r"\text",
    r"\operatorname", r"\operatorname*", r"\vec", r"\rm",
)  # fmt: skip
MARKED = {r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\bar": "bar", r"\overline": "bar"}
SIGNS = {
    r"\cdot": "·", r"\times": "*", r"\ast": "*", r"\star": " ⋆ ", r"\odot": " ⊙ ", r"\circ": " ⊙ ",
    r"\oslash": " ⊘ ", r"\otimes": " ⊗ ", r"\div": "/", r"\neq": " ≠ ", r"\ne": " ≠ ", r"\leq": " ≤ ",
    r"\le": " ≤ ", r"\geq": " ≥ ", r"\ge": " ≥ ", r"\|": "‖", r"\Vert": "‖", r"\lVert": "‖", r"\rVert": "‖",
    r"\vert": "|", r"\lvert": "|", r"\rvert": "|", r"\pi": "π", r"\{": "(", r"\}": ")", "=": " = ",
    "<": " < ", ">": " > ", "+": " + ", "-": " - ", "−": " - ", "~": " ", "⊙": " ⊙ ",
    **{sign: sign for sign in "*/(),|:'!]ᵀ·²"},
}  # fmt: skip
RELATIONS = ("=", "<", ">", r"\neq", r"\ne", r"\leq", r"\le", r"\geq", r"\ge")
SUMS = {r"\sum": "Σ", r"\prod": "Π", r"\max": "max", r"\operatorname{argmax}": "argmax"}
FUNCTIONS = (
    r"\tanh", r"\exp", r"\log", r"\ln", r"\sin", r"\cos", r"\tan", r"\sinh", r"\cosh", r"\max", r"\min",
    r"\det",
)  # fmt: skip
FRACTIONS = (r"\frac", r"\dfrac", r"\tfrac")
TRANSPOSES = (r"\top", "T", r"\intercal", r"\mathsfT", r"\mathsf{T}", r"\mathrm{T}", r"\text{T}", "⊤")
LOSSES = ("L", "J", "ℓ", "ℒ", r"\ell", r"\mathcal{L}", r"\mathcal{J}")
DIFFERENTIAL = re.compile(r"\s*(?:\\partial|\\mathrm\{d\}|d(?=\s*[A-Za-z\\]))\s*")
ONES = re.compile(r"\\(?:mathbf|mathbb|mathbbm|bm|boldsymbol|vec)\s*(?:\{1\}|1)")
LONGEST_NAME = 60
CLOSING = {"(": ")", "[": "]", r"\{": r"\}", "{": "}"}


@dataclass(frozen=True)
class Vocabulary:
    """The plain names of a page, its indices, what it calls the loss, and spellings in LaTeX of names."""

    names: Container[str]
    letters: Container[str]
    loss: str
    symbols: Mapping[str, str]


def from_blackboard(latex: str, known: Vocabulary) -> str:
    """The answer in plain text. Raises FormulaError: a command without a meaning, a group without an end."""
    text = re.sub(r"(?<!\\)([_^])\s*([A-Za-z0-9])", r"\1{\2}", latex)
    return re.sub(r" +", " ", _Blackboard(text, known).run()).strip()


class _Blackboard:
    def __init__(self, text: str, known: Vocabulary, nested: int = 0) -> None:
        self.text, self.known, self.position, self.nested = text, known, 0, nested
        if nested > DEEPEST:
            raise FormulaError(f"the answer has more than {DEEPEST} levels")

    def error(self, what: str) -> FormulaError:
        return error_at(self.text, (self.position, min(self.position + 1, len(self.text))), what)

    # --- words
    def here(self) -> str:
        """The next word, none at the end."""
        while (found := WORDS.match(self.text, self.position)) is not None:
            if not found.group().isspace() and found.group() not in IGNORED:
                return found.group()
            self.position = found.end()
        return ""

    def take(self) -> str:
        word = self.here()
        self.position += len(word)
        return word

    def group(self) -> str:
        """The text of a group in braces, or the one word that stands for it."""
        word = self.here()
        if word == "{":
            return self.enclosed()
        first = word[:1] if word.isdigit() else word  # \\frac12 has two groups
        self.position += len(first)
        return first

    def enclosed(self) -> str:
        """The text up to the sign that closes what is opened here."""
        opening = self.take()
        closing, start, depth = CLOSING[opening], self.position, 1
        while depth:
            word = self.here()
            if not word:
                raise self.error(f"expected {closing}")
            depth += (word == opening) - (word == closing)
            self.position += len(word)
        return self.text[start : self.position - len(closing)]

    def inner(self, text: str) -> _Blackboard:
        """A reader of a part of the text."""
        return _Blackboard(text, self.known, self.nested + 1)

    def within(self, text: str) -> str:
        return self.inner(text).run().strip()

    # --- parts
    def run(self) -> str:
        found = ""
        while self.here():
            more = self.part()
            apart = found[-1:].isalnum() and more[:1].isalnum()
            found += f" {more}" if apart else more
        return found

    def part(self) -> str:
        word = self.here()
        if (ones := ONES.match(self.text, self.position)) is not None:
            self.position = ones.end()
            return self.ones()
        if word in FRACTIONS:
            return self.fraction()
        if word == r"\nabla":
            self.take()
            by = self.suffix() if self.here() == "_" else self.group()
            self.skip_loss()
            return self.derivative(by)
        if word in SUMS and self.text[self.position + len(word) :].lstrip()[:1] == "_":
            return self.reduction(SUMS[self.take()])
        if (
            word == "e"
            and self.text[self.position + 1 : self.position + 2] == "^"
            and "e" not in self.known.names
        ):
            self.take()
            return "exp(" + self.within(self.suffix()) + ")"
        if word == r"\sqrt":
            self.take()
            return f"sqrt({self.within(self.group())})"
        if word in FUNCTIONS:
            return self.take()[1:] + self.behind_function()
        if word == "[":
            inner = self.enclosed()
            return f"[{self.within(inner)}]" if self.compares(inner) else f"({self.within(inner)})"
        if word == "{":
            return f"({self.within(self.enclosed())})" + self.powers()
        if word == "^":
            return self.powers()
        if word == "_":  # of what stands in parentheses
            return f"[{','.join(self._inner())}]"
        if word[0].isdigit():
            return self.take()
        if word in SIGNS:
            return SIGNS[self.take()]
        return self.symbol()

    def compares(self, inner: str) -> bool:
        """Whether a relation stands in the text, outside of groups."""
        part, depth = self.inner(inner), 0
        while word := part.take():
            depth += (word in CLOSING) - (word in CLOSING.values())
            if word in RELATIONS and not depth:
                return True
        return False

    def ones(self) -> str:
        """𝟏, or a bracket: `\\mathbf{1}[k = y_n]`, `\\mathbb{1}_{k = y_n}`."""
        if self.here() in ("[", r"\{"):
            return f"[{self.within(self.enclosed())}]"
        if self.here() == "_":
            below = self.suffix()
            inner = below.strip("[]") if self.compares(below.strip("[]")) else None
            if inner is not None:
                return f"[{self.within(inner)}]"
        return f"𝟏{self.powers()}"

    def fraction(self) -> str:
        self.take()
        over, under = self.group(), self.group()
        above, below = map(DIFFERENTIAL.match, (over, under))
        if above is not None and below is not None and self.is_loss(over[above.end() :]):
            return self.derivative(under[below.end() :])
        if above is not None and r"\partial" in above.group():
            raise self.error("only derivatives of the loss are read")
        return f"(({self.within(over)})/({self.within(under)}))"

    def is_loss(self, text: str) -> bool:
        plain = text.strip()
        return plain in LOSSES or plain == self.known.loss or self.within(plain) == self.known.loss

    def skip_loss(self) -> None:
        for spelling in (*LOSSES, r"\mathrm{loss}", r"\text{loss}"):
            if self.here() and self.text.startswith(spelling, self.position):
                self.position += len(spelling)
                return

    def derivative(self, by: str) -> str:
        """The derivative of the loss by what is written."""
        inner = re.sub(r"\A\s*\((.*?)\)\s*_", r"\1_", by)  # (W_1)_{ij}
        name, subscripts = self.inner(inner).named()
        return f"d{name}{_below(subscripts)}{self.powers()}"

    def reduction(self, sign: str) -> str:
        """`\\sum_{n=1}^{N}`, `\\sum_{n,k}`, `\\sum_{nk}`."""
        below = self.suffix()
        above = self.suffix() if self.here() == "^" else None
        if above is not None:
            return f"{sign}_{{{self.within(below)}}}^{{{self.within(above)}}} "
        indices = self.inner(below).indices()
        return f"{sign}_{','.join(indices)} "

    def behind_function(self) -> str:
        """A power or a prime between a function and what it is taken of."""
        found = ""
        while self.here() in ("^", "'"):
            found += self.take() if self.here() == "'" else self.powers()
        return found if self.here() == "(" or found.endswith("'") else f"{found} "

    # --- names
    def symbol(self) -> str:
        """A name with its subscripts and powers, or a function."""
        start = self.position
        name, subscripts = self.named()
        if self.position == start:
            raise self.error(f"{self.here()} has no meaning in an answer")
        if name == "delta" and name not in self.known.names and len(subscripts) == 2:
            return f"[{subscripts[0]} = {subscripts[1]}]"
        is_tensor = name in self.known.names
        below = _below(subscripts)
        if not is_tensor and not subscripts and self.here() in ("(", "^", "'") and len(name) > 1:
            return name + self.behind_function()
        behind = self.powers()
        return name + below + behind + ("·" if self.here() == "(" and not behind else "")

    def named(self) -> tuple[str, list[str]]:
        """A name of the page, and its subscripts as they are written there."""
        base, subscripts = self.base(), list[str]()
        while self.here() == "_" or (self.here() == "^" and self.layer() is not None):
            if self.here() == "^":
                base, self.position = base + (self.layer() or ""), self._behind_suffix()
                continue
            below = self.suffix()
            base, rest = self.resolved(base, below)
            subscripts += self.inner(rest).indices()
        return base, subscripts

    def base(self) -> str:
        """The letters of a name."""
        word = self.here()
        if word in STYLES:
            self.take()
            inner = self.group().replace("\\_", "_").strip()
            return inner if re.fullmatch(r"\w+", inner) else self.inner(inner).base()
        if word in MARKED:
            self.take()
            inner, mark = self.group(), MARKED[word]
            plain = self.inner(inner).base()
            return next((n for n in (f"{plain}_{mark}", plain + mark) if n in self.known.names), plain + mark)
        spelled = max((s for s in self.known.symbols if self.stands(s, word)), key=len, default=None)
        if spelled is not None and not (word in self.known.names and len(word) >= len(spelled)):
            self.position += len(spelled)
            return self.known.symbols[spelled]
        if word[:1] == "\\":
            greek = word[1:].removeprefix("var")
            if GREEK.get(greek, greek) in (*GREEK.values(),):
                self.take()
                return GREEK.get(greek, greek)
            raise self.error(f"{word} has no meaning in an answer")
        if not word[:1].isalpha():
            return ""
        longest = min(len(word), LONGEST_NAME)
        taken = next((word[:k] for k in range(longest, 0, -1) if self.begins(word[:k], word)), word)
        self.position += len(taken)
        return taken

    def stands(self, symbol: str, word: str) -> bool:
        """Whether a spelling of the page stands here, and doesn't end within a word."""
        if not self.text.startswith(symbol, self.position):
            return False
        behind = self.text[self.position + len(symbol) :][:1]
        return len(symbol) >= len(word) and not (symbol[-1:].isalnum() and behind.isalnum())

    def begins(self, part: str, word: str) -> bool:
        """Whether the beginning of a run of letters is a name: x in `xW_1`, dW in `dW_2`."""
        if part in self.known.names or part in self.known.letters:
            return True
        below = re.match(r"\s*_\{?([A-Za-z0-9]+)", self.text[self.position + len(part) :])
        return part == word and below is not None and self.resolved(part, below[1])[0] != part

    def resolved(self, base: str, below: str) -> tuple[str, str]:
        """The longest name that a base and the beginning of its subscript make, and the rest."""
        leading = re.match(r"[A-Za-z0-9]*", below.strip())
        first = leading.group() if leading is not None else ""
        for k in range(len(first), 0, -1):
            for name in (base + first[:k], f"{base}_{first[:k]}"):
                if name in self.known.names:
                    return name, below.strip()[k:].lstrip(" ,")
        return base, below

    def indices(self) -> list[str]:
        """The indices of a subscript, with or without commas between them."""
        found = list[str]()
        while word := self.here():
            if word == ",":
                self.take()
            elif word in ("+", "-") and found:
                found[-1] += f" {self.take()} {self.index()}"
            else:
                found.append(self.index())
        return found

    def index(self) -> str:
        word = self.here()
        if word == ":" or word[:1].isdigit():
            return self.take()
        letters = (
            word
            if word[:1] != "\\" and (word in self.known.letters or word in self.known.names)
            else word[:1]
        )
        if not letters.isalpha():
            raise self.error("this is no index")
        self.position += len(letters)
        while self.here() == "'":
            letters += self.take()
        return letters + (f"[{','.join(self._inner())}]" if self.here() == "_" else "")

    def _inner(self) -> list[str]:
        return self.inner(self.suffix()).indices()

    # --- what stands behind
    def suffix(self) -> str:
        """The text of `_{…}` or `^{…}`."""
        self.take()
        return self.group()

    def layer(self) -> str | None:
        """The number of a layer in `W^{(2)}` or `W^{[2]}`."""
        found = re.match(r"\s*\^\{\s*[(\[](\d+)[)\]]\s*\}", self.text[self.position :])
        return None if found is None else found[1]

    def _behind_suffix(self) -> int:
        self.suffix()
        return self.position

    def powers(self) -> str:
        """Transposes and powers behind a value."""
        found = ""
        while self.here() == "^":
            inner = self.suffix().replace(" ", "")
            if inner in TRANSPOSES:
                found += "ᵀ"
            elif inner in (r"-\top", "-T"):
                found += "^(-1)ᵀ"
            elif inner in (r"\prime", "'"):
                found += "'"
            else:
                exponent = inner.removeprefix(r"\circ")  # of elements
                found += f"^({self.within(exponent)})" if not exponent.isdigit() else f"^{exponent}"
        return found


def _below(subscripts: list[str]) -> str:
    return f"_{{{','.join(subscripts)}}}" if subscripts else ""
