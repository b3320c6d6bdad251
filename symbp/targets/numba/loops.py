"""The loop nests of the Numba target as functions of the arrays that they touch, equal ones once.

Enters: the code of a nest, and which of its names come from around it. Leaves: the call that stands for it,
and the functions. Must not know: equations, how code is written.

A compiler that sees two arrays as arguments can be told that they do not overlap, and then runs loops on
vectors; of two views of one workspace it cannot know. Nests that differ in names only are one function, whose
lines then carry the numbers of all equations that they compute.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from symbp.codegen import infer
from symbp.codegen.function import Function
from symbp.codegen.printer import listed
from symbp.codegen.roll_layers import all_equations, renamed, together
from symbp.codegen.tree import Assign, Call, Effect, For, Name, Statement, signature
from symbp.codegen.tree import Sequence as Sequence_
from symbp.targets.compiled.names import Names

DISJOINT = Effect(infer.called("_disjoint"))
"""Tells the compiler that no two arguments overlap."""


@dataclass
class _Loops:
    """One function: its code, with the numbers of all equations that it computes."""

    name: str
    arguments: tuple[str, ...]
    code: tuple[Statement, ...]

    @property
    def function(self) -> Function:
        every = all_equations(self.code)
        doc = f"Equation{'s' if len(every) > 1 else ''} {listed(every)}."
        return Function(self.name, self.arguments, doc, (DISJOINT, *self.code), ("@kernel",))


class LoopFunctions:
    """The functions of a module's nests, in the order in which they are first called."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.found: dict[Any, _Loops] = {}

    def call(
        self, code: Sequence[Statement], arrays: Collection[str], numbers: Collection[str], stem: str
    ) -> Call:
        """The call of the nest's function; `arrays` and `numbers` are the names that the code may have from
        around, `stem` is what the nest computes."""
        words = dict.fromkeys(n.id for s in code for n in s.walk() if isinstance(n, Name))
        arguments = (*(w for w in words if w in arrays), *(w for w in words if w in numbers))
        key = _canonical(code, arguments)
        if key not in self.found:
            self.found[key] = _Loops(self._free(f"_compute_{stem}"), arguments, tuple(code))
        else:
            own = self.found[key]
            own.code = tuple(together(s, [s, other]) for s, other in zip(own.code, code, strict=True))
        given = (infer.word(word) for word in arguments)
        return infer.called(self.found[key].name, *given)

    def functions(self) -> list[Function]:
        return [loops.function for loops in self.found.values()]

    def _free(self, stem: str) -> str:
        taken = {loops.name for loops in self.found.values()}
        name, count = stem, 1
        while name in taken or name in self.names.taken:
            count += 1
            name = f"{stem}_{count}"
        return name


def _canonical(code: Sequence[Statement], arguments: Sequence[str]) -> Any:
    """The code with its own names replaced by numbers: what two nests that differ in names have alike."""
    own = {name: f"${k}" for k, name in enumerate(arguments)}
    for node in (node for s in code for node in s.walk()):
        target = node.variable if isinstance(node, For) else node.target if isinstance(node, Assign) else None
        given = target.items if isinstance(target, Sequence_) else (target,)
        for name in (item.id for item in given if isinstance(item, Name)):
            own.setdefault(name, f"${len(own)}")
    return signature(tuple(renamed(s, own) for s in code))
