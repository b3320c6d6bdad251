"""Lists the ready-made networks.

Enters: nothing. Leaves: names with a sentence each. Must not know: what the networks are.
"""

from __future__ import annotations

import argparse
import json

from symbp.cli.arguments import Arguments
from symbp.cli.status import FINE

HELP = "the ready-made networks"


def add_arguments(to: Arguments) -> None:
    to.json()


def run(args: argparse.Namespace) -> int:
    from symbp.gallery import GALLERY

    if args.json:
        print(
            json.dumps(
                [{"name": e.name, "shows": e.shows, "data": e.data} for e in GALLERY.values()], indent=2
            )
        )
        return FINE
    width = max(map(len, GALLERY))
    for entry in GALLERY.values():
        print(f"{entry.name:{width}}  {entry.shows}")
    return FINE
