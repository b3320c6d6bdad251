"""An update of several forms, by its equations: one parameter after the other.

Enters: a rule, parameters, gradients. Leaves: parameters after a step. Must not know: what is healthy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from symbp.codegen.updates.layout import Row, layout
from symbp.ir.evaluation.vector import Run
from symbp.ir.system import System, Tensor
from symbp.ir.training import GRADIENT, STEP, THETA, Form, UpdateRule
from symbp.verify.health.setting import RATE

Array = np.ndarray[Any, Any]


class ShapedOptimizer:
    """The parameters as one vector, as modules have them, and moments in shapes of their own."""

    def __init__(self, rule: UpdateRule, params: Mapping[str, Array]) -> None:
        self.rule, self.count = rule, 0
        self.shapes = {name: np.shape(array) for name, array in params.items()}
        tensors = [Tensor(n, tuple(map(sympy.Integer, shape))) for n, shape in self.shapes.items()]
        self.places = layout(rule, tensors, {})
        whole = sum(np.size(array) for array in params.values())
        lengths = {
            name: sum(int(np.prod(shape)) for shape in own.values()) if own else whole
            for name, own in self.places.moments.items()
        }
        self.moments = {name: np.zeros(length) for name, length in lengths.items()}

    def step(
        self, params: Mapping[str, Array], gradients: Mapping[str, Array], rate: float | None
    ) -> dict[str, Array]:
        """The parameters after an update, at another rate than the rule's if one is given."""
        self.count += 1
        hyper = {**self.rule.hyper, **({RATE: rate} if rate is not None else {})}
        flat = {THETA: _flat(params, self.shapes), GRADIENT: _flat(gradients, self.shapes)}
        arenas = {**flat, **self.moments}
        numbers = {name: np.asarray(value, float) for name, value in hyper.items()}
        numbers[STEP] = np.asarray(self.count)
        after = {name: arenas[name].copy() for name in (THETA, *self.moments)}
        numbers |= self._shared(arenas, numbers)
        for (form, sparse), rows in self.places.tables.items():
            for row in rows:
                self._one(form, sparse, row, arenas, after, numbers)
        self.moments = {name: after[name] for name in self.moments}
        return _named(after[THETA], self.shapes)

    def _shared(self, arenas: Mapping[str, Array], numbers: Mapping[str, Array]) -> dict[str, Array]:
        """What is computed once for all parameters."""
        system = self.rule.system
        each = self.rule.own_numbers | {e.target for e in system.equations if e.indices}
        wanted = [e.target for e in system.equations if e.target not in each]
        if not self.rule.by_parameter or not wanted:
            return {}
        rows = [row for table in self.places.tables.values() for row in table]
        longest = max(row.stop - row.first for row in rows)
        padded = {
            name: np.array(
                [np.pad(arenas[name][r.first : r.stop], (0, longest - r.stop + r.first)) for r in rows]
            )
            for name in (THETA, GRADIENT, *self.rule.like_theta)
        }
        given = {name: value for name, value in {**padded, **numbers}.items() if name in system.by_name}
        run = Run(system, given, {"K": len(rows), "P": longest})
        return {name: np.asarray(run.tensor(name)) for name in wanted}

    def _one(
        self,
        form: Form,
        sparse: bool,
        row: Row,
        arenas: Mapping[str, Array],
        after: Mapping[str, Array],
        numbers: Mapping[str, Array],
    ) -> None:
        """One generic parameter: its entries of all arenas get their next values."""
        system = self.rule.of_one().system if form == "entries" else self.rule.systems[form]
        sizes = {"P": row.stop - row.first, "R": row.rows, "C": row.columns, **system.bound}
        views = {n: self._view(n, system, row, arenas[n], sizes) for n in arenas if n in system.by_name}
        kept = np.arange(row.rows)
        if sparse:
            kept = np.flatnonzero(views[GRADIENT].any(1))
            views, sizes = {n: view[kept] for n, view in views.items()}, {**sizes, "R": len(kept)}
        if not len(kept):
            return
        own = dict(zip(self.rule.own, map(np.asarray, row.values), strict=True))
        given = {n: v for n, v in {**views, **numbers, **own}.items() if n in system.by_name}
        left = tuple(e for e in system.equations if e.target not in given)
        run = Run(system.with_(equations=left), given, {n: s for n, s in sizes.items() if n in system.sizes})
        for name, new in system.updates.items():
            place = self._view(name, system, row, after[name], {**sizes, "R": row.rows})
            place[kept if sparse else ...] = run.tensor(new)

    def _view(self, name: str, system: System, row: Row, arena: Array, sizes: Mapping[str, int]) -> Array:
        shape = [sizes[str(extent)] for extent in system.tensor(name).shape]
        begin = row.begin.get(name, row.first)
        return arena[begin : begin + int(np.prod(shape))].reshape(shape)


def _flat(arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> Array:
    return np.concatenate([np.asarray(arrays[name], float).reshape(-1) for name in shapes])


def _named(flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(flat, ends[:-1])
    return {name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}


__all__ = ["ShapedOptimizer"]
