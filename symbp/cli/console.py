"""Narration and progress on stderr: live on a terminal, a few lines elsewhere. The only user of rich.

Enters: sentences and epochs. Leaves: nothing on stdout, ever. Must not know: what is being done.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

LINES = 10  # progress lines of a whole training where nobody watches live


def narrate(sentence: str) -> None:
    """One line of narration."""
    print(sentence, file=sys.stderr, flush=True)


class Progress:
    """Shows epochs of so many examples as they end; `what` they are measured on. A context manager."""

    def __init__(self, epochs: int, examples: int, what: str = "held-out") -> None:
        self.epochs, self.examples, self.what = epochs, examples, what
        self.records: list[Mapping[str, Any]] = []
        console = Console(stderr=True)
        whole = Column(no_wrap=True)
        self.bar = Bar(
            TextColumn("epoch"),
            MofNCompleteColumn(table_column=whole),
            BarColumn(bar_width=12),
            TextColumn("{task.description}", table_column=whole),
            TimeRemainingColumn(table_column=whole),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.live = console.is_terminal
        self.task = self.bar.add_task("", total=epochs)

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def epoch(self, record: Mapping[str, Any]) -> None:
        """One epoch has ended; the record holds its number and what was measured."""
        self.records.append(record)
        measured = "  ".join(f"{name} {value:.4f}" for name, value in _shown(record, self.what).items())
        if record.get("seconds"):
            measured += f"  {self.examples / record['seconds']:,.0f} examples/s"
        number = int(record["epoch"])
        self.bar.update(self.task, completed=number, description=measured)
        if not self.live and (number % max(1, self.epochs // LINES) == 0 or number == self.epochs):
            narrate(f"epoch {number}/{self.epochs}  {measured}")


def _shown(record: Mapping[str, Any], what: str) -> dict[str, float]:
    """What fits on a line: the training loss, and what was measured beside (its loss only
    where the network has no metric)."""
    held = {
        name.removeprefix("validation_"): v for name, v in record.items() if name.startswith("validation_")
    }
    if len(held) > 1:
        held.pop("loss", None)
    return {"loss": record["loss"], **{f"{what} {name}": value for name, value in held.items()}}
