"""The option of training that ends early.

Enters: a parser. Leaves: it, with one option more. Must not know: how training ends.
"""

from __future__ import annotations

import argparse


def _patience_option(train: argparse.ArgumentParser) -> None:
    train.add_argument(
        "--patience",
        type=int,
        metavar="EPOCHS",
        help="stop when so many have not improved the validation loss",
    )
