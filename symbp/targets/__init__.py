"""One folder for each target: its passes, its choice of forms, its helpers, behind one type."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbp.targets.target import Target

TARGETS = ("plain",)


def named(name: str) -> Target:
    """The target of that name, of `TARGETS`: what the folder of that name calls TARGET."""
    found: Target = import_module(f"symbp.targets.{name}").TARGET
    return found
