"""Rows that are wholly excluded: a logsumexp of −∞, probabilities of 0, derivatives of 0, never NaN."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy

from symbp.derive import derive, hvp
from symbp.derive.stabilise.exclusion import Exclusion
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.evaluation.domains import COMPLEX, FLOAT, HIGH, Domain
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.expr import Guard
from symbp.ir.system import Fact, Role, System

N, K = sizes("N K")
derived = cache(derive)
n, k, i, j = indices("n k i j")
exp, log = sympy.exp, sympy.log
EXTENTS = {"N": 3, "K": 4}
MASK = np.array([[0.0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 1]])
Parts = tuple[SystemBuilder, Any, Any]


def leaves() -> Parts:
    b = SystemBuilder()
    return b, b.leaf("z", N, K, role=Role.PARAMETER), b.leaf("M", N, K, facts=[Fact("binary")])


def finished(b: SystemBuilder, out: str, *at: Any) -> System:
    g = b.leaf("g", *b._tensors[out].shape)
    b.define("L", [], g(*at) * b._tensors[out].at(*at), "sum", at)
    return b.system("L", [out])


def softmax(seen: Callable[[Any], Any], *, outside: bool = False) -> System:
    """p = e/s, the mask in e, or beside it wherever it is read."""
    b, z, mask = leaves()
    inner, outer = (1, seen(mask(n, k))) if outside else (seen(mask(n, k)), 1)
    e = b.define("e", [n, k], inner * exp(z(n, k)))
    s = b.define("s", [n], outer * e(n, k), "sum", [k])
    b.define("p", [n, k], outer * e(n, k) / s(n))
    return finished(b, "p", n, k)


def additive_softmax() -> System:
    b, z, mask = leaves()
    u = b.define("u", [n, k], where(Guard("=", mask(n, k), 1), z(n, k), -sympy.oo))
    e = b.define("e", [n, k], exp(u(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    b.define("p", [n, k], e(n, k) / s(n))
    return finished(b, "p", n, k)


def logsumexp(kind: str) -> System:
    b, z, mask = leaves()
    holds = Guard("=", mask(n, k), 1)
    if kind == "additive":
        body = exp(b.define("u", [n, k], where(holds, z(n, k), -sympy.oo))(n, k))
    else:
        body = (mask(n, k) if kind == "mask" else holds) * exp(z(n, k))
    s = b.define("s", [n], body, "sum", [k])
    b.define("lse", [n], log(s(n)))
    return finished(b, "lse", n)


PROBABILITIES = {
    "mask": softmax(lambda m: m),
    "bracket": softmax(lambda m: Guard("=", m, 1)),
    "selection": softmax(lambda m: Guard("=", m, 1) * Guard("<=", 1, k) + Guard("=", k, 0) * m),
    "mask outside": softmax(lambda m: m, outside=True),
    "bracket outside": softmax(lambda m: Guard("=", m, 1), outside=True),
    "additive": additive_softmax(),
}
LOGARITHMS = {kind: logsumexp(kind) for kind in ("mask", "bracket", "additive")}


def values(out: str, scale: float) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    z = scale * rng.uniform(-1, 1, (3, 4))
    z[MASK == 0] += 3 * scale  # what is excluded is the largest
    return {"z": z, "M": MASK, "g": rng.uniform(0.5, 1, (3, 4) if out == "p" else 3)}


def expected_probabilities(z: Any) -> Any:
    lowered = np.where(MASK == 1, z - np.max(z, axis=1, where=MASK == 1, initial=-np.inf)[:, None], -np.inf)
    e = np.exp(lowered)
    return e / np.maximum(e.sum(1), 1e-300)[:, None]


def computed(
    system: System, given: dict[str, Any], domain: Domain | None, names: list[str]
) -> dict[str, Any]:
    if domain is None:
        return run(system, given, EXTENTS, names)
    found = evaluate(system, given, EXTENTS, domain, names)
    return {name: np.real(np.asarray(value, dtype=complex)) for name, value in found.items()}


@pytest.mark.few(fast=3, slow=12)
@pytest.mark.parametrize("domain", [None, FLOAT, COMPLEX, HIGH], ids=lambda d: d.name if d else "arrays")
@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("name", PROBABILITIES)
def test_probabilities_and_gradients_are_0(name: str, scale: float, domain: Domain | None) -> None:
    system, given = derived(PROBABILITIES[name]).system, values("p", scale)
    found = computed(system, given, domain, ["p", "dz"])
    p, g = expected_probabilities(given["z"]), given["g"]
    np.testing.assert_allclose(found["p"], p, rtol=1e-12)
    np.testing.assert_allclose(found["dz"], p * (g - (p * g).sum(1, keepdims=True)), rtol=1e-9, atol=1e-14)
    assert not found["dz"][MASK == 0].any()


@pytest.mark.few(fast=5)
@pytest.mark.parametrize("domain", [None, FLOAT, HIGH], ids=lambda d: d.name if d else "arrays")
@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("name", LOGARITHMS)
def test_a_logsumexp_of_nothing_is_lowest(name: str, scale: float, domain: Domain | None) -> None:
    system, given = derived(LOGARITHMS[name]).system, values("lse", scale)
    found = computed(system, given, domain, ["lse", "dz"])
    assert found["lse"][0] == -np.inf
    assert np.isfinite(found["lse"][1:]).all()
    expected = expected_probabilities(given["z"]) * given["g"][:, None]
    np.testing.assert_allclose(found["dz"], expected, rtol=1e-12)


SYSTEMS = {**PROBABILITIES, **{f"logsumexp, {name}": system for name, system in LOGARITHMS.items()}}
QUICK = ("mask", "logsumexp, mask")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in SYSTEMS]
)
def test_second_derivatives_exist(name: str) -> None:
    system = SYSTEMS[name]
    out = system.outputs[0]
    given = values(out, 1.0)
    first = derive(system, order=2)
    hessian = first.gradients["z,z"]
    p, g = expected_probabilities(given["z"]), given["g"]
    found = run(first.system, given, EXTENTS, [hessian])[hessian]
    if out == "lse":
        row = np.einsum("nk,kj->nkj", p, np.eye(4)) - np.einsum("nk,nj->nkj", p, p)
        expected = np.einsum("n,nkj->nkj", g, row)
    else:
        centred = g - (p * g).sum(1, keepdims=True)
        expected = np.einsum("nk,kj->nkj", p * centred, np.eye(4))
        expected -= np.einsum("nk,nj->nkj", p * centred, p) + np.einsum("nk,nj->nkj", p, p * centred)
    blocks = found[np.arange(3), :, np.arange(3), :] if found.ndim == 4 else found
    np.testing.assert_allclose(blocks, expected, rtol=1e-9, atol=1e-13)
    product = hvp(system)
    along = {**given, "v_z": np.random.default_rng(1).normal(size=(3, 4))}
    vector = run(product.system, along, EXTENTS, [product.gradients["z"]])[product.gradients["z"]]
    np.testing.assert_allclose(vector, np.einsum("nkj,nj->nk", expected, along["v_z"]), rtol=1e-9, atol=1e-13)


@pytest.mark.slow
def test_the_forms_are_those_without_a_mask() -> None:
    """The whole difference lies in the forward equations: what is excluded, and what counts as 1."""
    for name in ("mask", "mask outside", "bracket outside", "additive"):
        system = derived(PROBABILITIES[name]).system
        backward = [str(e) for e in system.equations if e.target.startswith("d")]
        assert backward == ["ds_s1[n] = Σ_k g[n,k]·p[n,k]", "dz[n,k] = (g[n,k] - ds_s1[n])·p[n,k]"]


@pytest.mark.parametrize(
    ("bracket", "may_be_empty"),
    [
        (Guard("<=", j, i), False),  # causal: j = 0, or j = i
        (Guard("<=", i, j), False),
        (Guard("<", j, i), True),
        (Guard("=", i, j), False),
        (Guard("<=", i - 2, j) * Guard("<=", j, i), False),  # a band
        (Guard("<", i + 1, j), True),
    ],
)
def test_rows_that_keep_an_element_stay_as_they_are(bracket: Any, may_be_empty: bool) -> None:
    b = SystemBuilder()
    z = b.leaf("z", N, N, role=Role.PARAMETER)
    e = b.define("e", [i, j], bracket * exp(z(i, j)))
    s = b.define("s", [i], e(i, j), "sum", [j])
    b.define("p", [i, j], e(i, j) / s(i))
    system = finished(b, "p", i, j)
    assert (Exclusion(system).empty_names == {"s"}) is may_be_empty
    rules = [step.rule for step in stabilise(system)[1]]
    expected = ["shift of a sum of exponentials", *(["empty sum counts as 1"] if may_be_empty else [])]
    assert rules == expected


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_log_probabilities_of_what_is_excluded(scale: float) -> None:
    """u − logsumexp u: −∞ where u is, in rows that are −∞ throughout, too."""
    b, z, mask = leaves()
    holds = Guard("=", mask(n, k), 1)
    u = b.define("u", [n, k], where(holds, z(n, k), -sympy.oo))
    s = b.define("s", [n], exp(u(n, k)), "sum", [k])
    lse = b.define("lse", [n], log(s(n)))
    lp = b.define("lp", [n, k], u(n, k) - lse(n))
    g = b.leaf("g", N, K)
    b.define("L", [], holds * g(n, k) * lp(n, k), "sum", [n, k])
    derivation = derive(b.system("L", ["lp"]))
    assert "difference at -∞" in [step.rule for step in derivation.steps]
    given = values("p", scale)
    found = run(derivation.system, given, EXTENTS, ["lp", "dz"])
    assert (found["lp"][MASK == 0] == -np.inf).all()
    assert np.isfinite(found["lp"][MASK == 1]).all()
    weights = given["g"] * MASK
    expected = weights - expected_probabilities(given["z"]) * weights.sum(1, keepdims=True)
    np.testing.assert_allclose(found["dz"], expected, rtol=1e-9, atol=1e-14)
