"""Updates that tell parameters apart: one parameter after the other, each a part of the arenas.

Enters: an update rule over `theta[k,i]`, the parameters. Leaves: where their parts lie.
Must not know: targets, which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.codegen import infer
from symbp.codegen.tree import Assign
from symbp.codegen.updates.layout import size_wanted
from symbp.errors import GenerationError
from symbp.ir.expr import Size
from symbp.ir.system import Tensor
from symbp.ir.training import UpdateRule


@dataclass(frozen=True)
class Parts:
    """The parts of the arenas: (first entry, the entry behind the last, values of the leaves `own`) each.
    `whole` if something is computed from all entries of a part, so that it can't be cut."""

    own: tuple[str, ...]
    whole: bool
    rows: tuple[tuple[int, int, tuple[float, ...]], ...]

    @property
    def longest(self) -> int:
        return max(stop - first for first, stop, _ in self.rows)

    def table(self, name: str) -> Assign:
        """A tuple of the parts, under this name."""
        rows = [infer.tuple_of(*map(infer.number, (a, b, *values))) for a, b, values in self.rows]
        return Assign(infer.word(name), infer.tuple_of(*rows))


def parts_of(rule: UpdateRule, parameters: Sequence[Tensor], sizes: Mapping[str, int]) -> Parts | None:
    """Where the parameters lie that are updated, one by one; None where the rule tells none apart. Those that
    follow each other are one part where nothing but their place differs.

    Raises GenerationError: a parameter whose size isn't known.
    """
    if not rule.by_parameter:
        return None
    bound = {Size(name): sympy.Integer(value) for name, value in sizes.items()}
    wanted = {part.parameter: part.values for part in rule.parts_of(p.name for p in parameters)}
    whole = bool(rule.own_sums)
    rows: list[tuple[int, int, tuple[float, ...]]] = []
    start = 0
    for parameter in parameters:
        count = sympy.Mul(*parameter.shape).xreplace(bound)
        if not count.is_number:
            raise GenerationError(
                f"{rule.name} tells parameters apart, and {parameter.name} has a size without value",
                help=size_wanted(count),
            )
        first, start = start, start + int(count)
        values = wanted.get(parameter.name)
        if values is None:
            continue
        if not whole and rows and rows[-1][1:] == (first, values):
            first = rows.pop()[0]
        rows.append((first, start, values))
    return Parts(rule.own, whole, tuple(rows))
