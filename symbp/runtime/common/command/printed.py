"""A line for each epoch.

Enters: options, data, records. Leaves: lines on stderr. Must not know: how they were computed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from symbp.runtime.network import Array


def _printed(options: argparse.Namespace, data: dict[str, Array]) -> Callable[[dict[str, Any]], None]:
    """Prints a line for each epoch."""

    def report(record: dict[str, Any]) -> None:
        values = "  ".join(f"{k} {v:.6g}" for k, v in record.items() if isinstance(v, float))
        print(f"epoch {record['epoch']}  {values}", file=sys.stderr)

    return report
