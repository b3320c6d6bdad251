"""The benchmarks' command, its table and its picture, at a scale of milliseconds."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from benchmarks import plot
from benchmarks.measure import Result, difference, measure
from benchmarks.peers.registry import PEERS, Peer
from benchmarks.peers.step import Step
from benchmarks.report import duration, table
from benchmarks.rows import ROWS, Row
from benchmarks.timing import Times, interleaved


def silent(_: str) -> None:
    """No progress."""


def results() -> list[Result]:
    first = Result(
        "one", "a row", {"symbp-numpy": Times((2e-6, 4e-6, 3e-6)), "numpy": Times((3e-6, 4e-6, 6e-6))}
    )
    second = Result("two", "another", {"symbp-numpy": Times((1.0,)), "numpy": Times((0.5,))})
    return [first, Result("none", "of it", absent={"numpy": "no form"}), second]


def test_ratios_are_taken_round_by_round() -> None:
    one = results()[0]
    assert one.times["numpy"].over(one.times["symbp-numpy"]) == 1.5
    assert one.times["numpy"].median == 4e-6


def test_the_table_names_what_is_absent() -> None:
    text = table(results(), ["symbp-numpy", "numpy"])
    assert "one               3 µs ±17 %" in text
    assert "none: no numpy: no form" in text
    ratios = text.split("\n\n")[1].splitlines()
    assert [line.split()[-1] for line in ratios[1:]] == ["1.50", "–", "0.50"]


def test_durations() -> None:
    assert [duration(s) for s in (1.5, 0.0123, 4.56e-6, 2e-9)] == ["1.5 s", "12.3 ms", "4.56 µs", "0.002 µs"]


def test_the_picture_is_svg_with_a_bar_for_each_time() -> None:
    root = ElementTree.fromstring(plot.svg(results(), ["symbp-numpy", "numpy"]))
    bars = [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if len(e)]
    assert len(bars) == 4
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths[1] == pytest.approx(widths[3] * np.log(1.5) / np.log(2), rel=1e-2)


def test_rounds_visit_every_peer_and_rotate() -> None:
    seen: list[str] = []

    def take(name: str) -> float:
        seen.append(name)
        return 0.0

    names = ("a", "b", "c")
    found = interleaved({n: lambda n=n: take(n) for n in names}, 3, 1e-5, silent)  # type: ignore[misc]
    assert all(len(times.rounds) == 3 for times in found.values())
    turns = [name for k, name in enumerate(seen) if k == 0 or seen[k - 1] != name]
    assert "".join(turns).endswith("bcacab")  # b, c, a and then c, a, b: each round begins one further


@dataclass(frozen=True)
class Doubtful(Peer):
    """The reference, with every loss a little off."""

    def prepare(self, row: Row, dtype: str, threads: int) -> Step:
        take = super().prepare(row, dtype, threads).take
        return Step(lambda: 1.001 * take())


def test_peers_that_fail_or_differ_are_named_and_not_timed() -> None:
    peers = [
        PEERS["numpy"],
        Peer("missing", "missing_peer", "numpy"),
        Doubtful("doubtful", "numpy_reference", "numpy"),
    ]
    result = measure(ROWS["tiny"], peers, threads=1, rounds=1, seconds=1e-4, report=silent)
    assert set(result.times) == {"numpy"}
    assert "No module named" in result.absent["missing"]
    assert result.absent["doubtful"] == "losses differ by 1.0e-03"
    assert not result.sound
    assert Result.of_json(json.loads(json.dumps(result.json()))) == result


def test_differences_are_relative_to_each_loss_or_where_terms_cancel_to_the_largest() -> None:
    assert difference([1.0, 2.0], [1.25, 2.0]) == pytest.approx(0.2)
    assert difference([1.0, 2.0], [1.1, 2.0], signed=True) == pytest.approx(0.05)
    assert difference([float("nan")], [1.0]) == float("inf")


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    figures, picture = tmp_path / "figures.json", tmp_path / "picture.svg"
    files = ["--json", str(figures), "--svg", str(picture)]
    call = [sys.executable, "-m", "benchmarks", "tiny", "--quick", "--peers", "symbp-numpy", "numpy", *files]
    done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert "tiny" in done.stdout
    assert "round 1 of 3" in done.stderr
    content = json.loads(figures.read_text())
    assert set(content["rows"][0]["seconds"]) == {"symbp-numpy", "numpy"}
    assert content["rows"][0]["loss_difference"]["symbp-numpy"] < 1e-4
    assert content["machine"]["gemm_gflops"] > 0
    ElementTree.fromstring(picture.read_text())


@pytest.mark.slow
def test_a_row_whose_process_dies_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import __main__ as command

    real = subprocess.run

    def killed(call: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(call, -11) if "tiny" in call else real(call, **options)  # type: ignore

    monkeypatch.setattr(subprocess, "run", killed)
    assert command.main(["tiny", "--quick", "--peers", "numpy"]) == 1
    assert "tiny: no peer: the row's process ended with signal 11" in capfd.readouterr().out


def test_a_peer_that_dies_is_named_and_the_row_measured_without_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import __main__ as command

    def run(call: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        file = Path(call[call.index("--measure") + 1])
        if "tiny" not in call:
            found = {"processor": "any", "gemm_gflops": 1, "copy_gb_per_s": 1}
        elif "numpy" in call:
            file.with_suffix(".at").write_text("numpy")
            return subprocess.CompletedProcess(call, -9)
        else:
            assert call[call.index("--peers") + 1 :] == ["symbp-numpy"]
            found = Result("tiny", "a row", {"symbp-numpy": Times((1e-6,))}).json()
        file.write_text(json.dumps(found))
        return subprocess.CompletedProcess(call, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert command.main(["tiny", "--quick", "--peers", "symbp-numpy", "numpy"]) == 0
    assert "tiny: no numpy: the row's process ended with signal 9" in capfd.readouterr().out


@pytest.mark.slow
def test_unknown_names_are_refused() -> None:
    call = [sys.executable, "-m", "benchmarks", "nosuch"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 2
    assert "unknown: nosuch" in done.stderr
