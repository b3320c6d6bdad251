"""Checks of Hessians, products with them and Jacobians: every result, by every method."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import ModuleType

import numpy as np
import pytest
import sympy

import symbp as bp
from symbp.verify import DEFAULT

N, D, H, K = bp.dims("N D H K")


def classifier() -> bp.Network:
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, V = bp.param("W", (D, H)), bp.param("V", (H, K))
    p = bp.softmax(bp.tanh(x @ W) @ V)
    return bp.Network("classifier", loss=bp.cross_entropy(p, y), outputs={"p": p})


def rational() -> bp.Network:
    """All of it rational, with a maximum's branch: exact arithmetic throughout."""
    x, y = bp.input("x", (N, D)), bp.target("y", (N,))
    w, c = bp.param("w", (D,)), bp.param("c", ())
    z = x @ w + c
    return bp.Network("rational", loss=(bp.relu(z) * z - y * z).sum() / (1 + c * c), outputs={"z": z})


NETS = {"classifier": classifier, "rational": rational}
KINDS = {
    "Hessian": lambda net: bp.hessian(net),
    "products": lambda net: bp.hvp(net),
    "products by one": lambda net: bp.hvp(net, wrt=[net.system.parameters[0].name]),
    "Jacobian": lambda net: bp.jacobian(net, net.system.outputs[0]),
    "Jacobian by data": lambda net: bp.jacobian(net, net.system.outputs[0], wrt=["x"]),
    "gradient by data": lambda net: bp.derive(net, wrt=["x"]),
}


@cache
def derived(name: str, kind: str) -> tuple[bp.Network, bp.Derivation]:
    net = NETS[name]()
    return net, KINDS[kind](net)


SLOW = {("classifier", "Hessian"), ("rational", "Hessian"), ("rational", "products")}
CASES = [
    pytest.param(name, kind, id=f"{name}-{kind}", marks=[pytest.mark.slow] * ((name, kind) in SLOW))
    for name in NETS
    for kind in KINDS
]


@pytest.mark.few(fast=2, slow=4)
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_result_by_every_method(name: str, kind: str) -> None:
    net, derivation = derived(name, kind)
    report = bp.check(net, derivation=derivation)
    assert report.ok, str(report)
    for key in derivation.gradients:
        methods = [row.method.split(" (")[0] for row in report.rows if row.parameter == key]
        assert methods == list(DEFAULT)
    if name == "rational":
        exact = [row for row in report.rows if row.method.startswith("exact")]
        assert {row.method for row in exact} == {"exact (rationals)"}
        assert max(row.max_abs_error for row in exact) == 0


@pytest.mark.few(fast=0, slow=1)
@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[pytest.mark.slow] * (k == "Hessian")) for k in KINDS]
)
def test_a_wrong_term_is_found_by_every_method(kind: str) -> None:
    net, right = derived("classifier", kind)
    key = list(right.gradients)[-1]

    def spoilt(equation):  # type: ignore[no-untyped-def]
        if equation.target != right.gradients[key]:
            return equation
        return equation.with_(body=equation.body * (1 + sympy.Rational(1, 1000)))

    wrong = replace(right, system=right.system.with_(equations=tuple(map(spoilt, right.system.equations))))
    report = bp.check(net, derivation=wrong)
    assert {(row.parameter, row.ok) for row in report.rows if row.parameter == key} == {(key, False)}
    assert all(row.ok for row in report.rows if row.parameter != key)


@pytest.mark.slow
def test_the_report_says_what_was_checked() -> None:
    for kind, words in (
        ("gradient by data", "gradients"),
        ("Hessian", "gradients and Hessians"),
        ("products", "Hessian-vector products"),
        ("Jacobian", "derivatives of p"),
    ):
        net, derivation = derived("classifier", kind)
        report = bp.check(net, derivation=derivation, methods=["complex step"])
        assert f"symbolic {words} against" in str(report)


def verdicts(net: bp.Network, derivation: bp.Derivation, module: ModuleType) -> dict[str, bool]:
    report = bp.check(net, derivation=derivation, methods=["complex step"], module=module)
    return {row.parameter: row.ok for row in report.rows if row.method == "generated module"}


@pytest.mark.few(slow=3)
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_modules_of_derivatives(kind: str) -> None:
    net, derivation = derived("classifier", kind)
    module = bp.compile(derivation)
    assert verdicts(net, derivation, module) == dict.fromkeys(derivation.gradients, True)


@pytest.mark.slow
def test_a_wrong_module_of_derivatives_is_found_out() -> None:
    net = classifier()
    derivation = bp.hessian(net, wrt=["V"])
    module = bp.compile(derivation)
    right = module.derivatives
    module.derivatives = lambda params, **data: {
        key: np.asarray(array) * (1 + 1e-6) for key, array in right(params, **data).items()
    }
    try:
        assert verdicts(net, derivation, module) == {"V": False, "V,V": False}
    finally:
        module.derivatives = right
