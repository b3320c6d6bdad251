"""Prints the gradients of a network in closed form: numbered equations, forward and backward.

Enters: a network, a format. Leaves: the page in that format on stdout or in a file.
Must not know: how a gradient is derived or how a format is laid out.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from symbp.cli import derivatives
from symbp.cli.arguments import Arguments, symbol
from symbp.cli.status import FINE

if TYPE_CHECKING:
    from symbp.api import Derivation, PageChoices

HELP = "the gradients in closed form, as text, LaTeX, Markdown, a page for browsers, a notebook or JSON"
FORMATS = ("text", "latex", "markdown", "html", "notebook", "json")


def add_arguments(to: Arguments) -> None:
    to.net()
    to.add("--format", choices=FORMATS, default="text", help="default: text")
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
        help="show how each derivative comes about, as html always does; computed: every rewrite on the way "
        "to the code",
    )
    to.add(
        "--symbol",
        metavar="NAME=LATEX",
        type=symbol,
        action="append",
        default=[],
        help="how LaTeX spells a tensor, such as W1='W^{(1)}' (repeatable)",
    )
    to.add(
        "--notation",
        choices=("partial", "delta", "d"),
        help="derivatives of the loss as ∂loss/∂W, as δ (by a parameter as ∂loss/∂W), or as dW (default: d "
        "in text, partial elsewhere)",
    )
    to.add(
        "--layout",
        choices=("rows", "columns"),
        default="rows",
        help="examples as rows of matrices, or as their columns (default: rows)",
    )
    to.add(
        "--origin", type=int, choices=(0, 1), default=0, help="what indices on the page start at (default: 0)"
    )
    to.add(
        "--fragment", action="store_true", help="the equations alone, without a document, as LaTeX; or html"
    )
    to.add(
        "--flow",
        action="store_true",
        help="how gradients travel through a large net, too; html shows it of small ones (html)",
    )
    to.output("the derivation")


def run(args: argparse.Namespace) -> int:
    from symbp.api.files import refuse_to_overwrite, write
    from symbp.cli.target import load_target

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    derivation = derivatives.derivation(args, load_target(args.net).network)
    page = _page(args, derivation).rstrip("\n") + "\n"
    if args.output:
        print(f"wrote {write(args.output, page, force=args.force)}", file=sys.stderr)
    else:
        sys.stdout.write(page)
    return FINE


def _page(args: argparse.Namespace, derivation: Derivation) -> str:
    chosen: PageChoices = {
        "symbols": dict(args.symbol),
        "reading": args.reading,
        "notation": args.notation,
        "layout": args.layout,
        "origin": args.origin,
    }
    if args.format == "html":
        from symbp.gallery import GALLERY

        steps, flow = args.steps or True, args.flow or None
        about = GALLERY[args.net].shows if args.net in GALLERY and not derivatives.asked_for(args) else ""
        return derivation.html(steps=steps, fragment=args.fragment, flow=flow, about=about, **chosen)
    if args.format == "latex" or args.fragment:
        return derivation.latex(steps=args.steps, fragment=args.fragment, **chosen)
    if args.format == "markdown":
        return derivation.markdown(steps=args.steps, **chosen)
    if args.format == "notebook":
        return derivation.notebook(steps=args.steps, code=_code(args), **chosen)
    if args.format == "json":
        return derivation.json(**chosen)
    return derivation.text(steps=args.steps, **chosen)


def _code(args: argparse.Namespace) -> tuple[str, ...]:
    """What derives the network again, and the numbers of its page: a file elsewhere may not be found from a
    notebook."""
    from symbp.gallery import GALLERY

    if args.net not in GALLERY or derivatives.asked_for(args):
        return ()
    style = "" if args.reading == "textbook" else f', reading="{args.reading}"'
    return (
        f'import symbp as bp\n\nd = bp.derive(bp.gallery.find("{args.net}").load().net)',
        f"numbers = d.values(small=True{style})\nnumbers  # each derivative beside its central difference",
    )
