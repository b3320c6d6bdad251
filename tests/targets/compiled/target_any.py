"""Random systems of every kind: recurrences, affine subscripts, scatters, outside values; with parameters."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import sympy
from target_systems import EXTENTS, LETTERS, I, J, N, T, Writer

from symbp.ir.build import indices
from symbp.ir.expr import FloorDiv, Guard, Index, Mod, Size
from symbp.ir.points.sampling import sample_leaf
from symbp.ir.system import Fact, Role, System

n, i, j, t, s = indices("n i k t s")


class AnyWriter(Writer):
    """Draws equations of every kind over what has been defined so far; some leaves are parameters."""

    def __init__(self, draw: random.Random) -> None:
        super().__init__(draw)
        b = self.builder
        for name, shape in (("A", (I, I)), ("B", (J, I)), ("c", (I,)), ("e", (T, N))):
            self.tensors.append((b.leaf(name, *shape, role=Role.PARAMETER), shape))
        self.square = self.tensors[-4][0]
        self.slot = b.leaf("slot", T, N, integer=True, role=Role.TARGET, facts=[Fact("below", bound=J)])
        self.totals: list[Any] = []

    def subscript(self, size: Size, among: tuple[Index, ...]) -> Any:
        if size == J and {t, n} <= set(among) and self.draw.random() < 0.3:
            return self.slot(t, n)
        return super().subscript(size, among)

    def access(self, among: tuple[Index, ...]) -> Any:
        """A read; often of an affine position, with an outside value."""
        read = super().access(among)
        if self.draw.random() < 0.75 or not read.subscripts or read.outside is not None:
            return read
        axis = self.draw.randrange(len(read.subscripts))
        other = self.draw.choice(among)
        moved = self.draw.choice(
            [
                lambda p: p - 1,
                lambda p: p + 2,
                lambda p: 2 * p,
                lambda p: p + other,
                lambda p: 3 - p,
                lambda p: FloorDiv(p, 2),
                lambda p: Mod(p + other, 3),
                lambda p: 2 * p - other,
                lambda p: FloorDiv(p + 1, 2),
            ]
        )
        subscripts = [moved(p) if k == axis else p for k, p in enumerate(read.subscripts)]
        outside = self.draw.choice([0, sympy.Rational(1, 3), self.tensors[3][0](0)])
        return type(read)(read.name, *subscripts, outside=outside)

    def equation(self) -> None:
        kind = self.draw.randrange(6)
        if kind == 0:
            self.recurrence()
        elif kind == 1:
            self.scatter()
        elif kind == 2 and self.draw.random() < 0.5:
            self.place()
        else:
            super().equation()
        reader, shape = self.tensors[-1]
        self.total(reader, shape)

    def fresh(self) -> str:
        self.count += 1
        return f"z{self.count - 1}"

    def total(self, reader: Any, shape: tuple[Any, ...]) -> None:
        """A scalar of what was defined, a part of the loss."""
        used = [Index(f"o{k}") for k in range(len(shape))]
        self.totals.append((sympy.sin(reader(*used)), used))

    def recurrence(self) -> None:
        """One or two equations over time, forwards or backwards, perhaps with a product over the state."""
        name, step = self.fresh(), self.draw.choice([-1, 1, 1, -1, 2])
        shape, plain = self.draw.choice(
            [((T,), (t,)), ((T, I), (t, i)), ((N, T), (n, t)), ((T, N, I), (t, n, i)), ((N, T, I), (n, t, i))]
        )
        ranges = dict(zip(plain, shape, strict=True))
        h = self.builder.declare(name, *shape)

        def before(*at: Any, outside: Any) -> Any:
            return h(*[p - step if p == t else p for p in at], outside=outside)

        outside = self.draw.choice([0, sympy.Rational(1, 2), self.tensors[3][0](0)])
        body = self.body(plain, 1) + before(*plain, outside=outside) / 2
        if i in plain and self.draw.random() < 0.7:
            inner = Index("j3")
            read = before(*[inner if p == i else p for p in plain], outside=outside)
            if self.draw.random() < 0.4:
                read *= Guard("<=", 1, t)
            r = self.builder.define(
                self.fresh(), plain, read * self.square(inner, i), "sum", [inner], ranges={**ranges, inner: I}
            )
            body += r(*plain) / 4
        if self.draw.random() < 0.4:
            guard = self.guard(plain)
            body = guard * body + (1 - guard) * before(*plain, outside=outside)
        self.builder.define(name, plain, sympy.tanh(sympy.expand(body)), ranges=ranges)
        self.tensors.append((h, shape))

    def scatter(self) -> None:
        """A sum under a guard that says where each term goes."""
        target, plain, over, guard = self.draw.choice(
            [
                ((I,), (i,), (n, t), lambda: Guard("=", i, self.token(n))),
                ((I, T), (i, t), (n,), lambda: Guard("=", i, self.token(n))),
                ((J, N), (j, n), (t,), lambda: Guard("=", j, self.slot(t, n))),
                ((T,), (t,), (s, n), lambda: Guard("=", t, s + 1)),
                ((T, N), (t, n), (s,), lambda: Guard("=", t, 2 * s)),
                ((T,), (t,), (s,), lambda: Guard("=", t, Mod(s, 3))),
                (
                    (J, I),
                    (j, i),
                    (s, n),
                    lambda: Guard("=", j, self.slot(s, n)) * Guard("=", i, self.token(n)),
                ),
            ]
        )
        every = {n: N, i: I, j: J, t: T, s: T}
        body = self.body((*plain, *over), 1) * guard()
        if self.draw.random() < 0.3:
            body *= self.guard((*plain, *over))
        ranges = {index: every[index] for index in (*plain, *over)}
        z = self.builder.define(self.fresh(), plain, body, "sum", over, ranges=ranges)
        self.tensors.append((z, target))

    def place(self) -> None:
        """The place of a maximum, read as a token."""
        name = self.fresh()
        at = self.builder.define(name, [n], self.body((n, i), 1), "argmax", [i], ranges={n: N, i: I})
        z = self.builder.define(self.fresh(), [n], self.tensors[0][0](n, at(n)) + at(n), ranges={n: N})
        self.tensors.append((z, (N,)))

    def system(self) -> System:
        parts = []
        for k, (body, used) in enumerate(self.totals):
            reduce = "sum" if used else None
            part = self.builder.define(f"l{k}", [], body, reduce, used)
            parts.append(part())
        self.builder.define("loss", [], sympy.Add(*parts), role=Role.LOSS)
        return self.builder.system(loss="loss", outputs=[f"z{k}" for k in range(self.count)])


def any_system(draw: random.Random, equations: int) -> System:
    writer = AnyWriter(draw)
    for _ in range(equations):
        writer.equation()
    return writer.system()


def any_values(system: System, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {leaf.name: sample_leaf(leaf, EXTENTS, rng) for leaf in system.leaves}


__all__ = ["LETTERS", "any_system", "any_values"]
