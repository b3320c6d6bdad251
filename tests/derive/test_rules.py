"""Each rewrite rule of the registry fires on a system, and keeps its value there, at ordinary points and at
extreme ones. A rule without a case, or one that fires nowhere, fails."""

from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from rule_systems import SYSTEMS

from symbp.derive import derive
from symbp.derive.proof.fingerprints import Values
from symbp.derive.rules.fold import Search
from symbp.derive.rules.inverse import scalings
from symbp.derive.rules.registry import (
    ALGEBRA,
    BY_NAME,
    COMPLEMENT,
    POLYNOMIALS,
    RULES,
    SPELLINGS,
    SUM_OF_SUMS,
    SUMS,
    WRITTEN_OUT,
)
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import HIGH
from symbp.ir.expr import Access, Guard, IntegerAccess
from symbp.ir.points.sampling import as_fractions, sample_point
from symbp.ir.system import Fact, Role
from symbp.ops import REGISTRY
from symbp.verify.proofs.claims import claims
from symbp.verify.proofs.evaluation import Evaluation, Refused, mismatch
from symbp.verify.proofs.points import Point

ROUNDED = 10**-30  # of 50 digits
KINDS = {
    "ordinary": lambda v: v,
    "large": lambda v: 30 * v,
    "tiny": lambda v: v / 10**9,
    "ties": lambda v: np.full_like(v, Fraction(1, 2)),
    "zeros": lambda v: np.full_like(v, Fraction(0)),
    "some zeros": lambda v: np.where(np.arange(v.size).reshape(v.shape) % 2 == 0, v, 0 * v),
}

N, K = sizes("N K")
n, k = indices("n k")
x, y, z = (Access(name, n, k) for name in ("x", "y", "z"))
s = 1 / (1 + sympy.exp(-x))
label = IntegerAccess("l", n)
equal = Guard("=", k, label)
BODIES = {
    "logarithm of a reciprocal": sympy.log(1 / (1 + sympy.exp(x))),
    "exponentials merged": y * sympy.exp(x) * sympy.exp(-y),
    "logistic function": sympy.exp(-x) / (1 + sympy.exp(-x)) ** 2,
    "hyperbolic tangent": (sympy.exp(x) - sympy.exp(-x)) / (sympy.exp(x) + sympy.exp(-x)),
    "substitute under the bracket": equal * x * Access("y", n, label),
    "terms under equal brackets": equal * x + equal * y + y,
    "expand": x * (y + z) - x * y,
    "collect": x * y + x * z + z * y**2 + 1,
    "cancel": (x**2 - y**2) / (x + y),
    "common factor": x * y * z + 2 * x * y,
    "factor": x**2 + 2 * x * y + y**2,
    "complement of a logistic function": y * (1 - s),
}


