"""Functions of a generated module, which the templates lay out, and bracketed lists.

Enters: names and code. Leaves: `Function`s and wrapped lines. Must not know: equations, targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbp.codegen.printer import Layout
from symbp.codegen.tree import Call, Name, Node, Statement

WIDTH = 110


@dataclass(frozen=True)
class Function:
    """A function of the generated module; `prefix` stands before the numbers of equations in its body."""

    name: str
    arguments: tuple[str, ...]
    doc: str
    body: tuple[Statement, ...]
    decorators: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def header(self) -> list[str]:
        """The line that begins the function, over several if it is long."""
        return wrapped(f"def {self.name}(", self.arguments, "):", 0)

    @property
    def lines(self) -> list[str]:
        """The lines of the body, relative to its own indentation."""
        layout = Layout(WIDTH - 4, self.prefix)
        return [line for s in self.body for line in layout.statement(s, "")]

    @property
    def words(self) -> frozenset[str]:
        """The names that the body mentions."""
        return names_in(self.body)

    @property
    def calls(self) -> frozenset[str]:
        """The functions of the module that the body calls."""
        return frozenset(name for s in self.body for name in s.calls() if name.startswith("_"))


def names_in(code: Iterable[Node]) -> frozenset[str]:
    """The variables, functions and modules that code mentions."""
    nodes = [n for one in code for n in one.walk()]
    words = {n.id for n in nodes if isinstance(n, Name)} | {n.name for n in nodes if isinstance(n, Call)}
    return frozenset(word.partition(".")[0] for word in words)


def wrapped(opening: str, entries: Sequence[str], closing: str, indent: int = 4) -> list[str]:
    """A bracketed list on one line if it fits, else filled over several."""
    one = f"{opening}{', '.join(entries)}{closing}"
    if len(one) + indent <= WIDTH:
        return [one]
    lines, line = [opening], "   "
    for entry in entries:
        if line.strip() and len(line) + len(entry) + 2 + indent > WIDTH:
            lines.append(line)
            line = "   "
        line += f" {entry},"
    return [*lines, line, closing]
