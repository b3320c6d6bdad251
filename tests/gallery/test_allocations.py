"""A step of any network of the gallery makes no arrays, in either target, and its workspaces have the bytes
that its formula says."""

import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from gallery_nets import NAMES, TRAINED, batch, derived, module
from modules_by_name import plan_of

from symbp.ir.expr import Size

STEPS, BATCH = 5, 16
SMALL = 12 << 10  # bytes: Python's objects, and what one call of NumPy makes for its own bookkeeping


def peak(found, state, rows):
    """The most bytes that live at once in a step beyond those before it."""
    for _ in range(2):
        found.train_step(state, **rows)
    gc.collect()
    gc.disable()
    tracemalloc.start(1)
    try:
        found.train_step(state, **rows)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        found.train_step(state, **rows)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.fixture
def small_buffers():
    """A call that broadcasts or casts has buffers inside, of so many elements for each operand whatever the
    arrays: with few of them an array stands out."""
    before = np.setbufsize(16)
    yield
    np.setbufsize(before)


@pytest.mark.slow
@pytest.mark.few(slow=7)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("small_buffers")
def test_a_step_in_numpy_makes_no_arrays(name):
    found = module(name, "numpy")
    few, many = (peak(found, found.init_state(found.init_params(0)), batch(name, rows)) for rows in (8, 72))
    assert many < SMALL, f"{many:,} bytes"
    assert many - few < 64 * 8, f"grows with the batch, from {few:,} to {many:,} bytes"


@pytest.mark.slow
@pytest.mark.few(slow=7)
@pytest.mark.parametrize("name", NAMES)
def test_workspaces_have_the_bytes_of_the_formula(name):
    exhibit, _, derivation, sizes = derived(name)
    for target in ("numpy", "numba"):
        for dtype in ("float32", "float64"):
            plan = plan_of(
                derivation,
                target=target,
                dtype=dtype,
                update=exhibit.optimizer,
                initial=exhibit.net.initial,
                sizes=sizes,
                hyper=derivation.constants,
            )
            found = module(name, target, dtype)
            for rows in (1, 7, 100):
                # the batch in one piece, and other lengths as the data have them
                open_ = dict.fromkeys(found.OPEN_SIZES, 9) | dict.fromkeys(("N", "rows"), rows)
                expected = int(plan.peak.xreplace({Size(n): v for n, v in open_.items()}))
                key = tuple(open_[n] for n in found.OPEN_SIZES)
                found._Memory(key)
                tracemalloc.start(1)
                try:
                    memory = found._Memory(key)
                    measured = tracemalloc.get_traced_memory()[0]
                finally:
                    tracemalloc.stop()
                assert memory.nbytes == expected
                views = 400 * len(memory.tensors)  # the arrays by name are objects themselves
                assert expected <= measured < expected + views + SMALL


# --- compiled steps
ENTRIES = (
    "_train_step",
    "_train_step_in_chunks",
    "_draw_bernoulli",
    "_draw_uniform",
    "_draw_normal",
)


def counted(found, monkeypatch):
    """The arrays that Python hands to compiled code; each costs one allocation, of a note about its owner."""
    handed = []

    def counting(function):
        def call(*arguments):
            handed.append(sum(isinstance(a, np.ndarray) for a in arguments))
            return function(*arguments)

        return call

    for name in ENTRIES:
        if hasattr(found, name):
            monkeypatch.setattr(found, name, counting(getattr(found, name)))
    return handed


def allocations():
    from numba.core.runtime import _nrt_python, rtsys

    _nrt_python.memsys_enable_stats()
    return rtsys.get_allocation_stats()


@pytest.mark.few(slow=5)
@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", TRAINED)
def test_a_compiled_step_allocates_nothing(name, threads, monkeypatch):
    found, data = module(name, "numba"), batch(name, BATCH)
    state = found.init_state(found.init_params(3), seed=3, threads=threads)
    for _ in range(2):  # compiles, and makes the workspaces
        found.train_step(state, **data)
    handed, before = counted(found, monkeypatch), allocations()
    for _ in range(STEPS):
        found.train_step(state, **data)
    after = allocations()
    assert handed
    assert after.alloc - before.alloc == sum(handed)
    assert after.free - before.free == sum(handed)


UNDER_A_LIMIT = """
import gc, resource, sys
import numpy as np
sys.path[:0] = sys.argv[1:3]
from gallery_nets import batch, module
name, target, rows = sys.argv[3], sys.argv[4], int(sys.argv[5])
found, data = module(name, target), batch(name, rows)
state = found.init_state(found.init_params(0), threads=1)
for _ in range(2):
    found.train_step(state, **data)
gc.collect()  # what a later collection freed would be room
pages = int(open("/proc/self/statm").read().split()[0])
free = 1 << 20
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + free,) * 2)
losses = [found.train_step(state, **data) for _ in range(10)]
try:
    np.empty(2 * free, np.uint8)
except MemoryError:
    print(losses[-1] < losses[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is that of Linux")
@pytest.mark.parametrize("target", ["numba", "numpy"])
@pytest.mark.parametrize(("name", "rows"), [("mlp", 4096), ("char_rnn", 128)])
def test_steps_run_when_memory_has_run_out(name, rows, target):
    """Under a limit of 1 MiB above what two steps have left, at which no array of 2 MiB can be made: all
    steps together get along with that."""
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, *map(str, Path(__file__).parents[:2]), name, target, str(rows)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr
