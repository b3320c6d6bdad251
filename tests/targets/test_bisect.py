"""The state after each pass computes the right values, and a fault in a pass is blamed on it."""

from dataclasses import replace

import numpy as np
import pytest

import symbp as bp
from symbp.errors import InvalidSystem, InvalidTree, LoweringError
from symbp.lower.interpret import run
from symbp.lower.memory.plan import MemoryPlan
from symbp.targets import COMPLETE, TARGETS, named
from symbp.targets.bisect import bisect, suspects
from symbp.targets.compiled import equations, programs
from symbp.targets.numpy import passes as numpy_passes
from symbp.targets.plain import module as plain
from symbp.targets.target import Order


def order(name="linear_regression", sizes=None, **more):
    exhibit = bp.gallery.find(name).load()
    net, derivation = exhibit.net, bp.derive(exhibit.net)
    return Order(derivation, exhibit.optimizer, net.initial, sizes or {}, net.hyper, **more)


@pytest.fixture(scope="module")
def made():
    return order()


def doubled(base):
    """A system in which a gradient is twice what it is."""
    changed = [e.with_(body=2 * e.body) if e.target == "dw" else e for e in base.system.equations]
    return replace(base, system=base.system.with_(equations=tuple(changed)))


def faulty(original, change):
    return lambda *given, **named_: change(original(*given, **named_))


def all_at_zero(plan):
    return MemoryPlan(tuple(replace(p, start=p.start * 0) for p in plan.places), plan.lengths)


FAULTS = {
    "numpy": (equations, "shared", doubled, ("common_subexpressions",)),
    "numba": (equations, "by_example", doubled, ("examples_apart",)),
}


@pytest.mark.parametrize("target", COMPLETE)
def test_a_pass_over_equations_is_blamed(target, made, monkeypatch):
    room, name, change, blamed = FAULTS[target]
    monkeypatch.setattr(room, name, faulty(getattr(room, name), change))
    assert suspects(bisect(named(target), made)) == blamed


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_no_pass_is_blamed_for_nothing(target, made):
    assert not suspects(bisect(named(target), made))


def test_a_pass_of_plain_code_is_blamed(made, monkeypatch):
    def without_lines(body):
        return body[:-2] + body[-1:] if len(body) > 3 else body

    monkeypatch.setattr(plain, "made_together", without_lines)
    with pytest.raises(InvalidTree, match="db is used before it is defined"):
        list(named("plain").states(made, validate=True))
    monkeypatch.setenv("SYMBP_VALIDATE", "")
    found = bisect(named("plain"), made)
    assert suspects(found) == ("made_together",)
    assert "NameError" in str(found[-1])  # a line that another reads is gone


def test_the_plan_of_memory_is_blamed(made, monkeypatch):
    """Places that overlap: the validator finds it, and so does the interpreter, which uses them."""
    monkeypatch.setattr(programs, "memory_plan", faulty(programs.memory_plan, all_at_zero))
    with pytest.raises(LoweringError, match="needed at the same time and overlap"):
        list(named("numba").states(made, validate=True))
    monkeypatch.setenv("SYMBP_VALIDATE", "")
    assert suspects(bisect(named("numba"), made)) == ("memory",)


def added(node):
    """Code that adds where it subtracted."""
    node = node.rebuilt(added)
    return replace(node, name="np.add") if getattr(node, "name", "") == "np.subtract" else node


def test_the_text_is_blamed(made, monkeypatch):
    original = numpy_passes.numpy_lines.functions

    def wrong(*given):
        """Adds where it should subtract."""
        found = original(*given)
        bodies = [tuple(map(added, f.body)) for f in found.functions]
        pairs = zip(found.functions, bodies, strict=True)
        return replace(found, functions=[replace(f, body=body) for f, body in pairs])

    monkeypatch.setattr(numpy_passes.numpy_lines, "functions", wrong)
    assert suspects(bisect(named("numpy"), made)) == ("lines",)


def test_a_broken_rule_is_told(made, monkeypatch):
    def twice(base):
        return replace(base, system=base.system.with_(equations=base.system.equations * 2))

    monkeypatch.setattr(equations, "shared", faulty(equations.shared, twice))
    with pytest.raises(InvalidSystem, match="is defined by 2 equations"):
        list(named("numpy").states(made, validate=True))


def test_a_derivation_is_bisected(made):
    alone = Order(made.derivation, None)
    assert not suspects(bisect(named("numpy"), alone))


def test_programs_run_on_their_own():
    made = order("linear_regression")
    state = named("numpy").after("programs", made)
    x, w = np.arange(6.0).reshape(3, 2), np.array([1.0, -1.0])
    values = {"x": x, "y": np.ones(3), "w": w, "b": np.array(0.5)}
    assert {t.name for t in made.derivation.system.leaves} == values.keys()
    found = run([s.program for s in state.network.segments][:3], values, {"N": 3, "D": 2})
    off = x @ w + 0.5 - 1
    np.testing.assert_allclose(found[made.derivation.system.loss], np.mean(off**2))
    np.testing.assert_allclose(found[made.derivation.gradients["w"]], 2 * x.T @ off / 3)
