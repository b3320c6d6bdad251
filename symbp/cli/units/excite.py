"""Shows what excites a unit of a network: data ascended from noise under a prior, as a picture.

Enters: a network, a unit. Leaves: the picture and the activation before and after. Must not know: how an
ascent goes or a picture is made.
"""

from __future__ import annotations

import argparse

from symbp.cli.arguments import Arguments, count, positive
from symbp.cli.status import FINE
from symbp.cli.units import pictures

HELP = "what excites a unit: data ascended by its derivative, as a picture"
DECAY, STEPS, NOISE = 0.05, 300, 0.05


def add_arguments(to: Arguments) -> None:
    pictures.add_arguments(to)
    to.add(
        "--unit", required=True, metavar="UNIT", help="such as h[3], p[7] for a class, h2[3,2,2] of images"
    )
    to.add(
        "--decay",
        type=weight,
        default=DECAY,
        metavar="WEIGHT",
        help=f"towards the mean of the data (default: {DECAY})",
    )
    to.add(
        "--smooth",
        type=weight,
        default=0.0,
        metavar="WEIGHT",
        help="against steps between neighbours (default: 0)",
    )
    to.add("--free", action="store_true", help="let entries leave the range of the data")
    to.add("--steps", type=count, default=STEPS, metavar="INTEGER", help=f"at most (default: {STEPS})")


def weight(text: str) -> float:
    """A number that is positive or 0."""
    return 0.0 if text.strip("0.") == "" and text else positive(text)


def run(args: argparse.Namespace) -> int:
    import numpy as np

    from symbp.cli.console import narrate
    from symbp.saliency.ascent import ascend
    from symbp.saliency.picture import picture, shape_of
    from symbp.saliency.prior import Prior
    from symbp.saliency.response import Response
    from symbp.saliency.unit import excited, read_unit

    found = pictures.trained(args)
    one = excited(found.target.network, read_unit(args.unit), args.input)
    data = pictures.data_of(found, one)
    response = Response(one, found.params, found.buffers)
    response.check_values()
    for short in response.derivation.short():
        narrate(str(short))
    low, high = (-np.inf, np.inf) if args.free else (float(data.min()), float(data.max()))
    mean = data.mean(axis=0)
    shape = shape_of(mean.shape, args.rows)
    prior = Prior(mean, shape, args.decay, args.smooth, low, high)
    noise = NOISE * data.std() * np.random.default_rng(args.seed).standard_normal(mean.shape)
    start = (mean + noise)[None]
    if not response.gradient(start).any():  # a rectifier that is off, say
        narrate(
            f"{one.unit} has no slope near the mean of the data: starting at the example that it likes most"
        )
        start = data[[int(response.activation(data).argmax())]]
    ascent = ascend(response, prior, start, steps=args.steps)
    before, after = ascent.activations[0], ascent.activations[-1]
    highest = float(response.activation(data).max())
    end = ascent.end[0]
    shown = picture(
        end, f"what excites {one.unit} of {found.target.network.name}",
        low=float(data.min()), high=float(data.max()), rows=args.rows,
    )  # fmt: skip
    told = {
        "network": found.target.network.name, "unit": str(one.unit), "input": one.by, "before": before,
        "after": after, "highest_of_data": highest, "steps": ascent.steps, "values": end.tolist(),
    }  # fmt: skip
    words = (
        f"activation {before:.4g} → {after:.4g} in {ascent.steps} steps; "
        f"the highest of the data is {highest:.4g}"
    )
    pictures.show(args, shown, told, words)
    return FINE
