"""`bp.check` with default arguments finds every wrong rewrite that was planted, and passes the right
derivations."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

import symbp as bp

NAME = "verify_planted"
spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("planted.py"))
assert spec is not None
assert spec.loader is not None
planted = sys.modules[NAME] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planted)

QUICK = (
    "heads",
    "over_two",
    "narrow_huber",
    "insensitive",
    "very_insensitive",
    "smooth",
    "deviation",
    "largest",
)
LONG = ("pooled", "recurrent")  # minutes each
OF_A_KIND = 3 if os.environ.get("SYMBP_LONG") else 1  # so many faults of each kind


MARKS = {
    name: [pytest.mark.slow] * (name not in QUICK) + [pytest.mark.long] * (name in LONG)
    for name in planted.NETS
}


@pytest.mark.few(fast=1, slow=5)
@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=marks) for name, marks in MARKS.items()])
def test_every_planted_fault_is_found(name: str) -> None:
    net = planted.NETS[name]()
    right = planted.swept(net)
    report = bp.check(net, derivation=right)
    assert report.ok, str(report)
    faults = list(planted.few_faults(right, OF_A_KIND))
    assert len(faults) >= 3
    missed = [fault for fault in faults if bp.check(net, derivation=fault.in_(right)).ok]
    assert not missed, "\n".join(f"{fault.kind}: {fault.target} = {fault.body}" for fault in missed)


@pytest.mark.slow
def test_one_mask_for_two_branches_is_found() -> None:
    net = planted.siamese()
    right = planted.swept(net)
    masks = [
        f for f in planted.faults(right) if f.kind == "a value is taken for another" and "[0 <" in str(f.body)
    ]
    wrong = next(fault.in_(right) for fault in masks if planted.matters(right, fault.in_(right)))
    for seed in range(3):
        assert not bp.check(net, derivation=wrong, seed=seed).ok
