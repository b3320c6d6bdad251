"""Checkpoints: training goes on bit for bit after any kill, and no damaged file is believed."""

from __future__ import annotations

import functools
import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import symbp as bp

TARGETS = ["numpy", pytest.param("numba", marks=pytest.mark.slow)]
KILLS = int(os.environ.get("SYMBP_KILLS", "200" if os.environ.get("SYMBP_LONG") else "5"))


def noisy() -> bp.Network:
    """Batch norm, whose buffers training changes, and dropout."""
    N, D = bp.dims("N D")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=3)
    layers = bp.nn.Sequential(
        bp.nn.Dense(6, activation="tanh"), bp.nn.BatchNorm(), bp.nn.Dropout(0.5), bp.nn.Dense(3)
    )
    p = bp.softmax(layers(x))
    return bp.Network("noisy", loss=bp.cross_entropy(p, y), outputs={"p": p})


def plain() -> bp.Network:
    N, D, K = bp.dims("N D K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W, b = bp.param("W", (D, K)), bp.param("b", (K,))
    p = bp.softmax(x @ W + b)
    return bp.Network("plain", loss=bp.cross_entropy(p, y), outputs={"p": p})


def text(net: bp.Network, target: str, lr: float = 0.01) -> str:
    return bp.source(
        net,
        optimizer=bp.optim.Adam(lr),
        target=target,
        sizes={n: v for n, v in {"D": 4, "K": 3}.items() if n in net.system.sizes},
        pieces=("checkpoints", "patience"),
    )


@functools.cache
def module(declare: Callable[[], bp.Network], target: str) -> ModuleType:
    from symbp.targets.loading import load

    return load(text(declare(), target), declare.__name__)


def data() -> dict[str, Any]:
    x = np.random.default_rng(0).standard_normal((50, 4))
    return {"x": x, "y": np.abs(x).argmax(1) % 3}


def fresh(net: ModuleType) -> Any:
    return net.init_state(net.init_params(1), seed=5)


def everything(state: Any) -> dict[str, bytes]:
    arenas = {"params": state.params, "buffers": state.buffers, **state.moments}
    found = {f"{kind} {n}": a.tobytes() for kind, arena in arenas.items() for n, a in arena.items()}
    return {**found, "step": str(state.step).encode()}


class Killed(BaseException):
    """As hard an end as there is within a process."""


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("declare", [plain, noisy])
def test_training_goes_on_bit_for_bit(
    declare: Callable[[], bp.Network], target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, held = module(declare, target), {n: a[:20] for n, a in data().items()}
    how: dict[str, Any] = {"batch_size": 8, "validation": held}
    whole = fresh(net)
    history = net.fit(whole, data(), epochs=6, **how)
    first, path = fresh(net), tmp_path / "kept.npz"
    net.keep_checkpoints(first, path)
    net.fit(first, data(), epochs=3, **how)
    second = fresh(net)
    net.resume(second, path)
    told: list[int] = []
    found = net.fit(second, data(), epochs=6, callback=lambda r: told.append(r["epoch"]), **how)
    assert everything(second) == everything(whole)
    assert everything(first) != everything(whole)
    assert [r["loss"] for r in found] == [r["loss"] for r in history]
    assert told == [1, 2, 3, 4, 5, 6]

    step, left = net._step, iter(range(25))  # 7 steps an epoch: in the midst of the fourth

    def dies(*arguments: Any) -> float:
        if next(left, None) is None:
            raise Killed
        return float(step(*arguments))

    third = fresh(net)
    net.keep_checkpoints(third, path, every=100, every_steps=1)
    with monkeypatch.context() as patched:
        patched.setattr(net, "_step", dies)
        with pytest.raises(Killed):
            net.fit(third, data(), epochs=6, **how)
    fourth = fresh(net)
    net.resume(fourth, path)
    assert fourth.step == 25
    found = net.fit(fourth, data(), epochs=6, **how)
    assert everything(fourth) == everything(whole)
    assert [r["loss"] for r in found] == [r["loss"] for r in history]
    assert [p.name for p in tmp_path.iterdir()] == ["kept.npz"]


@pytest.mark.slow
def test_patience_goes_back_to_a_best_epoch_before_the_checkpoint(tmp_path: Path) -> None:
    net = module(noisy, "numpy")
    wrong = {"x": data()["x"], "y": (data()["y"] + 1) % 3}  # so the best epoch comes early
    how: dict[str, Any] = {"batch_size": 8, "validation": wrong, "patience": 8}
    whole, first, second = fresh(net), fresh(net), fresh(net)
    history = net.fit(whole, data(), epochs=10, **how)
    best = next(r["epoch"] for r in history if r.get("best"))
    assert best < 4
    net.keep_checkpoints(first, tmp_path / "kept.npz")
    net.fit(first, data(), epochs=4, **how)
    net.resume(second, tmp_path / "kept.npz")
    found = net.fit(second, data(), epochs=10, **how)
    assert everything(second) == everything(whole)
    assert [r.get("best") for r in found] == [r.get("best") for r in history]


@pytest.mark.slow
def test_a_killed_process_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    """SIGKILL at random moments, with checkpoints at every step; each time it goes on from what is there."""
    (tmp_path / "net.py").write_text(text(noisy(), "numpy"), encoding="utf-8")
    np.savez(tmp_path / "data.npz", **data())
    command = [sys.executable, "net.py", "train", "--data", "data.npz", "--batch-size", "8", "--epochs", "60"]

    def started(*more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, *more], cwd=tmp_path, stdout=-3, stderr=subprocess.PIPE)

    begun = time.perf_counter()
    whole = started("-o", "whole.npz")
    assert whole.wait() == 0
    assert whole.stderr is not None
    whole.stderr.close()
    draw, kept, killed = random.Random(3), tmp_path / "kept.npz", 0
    starting = time.perf_counter() - begun
    while killed < KILLS:
        kept.unlink(missing_ok=True) if draw.random() < 0.1 else None
        option = "--resume" if kept.exists() else "--checkpoint"
        running = started("-o", "killed.npz", option, "kept.npz", "--every-steps", "1")
        try:
            _, told = running.communicate(timeout=starting * (0.5 + 1.2 * draw.random()))
            assert running.returncode == 0, told
            assert_same(tmp_path / "killed.npz", tmp_path / "whole.npz")
            kept.unlink()
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()
            killed += 1
    option = "--resume" if kept.exists() else "--checkpoint"
    last = started("-o", "killed.npz", option, "kept.npz")
    _, told = last.communicate()
    assert last.returncode == 0, told
    assert_same(tmp_path / "killed.npz", tmp_path / "whole.npz")
    assert not list(tmp_path.glob("*.part"))


def assert_same(one: Path, other: Path) -> None:
    with np.load(one) as found, np.load(other) as expected:
        assert set(found.files) == set(expected.files)
        for name in expected.files:
            np.testing.assert_array_equal(found[name], expected[name])


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    net, path = module(plain, "numpy"), tmp_path / "p.npz"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f"p.npz.{net._here()}-{gone.pid}-0f.part"
    running = tmp_path / f"p.npz.{net._here()}-{os.getppid()}-0f.part"
    mine = tmp_path / "p.npz.mine.part"
    elsewhere, forgotten = (tmp_path / f"p.npz.hffffffff-{gone.pid}-{n}.part" for n in ("0a", "0b"))
    for file in (left, running, mine, elsewhere, forgotten):
        file.write_bytes(b"half")
    os.utime(forgotten, (0, 0))
    net.save(path, fresh(net))
    assert {p.name for p in tmp_path.iterdir()} == {"p.npz", running.name, mine.name, elsewhere.name}


def test_a_full_disk_leaves_the_checkpoint_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, path = module(plain, "numpy"), tmp_path / "p.npz"
    net.save(path, fresh(net))
    before = path.read_bytes()

    def full(file: Any, **arrays: Any) -> None:  # noqa: ARG001
        file.write(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(net.np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        net.save(path, fresh(net))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p.npz"]


def test_parameters_may_come_from_a_file_also_in_part(tmp_path: Path) -> None:
    net, state = module(plain, "numpy"), fresh(module(plain, "numpy"))
    np.savez(tmp_path / "part.npz", W=np.ones((4, 3)), other=np.ones(2))
    b = state.params["b"].copy()
    assert net.start_from(state, tmp_path / "part.npz") == ["b"]
    assert (state.params["W"] == 1).all()
    assert (state.params["b"] == b).all()
    net.save(tmp_path / "all.npz", fresh(net))
    assert net.start_from(state, tmp_path / "all.npz") == []
    assert everything(state) == everything(fresh(net))
    for name, arrays, part in (
        ("shape", {"W": np.ones((3, 4))}, "shape"),
        ("nan", {"W": np.full((4, 3), np.nan)}, "not finite"),
        ("none", {"V": np.ones(2)}, "no parameter of this network: W, b"),
    ):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(net.DataError, match=part):
            net.start_from(state, tmp_path / f"{name}.npz")
    assert everything(state) == everything(fresh(net))


def member(array: Any) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(array), allow_pickle=True)
    return content.getvalue()


def promising(shape: str, descr: str = "'<f8'", more: bytes = b"\0" * 96) -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + more


def damaged(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Files that are no checkpoints of `plain`, each with what is wrong with it."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def zipped(change: dict[str, bytes | None], method: int = zipfile.ZIP_STORED) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", method) as archive:
            for name, body in {**members, **change}.items():
                if body is not None:
                    archive.writestr(name, body)
        return content.getvalue()

    for length in (0, 1, 100, len(good) // 2, len(good) - 30, len(good) - 1):
        yield f"truncated to {length}", good[:length]
    yield "no zip", b"hello" * 100
    yield "an array alone", member(np.ones(3))
    yield "an empty archive", zipped(dict.fromkeys(members))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"compressed by {method}", zipped({}, method)
    for flag in (6, 8):  # of the directory's first entry: encrypted, then compressed in an unknown way
        at = good.index(b"PK\x01\x02") + 2 + flag
        yield f"flag {flag}", good[:at] + bytes([good[at] | (1 if flag == 6 else 99)]) + good[at + 1 :]
    middle = good.index(members["moments.m.W.npy"]) + 140
    yield "a bit flipped", good[:middle] + bytes([good[middle] ^ 4]) + good[middle + 1 :]
    for name in ("params.W", "moments.m.W", "moments.v.b", "step", "course"):
        yield f"without {name}", zipped({f"{name}.npy": None})
    W = "params.W.npy"
    for wrong in ([1.0], np.ones((3, 4)), np.array([["a"] * 3] * 4)):
        yield f"W is {wrong}", zipped({W: member(wrong)})
    yield "single precision", zipped({W: member(np.ones((4, 3), np.float32))})
    yield "W holds objects", zipped({W: member(np.array([[{}] * 3] * 4, object))})
    for shape in ("(1000000000000, 3)", "(4, 3, 0)", "(-4, 3)", "(4,", "'x'", "(2**9,)", f"({'9' * 400},)"):
        yield f"the shape {shape}", zipped({W: promising(shape)})
    yield "a type that is none", zipped({W: promising("(4, 3)", "'|Z9'")})
    yield "brackets", zipped({W: promising("(" * 5000)})
    yield "version 9", zipped({W: b"\x93NUMPY\x09\x00" + b"\0" * 300})
    yield "no member of NumPy's", zipped({W: b"text"})
    course = json.loads(np.load(io.BytesIO(good))["course"].tobytes())
    for key, value in (
        ("records", [{}]),
        ("records", [{"epoch": 7, "loss": 1, "seconds": 1}]), ("batch", -1), ("start", "x"),
        ("network", {"network": "other"}), ("on", 3), ("best", ["x"]), ("batch", 5),
    ):  # fmt: skip
        changed = np.frombuffer(json.dumps({**course, key: value}).encode(), np.uint8)
        yield f"course: {key} = {value}", zipped({"course.npy": member(changed)})
    yield "no JSON", zipped({"course.npy": member(np.frombuffer(b"[" * 9000, np.uint8))})
    yield "a negative step", zipped({"step.npy": member(np.int64(-3))})


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    net, path = module(plain, "numpy"), tmp_path / "kept.npz"
    state = fresh(net)
    net.keep_checkpoints(state, path)
    net.fit(state, data(), epochs=1, batch_size=8)
    good, count, unread = path.read_bytes(), 0, fresh(net)
    before = everything(unread)
    for count, (what, content) in enumerate(damaged(good), 1):  # noqa: B007
        path.write_bytes(content)
        with pytest.raises(net.DataError, match=r"kept\.npz"):
            net.resume(unread, path)
        if not what.startswith(("course", "no JSON", "without course", "without step", "single")):
            with pytest.raises(net.DataError, match=r"kept\.npz"):
                net.load(path)
        assert everything(unread) == before, what
        assert unread.course is None
    assert count >= 39
    with np.load(io.BytesIO(good)) as arrays:
        np.savez_compressed(path, **arrays)
    net.resume(unread, path)
    assert everything(net.load(path)) == everything(unread) == everything(state)


def test_another_training_is_refused_by_what_differs(tmp_path: Path) -> None:
    net, path = module(plain, "numpy"), tmp_path / "kept.npz"
    state = fresh(net)
    net.keep_checkpoints(state, path)
    net.fit(state, data(), epochs=2, batch_size=8)
    other = fresh(net)
    other.hyper["lr"], other.seed = 0.5, 6
    with pytest.raises(net.DataError, match=r"seed 5 there, 6 here; lr 0\.01 there, 0\.5 here"):
        net.resume(other, path)
    noise = module(noisy, "numpy")
    with pytest.raises(noise.DataError, match=r"network plain there, noisy here; equations \w+ there"):
        noise.resume(fresh(noise), path)
    with pytest.raises(noise.DataError, match="of the network plain, not of noisy"):
        noise.load(path)
    for how, part in (
        ({"epochs": 1, "batch_size": 8}, "2 epochs"),
        ({"epochs": 3, "batch_size": 9}, "batch size 8 there, 9 here"),
    ):
        other = fresh(net)
        net.resume(other, path)
        with pytest.raises(net.DataError, match=part):
            net.fit(other, data(), **how)
    other = fresh(net)
    net.resume(other, path)
    changed = data()
    changed["x"][3, 1] += 1e-9
    with pytest.raises(net.DataError, match=r"data \w+ there"):
        net.fit(other, changed, epochs=3, batch_size=8)


def test_where_a_file_that_is_read_cant_be_replaced_it_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows refuses that, for as long as a scanner looks at the file."""
    from types import SimpleNamespace

    from symbp.runtime.common.training import whole

    left, waited = iter([True, True, False]), list[float]()

    def refuses(_one: Path, _other: Path) -> None:
        if next(left):
            raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(whole, "time", SimpleNamespace(sleep=waited.append))
    monkeypatch.setattr(whole, "os", SimpleNamespace(name="nt", replace=refuses))
    whole._move(Path("one"), Path("other"))
    assert waited == [0.01, 0.1]
    monkeypatch.setattr(whole, "os", SimpleNamespace(name="posix", replace=refuses))
    left = iter([True])
    with pytest.raises(PermissionError):
        whole._move(Path("one"), Path("other"))
    assert waited == [0.01, 0.1]
