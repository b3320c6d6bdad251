"""Each rewrite rule of the registry fires on a system, and keeps its value there, at ordinary points and at
extreme ones. A rule without a case, or one that fires nowhere, fails."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy

from symbp.derive import derive
from symbp.derive.rules.registry import ALGEBRA, BY_NAME, COMPLEMENT, POLYNOMIALS, RULES, SPELLINGS
from symbp.gallery import GALLERY
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import HIGH
from symbp.ir.expr import Access, Guard
from symbp.ir.points.sampling import as_fractions, sample_point
from symbp.ir.system import Fact, Role
from symbp.ops import REGISTRY
from symbp.verify.proofs.claims import claims
from symbp.verify.proofs.evaluation import Evaluation, Refused, mismatch
from symbp.verify.proofs.points import Point

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
equal = Guard("=", k, Access("l", n))
BODIES = {
    "logarithm of a reciprocal": sympy.log(1 / (1 + sympy.exp(x))),
    "exponentials merged": y * sympy.exp(x) * sympy.exp(-y),
    "logistic function": sympy.exp(-x) / (1 + sympy.exp(-x)) ** 2,
    "hyperbolic tangent": (sympy.exp(x) - sympy.exp(-x)) / (sympy.exp(x) + sympy.exp(-x)),
    "substitute under the bracket": equal * x * Access("y", n, Access("l", n)),
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
    b.define("r", [n, k], x + y + z + Access("l", n) * 0)
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
