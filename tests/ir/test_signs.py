"""Which bodies are proven positive, never negative, or at most one, and that no proof is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Guard
from symbp.ir.points.sampling import sample_point
from symbp.ir.signs import Signs
from symbp.ir.system import Fact

N, K = sizes("N K")
n, k = indices("n k")
FACTS = {"a": None, "b": "binary", "c": "positive", "d": "nonnegative"}


def builder() -> SystemBuilder:
    made = SystemBuilder()
    for name, fact in FACTS.items():
        made.leaf(name, N, facts=[Fact(fact)] if fact else [])  # type: ignore[arg-type]
    return made


A, B, C, D = (Access(name, n) for name in FACTS)
SIGMOID = 1 / (1 + sympy.exp(-A))

PROVEN = [
    (SIGMOID * (1 - SIGMOID), "nonnegative"),
    (SIGMOID, "at_most_one"),
    (1 - sympy.tanh(A) ** 2, "nonnegative"),
    (3 - 2 * sympy.exp(-(A**2)), "nonnegative"),
    (A**2 + C, "positive"),
    (B * D, "nonnegative"),
    (1 - B, "nonnegative"),
    (A**-2, "nonnegative"),
    (sympy.sqrt(C) * sympy.exp(A), "positive"),
    (1 / (1 + A**2 * sympy.exp(A)), "at_most_one"),
    (sympy.sin(A) ** 3, "within_one"),
    (B * sympy.exp(-D), "within_one"),
    (Guard("<", A, D) * C, "nonnegative"),
]
NOT_PROVEN = [
    (A, "nonnegative"),
    (1 - C, "nonnegative"),
    (SIGMOID - sympy.Rational(1, 2), "nonnegative"),
    (1 - 2 * SIGMOID, "nonnegative"),
    (sympy.tanh(A) * (1 - SIGMOID), "nonnegative"),
    (A**3, "nonnegative"),
    (D, "positive"),
    (1 / (1 + A), "at_most_one"),
    (C + B, "at_most_one"),
    (sympy.cosh(A), "within_one"),
]


def signs() -> Signs:
    return Signs(builder().system(), [])


@pytest.mark.parametrize(("body", "claim"), PROVEN, ids=str)
def test_proven(body: Any, claim: str) -> None:
    assert getattr(signs(), claim)(body)


@pytest.mark.parametrize(("body", "claim"), NOT_PROVEN, ids=str)
def test_not_proven(body: Any, claim: str) -> None:
    assert not getattr(signs(), claim)(body)


def test_what_equations_define() -> None:
    made = builder()
    e = made.define("e", [n], sympy.exp(Access("a", n)))
    p = made.define("p", [n], 1 / (1 + e(n)))
    r = made.define("r", [n], where(Guard("<", 0, A), A, 0))
    made.define("s", [], p(n) * D, "sum", [n])
    made.define("m", [], e(n), "max", [n])
    system = made.system()
    known = Signs(system, system.equations)
    assert known.nonnegative(p(n) * (1 - p(n)))
    assert known.nonnegative(Access("s"))
    assert not known.nonnegative(Access("m"))  # of nothing it is −∞
    assert not known.nonnegative(r(n))
    assert not known.at_most_one(Access("s"))
    assert not known.positive(Access("e", n - 1, outside=sympy.Integer(-1)))
    assert not known.nonnegative(Access("e", n - 1, outside=sympy.Integer(-1)))
    assert known.nonnegative(Access("e", n - 1, outside=sympy.Integer(0)))


LEAVES = st.sampled_from([A, B, C, D, sympy.Integer(1), sympy.Integer(2), sympy.Rational(-1, 3)])
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda t: t[0] + t[1]),
        st.tuples(inner, inner).map(lambda t: t[0] * t[1]),
        st.tuples(inner, inner).map(lambda t: t[0] - t[1]),
        inner.map(lambda e: e**2),
        inner.map(lambda e: 1 - e),
        inner.map(lambda e: 1 / (1 + e**2)),
        inner.map(sympy.tanh),
        inner.map(lambda e: sympy.exp(-(e**2))),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(BODIES)
def test_no_proof_is_wrong(body: Any) -> None:
    """Claims are compared with values."""
    made = builder()
    made.define("r", [n], body, ranges={n: N})
    _, values = sample_point(made.system(), 3, sizes={"N": 40})
    with np.errstate(all="ignore"):
        found = run(made.system(), values, {"N": 40}, wanted=["r"])["r"]
    known = signs()
    if known.nonnegative(body):
        assert (found >= 0).all(), body
    if known.at_most_one(body):
        assert (found <= 1).all(), body
    if known.within_one(body):
        assert (np.abs(found) <= 1).all(), body
