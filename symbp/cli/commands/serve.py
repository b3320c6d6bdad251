"""Serves a local page: choose a network or type a formula; derivation, numbers, code, check follow.

Enters: where to listen. Leaves: pages for browsers, until Ctrl-C. Must not know: how pages are made.
"""

from __future__ import annotations

import argparse
import sys

from symbp.cli.arguments import Arguments, positive
from symbp.cli.status import FINE

HELP = "a local page on which to choose a network or type a formula"
HOST, PORT, SECONDS = "127.0.0.1", 8642, 20.0


def add_arguments(to: Arguments) -> None:
    to.add("--host", default=HOST, help=f"address to listen at (default: {HOST}, for this machine alone)")
    to.add("--port", type=int, default=PORT, metavar="INTEGER", help=f"default: {PORT}; 0: any free one")
    to.add(
        "--seconds",
        type=positive,
        default=SECONDS,
        metavar="SECONDS",
        help=f"what takes longer is ended (default: {SECONDS:g})",
    )


def run(args: argparse.Namespace) -> int:
    from symbp.serve.hosts import is_loopback
    from symbp.serve.server import run as serve

    def told(address: str) -> None:
        print(f"symbp serves {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if not is_loopback(args.host):
            print("warning: whoever can reach this machine can use it", file=sys.stderr, flush=True)

    serve(args.host, args.port, seconds=args.seconds, told=told)
    return FINE
