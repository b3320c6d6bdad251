"""The reverse sweep on index traps, against dual numbers through the scalar expansion."""

from __future__ import annotations

import pytest
import sympy

from symbp.derive import Derivation, adjoints, derive
from symbp.errors import DerivationError
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.system import Fact, Role, System
from symbp.ir.validate import validate
from symbp.verify.exact import exact_rows

N, D, K = sizes("N D K")
n, i, j, k = indices("n i j k")
P = Role.PARAMETER


def raw(system: System) -> Derivation:
    """The sweep alone, without closed forms."""
    assert system.loss is not None
    sweep = adjoints(system, system.loss, [t.name for t in system.parameters])
    validate(sweep.system)
    return Derivation("raw", system, sweep.system, sweep.gradients)


def traps() -> dict[str, System]:
    return {**_many_reads(), **_computed_subscripts(), **_reductions_and_conditions()}


def _many_reads() -> dict[str, System]:
    found: dict[str, System] = {}

    b = SystemBuilder()  # a summed index reused outside
    x, w = b.leaf("x", N), b.leaf("w", N, role=P)
    s = b.define("s", [], w(i) * x(i), "sum", [i])
    b.define("L", [], w(i) * s() ** 2, "sum", [i])
    found["a summed index reused outside"] = b.system("L")

    b = SystemBuilder()  # the same tensor twice, with different indices
    a = b.leaf("A", N, N, role=P)
    b.define("L", [], a(i, j) * a(j, i) * a(i, i), "sum", [i, j])
    found["one tensor, three reads"] = b.system("L")

    b = SystemBuilder()
    a, x = b.leaf("A", N, N, role=P), b.leaf("x", N, role=P)
    b.define("L", [], a(i, i) * x(i), "sum", [i])
    found["the diagonal"] = b.system("L")

    b = SystemBuilder()
    x = b.leaf("x", N, K, role=P)
    y = b.leaf("y", N, integer=True, facts=[Fact("below", bound=K)])
    g = b.leaf("g", N, N)
    t = b.define("t", [n, i], x(n, y(n)) * x(i, y(n)))
    b.define("L", [], g(n, i) * t(n, i), "sum", [n, i])
    found["gathers by labels, repeated"] = b.system("L")
    return found


def _computed_subscripts() -> dict[str, System]:
    found: dict[str, System] = {}

    b = SystemBuilder()
    x = b.leaf("x", N, D * K, role=P)
    g = b.leaf("g", N, D, K)
    h = b.define("h", [n, i, k], x(n, i * K + k) ** 2, ranges={n: N, i: D, k: K})
    b.define("L", [], g(n, i, k) * h(n, i, k), "sum", [n, i, k])
    found["split of an axis"] = b.system("L")

    b = SystemBuilder()
    x, q = b.leaf("x", N, role=P), b.leaf("q", 3, role=P)
    u = b.define("u", [k], x(FloorDiv(k, 3)) * q(Mod(k, 3)), ranges={k: 3 * N})
    b.define("L", [], u(k) ** 2, "sum", [k])
    found["quotient and remainder"] = b.system("L")

    b = SystemBuilder()
    x, w = b.leaf("x", N, role=P), b.leaf("w", 3, role=P)
    y_ = b.define("y", [i], x.__self__.at(2 * i + k - 1, outside=0) * w(k), "sum", [k], ranges={i: N, k: 3})
    b.define("L", [], y_(i) ** 2, "sum", [i])
    found["stride and padding"] = b.system("L")
    return found