@cache
def plain():
    """A system of leaves alone, in which a body has its value."""
    b = SystemBuilder()
    for name in "xyz":
        b.leaf(name, N, K, role=Role.PARAMETER)
    b.leaf("l", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
    b.define("r", [n, k], x + y + z)
    return b.system()


def points(system, seed=1):
    """The same leaves, ordinary and extreme; what facts fix stays as it is."""
    chosen, values = sample_point(system, seed=seed)
    exact = as_fractions(system, values)
    for kind, change in KINDS.items():
        moved = {
            t.name: change(exact[t.name]) if not (t.integer or t.facts) else exact[t.name]
            for t in system.leaves
        }
        yield kind, Point(chosen, moved, HIGH, AS_THEY_ARE, False)


def test_each_rule_has_a_name_and_a_reason():
    assert {rule.name for rule in RULES} == set(BY_NAME)
    assert all(rule.reason and callable(rule.apply) for rule in RULES)


def forms(rule, body):
    if rule is COMPLEMENT:
        return [rule.apply(body)]
    if rule in POLYNOMIALS:
        return list(rule.apply(body))
    return list(rule.apply(body, sympy.expand(body) if rule in ALGEBRA else True))


def same(left, before, right, after, kind):
    """The kind of point, if both have a value there, which must be the same."""
    try:
        values = left.value(before), right.value(after)
    except Refused:
        return set()
    if not any(v == v for v in values[0].flat):
        return set()  # the form that is replaced has no value here
    assert mismatch("value", *values, left.point) is None, (kind, str(before), str(after))
    return {kind}


@pytest.mark.parametrize("name", [r.name for r in (*SPELLINGS, *ALGEBRA, *POLYNOMIALS, COMPLEMENT)])
def test_a_body_keeps_its_value(name):
    body, system = BODIES[name], plain()
    rules = [r for r in (*SPELLINGS, *ALGEBRA, *POLYNOMIALS, COMPLEMENT) if r.name == name]
    found = [form for rule in rules for form in forms(rule, body) if form != body]
    assert found, f"{name} fires nowhere"
    frame = system.defining["r"]
    compared = set()
    for kind, point in points(system):
        there = Evaluation(system, point)
        for form in found:
            compared |= same(there, frame.with_(body=body), there, frame.with_(body=form), kind)
    assert {"ordinary", "large", "tiny"} <= compared


SOURCES = {
    "masked by −∞": "masked",
    "logarithm of exponentials": "written loss",
    "shift of a sum of exponentials": "masked",
    "empty sum counts as 1": "masked",
    "logarithm in two parts": "excluded logarithm",
    "quotient of exponentials": "written sigmoid",
    "x log x at 0": "entropy",
    "difference at -∞": "excluded logarithm",
    "root at 0": "length",
    "same definition": "twice",
    "saved value": "written sigmoid",
    "definition inverted": "masked",
    "repetition read once": "repeated",
    "saved value under the bracket": "elu",
    "value of another step": "recurrent",
    "order of sums exchanged": "solve",
    "value of a sum": "var",
    "delta eliminated": "recurrent",
    "common factor of a sum": "masked",
    "the same value": "l2_penalty",
    "substitution": "twice",
    "number inside the sum": "quadratic",
    "sums joined": "quadratic",
    "shared term": "repeated",
}


@cache
def derived(source):
    op = REGISTRY.get(source)
    return derive(SYSTEMS[source]() if op is None else op.network(op.examples[0]).system)


@pytest.mark.few(fast=3)
@pytest.mark.parametrize("name", SOURCES)
def test_a_step_keeps_its_value(name):
    """The claims of each step: both sides are what their target is defined as, and it keeps its value."""
    derivation = derived(SOURCES[name])
    found = [(i, step) for i, step in enumerate(derivation.steps) if step.rule == name]
    assert found, f"{name} fires nowhere"
    compared = set()
    for number, step in found:
        ground = next(g for g in reversed(derivation.grounds) if g.first <= number)
        for kind, point in points(ground.before):
            systems = {True: Evaluation(ground.after, point), False: Evaluation(ground.before, point)}
            for claim in claims(step, ground):
                compared |= equal(claim, systems, kind)
    assert {"ordinary", "large"} <= compared


def equal(claim, systems, kind):
    """The kind of point, if both parts of a claim have a value there, which must be the same."""
    values = []
    for part in (claim.left, claim.right):
        there = systems[part.after]
        try:
            values.append(there.tensor(part.name) if part.equation is None else there.value(part.equation))
        except Refused:
            return set()
    assert mismatch(claim.what, *values, there.point, rounded=ROUNDED) is None, (kind, claim)
    return {kind}


def windowed():
    """A sum over another index."""
    system = SYSTEMS["windows"]()
    (rule,) = [r for r in SUMS if r.name == "index of a sum changed"]
    (equation,) = system.equations
    return system, equation, rule.apply(equation, None, SimpleNamespace(tensors=system.by_name))


def partly():
    """A sum over both axes by the one over the last."""
    system = SYSTEMS["sums"]()
    values, equation = Values(system), system.defining["all"]
    values.remember("r")
    search = Search(values, equation.all_indices, equation.extents, lambda name: name == "r")
    return system, equation, SUM_OF_SUMS.apply(equation, search)


def written():
    """A saved value's definition in its place."""
    system = SYSTEMS["sums"]()
    equation = system.defining["scaled"]
    body = WRITTEN_OUT.apply(equation.body, scalings(system.equations))
    return system, equation, [equation.with_(body=body)]


APPLIED = {"index of a sum changed": windowed, "sum of sums": partly, "definition written out": written}


@pytest.mark.parametrize("name", APPLIED)
def test_an_equation_keeps_its_value(name):
    system, equation, found = APPLIED[name]()
    assert found and all(after != equation for after in found), f"{name} fires nowhere"  # noqa: PT018
    for kind, point in points(system):
        there = Evaluation(system, point)
        for after in found:
            assert same(there, equation, there, after, kind) == {kind}


def test_each_rule_has_a_case():
    assert {*BODIES, *SOURCES, *APPLIED} == set(BY_NAME)
