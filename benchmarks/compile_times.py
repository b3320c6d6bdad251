"""How long a generated Numba module takes to its first step, with an empty cache and with a full one.

Enters: a row. Leaves: seconds of whole processes. Must not know: peers.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.symbp_peer import source
from benchmarks.rows import Row

FIRST = """
import importlib.util, sys, time
start = time.perf_counter()
import numpy as np
spec = importlib.util.spec_from_file_location("net", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["net"] = module
spec.loader.exec_module(module)
arrays = dict(np.load(sys.argv[2]))
params = {name[2:]: a for name, a in arrays.items() if name.startswith("p:")}
data = {name[2:]: a for name, a in arrays.items() if name.startswith("d:")}
module.train_step(module.init_state(params), **data)
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class CompileTime:
    """Seconds from a process's start to the end of its first step."""

    row: str
    cold: float
    cached: float


def compile_time(row: Row, environment: Mapping[str, str]) -> CompileTime:
    """Two processes, one after the other, over one fresh cache."""
    params, data = row.arrays("float32")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "net.py").write_text(source(row, "numba", "float32"), encoding="utf-8")
        arrays = {f"p:{k}": a for k, a in params.items()} | {f"d:{k}": a for k, a in data.items()}
        np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
        own = {**environment, "NUMBA_CACHE_DIR": str(folder / "cache")}
        call = [sys.executable, "-c", FIRST, str(folder / "net.py"), str(folder / "arrays.npz")]
        times = [
            float(subprocess.run(call, check=True, capture_output=True, text=True, env=own).stdout)
            for _ in range(2)
        ]
    return CompileTime(row.name, *times)
