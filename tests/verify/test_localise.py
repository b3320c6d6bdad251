"""The first wrong equation is named where one was planted, and none where all are right."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import symbp as bp
from symbp.verify.localise import first_wrong
from symbp.verify.points import Drawer, Point, Style, all_sizes, domains_of

NAME = "verify_planted"
spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("planted.py"))
assert spec is not None
assert spec.loader is not None
planted = sys.modules.get(NAME) or importlib.util.module_from_spec(spec)
if NAME not in sys.modules:
    sys.modules[NAME] = planted
    spec.loader.exec_module(planted)

QUICK, USUAL = ("over_two", "largest"), ("heads", "recurrent", "normalised")
LONG = bool(os.environ.get("SYMBP_LONG"))
BASES = {"swept": planted.swept, "closed": bp.derive}


def points(derivation: Any, hyper: Any) -> list[Point]:
    drawer = Drawer(derivation.declared, [derivation.declared.loss], hyper)
    sizes = all_sizes(derivation.declared, {}, 3)
    drawer.domains = domains_of(drawer, sizes[0], 0)
    styles = (Style(), Style(3.0, dealt=True), Style(0.1, dealt=True))
    drawn = [
        drawer.draw(chosen, k, style) for k, (chosen, style) in enumerate(zip(sizes, styles, strict=False))
    ]
    return [point for point in drawn if point is not None]


@pytest.mark.few(fast=1, slow=4)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=[pytest.mark.slow] * (name not in QUICK)
            + [pytest.mark.long] * (name not in (*QUICK, *USUAL)),
        )
        for name in planted.NETS
    ],
)
@pytest.mark.parametrize("base", BASES)
def test_the_wrong_equation_is_named(name: str, base: str) -> None:
    net = planted.NETS[name]()
    right = BASES[base](net)
    assert first_wrong(right, points(right, net.hyper)) is None
    for fault in planted.few_faults(right, 2 if LONG else 1):
        report = bp.check(net, derivation=fault.in_(right), methods=["complex step"])
        found = report.located
        assert not report.ok
        assert found is not None, fault
        assert fault.target == found.tensor or fault.target in found.through, (fault, found)
        assert found.value != pytest.approx(found.expected, rel=1e-9)
        if fault.target == found.tensor:
            assert found.further == ()
            assert found.number == right.numbers[fault.target]
            assert str(fault.in_(right).system.defining[fault.target]) == found.equation
        assert f"the first wrong equation is ({found.number}) {found.tensor}" in str(report)


def test_of_two_wrong_equations_the_first_in_order_is_named() -> None:
    net = planted.NETS["largest"]()
    right = planted.swept(net)
    one, other = (
        next(f for f in planted.faults(right) if f.kind == "a factor is lost" and f.target == target)
        for target in (right.backward[0].target, right.gradients["V"])
    )
    both = other.in_(one.in_(right))
    found = bp.check(net, derivation=both, methods=["complex step"]).located
    assert found is not None
    assert found.tensor == one.target
    assert other.target in found.further
    assert found.value == pytest.approx(found.expected / 2)


def test_what_isnt_a_gradient_of_a_loss_is_not_located() -> None:
    net = planted.NETS["over_two"]()
    assert first_wrong(bp.hessian(net), []) is None
