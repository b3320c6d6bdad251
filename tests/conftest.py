"""What all tests share: golden texts that show a diff and can be renewed, a heap that stays small, and
derivations of the gallery and compiled modules, each made once in a run."""

from __future__ import annotations

import difflib
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
# SymPy remembers a thousand results of each kind; one process derives hundreds of networks here. More than
# some thousands gain no time, and fill memory.
os.environ.setdefault("SYMPY_CACHE_SIZE", "4000")

import derived_once
import shares


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background; trainings would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault("SYMBP_VALIDATE", "1")  # each state between the passes of a target is validated
    settings.register_profile("any machine", deadline=None)  # a busy one is no fault
    settings.load_profile("any machine")
    if derived_once.started():
        config.add_cleanup(derived_once.ended)
    # Modules and their machine code are the run's, whichever process asks first, and not the user's.
    os.environ.setdefault("SYMBP_CACHE", str(Path(os.environ[derived_once.FOLDER]) / "modules"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the long ones to a run that is asked for them, or for a test by its name."""
    shares.mark(items)
    if os.environ.get("SYMBP_LONG") or any("::" in argument for argument in config.args):
        return
    left = [item for item in items if item.get_closest_marker("long")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item.get_closest_marker("long") is None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden texts with what comes out now")


@pytest.fixture(scope="module", autouse=True)
def _small_heap() -> Iterator[None]:
    """What a module leaves behind, compiled code above all, is not searched for garbage again: after some
    thousand tests each search would take seconds."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("name.txt", text)` compares with the file beside the test, in its folder `golden`."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption("--update"):
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before != text:
            diff = difflib.unified_diff(before.splitlines(), text.splitlines(), "golden", "now", lineterm="")
            shown = "\n".join(diff)
            pytest.fail(f"{name} changed; if that is right, run pytest {request.path.name} --update\n{shown}")

    return compare
