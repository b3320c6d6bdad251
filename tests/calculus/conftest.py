"""Makes the modules of rows beside these tests importable by their own names."""

import sys
from pathlib import Path

import pytest

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))


SLOW = ("29 GPT-2 block", "27 LSTM", "28 GRU", "vjp_lstm_gates")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole recurrences and blocks take seconds each."""
    for item in items:
        if any(name in item.name for name in SLOW):
            item.add_marker(pytest.mark.slow)
