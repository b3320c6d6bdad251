"""The words of a formula, read one after the other, with errors that point at them.

Enters: text. Leaves: words, and nodes that are not too deep. Must not know: what may stand behind what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from symbp.errors import FormulaError
from symbp.read.grammar.places import Span, error_at
from symbp.read.grammar.syntax import Tree
from symbp.read.grammar.tokens import Token, tokens

DEEPEST = 100  # levels of a tree, and of parentheses
TIMES = ("*", "@", "·", "⊙", "/", "⊘", "//", "%")
OF_MATRICES = ("⋆", "⊗")

N = TypeVar("N", bound=Tree)


class Cursor:
    """A place in the words of a text; in matrix notation there are more signs."""

    def __init__(
        self,
        text: str,
        names: Mapping[str, str] | None = None,
        *,
        matrices: bool = False,
        within: Span | None = None,
    ) -> None:
        self.text = text
        self.times = (*TIMES, *OF_MATRICES) if matrices else TIMES
        self.matrices = matrices
        self.within = within
        self.tokens = self.words(names)
        self.position = 0
        self.nested = 0
        self.depths: dict[int, int] = {}

    # --- words
    def words(self, names: Mapping[str, str] | None) -> tuple[Token, ...]:
        return tokens(self.text, names, matrices=self.matrices, within=self.within)

    @property
    def here(self) -> Token:
        return self.tokens[self.position]

    def at(self, *signs: str) -> bool:
        return self.here.kind == "sign" and self.here.text in signs

    def take(self) -> Token:
        token = self.here
        self.position += 1
        return token

    def need(self, sign: str, why: str) -> Token:
        if not self.at(sign):
            raise self.expected(f"{sign} {why}")
        return self.take()

    def expected(self, what: str) -> FormulaError:
        found = self.text[slice(*self.here.span)]
        told = f"{found!r} can't stand here" if found else "the formula ends too early"
        help = None
        if self.here.kind in ("name", "number", "reduction") or found in ("(", "["):
            help = "products need a sign: write 2*x, X@w or a·b"
        return error_at(self.text, self.here.span, f"{told}: expected {what}", help=help)

    def name(self, what: str) -> str:
        if self.here.kind != "name":
            raise self.expected(what)
        return self.take().text

    def unclosed(self, opening: Token, sign: str) -> FormulaError:
        if self.here.kind == "end":
            return error_at(
                self.text, opening.span, f"this {opening.text!r} is never closed: expected {sign}"
            )
        return self.expected(f"an operator, or {sign}")

    # --- trees
    def made(self, tree: N) -> N:
        """The node, unless the tree is too deep."""
        depth = 1 + max((self.depths.get(id(child), 1) for child in tree.children()), default=0)
        if depth > DEEPEST:
            raise error_at(self.text, tree.span, f"the formula has more than {DEEPEST} levels")
        self.depths[id(tree)] = depth
        return tree

    def inside(self, part: Callable[[], N]) -> N:
        """A part within a parenthesis, or behind a sign."""
        self.nested += 1
        if self.nested > DEEPEST:
            raise error_at(self.text, self.here.span, f"more than {DEEPEST} levels of parentheses")
        found = part()
        self.nested -= 1
        return found

    def since(self, start: int) -> Span:
        """From a place to the end of the last word."""
        return start, self.tokens[self.position - 1].span[1]
