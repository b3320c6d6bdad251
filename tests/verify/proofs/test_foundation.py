"""What steps rest on: no more than they need, and what they say is a part of it."""

from functools import cache

import pytest
import sympy
from derived_once import of_gallery

from symbp.derive import derive
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import Equation, Fact, Role
from symbp.verify.proofs import prove

ALGEBRA = {
    "common factor",
    "collect",
    "expand",
    "cancel",
    "substitute under the bracket",
    "logistic function",
}
NETS = ("neuron", "mlp", "vae", "char_rnn", "resnet_mlp", "contrastive", "word2vec", "pinn")


@cache
def proven(name):
    derivation = of_gallery(name)
    return derivation, prove(derivation)


@pytest.mark.few(slow=4)
@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_a_step_says_nothing_that_it_does_not_need(name):
    derivation, found = proven(name)
    for verdict, step in zip(found.steps, derivation.steps, strict=True):
        if verdict.rests_on is None:
            continue
        said = {rest.target if isinstance(rest, Equation) else rest for rest in step.rests_on}
        assert said <= set(verdict.rests_on), (verdict.number, step.rule)
        if step.rule in ALGEBRA:
            assert verdict.rests_on == ()


def test_what_the_softmax_rests_on():
    derivation, found = proven("mlp")
    rests = {
        (s.target, s.rule): set(v.rests_on)
        for v, s in zip(found.steps, derivation.steps, strict=True)
        if v.rests_on is not None
    }
    assert rests["da2", "saved value"] == {"ds_p", "p", "e_p"}
    assert rests["dz1", "saved value"] == {"h"}
    assert rests["da2", "common factor"] == set()


def test_a_fact_that_is_needed_is_named():
    """Σ_k y[n,k] = 1 is true of rows that sum to one, and of no others."""
    (N, K), (n, k) = sizes("N K"), indices("n k")
    b = SystemBuilder()
    z, y = b.leaf("z", N, K, role=Role.PARAMETER), b.leaf("y", N, K, facts=[Fact("sums to one", 1)])
    e = b.define("e", [n, k], sympy.exp(z(n, k)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n))
    b.define("L", [], -y(n, k) * sympy.log(p(n, k)) / N, "sum", [n, k])
    found = prove(derive(b.system("L")))
    sums = [v for v in found.steps if v.rule == "value of a sum" and v.rests_on is not None]
    assert sums
    assert any("y: sums to one over axis 1" in v.rests_on for v in sums)


def test_the_page_of_proofs_says_it():
    text = str(proven("mlp")[1])
    assert "rests on nothing but algebra" in text
    assert "rests on h" in text
