"""Matrix notation: the forms that textbooks have, and the equation's own value for whatever is found."""

import itertools

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import exp, log, sqrt, tanh

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import FloorDiv, Guard
from symbp.ir.system import Fact, Role
from symbp.read.matrix.spell import matrix_text
from symbp.read.matrix.subscripts import matrix_equation
from symbp.read.matrix.value import value

N, D, H, K = sizes("N D H K")
n, i, j, k = indices("n i j k")
RANGES = {n: N, i: D, j: H, k: K}
SIZES = {"N": 3, "D": 4, "H": 5, "K": 2}


class Leaves:
    """The tensors that the equations below read, and values for them."""

    def __init__(self):
        self.builder = b = SystemBuilder()
        self.x, self.A, self.B = b.leaf("x", N, D), b.leaf("A", D, H), b.leaf("B", N, H)
        self.C, self.V, self.S = b.leaf("C", H, K), b.leaf("V", K, D), b.leaf("S", D, D)
        self.P, self.E = b.leaf("P", N, K), b.leaf("E", K, H)
        self.u, self.v, self.w = b.leaf("u", N), b.leaf("v", H), b.leaf("w", D)
        self.c, self.T = b.leaf("c"), b.leaf("T", N, D, H)
        self.y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])

    def define(self, plain, body, reduced=(), op="sum", ranges=None):
        kind = op if reduced else None
        self.builder.define("t", plain, body, kind, reduced, ranges=ranges, role=Role.OUTPUT)
        system = self.builder.system()
        return system, system.equations[0]


def values_for(system, sizes=SIZES):
    draw = np.random.default_rng(1)
    found = {}
    for tensor in system.leaves:
        shape = [sizes[str(extent)] for extent in tensor.shape]
        # positive, away from 0: logarithms, roots and quotients stay real and tame
        found[tensor.name] = draw.integers(0, 2, shape) if tensor.integer else draw.uniform(0.5, 1.5, shape)
    return found


def assert_same_value(system, node):
    leaves = values_for(system)
    expected = run(system, leaves, SIZES)["t"]
    found = value(node, leaves, SIZES)
    columns = expected.reshape(expected.shape + (1,) * (2 - expected.ndim))
    assert found.shape == columns.shape
    np.testing.assert_allclose(found, columns, rtol=1e-12, atol=1e-12)


def right(equation, system):
    """The right-hand side, where the left one has no subscripts."""
    found = matrix_equation(equation, system.by_name)
    assert found is not None
    assert found.is_whole
    return found.right


def assert_equation_holds(system, found, sizes=SIZES):
    """For all values of the subscripts on the left."""
    leaves = values_for(system, sizes)
    expected = run(system, leaves, sizes)["t"]
    kept = [s for s in found.left.subscripts if s is not None]
    for at in itertools.product(*(range(sizes[str(RANGES[s])]) if s in RANGES else [int(s)] for s in kept)):
        subscripts = {s.name: k for s, k in zip(kept, at, strict=True) if s in RANGES}
        places = iter(at)
        part = expected[tuple(slice(None) if s is None else next(places) for s in found.left.subscripts)]
        columns = part.reshape(part.shape + (1,) * (2 - part.ndim))
        shown = value(found.right, {**leaves, "t": expected}, sizes, subscripts)
        np.testing.assert_allclose(np.broadcast_to(shown, columns.shape), columns, rtol=1e-12, atol=1e-12)


