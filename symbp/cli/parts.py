"""What to train on, what training may look at, what it never sees.

Enters: options, the data. Leaves: `Parts`. Must not know: networks, how a table is read.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbp.cli.arguments import Arguments, count
from symbp.errors import UsageError

if TYPE_CHECKING:
    from symbp.cli.data import Found
    from symbp.data import Data


MAPPED_HELD = 10_000  # examples


@dataclass(frozen=True)
class Parts:
    """`validation` is what the training may look at, `held` what it never sees unless it is the same."""

    train: Data
    validation: Data
    held: Data


def add_arguments(to: Arguments) -> None:
    to.add("--last", metavar="COUNT", type=count, help="test on the last examples, not on a fifth at random")
    to.add(
        "--split-seed",
        type=int,
        metavar="INTEGER",
        help="of the fifth that is held out at random (default: 0)",
    )
    to.add("--stratify", action="store_true", help="hold out the same share of each class (of the labels)")
    to.add(
        "--split-column",
        metavar="COLUMN",
        help="of a .csv: the column that says train, validation or test, or 0 and 1; not read as data",
    )


def refuse_contradictions(args: argparse.Namespace) -> None:
    """Raises UsageError: two ways to split."""
    ways = {
        "--last": args.last is not None,
        "--split-column": args.split_column is not None,
        "--stratify": args.stratify,
        "--split-seed": args.split_seed is not None,
    }
    asked = [name for name, is_asked in ways.items() if is_asked]
    if len(asked) > 1 and asked[0] in ("--last", "--split-column"):
        raise UsageError(f"{asked[0]} and {asked[1]} are two ways to split the data", help="give one of them")


def split(args: argparse.Namespace, found: Found, labels: str | None, *, counted: bool = True) -> Parts:
    """The parts that the options ask for, `labels` the array of classes; all of the data for each, if they
    aren't `counted` as examples. Raises UsageError, DataError."""
    import symbp as bp

    refuse_contradictions(args)
    if not counted:
        return _whole(args, found)
    if args.stratify and labels is None:
        raise UsageError("--stratify is for a network with one label for each example")
    by = labels if args.stratify else None
    if found.parts:
        train, validation, held = bp.data.split_by(found.data, found.parts)
        if len(next(iter(validation.values()))):
            return Parts(train, validation, held)
    elif args.last:
        train, held = _last(found.data, args.last)
    else:
        count = _held_out(found)
        train, held = bp.data.split(found.data, count, seed=args.split_seed or 0, stratify=by)
    if args.patience:
        train, validation = bp.data.split(train, _held_out(found, train), seed=1, stratify=by)
        return Parts(train, validation, held)
    return Parts(train, held, held)


def _whole(args: argparse.Namespace, found: Found) -> Parts:
    """All of the data as one example, such as a series or a graph. Raises UsageError: a part is asked for."""
    given = (args.last, args.split_column, args.split_seed, args.stratify or None)
    names = ("--last", "--split-column", "--split-seed", "--stratify")
    for name, value in zip(names, given, strict=True):
        if value is not None:
            raise UsageError(
                f"{name}: the data are one example, of which no part can be held out",
                help="the first axis of the data holds no examples: along it places matter to the network",
            )
    return Parts(found.data, found.data, found.data)


def _held_out(found: Found, left: Data | None = None) -> int | None:
    """How many examples to hold out at random: a fifth, None; of data that stay in their files not more than
    fit into memory, for an evaluation takes all of them at once."""
    count = len(next(iter((left or found.data).values())))
    return MAPPED_HELD if found.mapped and count // 5 > MAPPED_HELD else None


def _last(data: Data, count: int) -> tuple[Data, Data]:
    """(what to train on, what is held out), the last so many examples held out."""
    there = len(next(iter(data.values())))
    if count >= there:
        raise UsageError(f"cannot hold out the last {count} of {there} examples")
    return {n: a[:-count] for n, a in data.items()}, {n: a[-count:] for n, a in data.items()}
