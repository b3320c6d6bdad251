"""Writes a trained network as an ONNX model, to predict with elsewhere; or its training step, as equations.

Enters: a network, a file of its parameters. Leaves: an .onnx file. Must not know: ONNX.
"""

from __future__ import annotations

import argparse
import sys

from symbp.cli.arguments import DTYPES, Arguments, sizes
from symbp.cli.status import FINE

HELP = "a trained network as an ONNX model"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--params", metavar="FILE", required=True, help="trained parameters, .npz or .safetensors")
    to.sizes()
    to.add("--dtype", choices=DTYPES, default="float32", help="floating point numbers (default: float32)")
    to.add(
        "--gradients",
        action="store_true",
        help="the training step: the loss and the gradients of data and parameters",
    )
    to.add("-o", "--output", metavar="FILE", required=True, help="where to write the model, .onnx")
    to.force()


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite
    from symbp.cli.target import load_target
    from symbp.interchange import load_weights
    from symbp.language import standardised_as

    refuse_to_overwrite(args.output, force=args.force)
    weights = load_weights(args.params)
    path = bp.to_onnx(
        standardised_as(load_target(args.net).network, weights.buffers),
        weights.params,
        args.output,
        buffers=weights.buffers,
        sizes=sizes(args),
        dtype=args.dtype,
        gradients=args.gradients,
        force=args.force,
    )
    print(f"wrote {path}", file=sys.stderr)
    return FINE
