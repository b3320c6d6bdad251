"""Prints the gradients of a network in closed form: numbered equations, forward and backward.

Enters: a network, a format. Leaves: text, LaTeX or JSON on stdout or in a file.
Must not know: how a gradient is derived or how a format is laid out.
"""

from __future__ import annotations

import argparse
import sys

from symbp.cli import derivatives
from symbp.cli.arguments import Arguments, symbol
from symbp.cli.status import FINE

HELP = "the gradients in closed form, as text, LaTeX, Markdown or JSON"


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--format", choices=("text", "latex", "markdown", "json"), default="text", help="default: text")
    to.add("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    derivatives.add_arguments(to)
    to.add(
        "--reading",
        choices=("textbook", "computed"),
        default="textbook",
        help="the forward pass as it was declared, or the equations that generated code computes "
        "(default: textbook)",
    )
    to.add(
        "--steps",
        nargs="?",
        const=True,
        default=False,
        choices=("computed",),
        help="show how each derivative comes about; computed: every rewrite on the way to the code",
    )
    to.add(
        "--symbol",
        metavar="NAME=LATEX",
        type=symbol,
        action="append",
        default=[],
        help="how LaTeX spells a tensor, such as W1='W^{(1)}' (repeatable)",
    )
    to.add("--fragment", action="store_true", help="as LaTeX, the equations alone, without a document")
    to.output("the derivation")


def run(args: argparse.Namespace) -> int:
    from symbp.api import refuse_to_overwrite, write
    from symbp.cli.target import load_target

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    derivation = derivatives.derivation(args, load_target(args.net).network)
    symbols = dict(args.symbol)
    if args.format == "latex" or args.fragment:
        page = derivation.latex(
            steps=args.steps, symbols=symbols, fragment=args.fragment, reading=args.reading
        )
    elif args.format == "markdown":
        page = derivation.markdown(steps=args.steps, symbols=symbols, reading=args.reading)
    elif args.format == "json":
        page = derivation.json(symbols=symbols, reading=args.reading)
    else:
        page = derivation.text(steps=args.steps, symbols=symbols, reading=args.reading)
    page = page.rstrip("\n") + "\n"
    if args.output:
        print(f"wrote {write(args.output, page, force=args.force)}", file=sys.stderr)
    else:
        sys.stdout.write(page)
    return FINE
