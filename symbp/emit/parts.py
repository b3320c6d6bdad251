"""Updates that tell parameters apart: one parameter after the other, each a part of the arenas.

Enters: an update rule over `theta[k,i]`, the parameters. Leaves: the rule as it is for one k, over `theta[i]`;
which of its numbers are that parameter's; where parts lie. Must not know: targets, which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbp.emit.blocks import wrapped
from symbp.errors import GenerationError
from symbp.ir.expr import Access, Expr, Size
from symbp.ir.system import Equation, Tensor
from symbp.ir.training import THETA, UpdateRule


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

    def lines(self, name: str) -> list[str]:
        """A tuple of the parts, under this name."""
        entries = [f"({', '.join([str(a), str(b), *map(repr, values)])})" for a, b, values in self.rows]
        return wrapped(f"{name} = (", [*entries[:-1], entries[-1] + "," * (len(entries) == 1)], ")")


def parts_of(rule: UpdateRule, parameters: Sequence[Tensor], sizes: Mapping[str, int]) -> Parts | None:
    """Where the parameters lie that are updated, one by one; None where the rule tells none apart. Those that
    follow each other are one part where nothing but their place differs.

    Raises GenerationError: a parameter whose size isn't known.
    """
    if not rule.by_parameter:
        return None
    bound = {Size(name): sympy.Integer(value) for name, value in sizes.items()}
    wanted = {part.parameter: part.values for part in rule.parts_of(p.name for p in parameters)}
    whole = bool(own_sums(rule))
    rows: list[tuple[int, int, tuple[float, ...]]] = []
    start = 0
    for parameter in parameters:
        count = sympy.prod(parameter.shape).xreplace(bound)
        if not count.is_number:
            raise GenerationError(
                f"{rule.name} updates each parameter by itself, and {parameter.name} has a size without value",
                help="give it one: sizes={…}",
            )
        first, start = start, start + int(count)
        values = wanted.get(parameter.name)
        if values is None:
            continue
        if not whole and rows and rows[-1][1:] == (first, values):
            first = rows.pop()[0]
        rows.append((first, start, values))
    return Parts(rule.own, whole, tuple(rows))


def own_numbers(rule: UpdateRule) -> set[str]:
    """The tensors that have one number for each parameter."""
    if not rule.by_parameter:
        return set()
    count = rule.system.tensor(THETA).shape[:1]
    return {t.name for t in rule.system.tensors if t.shape == count}


def own_sums(rule: UpdateRule) -> set[str]:
    """Those of them that are sums over its entries."""
    own = own_numbers(rule)
    return {e.target for e in rule.system.equations if e.reduction and e.target in own}


def of_one(rule: UpdateRule) -> UpdateRule:
    """The rule for one of the parameters: without the index that tells which."""
    if not rule.by_parameter:
        return rule
    (count, _), system = rule.system.tensor(THETA).shape, rule.system
    tensors = tuple(replace(t, shape=tuple(n for n in t.shape if n != count)) for t in system.tensors)
    equations = tuple(_for_one(e, count) for e in system.equations)
    return replace(rule, system=system.with_(tensors=tensors, equations=equations))


def _for_one(equation: Equation, count: Expr) -> Equation:
    extents = equation.extents
    kept = [i for i in equation.all_indices if extents[i] != count]
    which = {i for i in equation.all_indices if extents[i] == count}
    reads = {a: Access(a.name, *[s for s in a.subscripts if s not in which]) for a in equation.reads if a.subscripts}
    reduction = equation.reduction
    return equation.with_(
        indices=tuple(i for i in equation.indices if i in kept),
        body=equation.body.xreplace(reads),
        reduction=reduction and replace(reduction, indices=tuple(i for i in reduction.indices if i in kept)),
        ranges=tuple(extents[i] for i in kept),
    )
