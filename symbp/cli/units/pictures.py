"""What `excite` and `saliency` share: a network with trained values, its data, and where a picture goes.

Enters: options. Leaves: a `Trained`; a picture on stdout or in a file. Must not know: what is shown of a
unit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.cli.arguments import Arguments, count, sizes
from symbp.errors import DataError, UsageError

if TYPE_CHECKING:
    from symbp.cli.target import Target
    from symbp.data import Data
    from symbp.saliency.picture import Picture
    from symbp.saliency.unit import Excited

EPOCHS = 10  # of a training that nobody asked for


@dataclass(frozen=True)
class Trained:
    """A network with values of its parameters and buffers, and the data that it reads."""

    target: Target
    params: Mapping[str, Any]
    buffers: Mapping[str, Any]
    data: Data


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--params", metavar="PARAMS.npz", help="what `symbp train --out` saved (default: train briefly)")
    to.add(
        "--epochs",
        type=count,
        default=EPOCHS,
        metavar="INTEGER",
        help=f"without --params (default: {EPOCHS})",
    )
    to.add("--data", metavar="FILE", help="as for `symbp train` (default: the network's own)")
    to.add("--input", metavar="NAME", help="by which input (default: the only real one)")
    to.add("--rows", type=count, metavar="INTEGER", help="rows of the picture of a vector")
    to.add("--seed", type=int, default=0, metavar="INTEGER", help="of what is random (default: 0)")
    to.sizes()
    to.json()
    to.add("-o", "--output", metavar="FILE", help="write the picture, as .svg or .png")
    to.force()


def trained(args: argparse.Namespace) -> Trained:
    """The network that the options name. Raises UsageError, DataError."""
    from symbp.api.files import refuse_to_overwrite
    from symbp.cli.data import data_for
    from symbp.cli.target import load_target
    from symbp.saliency.unit import excited, read_unit

    if args.output:
        if Path(args.output).suffix not in (".svg", ".png"):
            raise UsageError("a picture is an .svg or a .png", where=args.output)
        refuse_to_overwrite(args.output, force=args.force)
    target = load_target(args.net)
    if args.unit is not None:
        excited(target.network, read_unit(args.unit), args.input)  # what is wrong with it is told at once
    data = data_for(target, args.data, None, sizes(args))
    if args.params:
        return Trained(*_saved(target, args.params), data)
    return Trained(target, *_trained_briefly(args), data)


def data_of(found: Trained, excited: Excited) -> Any:
    """The data of the input by which a unit is differentiated, as floating point numbers."""
    import numpy as np

    if excited.by not in found.data:
        raise DataError(f"the data have no {excited.by}", details=(f"they have: {', '.join(found.data)}",))
    return np.asarray(found.data[excited.by], dtype=np.float64)


def _saved(target: Target, path: str) -> tuple[Target, Mapping[str, Any], Mapping[str, Any]]:
    """The network as it was trained, parameters and buffers of a file that a training module saved."""
    from symbp.interchange import load_weights
    from symbp.language import standardised_as

    found = load_weights(path)
    net = standardised_as(target.network, found.buffers)
    return replace(target, network=net), found.params, found.buffers


def _trained_briefly(args: argparse.Namespace) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """(parameters, buffers) after a few epochs of what `symbp train` does."""
    import symbp as bp
    from symbp.cli.commands import train
    from symbp.cli.console import narrate
    from symbp.cli.fitting import fit, planned

    words = [args.net, "--epochs", str(args.epochs), "--seed", str(args.seed)]
    words += ["--data", args.data] if args.data else []
    words += [word for name, value in sizes(args).items() for word in ("--size", f"{name}={value}")]
    parser = argparse.ArgumentParser()
    train.add_arguments(Arguments(parser))
    options = parser.parse_args(words)
    plan = planned(options)
    narrate(f"no --params: training {plan.net.name} for {plan.epochs} epochs, as symbp train does")
    module = bp.compile(plan.net, **plan.options)
    state, _, _ = fit(plan, options, module, lambda *_: None)
    return state.params, state.buffers


def show(args: argparse.Namespace, picture: Picture, told: Mapping[str, Any], words: str) -> None:
    """Prints the picture and the words, or all of it as JSON; writes the file."""
    from symbp.api.files import write

    if args.output:
        path = Path(args.output)
        write(path, picture.svg() if path.suffix == ".svg" else picture.png(), force=args.force)
        print(f"wrote {path}", file=sys.stderr)
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{picture.title}\n{picture.blocks()}\n{words}")
