"""Each epoch's record as a line of JSON in a file.

Enters: options, data, records. Leaves: a file. Must not know: how they were computed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from symbp.runtime.network import Array


def _log_option(train: argparse.ArgumentParser) -> None:
    train.add_argument("--log", type=Path, metavar="FILE.jsonl", help="each epoch's record as a line of JSON")


def _log_lines(options: argparse.Namespace, data: dict[str, Array]) -> Callable[[dict[str, Any]], None]:
    """One line of JSON for each epoch in a new file, if one is asked for; JSON has no NaN."""
    if options.log:
        options.log.write_text("", encoding="utf-8")

    def report(record: dict[str, Any]) -> None:
        if not options.log:
            return
        finite = {k: v if not isinstance(v, float) or np.isfinite(v) else None for k, v in record.items()}
        try:
            with options.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(finite) + "\n")
        except OSError as failure:  # a training is worth more than its log
            print(f"the log can't be written any more, training goes on: {failure}", file=sys.stderr)
            options.log = None

    return report
