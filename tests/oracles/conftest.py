"""Helpers beside the tests can be imported; the end says how many published values were compared."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
import shares

sys.path.insert(0, str(Path(__file__).parent))
HERE = Path(__file__).parent
TAKE_LONG = ("test_logits_loss_and_gradients", "test_steps_of_adamw", "test_gmm")  # to compile
PASSED: Counter[str] = Counter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    shares.compiled(items, set(HERE.glob("test_*.py")), 3)
    for item in items:
        if item.path.parent == HERE and "numba" in item.name and item.name.startswith(TAKE_LONG):
            item.add_marker(pytest.mark.long)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    file = report.nodeid.split("::")[0]
    if report.when == "call" and report.passed and "oracles/" in file:
        PASSED[file.rsplit("/", 1)[-1]] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if PASSED:
        terminalreporter.section("published values compared")
        for file, count in sorted(PASSED.items()):
            terminalreporter.write_line(f"{file}: {count} tests passed")
