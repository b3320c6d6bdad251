"""Proofs of sums: what they rest on, that nothing false has one, and that a step says where there is none."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from symbp.derive import derive
from symbp.derive.proof.prove import proof
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard, Index
from symbp.ir.system import Fact, Role, System

N, K, D = sizes("N K D")
n, k, d, i, j = indices("n k d i j")


def rows() -> System:
    """A softmax, centred and standardised rows, a Gram matrix and its inverse, weights and labels."""
    b = SystemBuilder()
    x, g = b.leaf("x", N, K), b.leaf("g", N, K)
    y = b.leaf("y", N, K, facts=[Fact("sums to one", 1)])
    b.leaf("c", N, K, facts=[Fact("one hot", 1)])
    b.leaf("B", N, K, facts=[Fact("binary")])
    b.leaf("S", N, N, facts=[Fact("symmetric")])
    b.leaf("t", N, integer=True, role=Role.TARGET, facts=[Fact("below", bound=K)])
    b.leaf("far", N, integer=True, role=Role.TARGET)
    e = b.define("e", [n, k], sympy.exp(x(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n))
    b.define("q", [n, k], p(n, k) / 4 + 3 * y(n, k) / 4)
    m = b.define("m", [n], x(n, k) / K, "sum", [k])
    u = b.define("u", [n, k], x(n, k) - m(n))
    v = b.define("v", [n], u(n, k) ** 2 / K, "sum", [k])
    b.define("h", [n, k], u(n, k) / sympy.sqrt(v(n)))
    b.define("a", [n], g(n, k) * p(n, k), "sum", [k])
    gram = b.define("gram", [i, j], x(i, k) * x(j, k), "sum", [k])
    b.define("inv", [i, j], gram(n, d), "inverse", [n, d], ranges={i: N, j: N})
    return b.system()


SYSTEM = rows()
EXTENTS = {n: N, k: K, i: N, j: N}


def read(name: str, *at: Any) -> Any:
    return SYSTEM.at(name, *at)


def proven(body: Any, reduced: list[Index], value: Any) -> tuple[str, ...] | None:
    places = {e.target: at for at, e in enumerate(SYSTEM.equations)}
    return proof(
        body, reduced, sympy.sympify(value), EXTENTS, SYSTEM, SYSTEM.defining.get, lambda t: places.get(t, -1)
    )


TRUE = {
    "softmax": (read("p", n, k), [k], 1, ("p[n,k] = e[n,k]/s[n]", "s[n] = Σ_k e[n,k]")),
    "distribution": (read("y", n, k), [k], 1, ("y sums to one over axis 1",)),
    "one hot": (read("c", n, k), [k], 1, ("c is one hot over axis 1",)),
    "square of a one hot": (read("c", n, k) ** 2, [k], 1, ("c is one hot over axis 1", "c is binary")),
    "mixture": (
        read("q", n, k),
        [k],
        1,
        (
            "q[n,k] = 3·y[n,k]/4 + p[n,k]/4",
            "p[n,k] = e[n,k]/s[n]",
            "s[n] = Σ_k e[n,k]",
            "y sums to one over axis 1",
        ),
    ),
    "centred": (read("u", n, k), [k], 0, ("u[n,k] = x[n,k] - m[n]", "m[n] = Σ_k x[n,k]/K")),
    "standardised": (
        read("h", n, k),
        [k],
        0,
        ("h[n,k] = u[n,k]/sqrt(v[n])", "u[n,k] = x[n,k] - m[n]", "m[n] = Σ_k x[n,k]/K"),
    ),
    "of squares": (
        read("h", n, k) ** 2,
        [k],
        K,
        ("h[n,k] = u[n,k]/sqrt(v[n])", "v[n] = Σ_k u[n,k]²/K"),
    ),
    "saved": (read("g", n, k) * read("p", n, k), [k], read("a", n), ("a[n] = Σ_k g[n,k]·p[n,k]",)),
    "saved, scaled": (
        2 * read("g", n, k) * read("p", n, k),
        [k],
        2 * read("a", n),
        ("a[n] = Σ_k g[n,k]·p[n,k]",),
    ),
    "labels": (Guard("=", k, read("t", n)), [k], 1, ("t is below K",)),
    "symmetric": (
        read("S", i, j) * read("m", i) - read("S", j, i) * read("m", i),
        [i],
        0,
        ("S is symmetric",),
    ),
    "constant": (read("m", n), [k], K * read("m", n), ()),
}
FALSE = {
    "softmax": (read("p", n, k), [k], 2),
    "over the other index": (read("p", n, k), [n], 1),
    "distribution over the other index": (read("y", n, k), [n], 1),
    "diagonal": (read("y", n, n), [n], 1),
    "exponentials": (read("e", n, k), [k], 1),
    "squares": (read("u", n, k) ** 2, [k], 0),
    "binary": (read("B", n, k), [k], 1),
    "saved": (read("g", n, k) * read("p", n, k), [k], read("s", n)),
    "labels that may be anywhere": (Guard("=", k, read("far", n)), [k], 1),
    "transposed": (read("x", i, j) - read("x", j, i), [i], 0),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_a_proof_rests_on(name: str) -> None:
    body, reduced, value, expected = TRUE[name]
    found = proven(body, reduced, value)
    assert found is not None
    assert sorted(map(str, found)) == sorted(expected)


@pytest.mark.parametrize("name", FALSE)
def test_nothing_false_is_proven(name: str) -> None:
    assert proven(*FALSE[name]) is None


def test_an_inverse_of_a_symmetric_matrix_is_symmetric_by_definition() -> None:
    body = read("inv", i, j) * read("m", i) - read("inv", j, i) * read("m", i)
    found = proven(body, [i], 0)
    assert found is not None
    assert any(str(reason).startswith("inv is symmetric: ") for reason in found)
    assert any(str(reason).startswith("gram is symmetric: ") for reason in found)


def test_a_recurrence_is_given_up() -> None:
    b = SystemBuilder()
    x, (t, T) = b.leaf("x", N, K), (indices("t")[0], sizes("T")[0])
    h = b.declare("h", T, K)
    b.define("h", [t, k], h(t - 1, k) + x(0, k), ranges={t: T})
    system = b.system()
    assert proof(h(t, k), [k], sympy.Integer(0), {t: T, k: K}, system, system.defining.get, len) is None


@pytest.mark.slow
def test_steps_rest_on_the_proof() -> None:
    b = SystemBuilder()
    x = b.leaf("x", N, D, role=Role.PARAMETER)
    g = b.leaf("g", N, D)
    m = b.define("m", [n], x(n, d) / D, "sum", [d])
    u = b.define("u", [n, d], x(n, d) - m(n))
    v = b.define("v", [n], u(n, d) ** 2 / D, "sum", [d])
    r = b.define("r", [n], 1 / sympy.sqrt(v(n) + 1))
    h = b.define("h", [n, d], u(n, d) * r(n))
    b.define("L", [], g(n, d) * h(n, d), "sum", [n, d])
    lemma = next(s for s in derive(b.system("L")).steps if s.rule == "value of a sum")
    assert lemma.spelled() == ("Σ_d h[n,d]", "0")
    assert tuple(map(str, lemma.rests_on)) == (
        "h[n,d] = r[n]·u[n,d]",
        "u[n,d] = x[n,d] - m[n]",
        "m[n] = Σ_d x[n,d]/D",
    )


def test_a_value_without_a_proof_says_so() -> None:
    """Softmax doesn't see a shift of its rows: true of keys with a bias, through a sum in a sum."""
    b = SystemBuilder()
    q, key, bias, w = (
        b.leaf("q", N, D),
        b.leaf("key", K, D),
        b.leaf("bias", D, role=Role.PARAMETER),
        b.leaf("w", N, K),
    )
    z = b.define("z", [n, k], q(n, d) * (key(k, d) + bias(d)), "sum", [d])
    e = b.define("e", [n, k], sympy.exp(z(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n))
    b.define("L", [], w(n, k) * p(n, k), "sum", [n, k])
    found = derive(b.system("L"))
    assert str(found["bias"].equation) == "dbias[d] = 0"
    lemma = next(step for step in found.steps if step.rule == "value of a sum")
    assert str(lemma.rests_on[-1]).startswith("equal values at 2 random points")
