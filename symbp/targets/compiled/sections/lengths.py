"""The lengths that a module's data must leave at least one element of.

Enters: a lowered network. Leaves: lengths, and the table of a module that states them. Must not know: where
arrays lie.

Where nothing is added up, the sum is 0: along an axis of one element there are no differences
`h[:, 1:] - h[:, :-1]`. But a window that fits nowhere, and a maximum of nothing, are mistakes, as in PyTorch;
and so is data that is shorter than what is read of it: a slice of another length is in no formula here.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.axes.lengths import lengths_of_reads
from symbp.ir.bounds import never_negative
from symbp.ir.expr import Access, Expr, IntegerAccess, Size, free_indices, free_sizes
from symbp.ir.system import Equation
from symbp.targets.compiled.sections.tables import dictionary, sizes_text, with_keys
from symbp.targets.compiled.segments import LoweredNetwork

OF_NOTHING = ("sum", "prod", "argsort")  # reductions of which nothing may be reduced


def needed_lengths(network: LoweredNetwork) -> dict[Expr, Expr]:
    """The lengths of axes of windows and maxima, divisors, and the room of reads, where they may be 0, each
    with numbers for the sizes that are bound."""
    known = {Size(name) for name in network.stage_sizes}
    bound = {Size(name): sympy.Integer(value) for name, value in network.sizes.items()}
    equations = network.derivation.declared.equations
    lengths = [length for e in equations for length in (*_of_windows(e), *_of_extremes(e), *_of_means(e))]
    lengths += [length for e in network.system.equations for length in _of_extremes(e)]
    lengths += lengths_of_reads(network.derivation.declared)
    found = {length: sympy.expand(length.xreplace(bound)) for length in lengths}
    return {e: n for e, n in found.items() if free_sizes(n) <= known and not never_negative(n - 1, {})}


def _of_windows(equation: Equation) -> Iterator[Expr]:
    """The lengths of axes along which windows lie: their index stands beside another one, `x[n, i + k]`."""
    for access in equation.reads:
        for subscript in access.subscripts:
            looked_up = dict.fromkeys(subscript.atoms(IntegerAccess), sympy.Integer(0))
            together = free_indices(subscript.xreplace(looked_up))
            if len(together) > 1:
                yield from (equation.extents[i] for i in equation.indices if i in together)


def _of_extremes(equation: Equation) -> Iterator[Expr]:
    """The lengths of axes along which a maximum is sought, of all elements."""
    if equation.reduction is not None and equation.op not in OF_NOTHING and not equation.where:
        yield from (equation.extents[i] for i in equation.reduced)


def _of_means(equation: Equation) -> Iterator[Expr]:
    """What is divided by: the length of an axis, as in a mean; and the square of any other formula of sizes,
    which may be less than 0."""
    for power in equation.body.atoms(sympy.Pow):
        below = power.base
        of_sizes = not below.has(Access) and below.free_symbols == free_sizes(below)
        if power.exp.is_negative and of_sizes and free_sizes(below):
            yield below if below in equation.ranges else below**2


def needed_table(network: LoweredNetwork) -> list[str]:
    """`NEEDED`: each length as a function of the sizes."""
    found = needed_lengths(network).items()
    return dictionary("NEEDED", [f'"{with_keys(e)}": lambda s: {sizes_text(n)}' for e, n in found])
