"""What `train` trains on, and what it looks at beside: files.

Enters: a parser; options. Leaves: data in parts. Must not know: how a file is read. `parts_split` stands for
it where the data may be split.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from symbp.runtime.common.reading.archives import _DATA, _read
from symbp.runtime.network import INPUTS


def _parts_options(train: argparse.ArgumentParser) -> None:
    train.add_argument("--validation", type=Path, metavar=_DATA, help="data to evaluate after each epoch")


def _parts(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
    """(what to train on, what to evaluate after each epoch, what is kept of a table's columns)"""
    data, columns = _read(options.data, tuple(INPUTS), None, options)
    if options.validation is None:
        return data, None, columns
    return data, _read(options.validation, tuple(INPUTS), columns)[0], columns
