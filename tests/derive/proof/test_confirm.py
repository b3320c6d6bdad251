"""The last word: wrong closed forms are found, doubtful ones are taken back, and deriving goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

from symbp.derive import _swept, derive
from symbp.derive.proof import confirm
from symbp.derive.proof.confirm import Difference, difference
from symbp.derive.search.closing import close
from symbp.derive.search.rewriter import Rewriter, Rewritten
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.errors import DoubtfulRewrite
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Access, Expr, Guard, Size
from symbp.ir.points.sampling import sample_point
from symbp.ir.system import Equation, Fact, Role, System

N, D, H, K, T = sizes("N D H K T")
n, i, j, k, t = indices("n i j k t")


def relu(e: Expr) -> Expr:
    return where(Guard("<", 0, e), e)


def siamese() -> System:
    """Two inputs through the same two relu layers."""
    b = SystemBuilder()
    W, V = b.leaf("W", D, D, role=Role.PARAMETER), b.leaf("V", D, role=Role.PARAMETER)
    total: Expr = sympy.Integer(0)
    for name in "pq":
        x = b.leaf(name, N, D)
        a = b.define(f"a_{name}", [n, j], x(n, i) * W(i, j), "sum", [i])
        c = b.define(f"c_{name}", [n, j], relu(a(n, i)) * W(i, j), "sum", [i])
        s = b.define(f"s_{name}", [], relu(c(n, j)) * V(j) / N, "sum", [n, j])
        total += s()
    b.define("L", [], total)
    return b.system("L")


def labelled() -> System:
    """A regression by the row that a label names, of the excess over 2, divided by N, two by position."""
    b = SystemBuilder()
    x, W = b.leaf("x", N, D), b.leaf("W", K, D, role=Role.PARAMETER)
    y = b.leaf("y", N, integer=True, facts=[Fact("below", bound=K)])
    z = b.define("z", [n, k], x(n, i) * W(k, i), "sum", [i])
    b.define("L", [], (relu(z(n, y(n)) - 2) ** 2 + z(n, 0) * z(n, 5)) / N, "sum", [n], ranges={n: N})
    return b.system("L", bound={"K": 6})


def recurrence() -> System:
    b = SystemBuilder()
    x, U = b.leaf("x", T, D), b.leaf("U", D, D, role=Role.PARAMETER)
    h = b.declare("h", T, D)
    r = b.define("r", [t, j], h(t - 1, i, outside=sympy.Integer(0)) * U(i, j), "sum", [i], ranges={t: T})
    b.define("h", [t, j], sympy.tanh(x(t, j) + r(t, j)))
    b.define("L", [], h(t, j) ** 2, "sum", [t, j])
    return b.system("L")


SYSTEMS: dict[str, Callable[[], System]] = {
    "siamese": siamese,
    "labelled": labelled,
    "recurrence": recurrence,
}
Change = Callable[[Expr], Expr]


def other_mask(e: Expr) -> Expr:
    return e.xreplace({g: Guard("<", 0, Access("a_q", *g.rhs.subscripts)) for g in e.atoms(Guard)})


FAULTS: dict[str, tuple[str, Change]] = {
    "the mask of the other branch": ("siamese", other_mask),
    "a lost 2/N": ("labelled", lambda e: e * N / 2),
    "1/N for 1/D": ("siamese", lambda e: e * N / D),
    "a factor N/(N - 1)": ("labelled", lambda e: e * N / (N - 1)),
    "a weak mask for a strict one": (
        "siamese",
        lambda e: e.xreplace({g: Guard("<=", g.lhs, g.rhs) for g in e.atoms(Guard)}),
    ),
    "no mask": ("siamese", lambda e: e.xreplace(dict.fromkeys(e.atoms(Guard), sympy.Integer(1)))),
    "the last label left out": ("labelled", lambda e: e * Guard("!=", k, 5)),
    "a threshold of 3": ("labelled", lambda e: e.subs(2, 3) if e.has(Guard) else e * 2),
    "nothing": ("siamese", lambda e: 0 * e),
    "one part in a billion, at two sizes only": ("siamese", lambda e: e * (1 + (N - 2) * (N - 3) / 10**9)),
    "the wrong way round": ("siamese", lambda e: -e),
    "a squared saved value": (
        "recurrence",
        lambda e: e.xreplace({a: a**2 for a in e.atoms(Access) if a.name == "h"}),
    ),
    "no square": ("recurrence", lambda e: e.replace(lambda p: p.is_Pow and p.exp == 2, lambda p: p.base)),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_wherever_it_stands(fault: str) -> None:
    name, change = FAULTS[fault]
    swept = _swept(SYSTEMS[name](), None)
    closed = close(swept.joint, list(swept.wanted.values())).system
    pairs = {gradient: gradient for gradient in swept.wanted.values()}
    assert difference(swept.joint, closed, pairs) is None
    planted = 0
    needed = closed.resting(pairs)
    for place, equation in enumerate(closed.equations):
        if not equation.target.startswith("d") or equation.target not in needed:
            continue
        wrong = equation.with_(body=change(equation.body))
        if wrong.body == equation.body:
            continue
        equations = (*closed.equations[:place], wrong, *closed.equations[place + 1 :])
        planted += 1
        assert difference(swept.joint, closed.with_(equations=equations), pairs) is not None, str(wrong)
    assert planted


def right(system: System, derivation: Any) -> None:
    """The derived gradients against the raw sweep at a real point."""
    swept = _swept(system, None)
    extents, values = sample_point(system, 5)
    ours = run(derivation.system, values, extents)
    theirs = run(swept.joint, values, extents)
    for key, gradient in swept.wanted.items():
        np.testing.assert_allclose(ours[derivation.gradients[key]], theirs[gradient], rtol=1e-10, atol=1e-13)


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("error", [RecursionError, ZeroDivisionError, ValueError])
def test_algebra_that_stumbles_is_taken_back(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Rewriter.rewritten

    def stumbling(self: Rewriter, equation: Equation, *arguments: Any, **options: Any) -> Rewritten:
        if equation.target == "dW_1":
            raise error("somewhere inside")
        return whole(self, equation, *arguments, **options)

    monkeypatch.setattr(Rewriter, "rewritten", stumbling)
    with pytest.warns(DoubtfulRewrite):
        derivation = derive(siamese())
    assert any("dW_1" in warning for warning in derivation.warnings)
    right(siamese(), derivation)


@pytest.mark.slow
def test_a_rewrite_of_another_value_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Rewriter.rewritten

    def wrong(self: Rewriter, equation: Equation, *arguments: Any, **options: Any) -> Rewritten:
        found = whole(self, equation, *arguments, **options)
        if equation.target.startswith("da"):
            return replace(found, equation=found.equation.with_(body=2 * found.equation.body))
        return found

    monkeypatch.setattr(Rewriter, "rewritten", wrong)
    with pytest.warns(DoubtfulRewrite):
        derivation = derive(siamese())
    assert any("da_p" in warning for warning in derivation.warnings)
    right(siamese(), derivation)


@pytest.mark.slow
def test_forms_that_the_last_word_rejects_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the derivation: it is the raw sweep then."""
    asked: list[System] = []

    def reject(_: System, closed: System, *__: Any, **options: Any) -> Difference | None:
        if options.get("free", True):
            asked.append(closed)
            return Difference(("dV",))
        return None

    monkeypatch.setattr(confirm, "difference", reject)
    with pytest.warns(DoubtfulRewrite, match="dV"):
        derivation = derive(siamese())
    assert len(asked) == confirm.ATTEMPTS
    right(siamese(), derivation)


