"""Generated text is imported from a cache that its content names."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbp.rendering import render, template_folder
from symbp.targets.loading import cache_folder, load


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("SYMBP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "symbp"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "symbp"


def test_the_same_text_is_one_module_and_another_text_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path))
    first = load("VALUE = 1\n", "some net")
    assert first.VALUE == 1
    assert load("VALUE = 1\n", "some net") is first
    assert load("VALUE = 2\n", "some net").VALUE == 2
    assert len(list(tmp_path.glob("*.py"))) == 2
    assert not list(tmp_path.glob("*.part"))


def test_text_that_fails_leaves_no_module_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load("VALUE = 1 / 0\n", "broken")


def test_a_cache_that_cannot_be_written_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SYMBP_CACHE", str(tmp_path / "file" / "below"))
    assert load("VALUE = 3\n", "elsewhere").VALUE == 3


def test_a_template_that_lacks_a_value_says_so() -> None:
    import jinja2

    assert (template_folder() / "numpy/module.py.j2").exists()
    with pytest.raises(jinja2.UndefinedError):
        render("numpy/module.py.j2", {})
