"""Runs passes that were written by hand, and gives what is compared to `find_repair`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

import symbp as bp
from symbp.derive.derivation import Derivation
from symbp.gallery import GALLERY
from symbp.ir.evaluation.vector import run
from symbp.verify.against.answer import Compared, Seen
from symbp.verify.points import Drawer, Point, all_sizes


@cache
def derived(name: str) -> Derivation:
    return bp.derive(GALLERY[name].load().net)


@cache
def points(derivation: Derivation, count: int = 3) -> list[Point]:
    """Some of pairwise different sizes."""
    system = derivation.declared.with_(bound={})
    assert system.loss is not None
    drawer = Drawer(system, [system.loss], derivation.constants)
    choices = all_sizes(system, {}, count + 1)[1:]
    found = [drawer.draw(sizes, 11 + k) for k, sizes in enumerate(choices)]
    return [point for point in found if point is not None]


def answers(source: str, point: Point) -> dict[str, Any]:
    """The arrays that a pass leaves."""
    values: dict[str, Any] = {"np": np, **{n: np.array(v) for n, v in point.values.items()}}
    exec(source, values)
    return values


def compared(
    name: str, source: str, tensor: str, between: tuple[str, ...] = ()
) -> tuple[Compared, Mapping[str, tuple[Any, ...]]]:
    """One tensor and what was answered for the other gradients, and for some tensors between."""
    derivation = derived(name)
    seen, given = [], dict[str, tuple[Any, ...]]()
    for point in points(derivation):
        answered = answers(source, point)
        right = run(derivation.system, point.values, point.sizes, wanted=[*derivation.gradients.values()])
        seen.append(Seen(point, right[tensor], np.asarray(answered[tensor])))
        for other in (*derivation.gradients.values(), *between):
            if other != tensor:
                given[other] = (*given.get(other, ()), np.asarray(answered[other]))
    by = next(by for by, gradient in derivation.gradients.items() if gradient == tensor)
    return Compared(tensor, tensor, "gradient", tuple(seen), by), given
