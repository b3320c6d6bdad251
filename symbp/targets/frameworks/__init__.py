"""The loss for PyTorch, JAX and TensorFlow, whose own automatic differentiation finds its gradients.

Enters: a system as it was declared, the name of a framework. Leaves: a module's text with the function
`loss`. Must not know: derivatives; no equation of a backward pass is read here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbp.targets.frameworks.spelling import Spelling

FRAMEWORKS = ("torch", "jax", "tensorflow")
"""By the names under which they are imported."""


def named(name: str) -> Spelling:
    """How the framework of that name, of `FRAMEWORKS`, writes operations."""
    found: Spelling = import_module(f"symbp.targets.frameworks.{name}").SPELLING
    return found
