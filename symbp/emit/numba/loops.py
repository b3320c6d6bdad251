"""The loop nests of the Numba target as functions of the arrays that they touch, equal ones once.

Enters: the lines of a nest, and which of their names come from around it. Leaves: the call that stands for
them, and the functions. Must not know: equations, how lines are written.

A compiler that sees two arrays as arguments can be told that they do not overlap, and then runs loops on
vectors; of two views of one workspace it cannot know. Nests that differ in names only are one function, whose
lines then carry the numbers of all equations that they compute.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from symbp.emit.blocks import Function, equations_of, listed
from symbp.emit.names import Names

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
BOUND = re.compile(r"\s*for (\w+) in |\s*((?:\w+, )*\w+) [-+*/]?= ")


@dataclass
class _Loops:
    """One function: its code without comments, and the equations' numbers of each line."""

    name: str
    arguments: tuple[str, ...]
    code: tuple[str, ...]
    numbers: list[dict[int, None]]

    @property
    def function(self) -> Function:
        every = sorted({number for line in self.numbers for number in line})
        notes = [f"  # {listed(sorted(numbers))}" if numbers else "" for numbers in self.numbers]
        body = [line + behind for line, behind in zip(self.code, notes, strict=True)]
        doc = f"Equation{'s' if len(every) > 1 else ''} {listed(every)}."
        return Function(self.name, self.arguments, doc, ("_disjoint()", *body), ("@kernel",))


class LoopFunctions:
    """The functions of a module's nests, in the order in which they are first called."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.found: dict[tuple[str, ...], _Loops] = {}

    def call(self, lines: Sequence[str], arrays: Collection[str], numbers: Collection[str], stem: str) -> str:
        """The line that calls the nest's function; `arrays` and `numbers` are the names that the lines may
        have from around, `stem` is what the nest computes."""
        code, equations = _apart(lines)
        words = dict.fromkeys(word for line in code for word in WORD.findall(line))
        arguments = (*(w for w in words if w in arrays), *(w for w in words if w in numbers))
        key = tuple(_canonical(code, arguments))
        if key not in self.found:
            self.found[key] = _Loops(self._free(f"_compute_{stem}"), arguments, code, equations)
        else:
            for own, more in zip(self.found[key].numbers, equations, strict=True):
                own |= more
        return f"{self.found[key].name}({', '.join(arguments)})"

    def functions(self) -> list[Function]:
        return [loops.function for loops in self.found.values()]

    def _free(self, stem: str) -> str:
        taken = {loops.name for loops in self.found.values()}
        name, count = stem, 1
        while name in taken or name in self.names.taken:
            count += 1
            name = f"{stem}_{count}"
        return name


def _apart(lines: Sequence[str]) -> tuple[tuple[str, ...], list[dict[int, None]]]:
    """Code and numbers of lines."""
    return tuple(line.partition("  # ")[0] for line in lines), [dict.fromkeys(equations_of(x)) for x in lines]


def _canonical(code: Sequence[str], arguments: Sequence[str]) -> Iterator[str]:
    """The code with its own names replaced by numbers: what two nests that differ in names have alike."""
    own = {name: f"${k}" for k, name in enumerate(arguments)}
    for line in code:
        bound = BOUND.match(line)
        for name in re.findall(r"\w+", bound.group(1) or bound.group(2)) if bound else ():
            own.setdefault(name, f"${len(own)}")
    for line in code:
        yield WORD.sub(lambda word: own.get(word.group(), word.group()), line)
