"""Systems and derivations written by hand, for the tests of lowering and emitting."""

from __future__ import annotations

from types import ModuleType

import sympy
from modules_by_name import generate_source

from symbp.derive.derivation import Derivation
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Guard
from symbp.ir.system import Fact, Role, System
from symbp.ir.training import Initial, UpdateRule
from symbp.targets.loading import load


def mlp_system(bound: dict[str, int] | None = None) -> System:
    """A two-layer classifier with cross-entropy, forward, backward and metrics."""
    N, D, H, K = sizes("N D H K")
    n, i, j, k = indices("n i j k")
    b = SystemBuilder()
    x = b.leaf("x", N, D)
    y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
    W1, b1 = b.leaf("W1", D, H, role=Role.PARAMETER), b.leaf("b1", H, role=Role.PARAMETER)
    W2, b2 = b.leaf("W2", H, K, role=Role.PARAMETER), b.leaf("b2", K, role=Role.PARAMETER)
    z1 = b.define("z1", [n, j], x(n, i) * W1(i, j), "sum", [i])
    h = b.define("h", [n, j], sympy.tanh(z1(n, j) + b1(j)))
    z2 = b.define("z2", [n, k], h(n, j) * W2(j, k), "sum", [j])
    a = b.define("a", [n, k], z2(n, k) + b2(k))
    m = b.define("m", [n], a(n, k), "max", [k], constant=True)
    e = b.define("e", [n, k], sympy.exp(a(n, k) - m(n)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n), role=Role.OUTPUT)
    b.define("L", [], (m(n) + sympy.log(s(n)) - a(n, y(n))) / N, "sum", [n], role=Role.LOSS)
    da = b.define("da", [n, k], (p(n, k) - Guard("=", k, y(n))) / N, role=Role.ADJOINT)
    b.define("dW2", [j, k], h(n, j) * da(n, k), "sum", [n], role=Role.GRADIENT)
    b.define("db2", [k], da(n, k), "sum", [n], role=Role.GRADIENT)
    dh = b.define("dh", [n, j], W2(j, k) * da(n, k), "sum", [k], role=Role.ADJOINT)
    dz1 = b.define("dz1", [n, j], (1 - h(n, j) ** 2) * dh(n, j), role=Role.ADJOINT)
    b.define("dW1", [i, j], x(n, i) * dz1(n, j), "sum", [n], role=Role.GRADIENT)
    b.define("db1", [j], dz1(n, j), "sum", [n], role=Role.GRADIENT)
    yhat = b.define("yhat", [n], p(n, k), "argmax", [k])
    b.define("accuracy", [], Guard("=", yhat(n), y(n)) / N, "sum", [n], role=Role.METRIC)
    return b.system(loss="L", outputs=["p"], metrics=["accuracy"], bound=bound or {})


GRADIENTS = {"W1": "dW1", "b1": "db1", "W2": "dW2", "b2": "db2"}
SIZES = {"D": 5, "H": 4, "K": 3}


def mlp() -> Derivation:
    system = mlp_system()
    return Derivation("mlp", system, system, GRADIENTS)


def mlp_initial() -> dict[str, Initial]:
    D, H, K = sizes("D H K")
    return {
        "W1": Initial("uniform", sympy.sqrt(6 / (D + H))),
        "b1": Initial("constant"),
        "W2": Initial("normal", sympy.sqrt(2 / (H + K))),
        "b2": Initial("constant"),
    }


def adam() -> UpdateRule:
    (i,) = indices("i")
    (P,) = sizes("P")
    b = SystemBuilder()
    theta = b.leaf("theta", P, role=Role.PARAMETER)
    g = b.leaf("gradient", P)
    m, v = b.leaf("m", P, role=Role.BUFFER), b.leaf("v", P, role=Role.BUFFER)
    step = b.leaf("step", role=Role.HYPER)
    lr, beta1, beta2, eps = (b.leaf(name, role=Role.HYPER) for name in ("lr", "beta1", "beta2", "eps"))
    m2 = b.define("m_next", [i], beta1() * m(i) + (1 - beta1()) * g(i), role=Role.NEXT)
    v2 = b.define("v_next", [i], beta2() * v(i) + (1 - beta2()) * g(i) ** 2, role=Role.NEXT)
    c1 = b.define("c1", [], 1 - beta1() ** step())
    c2 = b.define("c2", [], 1 - beta2() ** step())
    b.define(
        "theta_next", [i], theta(i) - lr() * m2(i) / c1() / (sympy.sqrt(v2(i) / c2()) + eps()), role=Role.NEXT
    )
    system = b.system(updates={"theta": "theta_next", "m": "m_next", "v": "v_next"})
    hyper = {"lr": 1e-2, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    return UpdateRule("Adam", system, hyper, "Kingma and Ba 2015")


def sgd(lr: float = 0.1) -> UpdateRule:
    (i,) = indices("i")
    (P,) = sizes("P")
    b = SystemBuilder()
    theta = b.leaf("theta", P, role=Role.PARAMETER)
    g, rate = b.leaf("gradient", P), b.leaf("lr", role=Role.HYPER)
    b.define("theta_next", [i], theta(i) - rate() * g(i), role=Role.NEXT)
    return UpdateRule("SGD", b.system(updates={"theta": "theta_next"}), {"lr": lr}, "Robbins and Monro 1951")


def mlp_module(target: str, dtype: str = "float64") -> ModuleType:
    """The two-layer classifier with Adam, loaded from its text."""
    text = generate_source(
        mlp(), target=target, dtype=dtype, update=adam(), initial=mlp_initial(), sizes=SIZES
    )
    return load(text, f"mlp_{target}")
