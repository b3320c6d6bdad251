"""Which tensors the computation reads otherwise than the declaration does.

Enters: a derivation. Leaves: the names of tensors whose adjoints aren't derivatives of the declared loss.
Must not know: pages, how the computation came about.

An adjoint of the computed system is the derivative of its loss by a tensor. The declaration may have other
readers of it: where log p is computed as a − logsumexp a, or where of two tensors of equal value only one is
computed, the derivatives differ. They are equal if the loss is the same function of the tensor in both,
whatever stands in its place. A point shows most of those by which they aren't: another value is put there.

Of the others it is proven. They are parted: what reads them reads leaves instead, and each defined tensor is
compared as a function of these. Where all agree, the loss is made of the same functions in both systems, and
its derivatives by all of these tensors are equal. Where some don't, the tensors that only one of the systems
reads for them are left out, and tried beside the rest one at a time.

The comparison is the last word on derivations (`symbp.derive.proof.confirm`), with conditions that are drawn:
for scalars another function passes with a probability of 1e-12, and less for others. Where a form rests on
what conditions imply of each other this may part what is equal; then the page calls a derivative less by its
name, and none falsely.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from symbp.derive.declared.parted import parted
from symbp.derive.derivation import Derivation
from symbp.derive.proof.confirm import difference
from symbp.errors import EvaluationError, SymbpError
from symbp.ir.evaluation.vector import Run
from symbp.ir.labels import Differential
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import System

SEED = 11
CLOSE = 1e-6  # of what a change of the tensor changes
ROUNDING = 1e-12
Array = np.ndarray[Any, Any]


def read_otherwise(derivation: Derivation, known: Mapping[str, Differential]) -> frozenset[str]:
    """The tensors by which one of the `known` derivatives isn't that of the declaration."""
    declared, system = derivation.declared, derivation.system
    computed = system.with_(equations=derivation.forward)
    pairs = {(d.of, d.by) for d in known.values()}
    common = {(of, by) for of, by in pairs if _is_hidden(declared, by) and of in declared.defining}
    if not common or _equations(declared, common) == _equations(computed, common):
        return frozenset()
    compared = _Compared(declared, computed, frozenset(of for of, _ in common))
    every = frozenset(by for _, by in common)
    seen = _seen(declared, computed, common)
    alike, doubtful = every - seen, set[str]()
    while alike and (wrong := compared.differing(alike)):
        one, other = (_read(s, wrong, alike) for s in (declared, computed))
        suspects = one ^ other or one | other or alike
        doubtful |= suspects
        alike -= suspects
    return seen | {name for name in doubtful if compared.differing(alike | {name})}


class _Compared:
    """A declared and a computed system, and what is differentiated."""

    def __init__(self, declared: System, computed: System, of: frozenset[str]) -> None:
        self.declared, self.computed, self.of = declared, computed, of

    def differing(self, leaves: Collection[str]) -> tuple[str, ...]:
        """The tensors that aren't the same function of the parted ones in both systems, some of them if there
        are any."""
        names = sorted({*self.of, *leaves})
        one, other = (parted(_only(s, names), sorted(leaves)).system for s in (self.declared, self.computed))
        one = one.with_(tensors=(*one.tensors, *(t for t in other.leaves if t.name not in one.by_name)))
        pairs = {name: name for name in names}
        try:
            found = difference(one, other, pairs)
        except SymbpError:  # outside a domain: nothing is known of it
            return tuple(pairs)
        return () if found is None else found.names


def _only(system: System, names: Collection[str]) -> System:
    """What defines these tensors, and nothing else."""
    wanted = system.resting(names)
    equations = tuple(e for e in system.equations if e.target in wanted)
    return System(
        tuple(t for t in system.tensors if t.name in wanted),
        equations, system.bound, outputs=tuple(names), conditions=system.conditions, unnamed=system.unnamed,
    )  # fmt: skip


def _is_hidden(declared: System, name: str) -> bool:
    return name in declared.defining and not declared.tensor(name).integer


def _equations(system: System, pairs: set[tuple[str, str]]) -> set[object]:
    """All that the loss rests on."""
    wanted = system.resting(of for of, _ in pairs)
    return {e for e in system.equations if e.target in wanted}


def _read(system: System, names: Collection[str], leaves: Collection[str]) -> frozenset[str]:
    """The leaves that tensors read, themselves or by way of others that are no leaves."""
    return frozenset(name for start in names for name in _reads(system, start, leaves, set()))


def _reads(system: System, name: str, leaves: Collection[str], seen: set[str]) -> Iterator[str]:
    seen.add(name)
    for read in system.defining[name].read_names if name in system.defining else ():
        if read in leaves:
            yield read
        elif read not in seen:
            yield from _reads(system, read, leaves, seen)


# --- a point
def _seen(declared: System, computed: System, pairs: Collection[tuple[str, str]]) -> frozenset[str]:
    """The tensors by which derivatives differ at a point."""
    try:
        sizes, values = sample_point(declared, SEED)
    except EvaluationError:
        return frozenset(by for _, by in pairs)
    first, second = ((s, Run(s, values, sizes)) for s in (declared, computed))
    return frozenset(by for of, by in sorted(pairs) if not _agree(first, second, of, by))


def _agree(declared: tuple[System, Run], computed: tuple[System, Run], of: str, by: str) -> bool:
    """Whether a tensor, and in a recurrence its own next step, is the same function of another in both."""
    try:
        before = declared[1].tensor(by)
        other = _moved(before)
        first, second = (_at(system, run, of, by, other) for system, run in (declared, computed))
        unmoved = [declared[1].tensor(of), before]
    except EvaluationError:
        return False  # outside a domain: nothing is known of it
    for a, b, start in zip(first, second, unmoved, strict=True):
        finite = np.isfinite(a) & np.isfinite(b)
        a, b, start = a[finite], b[finite], start[finite]
        change, apart = (np.abs(a - x).max(initial=0.0) for x in (start, b))
        if apart > CLOSE * change + ROUNDING * np.abs(a).max(initial=0.0):
            return False
    return True


def _moved(value: Array) -> Array:
    """A little nearer to 0, each element by another part, so that no domain is left."""
    part = np.random.default_rng(SEED).uniform(0.02, 0.1, value.shape)
    return value * (1 - part) if np.any(value) else value + part


def _at(system: System, run: Run, of: str, by: str, other: Array) -> list[Array]:
    """The value of a tensor, and what defines the other one, where that has another value."""
    equation = system.defining[by]
    open_ = system.with_(equations=tuple(e for e in system.equations if e.target != by))
    moved = Run(open_, {**run.values, by: other}, run.sizes)
    return [moved.tensor(of), moved.value(equation)]
