"""Whatever happens to a file in the cache, a module computes what it did, and the file is made anew."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("numba")

SOURCE = '''"""Σ: a module."""
from numba import njit

@njit(cache=True)
def inner(x):
    return 3.0 * x + 1.0

@njit(cache=True)
def outer(x):
    total = 0.0
    for k in range(5):
        total += inner(x + k)
    return total
'''
LATER = '''"""Σ: a module that compiles when it is first used, as generated ones do."""

def inner(x):
    return 3.0 * x + 1.0

def outer(x):
    total = 0.0
    for k in range(5):
        total += inner(x + k)
    return total

def _compile():
    import numba
    for name in ("inner", "outer"):
        globals()[name] = numba.njit(cache=True)(globals()[name])
'''
RUN = """
import sys, warnings
from symbp.targets.loading import load
module = load(open(sys.argv[1], encoding="utf-8").read(), "damaged")
getattr(module, "_compile", lambda: None)()
print(module.outer(2.0), sum(module.outer.stats.cache_hits.values()))
"""


def flipped(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= draw.randrange(1, 256)
    path.write_bytes(bytes(content))


def as_folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: tuple[Callable[[Path, random.Random], object], ...] = (
    flipped,
    flipped,
    lambda path, draw: path.write_bytes(path.read_bytes()[: draw.randrange(path.stat().st_size)]),
    lambda path, _: path.write_bytes(b""),
    lambda path, _: path.write_bytes(b"\xff\xfe" * 40),
    as_folder,
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "source", [LATER, pytest.param(SOURCE, marks=pytest.mark.long)], ids=["later", "at once"]
)
def test_damage(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, text, draw = tmp_path / "cache", tmp_path / "text.py", random.Random(0)
    text.write_text(source, encoding="utf-8")
    monkeypatch.setenv("SYMBP_CACHE", str(cache))

    def ran() -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(text)], capture_output=True, encoding="utf-8", check=True
        )
        value, hits = done.stdout.split()
        return value, hits

    assert ran() == ("65.0", "0")
    assert ran() == ("65.0", "1")  # taken from the cache
    for damage in DAMAGE:
        files = [path for path in cache.rglob("*") if path.is_file() and "sealed" in path.name]
        assert len(files) >= 2
        for path in files:  # the text stays: with it, all would be compiled again in any case
            damage(path, draw)
        assert ran() == ("65.0", "0"), damage
    assert ran() == ("65.0", "1")
    (written,) = cache.glob("*.py")
    written.write_bytes(b"\xff" + written.read_bytes())
    assert ran()[0] == "65.0"
    assert written.read_text(encoding="utf-8") == source
