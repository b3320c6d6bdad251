"""`symbp prove`: right derivations are proven, and of wrong ones the wrong step is named."""

import importlib
import importlib.util
import json
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from derived_once import of_gallery

import symbp as bp
from symbp import gallery
from symbp.cli.main import main
from symbp.errors import EvaluationError, UsageError
from symbp.gallery import GALLERY
from symbp.ir.groups import groups
from symbp.ir.system import Role
from symbp.ops.registry import REGISTRY
from symbp.verify.proofs import prove

NAME = "planted_steps"
spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name(f"{NAME}.py"))
planted_steps = sys.modules[NAME] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planted_steps)

SMALL = ("neuron", "mlp", "vae", "autoencoder", "char_rnn", "crf", "word2vec", "resnet_mlp", "pinn", "moe")
LARGE = sorted(set(GALLERY) - set(SMALL))
BUDGET = 60  # seconds of a processor for one net
AT_ONCE = 6  # wrong steps in one derivation
ROUNDS = 3


@cache
def derived(name):
    return of_gallery(name)


@cache
def proofs_of(name):
    return prove(derived(name))


@pytest.mark.slow
@pytest.mark.few(slow=8)
@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(n, marks=pytest.mark.slow) for n in LARGE)])
def test_every_step_of_the_gallery_is_proven_in_time(name):
    started = time.process_time()
    found = proofs_of(name)
    assert time.process_time() - started < BUDGET
    assert [str(v.wrong or v.why) for v in found.wrong] == []
    assert [v.number for v in found.steps] == list(range(1, len(derived(name).steps) + 1))
    assert [v.rule for v in found.steps] == [step.rule for step in derived(name).steps]


@pytest.mark.few(slow=5)
@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_wrong_steps_are_found_and_named(name):
    derivation = derived(name)
    rng = np.random.default_rng(3)
    count = 0
    for _ in range(ROUNDS):
        steps, faults = list(derivation.steps), {}
        for number in rng.permutation(len(steps))[:AT_ONCE]:
            fault = planted_steps.planted(derivation, number, rng)
            if fault is not None:
                steps[number], faults[number + 1] = fault
        found = prove(replace(derivation, steps=tuple(steps)))
        assert {v.number: v.rule for v in found.wrong} == {n: steps[n - 1].rule for n in faults}, faults
        assert all(v.wrong is not None or v.why for v in found.wrong)
        count += len(faults)
    assert count >= ROUNDS * AT_ONCE - 3  # 10 nets together: more than 150


@pytest.mark.few(slow=5)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::symbp.errors.DoubtfulRewrite")
@pytest.mark.parametrize("name", ["mlp", "char_rnn", "vae"])
@pytest.mark.parametrize("seed", range(4))
def test_a_wrong_chain_rule_is_named_and_what_follows_from_it_is_not(name, seed, monkeypatch):
    """The fault is there before the closed forms are sought: all that is found later agrees with it."""
    derive = importlib.import_module("symbp.derive")
    right, rng, done = derive.adjoints, np.random.default_rng(seed), []

    def wrong(*args, **kwargs):
        found = right(*args, **kwargs)
        system, equation = with_a_fault(found.system, rng)
        done.append(equation)
        return replace(found, system=system)

    monkeypatch.setattr(derive, "adjoints", wrong)
    found = prove(bp.derive(gallery.find(name).load().net))
    (equation,) = done
    named = [v for v in found.wrong if v.number]
    assert [v.target for v in named] == [equation.target]
    assert named[0].wrong.at
    assert not all(v.ok for v in found.whole)  # the gradients aren't those of what was declared


def with_a_fault(system, rng):
    """The system with a wrong equation for one adjoint that isn't a summand of another."""
    adjoints = [
        t.name for t in system.tensors if t.role in (Role.ADJOINT, Role.GRADIENT) and not t.differential.part
    ]
    while True:
        equation = system.defining[adjoints[rng.integers(len(adjoints))]]
        fault = planted_steps.FAULTS[rng.integers(len(planted_steps.FAULTS))]
        body = fault(equation, dict(system.by_name), rng)
        if body is None or body == equation.body:
            continue
        changed = equation.with_(body=body)
        whole = system.with_(equations=tuple(changed if e is equation else e for e in system.equations))
        try:
            groups(whole)
        except EvaluationError:
            continue
        if set(changed.read_names) <= set(equation.read_names) and planted_steps.differs(
            system, equation, changed
        ):
            return whole, changed


def test_an_adjoint_said_to_be_another_derivative_is_found():
    derivation = derived("mlp")
    at = next(k for k, s in enumerate(derivation.steps) if s.target == "dz2")
    step = derivation.steps[at]
    steps = list(derivation.steps)
    steps[at] = replace(step, differential=replace(step.differential, by="p"))  # of the same shape
    found = prove(replace(derivation, steps=tuple(steps)))
    assert [v.number for v in found.wrong] == [at + 1]


def test_a_wrong_equation_in_the_end_is_found():
    """No step leads to it: the equations in closed form are compared with the sweep."""
    derivation = derived("mlp")
    equations = tuple(
        e.with_(body=2 * e.body) if e.target == "db2" else e for e in derivation.system.equations
    )
    found = prove(replace(derivation, system=derivation.system.with_(equations=equations)))
    assert {v.target for v in found.wrong} == {"db2"}
    assert all(v.ok for v in found.steps)


def test_what_is_rational_is_proven_exactly():
    assert {v.how for v in proofs_of("neuron").all} == {"exact"}
    how = {v.rule: v.how for v in proofs_of("mlp").steps}
    assert how["shift of a sum of exponentials"] == "50 digits"  # exp(a − m) = exp(a)/exp(m)
    assert how["chain rule"] == how["saved value"] == how["common factor"] == "exact"
    assert all(len(set(sizes.values())) == len(sizes) for v in proofs_of("mlp").all for sizes in v.sizes)


def test_other_derivatives_are_refused():
    net = gallery.find("neuron").load().net
    with pytest.raises(UsageError, match="only derivations of gradients"):
        prove(bp.hvp(net))


def test_the_command_prints_a_verdict_for_each_step(capsys):
    assert main(["prove", "neuron"]) == 0
    out = capsys.readouterr().out
    assert "1. loss" in out
    assert "exactly, modulo primes" in out
    assert "all 18 claims are proven" in out
    assert main(["prove", "neuron", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], len(found["steps"])) == (True, len(derived("neuron").steps))


def test_the_command_fails_where_a_step_is_wrong(capsys, monkeypatch):
    derivation = derived("neuron")
    fault, _ = planted_steps.planted(derivation, 4, np.random.default_rng(0))
    steps = (*derivation.steps[:4], fault, *derivation.steps[5:])
    monkeypatch.setattr("symbp.api.derive", lambda net, wrt=None: replace(derivation, steps=steps))  # noqa: ARG005
    assert main(["prove", "neuron"]) == 1
    out, err = capsys.readouterr()
    assert "NOT PROVEN" in out
    assert "step 5" in err


@pytest.mark.few(slow=28)
@pytest.mark.slow
@pytest.mark.parametrize("name", [op.name for op in REGISTRY.values() if op.differentiable])
@pytest.mark.filterwarnings("ignore::symbp.errors.DoubtfulRewrite")
def test_every_op_is_proven(name):
    """Linear algebra, too, in which eliminations run over residues."""
    op = REGISTRY[name]
    found = prove(bp.derive(op.network(op.examples[0])))
    assert [str(v.wrong or v.why) for v in found.wrong] == []
