"""What a check says of backward passes that people wrote: right ones, and 300 with one mistake each.

The usual run takes a few of one net, the slow tests of two more. `SYMBP_LONG=1` takes all, and holds the
figures.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest
from passes.forms import Right, every_right, rights
from passes.planting import NETS, Code, Fault, answer, every_fault, faults, module, network_name

import symbp as bp
from symbp.derive import adjoints
from symbp.derive.stabilise.safe_shapes import stabilise
from symbp.ir.evaluation.vector import run
from symbp.verify.points import Drawer

SOME = {
    "mlp": ("factor", "transpose", "missing slope"),
    "embedding": ("missing sum", "mean for sum", "sum too many", "wrong slope"),
    "attention": ("sign", "elementwise", "stale value", "transpose"),
}  # the first of each kind
PARTICULAR = (
    ("max_pool", "h[:, :, 0, 0].T"),  # one element for the mean
    ("max_pool", "argmin"),
    ("max_pool", "0, 1, 2, 5, 3, 4"),  # a reshape of other axes
    ("ctc", "[1::2]"),  # a sum that the code knows to be 1
    ("ctc", "beta[-1, -1:]"),  # one off
    ("ctc", "beta[t + 1] + emitted[t]"),  # another step in an exponent
)  # by what stands in the edit
FEW = [pytest.param(net, marks=[pytest.mark.slow] * (net != "mlp")) for net in SOME]
FORMS = ("version 1", "in float32", "the class")
SIZES = ((5, 7, 6, 9, 8, 11), (4, 3, 6, 7, 8, 5))


@cache
def derivation(net: str) -> bp.Derivation:
    return bp.derive(module(net).net())


def report(net: str, code: Code, told: dict[str, str]) -> Any:
    return bp.check(module(net).net(), derivation=derivation(net), against=code, map=told or None)


def verdict(fault: Fault) -> tuple[bool, bool, bool]:
    """Whether it is found, its first wrong tensor named, and its kind."""
    found = report(fault.net, fault.code(), fault.told)
    if not found.first:
        return not found.ok, False, False
    row = found[found.first]
    return not found.ok, fault.begins_at(row.theirs), row.slip in fault.slips


def false_alarm(right: Right) -> str:
    found = report(right.net, right.code, right.names)
    return "" if found.ok else f"{right}\n{found}"


@pytest.mark.slow
@pytest.mark.parametrize("net", FEW)
def test_some_mistakes_are_found_and_named(net: str) -> None:
    wrong = {fault.slips[0]: fault for fault in reversed(list(faults(net)))}
    assert {kind: verdict(wrong[kind]) for kind in SOME[net]} == dict.fromkeys(SOME[net], (True, True, True))


@pytest.mark.slow
@pytest.mark.parametrize("net", ["max_pool", "ctc"])
def test_mistakes_in_conditions_exponents_and_layouts_are_named(net: str) -> None:
    named = [part for own, part in PARTICULAR if own == net]
    chosen = {part: fault for part in named for fault in faults(net) if part in fault.new}
    assert chosen.keys() == {*named}
    assert {part: verdict(fault) for part, fault in chosen.items()} == dict.fromkeys(named, (True,) * 3)


@pytest.mark.slow
@pytest.mark.parametrize("net", FEW)
def test_some_right_ones_are_right(net: str) -> None:
    some = [right for right in rights(net) if right.form.startswith(FORMS)]
    assert len(some) == 3
    assert not [alarm for right in some if (alarm := false_alarm(right))]


@pytest.mark.long
def test_three_hundred_mistakes() -> None:
    counts: Counter[str] = Counter()
    for fault in every_fault():
        found, first, kind = verdict(fault)
        counts.update(all=1, found=found, first=first, kind=kind)
        if not (found and first and kind):
            print(
                f"{'' if found else 'missed, '}{'' if first else 'first, '}{'' if kind else 'kind'}: {fault}"
            )
    print(dict(counts))
    assert counts["found"] == counts["all"] >= 300
    assert counts["first"] >= 0.98 * counts["all"]
    assert counts["kind"] >= 0.85 * counts["all"]


@pytest.mark.long
def test_no_false_alarm_on_a_hundred_right_ones() -> None:
    every = every_right()
    assert len(every) >= 100
    alarms = [alarm for right in every if (alarm := false_alarm(right))]
    assert not alarms, "\n\n".join(alarms)


# --- the passes themselves
@pytest.mark.slow
@pytest.mark.parametrize("net", NETS)
def test_right_versions_equal_the_sweep_and_mistakes_change_it(net: str) -> None:
    made = module(net).net()
    system = stabilise(made.system)[0]
    parameters = [tensor.name for tensor in system.parameters]
    swept = adjoints(system, system.loss, parameters).system
    changed: set[Fault] = set()
    for k, ring in enumerate(SIZES):
        names = [name for name in system.sizes if name not in system.bound]
        sizes = {**system.bound, **dict(zip(names, ring, strict=False))}
        point = Drawer(system, [system.loss]).draw(sizes, k)
        assert point is not None
        values = {name: np.asarray(value) for name, value in point.values.items()}
        params = {name: values[name] for name in parameters}
        data = {name: value for name, value in values.items() if name not in params}
        known = run(swept, point.values, sizes)
        answers = [answer(code, params, data) for code in module(net).RIGHT]
        for loss, found in answers:
            assert loss == pytest.approx(float(known[system.loss]))
            for name, value in found.items():
                right = known[network_name(net, name, params)]
                np.testing.assert_allclose(value, right.reshape(np.shape(value)), rtol=1e-8, atol=1e-11)
        for fault in faults(net):
            right, wrong = answers[fault.version][1], answer(fault.code(), params, data)[1]
            if all(not alike(wrong[name], right[name]) for name in fault.first):
                changed.add(fault)
    assert not set(faults(net)) - changed


def alike(one: Any, other: Any) -> bool:
    return np.shape(one) == np.shape(other) and bool(np.allclose(one, other, rtol=1e-6, atol=1e-12))
