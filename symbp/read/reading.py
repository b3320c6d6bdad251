"""A reading of a derivation: its equations with letters, symbols and a legend, before any format.

Enters: a derivation, an author's choice of symbols. Leaves: a frozen reading.
Must not know: formats, ops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbp.derive.derivation import Derivation
from symbp.ir.expr import Expr, Size
from symbp.ir.system import Equation
from symbp.read.indices import lengths, shown
from symbp.read.legend import Entry, legend, sizes_of
from symbp.read.symbols import Symbols, symbols


@dataclass(frozen=True)
class Reading:
    """`equations` by the tensor that they define, with the letters of the page; `lengths` of axes that are
    long formulas, with their names; `symbols` for the tensors."""

    equations: Mapping[str, Equation]
    lengths: Mapping[Expr, Size]
    symbols: Symbols
    legend: tuple[Entry, ...]


def reading(derivation: Derivation, chosen: Mapping[str, str] | None = None) -> Reading:
    """What a page shows of a derivation; `chosen` maps tensors to LaTeX symbols.

    Raises UsageError: a choice for no tensor; ReadingError: one symbol for two.
    """
    system = derivation.system
    sizes = sizes_of(system)
    words = {*system.by_name, *sizes}
    long = lengths(system, words)
    sizes |= {size.name for size in long.values()}
    equations = shown(system, words | sizes, long)
    letters = {index.name for e in equations.values() for index in e.all_indices}
    found = symbols(derivation, {*sizes, *letters}, chosen)
    return Reading(equations, long, found, legend(derivation, equations, found, long))
