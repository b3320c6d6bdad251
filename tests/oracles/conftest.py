"""Helpers beside the tests can be imported; the end says how many published values were compared."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
PASSED: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    file = report.nodeid.split("::")[0]
    if report.when == "call" and report.passed and "oracles/" in file:
        PASSED[file.rsplit("/", 1)[-1]] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if PASSED:
        terminalreporter.section("published values compared")
        for file, count in sorted(PASSED.items()):
            terminalreporter.write_line(f"{file}: {count} tests passed")
