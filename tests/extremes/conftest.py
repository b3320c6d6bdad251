"""The helpers beside the tests can be imported."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long runs are asked for: `SYMBP_LONG=1` in the environment."""
    long = pytest.mark.skip(reason="a run of hours: set SYMBP_LONG=1")
    for item in items:
        here = Path(__file__).parent in item.path.parents
        if here and item.get_closest_marker("slow") and not os.environ.get("SYMBP_LONG"):
            item.add_marker(long)
