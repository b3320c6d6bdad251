"""Random systems, and how to run any system through a target without training it."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import numpy as np
import sympy
from modules_by_name import generate_source
from target_nets import sgd

from symbp.derive.derivation import Derivation
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import FloorDiv, Guard, Index, Mod, Size
from symbp.ir.system import Fact, Role, System
from symbp.targets.loading import load

N, I, J, T = sizes("N I J T")  # noqa: E741
EXTENTS = {"N": 3, "I": 4, "J": 2, "T": 6}
UNARY = (
    sympy.exp, sympy.tanh, sympy.sin, sympy.cos, sympy.atan, sympy.erf,
    lambda u: 1 / (1 + sympy.exp(-u)), lambda u: sympy.log(1 + sympy.exp(u)), lambda u: sympy.exp(u) - 1,
    lambda u: sympy.sqrt(1 + u**2), lambda u: sympy.log(1 + u**2), lambda u: u**2, lambda u: 1 / (2 + u**2),
)  # fmt: skip
MOVES = (lambda t: t - 1, lambda t: t + 2, lambda t: FloorDiv(t, 2), lambda t: Mod(t, 3))
LETTERS = {"N": "nm", "I": "ij", "J": "kl", "T": "ts"}


class Writer:
    """Draws equations over what has been defined so far."""

    def __init__(self, draw: random.Random) -> None:
        self.draw, self.builder = draw, SystemBuilder()
        self.tensors: list[tuple[Any, tuple[Size, ...]]] = []
        b = self.builder
        for name, shape in (
            ("x", (N, I)),
            ("w", (I, J)),
            ("v", (J,)),
            ("u", (N,)),
            ("q", (T, I)),
            ("r", (T,)),
        ):
            self.tensors.append((b.leaf(name, *shape), shape))
        self.token = b.leaf("tok", N, integer=True, role=Role.TARGET, facts=[Fact("below", bound=I)])
        self.count = 0

    def index_set(self) -> tuple[Index, ...]:
        chosen = self.draw.sample(["N", "I", "J", "T"], self.draw.choice([1, 1, 2, 2, 3]))
        if self.draw.random() < 0.2:
            chosen[-1] = chosen[0]
        used: dict[str, int] = {}
        found = []
        for size in chosen:
            found.append(Index(LETTERS[size][used.get(size, 0)]))
            used[size] = used.get(size, 0) + 1
        return tuple(found)

    def subscript(self, size: Size, among: tuple[Index, ...]) -> Any:
        """A position below `size`: an index at hand, a token, or an end."""
        fitting = [i for i in among if i.name in LETTERS[size.name]]
        if fitting and self.draw.random() < 0.9:
            return self.draw.choice(fitting)
        if size == I and any(i.name in "nm" for i in among) and self.draw.random() < 0.5:
            return self.token(next(i for i in among if i.name in "nm"))
        return self.draw.choice([0, size - 1])

    def access(self, among: tuple[Index, ...]) -> Any:
        reader, shape = self.draw.choice(self.tensors)
        subscripts = [self.subscript(s, among) for s in shape]
        times = [k for k, s in enumerate(subscripts) if isinstance(s, Index) and s.name in "ts"]
        if times and self.draw.random() < 0.3:
            k = times[0]
            form = self.draw.choice(
                [lambda t: t - 1, lambda t: t + 2, lambda t: FloorDiv(t, 2), lambda t: Mod(t, 3)]
            )
            subscripts[k] = form(subscripts[k])
            return reader(*subscripts, outside=self.draw.choice([0, sympy.Rational(1, 3)]))
        return reader(*subscripts)

    def guard(self, among: tuple[Index, ...]) -> Any:
        kind = self.draw.randrange(3)
        first, second = self.draw.choice(among), self.draw.choice(among)
        if kind == 0:
            return Guard("<=", first, second)
        if kind == 1 and any(i.name in "nm" for i in among) and any(i.name in "ij" for i in among):
            n = next(i for i in among if i.name in "nm")
            return Guard("=", next(i for i in among if i.name in "ij"), self.token(n))
        return Guard("<", 0, self.access(among))

    def body(self, among: tuple[Index, ...], depth: int) -> Any:
        kind = self.draw.randrange(8)
        if depth == 0 or kind == 0:
            return self.access(among)
        if kind <= 2:
            return self.draw.choice(UNARY)(self.body(among, depth - 1))
        if kind == 3:
            guard = self.guard(among)
            other = guard.complement() if isinstance(guard, Guard) else 1 - guard
            return guard * self.body(among, depth - 1) + other * self.body(among, depth - 1)
        if kind == 4:
            return self.guard(among) * self.body(among, depth - 1)
        if kind == 5:
            return self.body(among, depth - 1) + sympy.Rational(
                self.draw.randint(-3, 3), self.draw.randint(1, 4)
            )
        if kind == 6:
            return self.body(among, depth - 1) - self.body(among, depth - 1) / N
        return self.body(among, depth - 1) * self.body(among, depth - 1)

    def equation(self) -> None:
        name = f"z{self.count}"
        self.count += 1
        all_indices = self.index_set()
        plain = tuple(i for i in all_indices if self.draw.random() < 0.6)
        reduced = tuple(i for i in all_indices if i not in plain)
        body = self.body(all_indices, 2)
        if reduced and self.draw.random() < 0.4:  # products of dense factors, as contractions see them
            body = self.access(all_indices) * self.access(all_indices) * sympy.Rational(1, 2)
        ranges = {
            i: next(Size(s) for s, letters in LETTERS.items() if i.name in letters) for i in all_indices
        }
        op = self.draw.choice(["sum", "sum", "sum", "max", "argmax", "prod"]) if reduced else None
        where = (
            [self.guard(all_indices)] if op in ("max", "argmax", "prod") and self.draw.random() < 0.4 else []
        )
        body = sympy.tanh(body) if op == "prod" else body
        reader = self.builder.define(name, plain, body, op, reduced, where=where, ranges=ranges)
        if op != "argmax":
            self.tensors.append((reader, tuple(ranges[i] for i in plain)))

    def system(self) -> System:
        (n,) = indices("n")
        self.builder.define("loss", [], self.tensors[3][0](n), "sum", [n], role=Role.LOSS)
        names = [f"z{k}" for k in range(self.count)]
        return self.builder.system(loss="loss", outputs=names)


def random_system(draw: random.Random, equations: int) -> System:
    writer = Writer(draw)
    for _ in range(equations):
        writer.equation()
    return writer.system()


def random_values(system: System, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {}
    for leaf in system.leaves:
        shape = tuple(int(e.subs({Size(k): v for k, v in EXTENTS.items()})) for e in leaf.shape)
        values[leaf.name] = (
            rng.integers(0, EXTENTS["I"], shape) if leaf.integer else rng.standard_normal(shape)
        )
    return values


def module_for(
    system: System, target: str, dtype: str = "float64", bound: dict[str, int] | None = None
) -> ModuleType:
    """A system without parameters as a module; its outputs are the tensors to compare."""
    derivation = Derivation("probe", system, system, {})
    return load(
        generate_source(derivation, target=target, dtype=dtype, update=sgd(), initial={}, sizes=bound or {}),
        "probe",
    )


def outputs(module: ModuleType, values: dict[str, Any], *, compiled: bool = True) -> dict[str, Any]:
    """The outputs of a module; Numba's kernels run as plain Python where `compiled` is false."""
    if not compiled and hasattr(module, "_compile"):
        module._compile = lambda: None
    wanted = {name: values[name] for name in module.FORWARD_INPUTS}
    return module.forward({}, **wanted)
