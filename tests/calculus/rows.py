"""What a row of published gradients is: a forward system, then the published backward equations.

A row is a generator over a `SystemBuilder`. Up to its `yield` it writes the forward system, with a scalar
loss `L`; the yield names the leaves to differentiate by, and sizes where windows need special ones; after it
come the published equations, in which `d<leaf>` is the gradient by a leaf. Its docstring is the source.
Where a row says vector-Jacobian product, the incoming gradient is the leaf `g` and L = Σ g·out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy

from symbp.derive import adjoints
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.expr import Expr, Guard, Index
from symbp.ir.system import Equation, Fact, Role, System

Reader = Callable[..., Any]
Yielded = tuple[str | Mapping[str, int], ...]
Builder = Callable[[SystemBuilder], Iterator[Yielded]]

C, D, E, G, H, K, M, N, P, Q, T, V = sizes("C D E G H K M N P Q T V")
a, c, d, e, i, j, k, m, n, o, p, q, r, s, t, u, v = indices("a c d e i j k m n o p q r s t u v")
exp, log, sqrt, tanh, pi = sympy.exp, sympy.log, sympy.sqrt, sympy.tanh, sympy.pi
HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Published:
    """A row, built: the forward system, the same system with the published equations behind it."""

    source: str
    forward: System
    joint: System
    wrt: tuple[str, ...]
    sizes: Mapping[str, int]

    @property
    def backward(self) -> tuple[Equation, ...]:
        """The published equations."""
        return self.joint.equations[len(self.forward.equations) :]


@cache
def build(row: Builder) -> Published:
    """Runs a row's generator."""
    b = SystemBuilder()
    steps = row(b)
    asked = next(steps)
    forward = b.system("L")
    assert next(steps, None) is None
    wrt = tuple(name for name in asked if isinstance(name, str))
    special: dict[str, int] = {}
    for entry in asked:
        if not isinstance(entry, str):
            special |= entry
    return Published(" ".join((row.__doc__ or "").split()), forward, b.system("L"), wrt, special)


# --- parts that many rows share
def incoming(b: SystemBuilder, out: Reader, *at: Index) -> Reader:
    """The leaf `g` of the shape of `out`, and L = Σ g·out."""
    shape = b._tensors[out(*at).name].shape
    g = b.leaf("g", *shape)
    b.define("L", [], g(*at) * out(*at), "sum", at)
    return g


def param(b: SystemBuilder, name: str, *shape: Expr) -> Reader:
    return b.leaf(name, *shape, role=Role.PARAMETER)


def positive(b: SystemBuilder, name: str, *shape: Expr) -> Reader:
    """A leaf above zero: an epsilon, a scale, a count."""
    return b.leaf(name, *shape, facts=[Fact("positive")])


def labels(b: SystemBuilder, name: str, *shape: Expr, below: Expr) -> Reader:
    return b.leaf(name, *shape, role=Role.TARGET, integer=True, facts=[Fact("below", bound=below)])


def softmax(b: SystemBuilder, z: Reader, *at: Index, names: str = "e s p") -> Reader:
    """Exponentials, their sum over the last index, probabilities."""
    first, second, third = names.split()
    raised = b.define(first, at, exp(z(*at)))
    total = b.define(second, at[:-1], raised(*at), "sum", at[-1:])
    return b.define(third, at, raised(*at) / total(*at[:-1]))


def sigma(z: Expr) -> Expr:
    return 1 / (1 + exp(-z))


def size_of(z: Expr) -> Expr:
    """|z|, with slope 1 at 0."""
    return where(Guard("<=", 0, z), z, -z)


def swept(b: SystemBuilder, output: str, *wrt: str) -> tuple[Reader, ...]:
    """Adds the equations of a first reverse sweep to a forward system, so that a loss may use them."""
    sweep = adjoints(b.system(output if output == "L" else None), output, wrt)
    for tensor in sweep.system.tensors:
        if tensor.name not in b._tensors:
            role = Role.HIDDEN if tensor.role in (Role.ADJOINT, Role.GRADIENT) else tensor.role
            b.declare(tensor.name, *tensor.shape, role=role, integer=tensor.integer)
    for equation in sweep.system.equations[len(b._equations) :]:
        reduction = equation.reduction
        b.define(
            equation.target,
            equation.indices,
            equation.body,
            reduction.op if reduction else None,
            equation.reduced,
            where=equation.where,
            ranges=equation.extents,
            component=reduction.component if reduction else 0,
        )
    return tuple(b._tensors[sweep.gradients[name]].at for name in wrt)


def times(number: Expr, total: Expr) -> Expr:
    """number·(a + b) as it stands: SymPy would distribute a number over the sum."""
    return sympy.Mul(number, total, evaluate=False)


def equal(left: Expr, right: Expr) -> Any:
    """The Iverson bracket [left = right]."""
    return Guard("=", left, right)


def less(left: Expr, right: Expr) -> Any:
    """The Iverson bracket [left < right]."""
    return Guard("<", left, right)


def all_of(*rows: Sequence[tuple[str, Builder]]) -> dict[str, Builder]:
    """Rows by name, each name once."""
    found: dict[str, Builder] = {}
    for name, row in (pair for part in rows for pair in part):
        assert name not in found
        found[name] = row
    return found
