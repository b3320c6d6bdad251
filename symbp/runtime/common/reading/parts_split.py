"""What `train` trains on, and what it looks at beside: a file of its own, or a part of the data.

Enters: a parser; options. Leaves: data in parts, lines about them on stderr. Must not know: how a file is
read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.reading.archives import _DATA, _read, _words_in
from symbp.runtime.common.reading.splitting import _balance, _examples, _split, _split_by
from symbp.runtime.network import BATCH, FACTS, FORWARD_INPUTS, INPUTS, INTEGERS


def _parts_options(train: argparse.ArgumentParser) -> None:
    train.add_argument(
        "--validation", metavar=f"SHARE|{_DATA}",
        help="data to evaluate after each epoch: a file, or a share of the data such as 0.2",
    )  # fmt: skip
    train.add_argument("--split-seed", type=int, metavar="INTEGER", help="of a share at random (default: 0)")
    train.add_argument("--stratify", action="store_true", help="with the same share of each class")
    train.add_argument("--last", type=int, metavar="COUNT", help="evaluate the last examples instead")
    train.add_argument(
        "--split-column", metavar="COLUMN",
        help="of a table: the column that says train, validation or test, or 0 and 1; not read as data",
    )  # fmt: skip


def _parts(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
    """(what to train on, what to evaluate after each epoch, what is kept of a table's columns)"""
    ways = {
        "--last": options.last is not None,
        "--split-column": options.split_column is not None,
        "--validation": options.validation is not None,
    }
    asked = [name for name, is_asked in ways.items() if is_asked]
    if len(asked) > 1:
        raise DataError(f"{asked[0]} and {asked[1]} are two ways to split the data: give one of them")
    share = _share(options.validation)
    if BATCH is None and asked and (share is not None or asked != ["--validation"]):
        raise DataError(f"{asked[0]}: the data are one example, of which no part can be held out")
    if share is None and (options.stratify or options.split_seed is not None):
        raise DataError("--stratify and --split-seed are of a share at random: --validation 0.2")
    data, columns = _read(options.data, tuple(INPUTS), None, options)
    train, held = data, None
    if share is not None:
        by = _labels() if options.stratify else None
        if options.stratify and by is None:
            raise DataError("--stratify is for a network with one label for each example")
        train, held = _split(data, int(_examples(data) * share + 1e-9), options.split_seed or 0, by)
    elif options.last is not None:
        count = _examples(data)
        if not 0 < options.last < count:
            raise DataError(f"cannot hold out the last {options.last} of {count} examples")
        train = {name: array[: count - options.last] for name, array in data.items()}
        held = {name: array[count - options.last :] for name, array in data.items()}
    elif options.split_column is not None:
        train, validation, test = _split_by(data, _words_in(options.data, options.split_column))
        held = validation if _examples(validation) else test
    elif options.validation is not None:
        return data, _read(Path(options.validation), tuple(INPUTS), columns)[0], columns
    if held is not None:
        print(f"{_examples(train)} examples to train on, {_examples(held)} to evaluate", file=sys.stderr)
        for name in filter(None, (_labels(),)):
            print(_balance(name, train[name]), file=sys.stderr)
    return train, held, columns


def _share(text: str | None) -> float | None:
    """`0.2` → 0.2; None for a path."""
    try:
        share = float(text or "")
    except ValueError:
        return None
    if not 0 < share < 1:
        raise DataError(f"--validation {text} is no share of the data: give one between 0 and 1")
    return share


def _labels() -> str | None:
    """The one target that holds a label for each example, or 0 and 1."""
    found = [
        name
        for name, shape in INPUTS.items()
        if name not in FORWARD_INPUTS
        and len(shape) == 1
        and (name in INTEGERS or ("binary", -1) in FACTS.get(name, ()))
    ]
    return found[0] if len(found) == 1 else None
