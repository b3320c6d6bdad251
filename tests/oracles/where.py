"""Where published values are: `SYMBP_ORACLES`, or `oracles` in the folder `shared` beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("SYMBP_ORACLES") or Path(__file__).parents[3] / "shared" / "oracles")


def oracles(path: str) -> Path:
    """The file of that name; skips the test where it is absent."""
    found = ROOT / path
    if not found.exists():
        pytest.skip(f"no {found.name} there: set SYMBP_ORACLES")
    return found
