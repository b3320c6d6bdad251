"""Shows what a unit looks at in an example: how much each entry changes it, as a picture.

Enters: a network, an example, a class or a unit. Leaves: the picture of |∂ unit/∂ input|, what counts most.
Must not know: how a derivative is found or a picture is made.
"""

from __future__ import annotations

import argparse

from symbp.cli.arguments import Arguments
from symbp.cli.status import FINE
from symbp.cli.units import pictures
from symbp.errors import UsageError

HELP = "what a unit looks at: its derivative by an example, as a picture"


def add_arguments(to: Arguments) -> None:
    pictures.add_arguments(to)
    to.add(
        "--example", type=int, default=0, metavar="INTEGER", help="its place in the data, from 0 (default: 0)"
    )
    which = to.parser.add_mutually_exclusive_group()
    which.add_argument(
        "--class", dest="label", type=int, metavar="INTEGER", help="of the output (default: the label)"
    )
    which.add_argument("--unit", metavar="UNIT", help="any other unit, such as h[3]")


def run(args: argparse.Namespace) -> int:
    import numpy as np

    from symbp.cli.console import narrate
    from symbp.cli.fitting import examples
    from symbp.saliency.picture import picture
    from symbp.saliency.response import Response
    from symbp.saliency.unit import excited, read_unit

    found = pictures.trained(args)
    count = examples(found.data)
    if not 0 <= args.example < count:
        raise UsageError(f"the data have {count} examples, and none at {args.example}")
    network = found.target.network
    unit = read_unit(args.unit or _class(args, found))
    response = Response(excited(network, unit, args.input), found.params, found.buffers)
    response.check_values()
    by = response.excited.by
    data = pictures.data_of(found, response.excited)
    for short in response.derivation.short():
        narrate(str(short))
    example = data[args.example : args.example + 1]
    values = response.saliency(example)[0]
    activation = float(response.activation(example)[0])
    title = f"|∂{unit}/∂{by}| of {network.name} at example {args.example}"
    told = {
        "network": network.name, "unit": str(unit), "input": by, "example": args.example,
        "activation": activation, "values": values.tolist(),
    }  # fmt: skip
    most = ",".join(map(str, np.unravel_index(int(values.argmax()), values.shape)))
    words = f"{unit} is {activation:.4g} here and changes most with {by}[{most}]: by {values.max():.4g}"
    shown = picture(values, title, low=0.0, high=float(values.max()), rows=args.rows)
    pictures.show(args, shown, told, words)
    return FINE


def _class(args: argparse.Namespace, found: pictures.Trained) -> str:
    """The unit of a class: the one asked for, or that of the example's label."""
    import numpy as np

    system = found.target.network.system
    rows = [name for name in system.outputs if len(system.tensor(name).shape) == 2]
    if not rows:
        raise UsageError("the network has no output with a value for each class", help="name a unit: --unit")
    if args.label is not None:
        return f"{rows[0]}[{args.label}]"
    labels = [t.name for t in system.tensors if t.integer and len(t.shape) == 1 and t.name in found.data]
    if not labels:
        raise UsageError("the data don't say which class the example is of", help="say it: --class")
    return f"{rows[0]}[{int(np.asarray(found.data[labels[0]])[args.example])}]"
