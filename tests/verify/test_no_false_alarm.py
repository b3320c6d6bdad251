"""`bp.check` passes right derivations and the modules made of them, in float64 and float32: more than 1,000
nets over the registry and random ones, each at several seeds.

A few of them here; all, with ten seeds each, when `SYMBP_LONG` is set (some hours).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import symbp as bp
from symbp.verify.generated import module_rows

NAME = "verify_right_nets"
spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("right_nets.py"))
assert spec is not None
assert spec.loader is not None
right_nets = sys.modules[NAME] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(right_nets)

LONG = bool(os.environ.get("SYMBP_LONG"))
ALL = [*right_nets.registry_nets(), *right_nets.random_nets(60)]
EVERY, SEEDS = (1, 10) if LONG else (17, 2)
QUICK = 150  # one net in so many is checked in any case


@pytest.mark.slow
@pytest.mark.few(slow=12)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=[pytest.mark.slow] * (k % QUICK != 0))
        for k, (name, make) in enumerate(ALL)
        if k % EVERY == 0 or k % QUICK == 0
    ],
)
def test_a_right_derivation_passes(make: Any) -> None:
    net = make()
    derivation = bp.derive(net)
    for seed in range(SEEDS):
        report = bp.check(net, derivation=derivation, seed=seed)
        assert report.ok, str(report)
    for dtype in ("float64", "float32"):
        module = bp.compile(derivation, dtype=dtype)
        rows = module_rows(derivation, module, sizes=report.sizes)
        assert rows
        assert all(row.ok for row in rows), rows


def test_there_are_many() -> None:
    assert len(ALL) >= 1000
