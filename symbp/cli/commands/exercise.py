"""Makes a worksheet of a network's derivation, with blanks to fill in, and its key.

Enters: a network, how many blanks, a seed, a format. Leaves: the worksheet on stdout or in a file.
Must not know: how blanks are chosen, or how a format is laid out.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from symbp.cli.arguments import Arguments, count
from symbp.cli.status import FINE

if TYPE_CHECKING:
    from symbp.api import Derivation

HELP = "a worksheet with blanks, and its key"
FORMATS = ("text", "html", "latex", "notebook", "stack")


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--blanks", type=count, default=5, metavar="INTEGER", help="equations to fill in (default: 5)")
    to.add("--seed", type=int, default=0, metavar="INTEGER", help="of the choice of blanks (default: 0)")
    to.add(
        "--format",
        choices=FORMATS,
        default="text",
        help="default: text; stack: Moodle XML of STACK questions, with the key",
    )
    to.add("--key", action="store_true", help="with the answers and how they come about; folded in html")
    to.add("--wrt", metavar="A,B", help="differentiate by these tensors (default: the parameters)")
    to.output("the worksheet")


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite, write
    from symbp.cli.target import load_target

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    by = [name.strip() for name in args.wrt.split(",")] if args.wrt else None
    derivation = bp.derive(load_target(args.net).network, wrt=by)
    page = _page(args, derivation).rstrip("\n") + "\n"
    if args.output:
        print(f"wrote {write(args.output, page, force=args.force)}", file=sys.stderr)
    else:
        sys.stdout.write(page)
    return FINE


def _page(args: argparse.Namespace, derivation: Derivation) -> str:
    wrt = f" --wrt {args.wrt}" if args.wrt else ""
    return derivation.exercise(
        args.format,
        blanks=args.blanks,
        seed=args.seed,
        key=args.key,
        command=f"symbp grade {args.net}{wrt} --answer '…'",
        code=_code(args),
    )


def _code(args: argparse.Namespace) -> str:
    """What derives the network again: a file is looked for beside the notebook."""
    from symbp.gallery import GALLERY

    by = f", wrt={[name.strip() for name in args.wrt.split(',')]!r}" if args.wrt else ""
    if args.net in GALLERY:
        return f'import symbp as bp\n\nd = bp.derive(bp.gallery.find("{args.net}").load().net{by})'
    imports = "import symbp as bp\nfrom symbp.cli.target import load_target"
    return f"{imports}\n\nd = bp.derive(load_target({args.net!r}).network{by})"
