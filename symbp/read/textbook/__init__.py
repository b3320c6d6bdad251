"""The reading of a textbook: the forward pass as it was declared, the backward pass as a course has it.

Enters: a derivation. Leaves: a derivation whose system is that of the page, each tensor with the value that
it has in what is computed, and which computed equations each stands for. Must not know: letters, symbols,
formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symbp.derive.derivation import Derivation
from symbp.ir.system import Equation
from symbp.read.textbook.brackets import (
    with_conditions_once,
    with_counts,
    with_opposites,
    with_plain_roots,
    with_plain_subscripts,
)
from symbp.read.textbook.excluded import with_logsumexp
from symbp.read.textbook.merge import (
    with_functions,
    with_log_softmax,
    with_offsets,
    with_saved_functions,
    without_helpers,
)
from symbp.read.textbook.page import Page, first_page, in_order, with_one_value
from symbp.read.textbook.terms import (
    with_common_factors,
    with_known_differences,
    with_outer_signs,
    with_shared_indices,
    with_zeros_outside,
)

PASSES = (
    with_plain_roots,
    with_functions,
    with_logsumexp,
    with_one_value,
    with_log_softmax,
    with_saved_functions,
    with_offsets,
    without_helpers,
    with_functions,
    with_saved_functions,
    with_opposites,
    with_plain_subscripts,
    with_counts,
    with_known_differences,
    with_common_factors,
    with_zeros_outside,
    with_conditions_once,
    with_outer_signs,
    with_shared_indices,
    in_order,
)


@dataclass(frozen=True)
class Textbook:
    """`derivation` holds the equations of the page; `behind` the numbers of the computed equations that each
    stands for, where these are others; `defined` what tensors are that only the page has, `computed` how the
    computation calls helpers that have another value in the declaration."""

    derivation: Derivation
    behind: Mapping[str, tuple[int, ...]]
    defined: Mapping[str, Equation]
    computed: Mapping[str, str]


def textbook(derivation: Derivation) -> Textbook:
    """The page of a derivation."""
    page = first_page(derivation)
    for change in PASSES:
        page = change(page)
    read = {e.target for e in page.equations}.union(*(e.read_names for e in page.equations))
    leaves = [t.name for t in derivation.system.leaves]
    tensors = tuple(t for name, t in page.tensors.items() if name in read or name in leaves)
    system = derivation.system.with_(tensors=tensors, equations=page.equations)
    return Textbook(
        replace(derivation, system=system), _behind(derivation, page), page.defined, page.computed
    )


def _behind(derivation: Derivation, page: Page) -> dict[str, tuple[int, ...]]:
    """The computed equations that an equation of the page stands for: its own, and those of all that only the
    computation has."""
    system, shown = derivation.system, page.by_name
    found: dict[str, tuple[int, ...]] = {}
    for name in shown:
        names, stack = set[str](), [page.computed.get(name, name)]
        if name in page.defined:  # one of the page only
            stack = [*page.defined[name].read_names, *page.readers.get(name, ())[:1]]
            stack = [page.computed.get(one, one) for one in stack]
        while stack:
            current = stack.pop()
            if current in names or current not in system.defining or (names and current in shown):
                continue
            names.add(current)
            stack += system.defining[current].read_names
        found[name] = tuple(sorted(derivation.numbers[n] for n in names))
    return found
