"""The helpers beside the tests can be imported, and a module that many tests look at."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import shares

sys.path.insert(0, str(Path(__file__).parent))


HERE = Path(__file__).parent
OF_MATRICES = {HERE / "test_scalars_in_code.py", *(HERE / "matrices").glob("test_*.py")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    shares.compiled(items, OF_MATRICES, 2)


@pytest.fixture(scope="session", params=["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def module(request: pytest.FixtureRequest) -> ModuleType:
    """The two-layer classifier in float64, in each target."""
    from target_nets import mlp_module

    return mlp_module(request.param)


@pytest.fixture
def data() -> dict[str, Any]:
    """Seven examples for the classifier."""
    rng = np.random.default_rng(3)
    return {"x": rng.standard_normal((7, 5)), "y": rng.integers(0, 3, 7)}
