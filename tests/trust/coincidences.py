"""Random systems in which values coincide more often than they should: equal sizes, axes of 1, shared
weights, symmetric and repeated operands, numbers beside sizes that may equal them, guards on guards, rare
labels, slices at numbers, second derivatives by cases.

Enters: a seed. Leaves: a `Program` of three to nine ops and a loss.
"""

from __future__ import annotations

import numpy as np
from moves import CONSTANTS, Moves
from programs import Program, Shape


def program(seed: int) -> Program:
    """One system; about one in eight is asked for the product of its Hessian with a vector."""
    rng = np.random.default_rng([seed, 2])
    while True:  # a net whose loss rests on nothing is drawn again, or on a size that is no axis
        found = _System(rng).program()
        axes = {extent for leaf in found.leaves for extent in leaf.shape}
        if found.wrt and axes >= set(found.sizes):
            return found


class _System(Moves):
    """A system: its leaves, three to nine moves, and a loss."""

    def program(self) -> Program:
        rng = self.rng
        self._leaves()
        moves = [
            (self.pointwise, 4.0), (self.by_cases, 5.0), (self.of_two, 5.0), (self.itself, 1.5),
            (self.product, 4.0), (self.reduction, 3.5), (self.along, 2.0), (self.by_number, 1.5),
            (self.by_size, 1.5), (self.turned, 1.0), (self.sliced, 1.5), (self.joined, 1.0),
            (self.pairs, 0.8), (self.recurrence, 0.7), (self.label, 2.5), (self.inner, 1.0),
            (self.nested, 1.5), (self.chosen, 1.0), (self.triangle, 0.4), (self.logarithm, 0.8),
        ]  # fmt: skip
        weights = np.array([weight for _, weight in moves])
        wanted, tries = int(rng.integers(3, 10)), 0
        made = 0
        while made < wanted and tries < 100:
            tries += 1
            move = moves[int(rng.choice(len(moves), p=weights / weights.sum()))][0]
            made += move() is not None
        self._loss()
        return self._finished()

    def _leaves(self) -> None:
        rng, w = self.rng, self.w
        n, d, h = self.batch, self.wide, self.other
        x_shape: Shape = self.among([(n, d), (n, d), (n, d), (d, d), (n, h, d), (n, 1), (n, n), (n,)])
        self.values.append(w.leaf("x", "input", x_shape))
        if rng.random() < 0.4:
            self.values.append(w.leaf("z", "input", x_shape))
        if rng.random() < 0.25:
            w.leaf("m", "input", x_shape, fact="binary")
        shapes: list[Shape] = [(d, d), (d, h), (d,), (h,), (h, d), (d, 1), (), (1, d)]
        for name in ("W", "V", "b", "c")[: int(rng.integers(1, 5))]:
            shape = shapes[int(rng.integers(2))] if name in "WV" else shapes[int(rng.integers(len(shapes)))]
            self.values.append(w.leaf(name, "param", shape))

    def _finished(self) -> Program:
        rng = self.rng
        leaves = self.w.leaves
        if rng.random() < 0.4:
            leaves = [leaves[k] for k in rng.permutation(len(leaves))]
        wrt = [leaf.name for leaf in leaves if leaf.role == "param"]
        whole = Program(self.sizes, tuple(leaves), tuple(self.w.lines), tuple(wrt), self.least)
        found = whole.pruned()
        if not found.wrt or rng.random() < 0.2:
            inputs = tuple(leaf.name for leaf in found.leaves if leaf.role == "input" and not leaf.fact)
            found = Program(
                found.sizes,
                found.leaves,
                found.lines,
                tuple(dict.fromkeys((*found.wrt, *inputs))),
                found.least,
            )
        hvp = bool(rng.random() < 0.12)
        return Program(found.sizes, found.leaves, found.lines, found.wrt, found.least, hvp)

    def _scalar(self, x: str) -> str:
        if not self.w.shapes[x]:
            return x
        op = self.among(["sum_all", "mean_all", "mean_square", "mean_all", "sum_square", "max_all"])
        return self.add(op, x, shape=())

    def _loss(self) -> None:
        """The last values, together: a sum, a difference, a product, or a hinge."""
        read = {argument for line in self.w.lines for argument in line.args}
        ends = [line.target for line in self.w.lines if line.target not in read] or [self.values[0]]
        last = ends[-1:] + [ends[k] for k in self.rng.permutation(len(ends) - 1)[:2]]
        more = self.recent()
        if more is not None and len(last) == 1 and self.rng.random() < 0.3:
            last.append(more)
        parts = [self._scalar(v) for v in last]
        loss = parts[0]
        for part in parts[1:]:
            loss = self.add(self.among(["add", "add", "sub", "mul"]), loss, part)
        if self.rng.random() < 0.1:
            loss = self.add("relu_margin", loss, c=self.among(CONSTANTS))
        self.add("scaled", loss, c=1)
