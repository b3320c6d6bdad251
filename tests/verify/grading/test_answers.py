"""Right answers in any form are accepted, wrong ones refused with the slip that they were made of."""

import time

import pytest
import typed_answers
from derived_once import of_gallery
from graded_nets import derived
from written_answers import HOSTILE, RIGHT, WRONG

from symbp.errors import FormulaError


@pytest.mark.few(fast=8, slow=24)
@pytest.mark.parametrize(("net", "answer"), RIGHT, ids=[f"{n}: {a[:60]}" for n, a in RIGHT])
def test_right(net, answer):
    verdict = derived(net).grade(answer)
    assert verdict.right is True, str(verdict)
    assert verdict.proof is not None
    assert verdict.slip is None
    assert verdict.counterexample is None


@pytest.mark.few(fast=6, slow=24)
@pytest.mark.parametrize(("net", "answer", "slip"), WRONG, ids=[f"{n}: {a[:60]}" for n, a, _ in WRONG])
def test_wrong(net, answer, slip):
    verdict = derived(net).grade(answer)
    assert verdict.right is False, str(verdict)
    assert verdict.counterexample is not None or verdict.misfit
    assert verdict.slip is not None, str(verdict)
    assert verdict.slip.name == slip, str(verdict)
    assert derived(net).grade(verdict.slip.repaired).right, verdict.slip.repaired


@pytest.mark.few(fast=6, slow=24)
@pytest.mark.parametrize(
    ("net", "answer"), typed_answers.RIGHT, ids=[f"{n}: {a[:60]}" for n, a in typed_answers.RIGHT]
)
def test_typed_and_right(net, answer):
    verdict = of_gallery(net).grade(answer)
    assert verdict.right is True, str(verdict)


@pytest.mark.few(fast=4, slow=24)
@pytest.mark.parametrize(
    ("net", "answer", "slip"), typed_answers.WRONG, ids=[f"{n}: {a[:60]}" for n, a, _ in typed_answers.WRONG]
)
def test_typed_and_wrong(net, answer, slip):
    verdict = of_gallery(net).grade(answer)
    assert verdict.right is False, str(verdict)
    assert (verdict.slip and verdict.slip.name) == slip, str(verdict)
    if slip is not None:
        assert of_gallery(net).grade(verdict.slip.repaired).right, verdict.slip.repaired


def test_a_sum_runs_as_far_as_is_written():
    assert of_gallery("mlp").grade("db2[k] = Σ_{n=1}^{N} da2[n,k]").right
    assert of_gallery("mlp").grade("db2[k] = Σ_{n=1}^{K} da2[n,k]").right is False
    with pytest.raises(FormulaError, match="runs over a whole axis"):
        of_gallery("mlp").grade("db2[k] = Σ_{n=1}^{N-1} da2[n,k]")


def test_enough_of_each():
    assert len(RIGHT) >= 60
    assert len(WRONG) >= 60


@pytest.mark.few(fast=8, slow=12)
@pytest.mark.parametrize("answer", HOSTILE, ids=[repr(a[:40]) for a in HOSTILE])
def test_hostile(answer):
    """Refused at once, with the place."""
    derivation = derived("mlp")
    derivation.grade("db2 = 0*b2")  # what is found once has been found
    start = time.process_time()
    with pytest.raises(FormulaError) as refusal:
        derivation.grade(answer)
    assert time.process_time() - start < 0.05
    assert "^" in str(refusal.value) or "help" in str(refusal.value)
