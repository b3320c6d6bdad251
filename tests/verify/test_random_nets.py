"""Twenty random nets: the derivation against numeric and exact derivatives, the reference interpreter, both
targets' modules and PyTorch; ‖a − b‖/max(‖a‖, ‖b‖, 1e-8) for each tensor."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import symbp as bp
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point
from symbp.verify import check_derivation, relative_error

N = 4


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


nets = _load("random_nets")
SPECS = nets.specs()
IDS = [f"{k}-{spec.loss}-{'-'.join(spec.activations)}" for k, spec in enumerate(SPECS)]
FEW = 6  # of the nets are checked in any case
each_net = pytest.mark.parametrize(
    "spec",
    [
        pytest.param(spec, id=name, marks=[pytest.mark.slow] * (k >= FEW))
        for k, (spec, name) in enumerate(zip(SPECS, IDS, strict=True))
    ],
)


@cache
def derived(spec: Any) -> tuple[Any, Any]:
    net = nets.declare(spec)
    return net, bp.derive(net)


def point(net: Any) -> tuple[dict[str, int], dict[str, Any]]:
    sizes = {**net.system.bound, "N": N}
    _, values = sample_point(net.system, 5, sizes=sizes)
    return sizes, values


def gradients(net: Any, derivation: Any) -> dict[str, Any]:
    sizes, values = point(net)
    found = run(derivation.system, values, sizes, wanted=list(derivation.gradients.values()))
    return {name: found[gradient] for name, gradient in derivation.gradients.items()}


def test_all_activations_and_losses_occur() -> None:
    assert {name for spec in SPECS for name in spec.activations} == set(nets.ACTIVATIONS)
    assert {spec.loss for spec in SPECS} == set(nets.LOSSES)
    assert {len(spec.widths) - 1 for spec in SPECS} == {1, 2, 3, 4, 5, 6}


@pytest.mark.slow
@pytest.mark.few(slow=4)
@each_net
def test_numeric_and_exact(spec: Any) -> None:
    _, derivation = derived(spec)
    report = check_derivation(derivation, sizes={"N": N})
    assert report.ok, str(report)
    assert {row.method.split(" (")[0] for row in report.rows} == {
        "central differences",
        "complex step",
        "Taylor remainders",
        "exact",
    }


@pytest.mark.few(fast=2, slow=6)
@each_net
def test_interpreter(spec: Any) -> None:
    net, derivation = derived(spec)
    sizes, values = point(net)
    names = list(derivation.gradients.values())
    plain = evaluate(derivation.system, values, sizes, wanted=names)
    for name, value in gradients(net, derivation).items():
        assert relative_error(value, plain[derivation.gradients[name]].astype(float)) <= 1e-12, name


@pytest.mark.slow
@pytest.mark.few(slow=6)
@each_net
def test_pytorch(spec: Any) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    net, derivation = derived(spec)
    theirs = nets.torch_gradients(spec, point(net)[1])
    for name, value in gradients(net, derivation).items():
        assert relative_error(value, theirs[name]) <= 1e-10, name


@pytest.mark.few(fast=2, slow=5)
@each_net
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_modules(spec: Any, target: str) -> None:
    if target == "numba":
        pytest.importorskip("numba", reason="Numba is not installed")
    net, derivation = derived(spec)
    module = bp.compile(
        net, optimizer=bp.optim.SGD(0.1), target=target, dtype="float64", derivation=derivation
    )
    _, values = point(net)
    params = {name: values[name] for name in derivation.gradients}
    data = {name: value for name, value in values.items() if name not in params}
    _, found = module.loss_and_gradients(params, **data)
    for name, value in gradients(net, derivation).items():
        assert relative_error(value, found[name]) <= 1e-12, name