FORMS = [
    ([n, j], lambda t: t.x(n, i) * t.A(i, j), [i], "x·A"),
    ([j, i], lambda t: t.x(n, i) * t.B(n, j), [n], "Bᵀ·x"),
    ([n, i], lambda t: t.B(n, j) * t.A(i, j), [j], "B·Aᵀ"),
    ([n, k], lambda t: t.x(n, i) * t.A(i, j) * t.v(j) * t.C(j, k), [i, j], "x·A·diag(v)·C"),
    ([n], lambda t: t.x(n, i) * t.w(i), [i], "x·w"),
    ([j], lambda t: t.B(n, j), [n], "Bᵀ·𝟏"),
    ([n], lambda t: t.B(n, j), [j], "B·𝟏"),
    ([n, j], lambda t: t.u(n) * t.v(j), [], "u·vᵀ"),
    ([n, j], lambda t: tanh(t.B(n, j) + t.v(j)), [], "tanh(B + 𝟏·vᵀ)"),
    ([n, j], lambda t: exp(t.B(n, j) - t.u(n)), [], "exp(B - u·𝟏ᵀ)"),
    ([n, j], lambda t: t.B(n, j) / t.u(n), [], "diag(u)⁻¹·B"),
    ([n, j], lambda t: t.B(n, j) / t.v(j), [], "B·diag(v)⁻¹"),
    ([n, j], lambda t: t.B(n, j) * t.u(n) / sqrt(t.v(j)), [], "diag(u)·B·diag(sqrt(v))⁻¹"),
    ([j, n], lambda t: t.B(n, j) ** 2, [], "(B ⊙ B)ᵀ"),
    ([n, k], lambda t: (t.P(n, k) - Guard("=", k, t.y(n))) / N, [], "(P - onehot(y))/N"),
    ([n], lambda t: t.P(n, t.y(n)), [], "(P ⊙ onehot(y))·𝟏"),
    ([n, j], lambda t: t.E(t.y(n), j), [], "E[y]"),
    ([k, j], lambda t: Guard("=", k, t.y(n)) * t.B(n, j), [n], "onehot(y)ᵀ·B"),
    ([], lambda t: -log(t.P(n, t.y(n))) / N, [n], "-𝟏ᵀ·log((P ⊙ onehot(y))·𝟏)/N"),
    ([], lambda t: (t.B(n, j) - t.u(n)) ** 2 / (N * H), [n, j], "‖B - u·𝟏ᵀ‖²/(H·N)"),
    ([], lambda t: t.w(i) ** 2 / 2, [i], "‖w‖²/2"),
    ([], lambda t: t.w(i) * t.S(i, i), [i], "diag(S)ᵀ·w"),
    ([], lambda t: t.S(i, i), [i], "tr(S)"),
    ([], lambda t: t.V(k, i) * t.A(i, j) * t.C(j, k), [i, j, k], "tr(A·C·V)"),
    ([], lambda t: t.u(n) * t.B(n, j) * t.v(j), [n, j], "uᵀ·B·v"),
    ([], lambda t: t.B(n, j), [n, j], "𝟏ᵀ·B·𝟏"),
    ([], lambda t: t.c() * t.v(j), [j], "c·𝟏ᵀ·v"),
    ([n, j], lambda t: Guard("<", 0, t.B(n, j)) * t.B(n, j), [], "[B > 0] ⊙ B"),
    ([n, j], lambda t: 1 - t.B(n, j) ** 2, [], "1 - B ⊙ B"),
    ([n, j], lambda t: t.c() * (t.x(n, i) - t.u(n)) * t.A(i, j), [i], "c·(x - u·𝟏ᵀ)·A"),
    ([n, j], lambda t: (t.x(n, i) + t.A(i, j)) * t.v(j), [i], "x·𝟏·vᵀ + 𝟏·(v ⊙ (Aᵀ·𝟏))ᵀ"),
    ([i, j], lambda t: t.u(n), [n], "𝟏ᵀ·u·𝟏·𝟏ᵀ"),
    ([n], lambda t: 2 * t.u(n) ** 3, [], "2·u^∘3"),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "body", "reduced", "expected"), FORMS, ids=[form[3] for form in FORMS])
def test_form(plain, body, reduced, expected):
    leaves = Leaves()
    system, equation = leaves.define(plain, body(leaves), reduced, ranges=RANGES)
    node = right(equation, system)
    assert node is not None
    assert_same_value(system, node)
    assert matrix_text(node) == expected


@pytest.mark.parametrize(("op", "expected"), [("max", "rowmax(B)"), ("argmax", "rowargmax(B)")])
def test_largest_of_each_row(op, expected):
    leaves = Leaves()
    system, equation = leaves.define([n], leaves.B(n, j), [j], op)
    node = right(equation, system)
    assert matrix_text(node) == expected
    assert_same_value(system, node)


@pytest.mark.parametrize(
    ("plain", "body", "reduced", "op"),
    [
        ([n], lambda t: t.B(n, j), [j], "prod"),
        ([n], lambda t: t.u(n - 1, outside=0), [], "sum"),  # a shift
        ([n], lambda t: t.w(FloorDiv(n, 2)), [], "sum"),
    ],
)
def test_none_where_there_is_none(plain, body, reduced, op):
    leaves = Leaves()
    system, equation = leaves.define(plain, body(leaves), reduced, op, ranges={n: N})
    assert matrix_equation(equation, system.by_name) is None


FACTORS = {
    "x": lambda t: t.x(n, i), "A": lambda t: t.A(i, j), "B": lambda t: t.B(n, j), "C": lambda t: t.C(j, k),
    "V": lambda t: t.V(k, i), "P": lambda t: t.P(n, k), "S": lambda t: t.S(i, i), "u": lambda t: t.u(n),
    "v": lambda t: t.v(j), "w": lambda t: t.w(i), "c": lambda t: t.c(), "E": lambda t: t.E(t.y(n), j),
    "onehot": lambda t: Guard("=", k, t.y(n)), "gather": lambda t: log(t.P(n, t.y(n))),
    "biased": lambda t: t.B(n, j) - t.v(j), "tanh": lambda t: tanh(t.x(n, i)),
    "inverse": lambda t: 1 / t.u(n), "positive": lambda t: Guard("<", 1, t.B(n, j)),
    "number": lambda _: sympy.Rational(-3, 2) / N,
}  # fmt: skip


@pytest.mark.slow
@given(
    st.lists(st.sampled_from(sorted(FACTORS)), min_size=1, max_size=5),
    st.lists(st.sampled_from("nijk"), max_size=2, unique=True),
)
@settings(max_examples=150, deadline=None)
def test_every_form_found_has_the_value_of_its_equation(names, plain):
    leaves = Leaves()
    body = sympy.prod([FACTORS[name](leaves) for name in names])
    free = [index for index in (n, i, j, k) if index in body.free_symbols]
    left = [index for index in (n, i, j, k) if index.name in plain]
    if plain and plain[0] > plain[-1]:
        left = left[::-1]
    reduced = [index for index in free if index not in left]
    system, equation = leaves.define(left, body, reduced, ranges=RANGES)
    found = matrix_equation(equation, system.by_name)
    if found is not None:
        assert_equation_holds(system, found)
