"""Prints every number of a network, forward and backward, equation by equation.

Enters: a network, values of its inputs and parameters. Leaves: the page of numbers on stdout or in a file.
Must not know: how a number is found or an example is drawn.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.cli.arguments import Arguments, count, positive, sizes
from symbp.cli.status import FINE

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.read.numbers import Numbers

HELP = "every number, forward and backward, equation by equation"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--at", metavar="FILE", help="values by name: an .npz file")
    to.add(
        "--set",
        metavar="NAME=VALUES",
        type=assignment,
        action="append",
        default=[],
        help="the value of an input or a parameter, such as w=0.1,0.2, 'W=0.1,0.2; 0.3,0.4', or JSON "
        "(repeatable); what isn't given is the network's own example, or drawn",
    )
    to.sizes()
    to.add("--small", action="store_true", help="an example with sizes of 2 and 3 whatever is declared")
    to.add("--seed", type=int, default=0, metavar="INTEGER", help="of what is drawn (default: 0)")
    to.add(
        "--reading",
        choices=("textbook", "computed"),
        default="textbook",
        help="the equations as they were declared, or as generated code computes them (default: textbook)",
    )
    to.add("--scalar", action="store_true", help="a tiny net written out: every weight by its own name")
    to.add("--digits", type=count, default=6, metavar="N", help="significant digits in text (default: 6)")
    to.add("--step", metavar="RATE", type=positive, help="take a step of gradient descent at this rate")
    to.add("--steps", metavar="K", type=count, help="take so many, with the loss after each (rate: --step)")
    to.json()
    to.output("the numbers")


def assignment(text: str) -> tuple[str, str]:
    """`W1=0.1,0.2` → ("W1", "0.1,0.2")."""
    name, equals, values = text.partition("=")
    if not name.strip().isidentifier() or not equals or not values.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUES, such as w=0.1,0.2")
    return name.strip(), values


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite, write
    from symbp.cli.target import load_target

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    given = {**_stored(args.at), **_typed(args.set)}
    derivation = bp.derive(load_target(args.net).network)
    found = derivation.values(
        given,
        sizes=sizes(args),
        seed=args.seed,
        reading=args.reading,
        small=args.small,
        scalar=args.scalar,
    )
    page = _page(args, derivation, found).rstrip("\n") + "\n"
    if args.output:
        print(f"wrote {write(args.output, page, force=args.force)}", file=sys.stderr)
    else:
        sys.stdout.write(page)
    return FINE


def _page(args: argparse.Namespace, derivation: Derivation, found: Numbers) -> str:
    from symbp.explain.numbers import descent_plain, descent_text, plain, text

    steps = None
    if args.step is not None or args.steps is not None:
        steps = derivation.descend(found, rate=args.step or DEFAULT_RATE, steps=args.steps or 1)
    if args.json:
        more = {} if steps is None else {"descent": descent_plain(steps)}
        return json.dumps(plain(found) | more, indent=2, ensure_ascii=False)
    parts = [text(found, args.digits)]
    if steps is not None:
        parts.append(descent_text(found, steps, args.digits))
    return "\n\n".join(parts)


DEFAULT_RATE = 0.1


def _stored(path: str | None) -> dict[str, Any]:
    """The arrays of a file. Raises DataError: a file that can't be read as one."""
    if path is None:
        return {}
    import symbp as bp
    from symbp.errors import UsageError

    if Path(path).suffix != ".npz":
        raise UsageError("values come by name from an .npz file", where=path, help="np.savez(path, x=…, W=…)")
    return dict(bp.data.load(path))


def _typed(given: list[tuple[str, str]]) -> dict[str, Any]:
    """The arrays on the command line. Raises DataError, which names the option."""
    from symbp.data.spelled import array
    from symbp.errors import DataError

    found = {}
    for name, written in given:
        try:
            found[name] = array(written)
        except DataError as error:
            raise DataError(f"--set {name}: {error.what}", details=error.details, help=error.help) from None
    return found
