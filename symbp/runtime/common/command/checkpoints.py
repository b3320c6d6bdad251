"""The options of training that is kept, goes on, or starts from given parameters.

Enters: a parser; options and a state. Leaves: the state, prepared. Must not know: what a checkpoint holds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.training.checkpoints import keep_checkpoints, resume, start_from
from symbp.runtime.common.training.state import State


def _checkpoint_options(train: argparse.ArgumentParser) -> None:
    train.add_argument("--checkpoint", type=Path, metavar="FILE", help="keep checkpoints in this file")
    train.add_argument("--every", type=int, default=1, metavar="EPOCHS", help="how often (default: 1)")
    train.add_argument("--every-steps", type=int, default=0, metavar="STEPS", help="and within epochs")
    train.add_argument(
        "--resume", type=Path, metavar="FILE", help="go on from a checkpoint, and keep it there"
    )
    train.add_argument("--params", type=Path, metavar="FILE", help="start from parameters, or a part of them")


def _prepare(options: argparse.Namespace, state: State) -> None:
    """A state as the options want it."""
    kept = options.checkpoint or options.resume
    if options.resume and options.params:
        raise DataError("--resume goes on with the parameters of a checkpoint: leave --params out")
    if options.resume:
        resume(state, options.resume)
    elif kept and kept.exists():
        raise DataError(f"{kept} exists: go on from it (--resume {kept}), or remove it")
    if options.params:
        fresh = start_from(state, options.params)
        if fresh:
            print(f"{options.params} has no {', '.join(fresh)}: these start anew", file=sys.stderr)
    if kept:
        options.go_on = f"; go on: --resume {kept}"
        keep_checkpoints(state, kept, options.every, options.every_steps)