@pytest.mark.slow
def test_a_point_that_refutes_a_form_joins_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that believes two masks to be one is told by the point at which they differ."""
    searched: list[int] = []
    whole = confirm.close

    def first_wrong(joint: System, *arguments: Any, **options: Any) -> Any:
        searched.append(len(options.get("beside", ())))
        found = whole(joint, *arguments, **options)
        if len(searched) > 1:
            return found
        equations = tuple(
            e.with_(body=other_mask(e.body)) if e.target.startswith("d") else e
            for e in found.system.equations
        )
        return replace(found, system=found.system.with_(equations=equations))

    monkeypatch.setattr(confirm, "close", first_wrong)
    derivation = derive(siamese())
    assert searched == [0, 1]
    assert not derivation.warnings
    right(siamese(), derivation)


def test_size_factors_are_seen_whatever_small_sizes_are() -> None:
    """(N − 2)(N − 3)(N − 4)(N − 5)(N − 6)(N − 7) is 0 at every size that a search may take."""
    swept = _swept(siamese(), None)
    closed = close(swept.joint, list(swept.wanted.values())).system
    zero_when_small = sympy.Mul(*[(Size("N") - small) for small in range(2, 8)])
    equations = tuple(
        e.with_(body=e.body * (1 + zero_when_small)) if e.target == "dV" else e for e in closed.equations
    )
    found = difference(swept.joint, closed.with_(equations=equations), {"dV": "dV"})
    assert found is not None
    assert found.names == ("dV",)


@pytest.mark.filterwarnings("default::symbp.errors.DoubtfulRewrite")
@pytest.mark.parametrize("exponent", [60, 999, 1000])
def test_what_is_tiny_at_all_points_is_not_0(exponent: int) -> None:
    """At points of 0.45 at most, w^999 is 1e-346: 0 in float64, and beside 1 in 50 digits."""
    b = SystemBuilder()
    w = b.leaf("w", D, role=Role.PARAMETER)
    b.define("loss", [], w(i) ** exponent, "sum", [i], role=Role.LOSS)
    derivation = derive(b.system(loss="loss"))
    found = run(derivation.system, {"w": np.array([1.0, -1.0])}, {"D": 2})[derivation.gradients["w"]]
    np.testing.assert_allclose(found, [exponent, -exponent if exponent % 2 == 0 else exponent])


@pytest.mark.slow
def test_saturated_units_are_compared_in_many_digits() -> None:
    """log(1 − σ(25)) keeps 5 of its digits in float64: its safe form is no other value."""
    b = SystemBuilder()
    x, y = b.leaf("x", N, D), b.leaf("y", N, H)
    w = b.leaf("w", D, H, role=Role.PARAMETER)
    z = b.define("z", [n, j], x(n, i) * w(i, j), "sum", [i])
    p = b.define("p", [n, j], 1 / (1 + sympy.exp(-z(n, j))))
    body = -y(n, j) * sympy.log(p(n, j)) - (1 - y(n, j)) * sympy.log(1 - p(n, j))
    b.define("loss", [], body, "sum", [n, j], role=Role.LOSS)
    system = b.system(loss="loss")
    safe, *_ = stabilise(system)
    assert all(difference(system, safe, {"loss": "loss"}, seed=k, free=False) is None for k in range(30))


def test_saturated_units_are_compared_in_many_digits_beside_free_conditions() -> None:
    """σ′(z)/(1 − σ(z)) is σ(z), but for rounding in float64 where z is 33; a wrong form is still seen."""
    b = SystemBuilder()
    x, w = b.leaf("x", N), b.leaf("w", N)
    z = b.define("z", [n], 33 / (1 + x(n) ** 2))
    h = b.define("h", [n], 1 / (1 + sympy.exp(-z(n))))
    slope = sympy.exp(-z(n)) * h(n) ** 2
    b.define("d", [n], where(Guard("<", 0, w(n)), slope / (1 - h(n))))
    raw = b.system()
    short = {"d": where(Guard("<", 0, w(n)), h(n)), "e": where(Guard("<", w(n), 0), h(n))}
    right, wrong = (
        raw.with_(equations=tuple(e.with_(body=body) if e.target == "d" else e for e in raw.equations))
        for body in short.values()
    )
    assert difference(raw, right, {"d": "d"}) is None
    assert difference(raw, wrong, {"d": "d"}) is not None


@pytest.mark.slow
def test_a_branch_that_only_unclipped_values_reach_is_seen() -> None:
    """The maximum of a row of clipped values is a bound nearly always, and its derivative 0."""
    b = SystemBuilder()
    V, W, w = (b.leaf(*leaf, role=Role.PARAMETER) for leaf in (("V", D, D), ("W", D, H), ("w", H)))
    scores = []
    for name in "pq":
        x = b.leaf(name, N, T, D)
        h = b.define(f"h_{name}", [n, t, j], x(n, t, i) * V(i, j), "sum", [i])
        z = b.define(f"z_{name}", [n, t, j], clipped(h(n, t, i), 0, 6) * W(i, j), "sum", [i])
        c = b.define(f"c_{name}", [n, t, j], clipped(z(n, t, j), -1, 1))
        m = b.define(f"m_{name}", [n, j], c(n, t, j), "max", [t])
        scores.append(b.define(f"s_{name}", [n], m(n, j) * w(j), "sum", [j])(n))
    margin = sympy.Rational(1, 10) - scores[0] + scores[1]
    b.define("loss", [], relu(margin), "sum", [n], role=Role.LOSS)
    system = b.system(loss="loss")
    raw = _swept(system, None).joint
    cut = tuple(e.with_(body=sympy.Integer(0)) if e.target == "dh_p" else e for e in raw.equations)
    for seed in (11, 81, 1011):
        found = difference(raw, raw.with_(equations=cut), {"dV": "dV"}, seed=seed)
        assert found is not None
    right(system, derive(system))


def clipped(e: Expr, low: int, high: int) -> Expr:
    inside = Guard("<", e, high) * Guard("<", low, e)
    return inside * e + high * Guard("<=", high, e) + low * Guard("<=", e, low)
