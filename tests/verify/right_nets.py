"""Nets whose derivations are right: every example of the registry in three losses, and random nets."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import symbp as bp
from symbp.ops import REGISTRY


def beside(name: str) -> ModuleType:
    """A helper beside this file."""
    known = sys.modules.get(f"verify_{name}")
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(f"verify_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[f"verify_{name}"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def weighed(result: Any) -> Any:
    """Every element counts differently."""
    return (result * bp.input("weights", result.shape)).sum() if result.rank else result * 1


def squared(result: Any) -> Any:
    return (result**2).mean() if result.rank else result**2


def bent(result: Any) -> Any:
    """A kink and a saturated part behind it."""
    bent = bp.relu(result) - 0.3 * bp.tanh(result)
    return bent.mean() if result.rank else bent


LOSSES: dict[str, Callable[[Any], Any]] = {"weighed": weighed, "squared": squared, "bent": bent}


def registry_nets() -> Iterator[tuple[str, Callable[[], bp.Network]]]:
    """(name, how it is declared) of each example of each op that has a gradient, in each loss."""
    for loss in LOSSES:
        for op in REGISTRY.values():
            for k in range(len(op.examples) if op.differentiable else 0):
                yield f"{op.name}-{k}-{loss}", lambda op=op, k=k, loss=loss: declared(op, k, loss)


def declared(op: Any, k: int, loss: str) -> bp.Network:
    _, result = op.declare(op.examples[k])
    return bp.Network("case", loss=LOSSES[loss](result))


def random_nets(count: int) -> Iterator[tuple[str, Callable[[], bp.Network]]]:
    nets = beside("random_nets")
    for k, spec in enumerate(nets.specs(count)):
        yield f"random-{k}-{spec.loss}", lambda spec=spec: nets.declare(spec)
