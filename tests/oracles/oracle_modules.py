"""Published cases by name, and what generated code computes of declarations at their points."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from where import ROOT, oracles

import symbp as bp
from symbp.ir.evaluation.vector import run

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
Array = np.ndarray[Any, Any]


@cache
def _cases(path: str) -> dict[str, dict[str, Any]]:
    return {case.get("name") or case["tag"]: case for case in json.loads((ROOT / path).read_text())["cases"]}


def published(path: str, name: str) -> dict[str, Any]:
    """The case of that name in a JSON file; skips the test where the file is absent."""
    oracles(path)
    return _cases(path)[name]


def names(path: str) -> set[str]:
    """What cases a file has; skips the test where it is absent."""
    oracles(path)
    return set(_cases(path))


def arrays(given: Mapping[str, Any]) -> dict[str, Array]:
    return {name: np.asarray(value) for name, value in given.items()}


def trained(net: bp.Network, target: str, optimizer: Any = None) -> Any:
    """The training module."""
    return bp.compile(net, target=target, optimizer=optimizer or bp.optim.SGD())


def outputs(module: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the forward pass of a training module gives."""
    return module.forward(_of(module.PARAMETERS, values), **_of(module.FORWARD_INPUTS, values))


def loss_and_gradients(module: Any, values: Mapping[str, Any]) -> tuple[float, Mapping[str, Array]]:
    """What a training module gives."""
    return module.loss_and_gradients(_of(module.PARAMETERS, values), **_of(module.INPUTS, values))


def derivatives(derivation: bp.Derivation, target: str, values: Mapping[str, Any]) -> Mapping[str, Array]:
    """What the module of a derivation gives: Hessians, Jacobians, products with them."""
    module = bp.compile(derivation, target=target)
    return module.derivatives(_of(module.PARAMETERS, values), **_of(module.DERIVATIVE_INPUTS, values))


def _of(names: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names}


def by_complex_step(net: bp.Network, values: Mapping[str, Any]) -> dict[str, Array]:
    """The loss's gradients by the complex step of the declared equations, for cases that publish values
    alone: Im f(x + ih)/h with h = 1e-30 has no rounding but that of f."""
    system = net.system
    read_off = {
        extent.name: length
        for leaf in system.leaves
        for extent, length in zip(leaf.shape, np.shape(values[leaf.name]), strict=True)
        if extent.is_Symbol
    }
    sizes, found = {**system.bound, **read_off}, {}
    for parameter in (t.name for t in system.parameters):
        gradient = np.zeros(np.shape(values[parameter]))
        for at in np.ndindex(gradient.shape):
            moved = np.array(values[parameter], dtype=complex)
            moved[at] += 1e-30j
            moved_loss = run(system, {**values, parameter: moved}, sizes, wanted=[system.loss])[system.loss]
            gradient[at] = np.imag(moved_loss) / 1e-30
        found[parameter] = gradient
    return found
