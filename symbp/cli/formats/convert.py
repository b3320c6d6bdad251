"""Converts trained parameters from one format to another: .npz of a training module, safetensors.

Enters: a file of parameters. Leaves: a file in the format of its ending. Must not know: formats.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from symbp.cli.arguments import Arguments
from symbp.cli.status import FINE

HELP = "trained parameters to and from other formats (.npz, .safetensors)"
ENDINGS = (".npz", ".safetensors")


def add_arguments(to: Arguments) -> None:
    to.add("params", metavar="FILE", help="parameters: .npz or .safetensors")
    to.add("-o", "--output", metavar="FILE", required=True, help="where to write, .npz or .safetensors")
    to.force()


def run(args: argparse.Namespace) -> int:
    from symbp.errors import UsageError
    from symbp.interchange import load_weights, save_weights

    for path in (args.params, args.output):
        if Path(path).suffix.lower() not in ENDINGS:
            raise UsageError(
                "the ending of a file tells its format, and this one isn't known",
                where=path,
                help=f"name it with one of: {', '.join(ENDINGS)}",
            )
    weights = load_weights(args.params)
    path = save_weights(weights, args.output, force=args.force)
    said = f"wrote {path}: {len(weights.params)} parameters, {len(weights.buffers)} buffers"
    if weights.left_out:
        kinds = dict.fromkeys(name.partition(".")[0] for name in weights.left_out)
        said += f"; left out: {', '.join(kinds)}"
    print(said, file=sys.stderr)
    return FINE
