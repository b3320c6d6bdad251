"""The options that several commands share.

Enters: a parser of `argparse`. Leaves: the same parser with options, and their values read.
Must not know: what a command does with them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from symbp.errors import choose
from symbp.optim.names import OPTIMIZERS, SCHEDULES
from symbp.targets import COMPLETE

PIECES = (
    "evaluate", "predict", "fit", "save", "train", "check", "command", "blocks", "replay", "costs",
    "checkpoints", "live", "log", "mapped", "patience", "report", "split", "tables",
    "texts",
)  # fmt: skip
"""As complete modules have them, the first five without being asked for."""
KEPT = ("command", "blocks", "replay", "costs")  # of these, what a module that was trained is kept with
OF_PLAIN = ("train", "evaluate", "predict", "check", "save")  # as `symbp.targets.plain` has them
DTYPES = ("float32", "float64")
RULES = tuple(sorted(name.lower() for name in OPTIMIZERS))


class Arguments:
    """Adds options to a command's parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser

    def add(self, *names: str, **options: Any) -> None:
        self.parser.add_argument(*names, **options)

    def net(self) -> None:
        self.add("net", metavar="NET", help="gallery name, file.py, or file.py:name")

    def sizes(self) -> None:
        self.add(
            "--size",
            metavar="NAME=INTEGER",
            type=size,
            action="append",
            default=[],
            help="the value of a size, such as H=32 (repeatable)",
        )

    def json(self) -> None:
        self.add("--json", action="store_true", help="print one JSON object instead of text")

    def output(self, what: str) -> None:
        self.add("-o", "--output", metavar="FILE", help=f"write {what} to a file instead of stdout")
        self.force()

    def force(self) -> None:
        self.add("--force", action="store_true", help="overwrite existing output files")

    def code(self, *, dtype: str, targets: tuple[str, ...] = COMPLETE, target: str = "numpy") -> None:
        self.add(
            "--target", choices=targets, default=target, help=f"what the module runs on (default: {target})"
        )
        self.add(
            "--dtype",
            choices=DTYPES,
            default=dtype,
            help=f"floating point numbers of the module (default: {dtype})",
        )
        self.optimizer()
        self.add("--lr", metavar="RATE", type=positive, help="learning rate")

    def optimizer(self) -> None:
        self.add(
            "--optimizer", metavar="NAME", type=one_of("optimizer", RULES),
            help=f"update of the parameters (default: the network's, or adam): {', '.join(RULES)}",
        )  # fmt: skip

    def standardise(self) -> None:
        self.add(
            "--standardise",
            "--standardize",
            action="store_true",
            help="inputs by their mean and deviation over the training part, saved with the parameters",
        )
        self.add(
            "--standardise-target",
            "--standardize-target",
            action="store_true",
            help="the target, too, in the loss; predictions and metrics stay in its own units",
        )

    def start(self) -> None:
        self.add(
            "--start", metavar="NAME=WAY", action="append", default=[], type=way,
            help="how a parameter starts, or a pattern or kind of them: weight=orthogonal, "
            "W1=truncated-normal:0.02; may be repeated",
        )  # fmt: skip

    def update(self) -> None:
        """What the update of the parameters has beside its learning rate."""
        self.add(
            "--schedule", metavar="NAME", type=one_of("schedule", SCHEDULES),
            help=f"of the learning rate, over the whole training: {', '.join(SCHEDULES)}",
        )  # fmt: skip
        self.add("--warmup", metavar="STEPS", type=count, help="steps over which the learning rate rises")
        self.add("--clip-norm", metavar="NORM", type=positive, help="largest norm of all gradients together")
        self.add("--clip-value", metavar="VALUE", type=positive, help="largest entry of a gradient")
        self.add("--weight-decay", metavar="RATE", type=positive, help="how strongly parameters shrink")
        self.add(
            "--max-norm", metavar="NORM", type=positive, help="largest norm of what a unit is weighted with"
        )
        self.add("--accumulate", metavar="COUNT", type=count, help="batches whose gradients make an update")
        self.add("--no-decay", action="store_true", help="but offsets and elementwise scales don't")
        self.add(
            "--freeze", metavar="NAME", action="append", default=[],
            help="a parameter that isn't trained, or a pattern of them such as 'encoder*'; may be repeated",
        )  # fmt: skip
        self.add("--sparse", action="store_true", help="of tables only the rows that a step looks up change")


def one_of(what: str, known: Sequence[str]) -> Callable[[str], str]:
    """A name that is known, in lower or upper case; for another, the nearest is told, else all."""

    def name(text: str) -> str:
        if text.lower() in known:
            return text.lower()
        raise argparse.ArgumentTypeError(f"there is no {what} {text!r}: {choose(text, known)}")

    return name


def way(text: str) -> tuple[str, Any]:
    """`W1=he-normal` → ("W1", how it starts)."""
    from symbp.errors import UsageError
    from symbp.optim.initial import named

    name, equal, found = text.partition("=")
    if not name or not equal:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=WAY, such as W1=he-normal")
    try:
        return name, named(found)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.what}: {error.help}") from None


def size(text: str) -> tuple[str, int]:
    """`H=32` → ("H", 32)."""
    name, _, value = text.partition("=")
    if not name.isidentifier() or not value.isdigit() or int(value) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=INTEGER with a positive integer, such as H=32"
        )
    return name, int(value)


def symbol(text: str) -> tuple[str, str]:
    """`W1=W^{(1)}` → ("W1", "W^{(1)}")."""
    name, _, latex = text.partition("=")
    if not name or not latex.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=LATEX, such as W1='W^{{(1)}}'")
    return name, latex.strip()


def positive(text: str) -> float:
    """A positive number."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def count(text: str) -> int:
    """A positive integer."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def sizes(args: argparse.Namespace) -> dict[str, int]:
    """The sizes given on the command line."""
    return dict(args.size)
