"""Lists the ready-made networks.

Enters: nothing. Leaves: names with a sentence each. Must not know: what the networks are.
"""

from __future__ import annotations

import argparse
import json

from symbp.cli.arguments import Arguments

HELP = "the ready-made networks"


def add_arguments(to: Arguments) -> None:
    to.json()


def run(args: argparse.Namespace) -> int:
    from symbp.gallery import NETWORKS

    if args.json:
        print(json.dumps([{"name": name, "about": about} for name, about in NETWORKS.items()], indent=2))
        return 0
    width = max(map(len, NETWORKS))
    for name, about in NETWORKS.items():
        print(f"{name:{width}}  {about}")
    return 0
