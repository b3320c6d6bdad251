"""An update over arenas in blocks, as the function of a module.

Enters: the code of an update. Leaves: functions. Must not know: update rules' equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbp.codegen import infer, tree
from symbp.codegen.function import Function
from symbp.codegen.roll_layers import renamed
from symbp.ir.machine import BLOCK
from symbp.ir.training import UpdateRule
from symbp.targets.compiled.parts import Parts
from symbp.targets.compiled.update import PREFIX, doc

FIRST, STOP = (infer.integer(word) for word in ("first", "stop"))  # of a part


@dataclass(frozen=True)
class ArenaUpdate:
    """An update as code: arenas with the names of their `blocks`, which the loop over `listed` goes through,
    beside them numbers of one part (`leaves`) and `scratch`; `made` are arrays of no axes, that `before`
    fills for the `lines` of the loop. The blocks are those of `parts` under the name `table`, if there are
    any."""

    rule: UpdateRule
    blocks: Mapping[str, str]
    listed: str
    start: str
    leaves: tuple[str, ...]
    scratch: tuple[str, ...]
    settings: tuple[str, ...]
    made: tuple[tree.Statement, ...]
    before: tuple[tree.Statement, ...]
    lines: tuple[tree.Statement, ...]
    parts: Parts | None = None
    table: str = ""

    @property
    def arenas(self) -> tuple[str, ...]:
        return tuple(self.blocks)

    def function(self) -> Function:
        """`_update(tensors, theta, gradient, …)`, whose scratch is in a workspace."""
        tensors = infer.word("tensors")
        scratch = [infer.subscript(tensors, infer.quoted(name)) for name in self.scratch]
        return Function(
            "_update", ("tensors", *self.arenas), doc(self.rule), self.body(scratch), prefix=PREFIX
        )

    def own_function(self, made: Sequence[tree.Statement]) -> Function:
        """`_update(theta, gradient, …)`, which makes its scratch itself."""
        body = (*made, *self.body(names_of(self.scratch)))
        return Function("_update", self.arenas, doc(self.rule), body, prefix=PREFIX)

    def in_one(self, made: Sequence[tree.Statement]) -> Function:
        """The same where all entries are one block."""
        whole = {block: arena for arena, block in self.blocks.items()}
        body = (*made, *self._run([renamed(s, whole) for s in self.lines]))
        return Function("_update", self.arenas, doc(self.rule), body, prefix=PREFIX)

    def body(self, scratch: Sequence[tree.Expression]) -> tuple[tree.Statement, ...]:
        """The blocks, and the function that goes through them."""
        variables = names_of((*self.blocks.values(), *self.leaves, *self.scratch))
        loop = tree.For(infer.tuple_of(*variables), infer.word(self.listed), self.lines)
        return (*self._cut(scratch), *self._run([loop]))

    def _run(self, lines: Sequence[tree.Statement]) -> list[tree.Statement]:
        run = tree.Define("run", names_of(self.settings), (), (*self.before, *lines))
        return [*self.made, tree.Blank(), run, tree.Blank(), tree.Return(infer.word("run"))]

    def _cut(self, scratch: Sequence[tree.Expression]) -> list[tree.Statement]:
        """What cuts arenas, or each part of them, into blocks, with as much scratch beside each."""
        listed, block, arena, start = names_of((self.listed, "block", "arena", self.start))
        length, size = infer.called("len", infer.subscript(block, infer.number(0))), infer.number(BLOCK)
        stop: tree.Expression = infer.binary("+", start, size)
        if self.parts is not None:
            stop = infer.called("min", stop, STOP)
        between = (
            tree.Slice(FIRST, STOP)
            if self.parts is not None and self.parts.whole
            else tree.Slice(start, stop)
        )
        piece, arenas = infer.sliced(arena, [between], ()), names_of(self.arenas)
        lengths = [infer.sliced(array, [tree.Slice(stop=length)], ()) for array in scratch]
        every = infer.tuple_of(infer.unary("*", block), *names_of(self.leaves), *lengths)
        inner: tuple[tree.Statement, ...] = (
            tree.Assign(block, tree.Comprehension((), "object", piece, arena, infer.tuple_of(*arenas))),
            tree.Effect(infer.called(".append", listed, every)),
        )
        head: list[tree.Statement] = [tree.Assign(listed, infer.list_of())]
        if self.parts is None:
            return [
                *head,
                tree.For(
                    start, infer.called("range", infer.number(0), infer.called("len", arenas[0]), size), inner
                ),
            ]
        if not self.parts.whole:
            inner = (tree.For(start, infer.called("range", FIRST, STOP, size), inner),)
        table = infer.word(self.table)
        of_part = infer.tuple_of(FIRST, STOP, *names_of(self.leaves))
        return [self.parts.table(self.table), *head, tree.For(of_part, table, inner)]


def names_of(words: Iterable[str]) -> tuple[tree.Name, ...]:
    """Variables."""
    return tuple(infer.word(word) for word in words)