def _reductions_and_conditions() -> dict[str, System]:
    found: dict[str, System] = {}

    b = SystemBuilder()
    x = b.leaf("x", N, K, role=P)
    m = b.define("m", [n], x(n, k) ** 2, "prod", [k])
    b.define("L", [], m(n), "sum", [n])
    found["product"] = b.system("L")

    b = SystemBuilder()
    x = b.leaf("x", N, K, role=P)
    m = b.define("m", [n], x(n, k) * (k + 1), "max", [k], where=[Guard("<=", k, n)])
    b.define("L", [], m(n) ** 2, "sum", [n])
    found["maximum where a condition holds"] = b.system("L")

    b = SystemBuilder()
    x = b.leaf("x", N, K, role=P)
    h = b.define("h", [n, k], where(Guard("<", 0, x(n, k)), x(n, k), x(n, k) / 7))
    b.define("L", [], h(n, k) ** 2, "sum", [n, k])
    found["guards"] = b.system("L")
    return found


TRAPS = traps()


@pytest.mark.few(fast=12)
@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("closed", [False, True], ids=["raw", "closed"])
def test_traps_are_exact(name: str, closed: bool) -> None:
    system = TRAPS[name]
    validate(system)
    derivation = derive(system) if closed else raw(system)
    rows = exact_rows(derivation, seed=3)
    assert rows
    assert all(row.method == "exact (rationals)" for row in rows)
    assert all(row.max_abs_error == 0 for row in rows), rows


def test_the_sum_of_a_softmax_has_gradient_exactly_zero() -> None:
    b = SystemBuilder()
    z = b.leaf("z", N, K, role=P)
    e = b.define("e", [n, k], sympy.exp(z(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n))
    b.define("L", [], p(n, k), "sum", [n, k])
    assert str(derive(b.system("L"))["z"]) == "(6) dz[n,k] = 0"


def test_unused_parameter_is_named_and_zero() -> None:
    b = SystemBuilder()
    w = b.leaf("w", N, role=P)
    b.leaf("idle", K, role=P)
    b.define("L", [], w(i) ** 2, "sum", [i])
    derivation = derive(b.system("L"))
    assert derivation.warnings == ("the loss does not depend on idle: its gradient is zero",)
    assert str(derivation["idle"].equation) == "didle[i] = 0"


def test_sweeps_compose() -> None:
    """∂/∂x of Σ v·∂L/∂x is the Hessian times v; here L = Σ x³, so it is 6xv."""
    b = SystemBuilder()
    x, v = b.leaf("x", N, role=P), b.leaf("v", N)
    b.define("L", [], x(i) ** 3, "sum", [i])
    first = adjoints(b.system("L"), "L", ["x"])
    from symbp.ir.system import Equation, Reduction, Tensor

    dot = Equation("Lv", (), first.system.at("dx", i) * v(i), Reduction("sum", (i,)), (), (N,))
    joint = first.system.extended([Tensor("Lv", (), Role.LOSS)], [dot]).with_(loss="Lv")
    second = adjoints(joint, "Lv", ["x"])
    assert second.gradients["x"] == "dx_2"
    assert str(second.system.defining["dx_2"]) == "dx_2[i] = 6·ddx[i]·x[i]"


def test_a_loss_with_axes_is_refused() -> None:
    b = SystemBuilder()
    x = b.leaf("x", N, role=P)
    b.define("y", [i], x(i) ** 2)
    with pytest.raises(DerivationError, match="y is not a scalar"):
        adjoints(b.system("y"), "y", ["x"])


def test_an_unknown_gradient_names_the_known_ones() -> None:
    b = SystemBuilder()
    w = b.leaf("w", N, role=P)
    b.define("L", [], w(i) ** 2, "sum", [i])
    with pytest.raises(DerivationError) as caught:
        derive(b.system("L"))["v"]
    assert "choose one of: w" in str(caught.value)


def test_indices_that_clash_get_different_new_names() -> None:
    b = SystemBuilder()
    first, second = indices("i i2")
    x, w = b.leaf("x", N, D, role=P), b.leaf("w", D, N, role=P)
    y_ = b.define("y", [first, second], x(first, second) * w(second, first))
    b.define(
        "L", [], y_(second, first) * x(second, first), "sum", [second, first], ranges={second: N, first: D}
    )
    rows = exact_rows(raw(b.system("L")), seed=1)
    assert all(row.max_abs_error == 0 for row in rows), rows
