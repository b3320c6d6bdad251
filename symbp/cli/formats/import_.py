"""Brings an ONNX model in: the file that declares it as a network of symbp's, and its arrays beside it.

Enters: an .onnx file. Leaves: a Python file to read and edit, a file of parameters. Must not know: ONNX.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from symbp.cli.arguments import Arguments
from symbp.cli.status import FINE

HELP = "an ONNX model as a network to read, derive and train"


def add_arguments(to: Arguments) -> None:
    to.add("model", metavar="FILE.onnx", help="the model")
    to.add("--loss", metavar="NAME", help="mse (default), mae, huber, smooth_l1, cross_entropy, "
           "binary_cross_entropy")  # fmt: skip
    to.add("--of", metavar="NAME", help="the output that the loss is of (default: the first)")
    to.add("-o", "--output", metavar="FILE.py", required=True, help="where to write the declaration")
    to.add("--params", metavar="FILE", help="where to write arrays, .npz or .safetensors (default: FILE.npz)")
    to.force()


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite

    params = args.params or str(Path(args.output).with_suffix(".npz"))
    for path in (args.output, params):
        refuse_to_overwrite(path, force=args.force)
    found = bp.from_onnx(args.model, loss=args.loss, output=args.of)
    net, arrays = found.save(args.output, params, force=args.force)
    held = found.weights
    print(f"wrote {net}: {len(found.net.system.equations)} equations", file=sys.stderr)
    print(f"wrote {arrays}: {len(held.params)} parameters, {len(held.buffers)} buffers", file=sys.stderr)
    return FINE
