"""Output files are whole or not there; nothing else is left behind, whatever goes wrong."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from symbp import writing as files
from symbp.cli.main import main
from symbp.errors import GenerationError
from symbp.runtime.common.training.whole import _here


def full(handle: int) -> None:
    """Syncs a file on a disk that had room for its first bytes only."""
    os.ftruncate(handle, 10)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


COMMANDS = (
    "derive neuron --force -o",
    "draw neuron --force -o",
    "generate neuron --force -o",
    "grad x*x --force -o",
    "exercise neuron --force -o",
    "check neuron --force --report",
    "check neuron --force --curve",
)


@pytest.mark.slow
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.html"
    path.write_text("before")
    monkeypatch.setattr(os, "fsync", full)
    for command in COMMANDS:
        assert main([*command.split(), str(path)]) == 2, command
        assert "No space left on device" in capsys.readouterr().err
        assert path.read_text() == "before"
        assert [p.name for p in tmp_path.iterdir()] == ["out.html"]


def test_places_where_nothing_can_be_written_are_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "there").write_text("x")
    for path, told in {
        "folder": "a folder is where",
        "reslts/out.txt": "did you mean results?",
        "there": "exists already",
        "there/out.txt": "no such folder",
    }.items():
        with pytest.raises(GenerationError, match=told.replace("?", r"\?")):
            files.refuse_to_overwrite(tmp_path / path, force=False)
    monkeypatch.setattr(files.os, "access", lambda *_: False)  # who runs the tests may write everywhere
    with pytest.raises(GenerationError, match="Permission denied"):
        files.refuse_to_overwrite(tmp_path / "new", force=False)


def test_a_file_keeps_its_permissions_and_a_link_leads_where_it_led(tmp_path: Path) -> None:
    path, link = tmp_path / "out.txt", tmp_path / "link.txt"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    files.write(link, "Σ\n", force=True)
    assert link.is_symlink()
    assert path.read_bytes() == "Σ\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for owner in (gone.pid, os.getppid()):
        (tmp_path / f"a[1].txt.{_here()}-{owner}-0f.part").write_text("")
    files.write(tmp_path / "a[1].txt", "text", force=False)
    left = f"a[1].txt.{_here()}-{os.getppid()}-0f.part"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a[1].txt", left]


def test_a_device_is_written_to_and_not_replaced() -> None:
    files.write(os.devnull, "text", force=True)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_stdout_is_an_error_and_no_traceback() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "symbp.cli", "gallery"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
