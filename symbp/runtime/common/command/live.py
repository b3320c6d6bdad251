"""One line of progress that is written again after each epoch.

Enters: options, data, records. Leaves: a line on stderr. Must not know: how they were computed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from typing import Any

from symbp.runtime.network import Array


def _live(options: argparse.Namespace, data: dict[str, Array]) -> Callable[[dict[str, Any]], None]:
    """One line that tells of the epochs so far and the time left; nothing where nobody watches."""
    epochs = options.epochs

    def report(record: dict[str, Any]) -> None:
        if not sys.stderr.isatty():
            return
        left = (epochs - record["epoch"]) * record["seconds"]
        shown = ((k, v) for k, v in record.items() if k != "seconds" and isinstance(v, float))
        values = "  ".join(f"{k} {v:.4g}" for k, v in shown)
        speed = f"{len(next(iter(data.values()))) / max(record['seconds'], 1e-9):,.0f} examples/s"
        line = f"epoch {record['epoch']}/{epochs}  {values}  {speed}  {left // 60:.0f}:{left % 60:02.0f} left"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:<{width}}", end="" if left else "\n", file=sys.stderr, flush=True)

    return report
