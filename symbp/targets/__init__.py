"""One folder for each target: its passes, its choice of forms, its helpers, behind one type."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from symbp.errors import UsageError, choose

if TYPE_CHECKING:
    from symbp.targets.target import Target

COMPLETE = ("numpy", "numba")
"""Those with a runtime: their modules have a command line, and train, check and plan by themselves."""
TITLES = {"numpy": "NumPy", "numba": "Numba", "plain": "NumPy as on a slide"}
"""What the modules of each target are, for who chooses one."""
TARGETS = tuple(TITLES)


def named(name: str) -> Target:
    """The target of that name: what the folder calls TARGET. Raises UsageError: there is none."""
    if name not in TARGETS:
        raise UsageError(f"there is no target {name!r}", help=choose(name, TARGETS))
    found: Target = import_module(f"symbp.targets.{name}").TARGET
    return found
