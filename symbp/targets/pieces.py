"""The pieces that a module may have beside parameters, gradients and steps, and what each rests on.

Enters: names that were asked for. Leaves: all pieces that a module has, and the names of what they are there
for. Must not know: files, targets, networks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from symbp.errors import UsageError, choose

DEFAULT: Final = ("evaluate", "predict", "fit", "save", "train")
"""What a module has when nothing is said."""
MORE: Final = ("check", "command", "blocks", "replay", "costs")
"""Gradients compared, the whole command line, steps in blocks of rows, the equation that isn't finite, counts
of operations and bytes."""
WATCHED: Final = ("checkpoints", "live", "log", "mapped", "patience", "report", "split", "tables", "texts")
PIECES: Final = (*DEFAULT, *MORE, *WATCHED)
EVERYTHING: Final = ("nothing", *DEFAULT, *MORE)
"""What the rest of symbp needs of a module, which it watches and feeds itself."""
BARE, ALL = "nothing", "all"
NEEDS = {
    "fit": ("evaluate",),
    "train": ("fit", "save"),
    "command": ("train", "predict", "check"),
    "checkpoints": ("command",),
    "patience": ("command",),
    "live": ("command",),
    "log": ("command",),
    "mapped": ("command",),
    "report": ("command",),
    "split": ("command",),
    "tables": ("command",),
    "texts": ("command",),
}
FOR = {
    "evaluate": ("evaluate",),
    "predict": ("predict", "forward"),
    "fit": ("fit",),
    "save": ("save", "load"),
    "train": ("main",),
    "check": ("check_gradients",),
    "checkpoints": ("keep_checkpoints", "resume", "start_from"),
}
"""The functions for which a piece is there."""
CORE = ("DataError", "NotFinite", "State", "init_params", "init_state", "loss_and_gradients", "train_step")
BUFFERS = ("init_buffers", "fitted_buffers")


def chosen(asked: Collection[str]) -> frozenset[str]:
    """The pieces that a module has: those asked for, beside the default ones unless `nothing` is among them,
    and what they rest on. Raises UsageError: a name that no piece has."""
    strange = sorted(set(asked) - {*PIECES, BARE, ALL})
    if strange:
        raise UsageError(
            f"no piece of a module is named {strange[0]!r}", help=choose(strange[0], PIECES, "choose of")
        )
    pending = list(PIECES if ALL in asked else (*asked, *(() if BARE in asked else DEFAULT)))
    found: set[str] = set()
    while pending:
        piece = pending.pop()
        found.add(piece)
        pending += NEEDS.get(piece, ())
    return frozenset(found - {BARE})


def whole(pieces: Collection[str]) -> bool:
    """Whether a module has all that training and looking at it takes."""
    return {*DEFAULT, *MORE} <= set(pieces)


def short(pieces: Collection[str]) -> bool:
    """Whether a short module has all of the pieces."""
    return set(pieces) <= {*DEFAULT, "replay"}


def purposes(pieces: Iterable[str]) -> list[str]:
    """The functions for which a module of these pieces is there."""
    return [*CORE, *BUFFERS, *(name for piece in sorted(pieces) for name in FOR.get(piece, ()))]
