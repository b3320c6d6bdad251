"""What the calculus makes of facts: the forms with a fact and without it, and that the values agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy

from symbp.derive import adjoints, derive
from symbp.derive.proof.confirm import difference
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.system import Fact, Role, System

N = sizes("N")[0]
i, j = indices("i j")
Body = Callable[[SystemBuilder, Any, Any, Any], None]


def over(facts: tuple[str, ...], body: Body) -> System:
    b = SystemBuilder()
    x = b.leaf("x", N, role=Role.PARAMETER)
    a = b.leaf("A", N, N, facts=[Fact(kind) for kind in facts])  # type: ignore[arg-type]
    body(b, x, a, b.leaf("y", N))
    return b.system("L")


def form(b: SystemBuilder, x: Any, a: Any, y: Any) -> None:  # noqa: ARG001
    b.define("L", [], x(i) * a(i, j) * x(j), "sum", [i, j])


def root(b: SystemBuilder, x: Any, a: Any, y: Any) -> None:
    body = sympy.sin(x(i)) * (a(i, j) + a(j, i)) * y(j)
    b.define("L", [], body, "sum", [i, j])


def above(b: SystemBuilder, x: Any, a: Any, y: Any) -> None:
    b.define("L", [], x(i) * Guard("<", i, j) * a(i, j) * y(j), "sum", [i, j])


def below(b: SystemBuilder, x: Any, a: Any, y: Any) -> None:
    b.define("L", [], x(i) * Guard("<", j, i) * a(i, j) * y(j), "sum", [i, j])


@pytest.mark.parametrize(
    ("facts", "body", "expected"),
    [
        (("symmetric",), form, "dx[i] = Σ_j 2·A[i,j]·x[j]"),
        ((), form, "dx[i] = Σ_j (A[i,j] + A[j,i])·x[j]"),
        (("lower triangular",), form, "dx[i] = Σ_j (A[i,j] + A[j,i])·x[j]"),
        (("symmetric",), root, "dx[i] = 2·cos(x[i])·dx_s1[i]"),
        (("lower triangular",), above, "dx[i] = 0"),
        (("upper triangular",), below, "dx[i] = 0"),
        (("lower triangular",), below, "dx[i] = Σ_j [j < i]·A[i,j]·y[j]"),
    ],
)
def test_forms_rest_on_facts(facts: tuple[str, ...], body: Body, expected: str) -> None:
    system = over(facts, body)
    derivation = derive(system)
    assert str(derivation.system.defining["dx"]) == expected
    raw = adjoints(system, "L", ["x"])
    assert difference(raw.system, derivation.system, {raw.gradients["x"]: "dx"}, seed=5) is None


@pytest.mark.parametrize(("fact", "body"), [("symmetric", root), ("lower triangular", above)])
def test_a_step_says_which_fact_it_rests_on(fact: str, body: Body) -> None:
    reasons = [step.because() for step in derive(over((fact,), body)).steps]
    assert f"Because A is {fact}." in reasons
