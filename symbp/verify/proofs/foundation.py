"""What a rewrite rests on: the definitions and facts without which it doesn't hold, and no more.

Enters: both sides of a rewrite, a place. Leaves: names of tensors whose definitions are needed, and facts.
Must not know: what a rule says that it rests on.

Both sides are evaluated with tensors as unknowns: each that they read has random values of its own. Where the
sides differ, the definition of the one that is evaluated last among those read takes the place of its values,
and so on; what is equal then is equal whatever the others are. Then each definition is left out again, and
stays out where the sides are equal without it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbp.derive.derivation import Step
from symbp.ir.evaluation.domains import Residue
from symbp.ir.system import Equation, System
from symbp.verify.proofs.claims import sides
from symbp.verify.proofs.evaluation import Evaluation, Refused, mismatch
from symbp.verify.proofs.grounded import GroundAtPoint

MOST_OPENED = 16


def foundation(step: Step, places: Sequence[GroundAtPoint]) -> tuple[str, ...] | None:
    """The names and facts that a rewrite rests on; None for a step that is none, or where exact arithmetic
    doesn't show that it holds: it then rests on what a function is, too."""
    pair = sides(step)
    if pair is None or not places:
        return None
    judge = _Judge(pair, places)
    opened = judge.enough()
    if opened is None:
        return None
    for name in list(opened):
        fewer = [other for other in opened if other != name]
        if judge.holds(fewer):
            opened = fewer
    return (*opened, *judge.facts(opened))


class _Judge:
    """Whether two sides are equal with some definitions; at all places."""

    def __init__(self, pair: tuple[Equation, Equation], places: Sequence[GroundAtPoint]) -> None:
        self.pair, self.places = pair, places
        self.system = places[0].ground.after
        self.position = {e.target: k for k, e in enumerate(self.system.equations)}

    def enough(self) -> list[str] | None:
        """Definitions with which the sides are equal, opened from the last on."""
        opened: list[str] = []
        while not self.holds(opened):
            rest = [n for n in self.read(opened) if n in self.position and n not in opened]
            if not rest or len(opened) == MOST_OPENED:
                return None
            opened.append(max(rest, key=self.position.__getitem__))
        return opened

    def read(self, opened: Sequence[str]) -> list[str]:
        """What the sides and the opened definitions read."""
        equations = [*self.pair, *(self.system.defining[name] for name in opened)]
        return list(dict.fromkeys(n for e in equations for n in e.read_names))

    def holds(self, opened: Sequence[str], without: str = "") -> bool:
        """Whether the sides are equal with these definitions, and without the facts of one leaf."""
        try:
            return all(self._holds(place, opened, without) for place in self.places)
        except Refused:
            return False

    def _holds(self, place: GroundAtPoint, opened: Sequence[str], without: str) -> bool:
        kept = tuple(e for e in self.system.equations if e.target in opened)
        values = dict(place.point.values)
        for name in self.read(opened):
            real = not self.system.tensor(name).integer
            if name in self.position and name not in opened:
                values[name] = _unknown(name, place) if real else place.after.tensor(name)
            elif name == without:
                values[name] = _unknown(name, place)
        alone = Evaluation(_only(self.system, kept), replace(place.point, values=values), opened)
        left, right = (alone.value(side) for side in self.pair)
        return mismatch("", left, right, place.point) is None

    def facts(self, opened: Sequence[str]) -> list[str]:
        """The facts of leaves without which the sides aren't equal."""
        found = []
        for name in self.read(opened):
            tensor = self.system.tensor(name)
            known = tensor.facts and name not in self.position and not tensor.integer
            if known and not self.holds(opened, name):
                found += [f"{name}: {fact}" for fact in sorted(map(str, tensor.facts))]
        return found


def _only(system: System, equations: tuple[Equation, ...]) -> System:
    """The system with some of its equations; the other tensors are leaves."""
    return system.with_(equations=equations, loss=None, outputs=(), metrics=(), updates={}, inference={})


def _unknown(name: str, place: GroundAtPoint) -> Any:
    """Random values for a tensor, the same wherever they are asked for."""
    shape = place.after.tensor(name).shape
    prime = place.point.domain.lift(0).prime
    draw = random.Random(f"{name} {prime}")
    found = np.empty(shape, dtype=object)
    for at in np.ndindex(shape):
        found[at] = Residue(draw.randrange(1, prime), prime)
    return found
