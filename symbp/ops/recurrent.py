"""Recurrent cells over whole sequences: one recurrence over time each, never unrolled.

Enters: tensors, the batch first, then time; options. Leaves: the states at each step.
Must not know: derivatives, how far time goes.

Past its length an example keeps its state, so that the last step (the first, in reverse) holds its last one.
Gates stand beside each other in one axis of the weights: W (D, gates, H), U (H, gates, H), b (gates, H).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.build import where
from symbp.ir.expr import Expr, Guard, Index
from symbp.language.axes import axes
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.recurrence import define_announced, recurrent
from symbp.language.sizes import value_of
from symbp.language.tensor import Tensor
from symbp.ops.registry import REGISTRY, example, op

FAMILY = "recurrent"
Cell = Literal["tanh", "relu", "sigmoid", "hardtanh", "softsign"]


@op(
    FAMILY,
    example("N T D", "D H", "H H", "H"),
    example("N T D", "D H", "H H", "H", "N H", nonlinearity="relu", reverse=True),
)
def rnn(
    x: Tensor,
    weight: Tensor,
    recurrent_weight: Tensor,
    bias: Tensor | None = None,
    initial: Tensor | None = None,
    lengths: Tensor | None = None,
    nonlinearity: Any = "tanh",
    reverse: bool = False,
) -> Tensor:
    """h[t] = tanh(x[t]·W + h[t−1]·U + b) (Elman 1990); backwards in time, from h[t+1], with `reverse`.

    x (N, T, D), W (D, H), U (H, H), b (H), initial (N, H) or (H), zeros if not given; `lengths` (N) integers.
    Gives h (N, T, H).
    """
    run = _Run(x, recurrent_weight.shape[-1], lengths, reverse)
    h = run.announce("h")
    before = run.before(h, initial)
    product = run.product(x.at(run.n, run.t, run.i), weight, [run.j], "z")
    again = run.product(run.before(h, initial, run.k), recurrent_weight, [run.j], "r", run.k)
    total = product.at(*run.plain) + again.at(*run.plain) + _at(bias, run.j)
    new = _activated(nonlinearity, total)
    return run.conclude(h, new, before, "recurrent state")


@op(
    FAMILY,
    example("N T D", "D 4 H", "H 4 H", "4 H"),
    example("N T D", "D 4 H", "H 4 H", "4 H", "N H", "N H", reverse=True),
    example("N T D", "D 4 H", "H 4 H", "4 H", "H", "H", "3 H"),
)
def lstm(
    x: Tensor,
    weight: Tensor,
    recurrent_weight: Tensor,
    bias: Tensor | None = None,
    initial: Tensor | None = None,
    initial_cell: Tensor | None = None,
    peephole: Tensor | None = None,
    lengths: Tensor | None = None,
    reverse: bool = False,
    with_cell: bool = False,
) -> Any:
    """c[t] = f·c[t−1] + i·g, h[t] = o·tanh c[t], gates i, f, o = σ(…), g = tanh(…) of x[t]·W + h[t−1]·U + b.

    Hochreiter and Schmidhuber 1997, forget gates of Gers, Schmidhuber and Cummins 2000. The gates stand in
    PyTorch's order i, f, g, o: W (D, 4, H), U (H, 4, H), b (4, H). `peephole` (3, H) adds p_i·c[t−1],
    p_f·c[t−1], p_o·c[t] to the gates (Gers, Schraudolph and Schmidhuber 2002). Gives h (N, T, H), or h and c.
    """
    _check_gates(weight, recurrent_weight, 4, "an LSTM's")
    run = _Run(x, recurrent_weight.shape[-1], lengths, reverse)
    h, c = run.announce("h"), run.announce("c")
    c_before = run.before(c, initial_cell)
    product = run.product(x.at(run.n, run.t, run.i), weight, [run.gate, run.j], "z")
    again = run.product(run.before(h, initial, run.k), recurrent_weight, [run.gate, run.j], "r", run.k)

    every = run.gates(4, [product, again], bias)

    def gate(number: int, peep: int | None = None, cell: Expr = 0) -> Expr:
        total: Expr = every.at(run.n, run.t, number, run.j)
        if peephole is None or peep is None:
            return total
        return run.define(total + peephole.at(peep, run.j) * cell, "gate with its peephole", "a")

    into = run.define(_sigmoid(gate(0, 0, c_before)), "input gate", "i")
    keep = run.define(_sigmoid(gate(1, 1, c_before)), "forget gate", "f")
    new = run.define(sympy.tanh(gate(2)), "candidate", "g")
    cell = keep * c_before + into * new
    c = run.conclude(c, cell, c_before, "cell")
    out = run.define(_sigmoid(gate(3, 2, c.at(*run.plain))), "output gate", "o")
    hidden = out * sympy.tanh(c.at(*run.plain))
    h = run.conclude(h, hidden, run.before(h, initial), "recurrent state")
    return (h, c) if with_cell else h


@op(
    FAMILY,
    example("N T D", "D 3 H", "H 3 H", "3 H", "3 H"),
    example("N T D", "D 3 H", "H 3 H", "3 H", "3 H", "N H", reset_after=False),
)
def gru(
    x: Tensor,
    weight: Tensor,
    recurrent_weight: Tensor,
    bias: Tensor | None = None,
    recurrent_bias: Tensor | None = None,
    initial: Tensor | None = None,
    lengths: Tensor | None = None,
    reset_after: bool = True,
    reverse: bool = False,
) -> Tensor:
    """h[t] = (1 − z)·n + z·h[t−1], r, z = σ(x·W + b + h·U + b′), n = tanh(x·W + b + r·(h·U + b′)).

    Cho et al. 2014; the gates stand in PyTorch's order r, z, n: W (D, 3, H), U (H, 3, H), b and b′ (3, H).
    With `reset_after` false n = tanh(x·W + (r·h)·U + b + b′), as first published. Gives h (N, T, H).
    """
    _check_gates(weight, recurrent_weight, 3, "a GRU's")
    run = _Run(x, recurrent_weight.shape[-1], lengths, reverse)
    n, t, j, k = run.n, run.t, run.j, run.k
    h = run.announce("h")
    before = run.before(h, initial)
    product = run.product(x.at(n, t, run.i), weight, [run.gate, j], "z")

    inner = run.gates(3, [product], bias)
    if reset_after:
        again = run.product(run.before(h, initial, k), recurrent_weight, [run.gate, j], "r", k)
        outer = run.gates(3, [again], recurrent_bias)
        recurrent_part = [outer.at(n, t, number, j) for number in range(3)]
    else:
        recurrent_part = []
        for number in range(2):
            each = run.part(run.before(h, initial, k), recurrent_weight, number)
            recurrent_part.append(each + _at(recurrent_bias, number, j))
    reset = run.define(_sigmoid(inner.at(n, t, 0, j) + recurrent_part[0]), "reset gate", "r")
    update = run.define(_sigmoid(inner.at(n, t, 1, j) + recurrent_part[1]), "update gate", "u")
    if reset_after:
        new = run.define(sympy.tanh(inner.at(n, t, 2, j) + reset * recurrent_part[2]), "candidate", "n")
    else:
        kept = formula(
            [n, t, j], reset * before, ranges=run.ranges, rule="state after reset", hint=Hint("s"), kept=True
        )
        again = run.part(kept.at(n, t, k), recurrent_weight, 2)
        new = run.define(
            sympy.tanh(inner.at(n, t, 2, j) + again + _at(recurrent_bias, 2, j)), "candidate", "n"
        )
    return run.conclude(h, (1 - update) * new + update * before, before, "recurrent state")


@dataclass
class _Run:
    """One pass over time: its indices, and how states before the first step and past the last are read."""

    x: Tensor
    width: Expr
    lengths: Tensor | None
    reverse: bool

    def __post_init__(self) -> None:
        x = self.x
        if x.rank != 3:
            raise ShapeError(
                f"a recurrence runs over sequences (batch, time, inputs), but {display(x)} has {x.rank} axes",
                where=here(),
                details=(f"{display(x)}: ({', '.join(map(str, x.shape))})",),
            )
        if self.lengths is not None and (self.lengths.rank != 1 or not self.lengths.integer):
            raise ShapeError(
                f"{display(self.lengths)} holds no lengths: one integer for each example",
                where=here(),
                help='bp.labels("lengths", (N,), classes=T + 1)',
            )
        self.n, self.t, self.gate, self.j = axes(4)
        self.i, self.k = Index("c"), Index("k")
        self.plain = (self.n, self.t, self.j)
        self.ranges = {self.n: x.shape[0], self.t: x.shape[1], self.j: self.width}

    def announce(self, letter: str) -> Tensor:
        """A state (N, T, H) that is read before it is defined."""
        return recurrent(None, (*self.x.shape[:2], self.width), Hint(letter, "layer"))

    def before(self, state: Tensor, initial: Tensor | None, unit: Index | None = None) -> Expr:
        """The state one step earlier; before the first one the initial state, zeros if there is none."""
        j = self.j if unit is None else unit
        first: Expr = sympy.S.Zero
        if initial is not None:
            first = initial.at(j) if initial.rank == 1 else initial.at(self.n, j)
        return state.at(self.n, self.t + (1 if self.reverse else -1), j, outside=first)

    def product(
        self, element: Expr, weight: Tensor, to: Sequence[Index], letter: str, over: Index | None = None
    ) -> Tensor:
        """Σ element·W[over, to]."""
        over = self.i if over is None else over
        plain = [self.n, self.t, *to]
        known = {i: self.ranges[i] for i in plain if i in self.ranges}
        hint = Hint("z", "layer") if letter == "z" else Hint(letter)
        body = Sum(element * weight.at(over, *to), over)
        return formula(plain, body, ranges=known, rule="matrix product", hint=hint, kept=True)

    def gates(self, count: int, parts: Sequence[Tensor], bias: Tensor | None) -> Tensor:
        """What all gates are functions of, beside each other: the sum of the products, and the bias."""
        plain = [self.n, self.t, self.gate, self.j]
        body = sympy.Add(*[p.at(*plain) for p in parts]) + _at(bias, self.gate, self.j)
        ranges = self.ranges | {self.gate: sympy.Integer(count)}
        return formula(plain, body, ranges=ranges, rule="gates", hint=Hint("a", "layer"), kept=True)

    def part(self, element: Expr, weight: Tensor, number: int) -> Expr:
        """Σ_k element·W[k, number, j]."""
        body = Sum(element * weight.at(self.k, number, self.j), self.k)
        found = formula(
            self.plain, body, ranges=self.ranges, rule="matrix product", hint=Hint("r"), kept=True
        )
        return found.at(*self.plain)

    def define(self, body: Expr, rule: str, letter: str) -> Expr:
        """The element of a tensor (N, T, H) with that body."""
        found = formula(self.plain, body, ranges=self.ranges, rule=rule, hint=Hint(letter), kept=True)
        return found.at(*self.plain)

    def conclude(self, announced: Tensor, new: Expr, before: Expr, rule: str) -> Tensor:
        """The definition of a state; past an example's length it stays as it was."""
        if self.lengths is not None:
            new = where(Guard("<", self.t, self.lengths.at(self.n)), new, before)
        return define_announced(announced, self.plain, new, rule=rule)


def _at(tensor: Tensor | None, *subscripts: Any) -> Expr:
    return sympy.S.Zero if tensor is None else tensor.at(*subscripts)


def _sigmoid(u: Expr) -> Expr:
    return 1 / (1 + sympy.exp(-u))


def _activated(name: Any, u: Expr) -> Expr:
    """An elementwise activation by its name. Raises DeclarationError: none of that name."""
    found = REGISTRY.get(name)
    if found is None or not found.elementwise:
        raise DeclarationError(
            f"a recurrent state has no nonlinearity={name!r}", where=here(), help='use "tanh" or "relu"'
        )
    result: Expr = found.function(u)
    return result


def _check_gates(weight: Tensor, recurrent_weight: Tensor, count: int, whose: str) -> None:
    for name, tensor in (("weight", weight), ("recurrent weight", recurrent_weight)):
        extent = value_of(tensor.shape[1]) if tensor.rank == 3 else 0
        if tensor.rank != 3 or extent not in (None, count):
            raise ShapeError(
                f"{whose} {name} has its {count} gates in the second of three axes",
                where=here(),
                details=(f"{display(tensor)}: ({', '.join(map(str, tensor.shape))})",),
            )
