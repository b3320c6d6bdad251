"""How `symbp check` shows what it found, and which methods it asks.

Enters: the command line, a report. Leaves: text, JSON or a page; names of methods.
Must not know: how anything is compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from symbp.cli.arguments import Arguments

if TYPE_CHECKING:
    from symbp.api.checked import CheckReport

FORMATS = ("text", "json", "html")


def add_arguments(to: Arguments) -> None:
    to.add(
        "--methods",
        metavar="A,B",
        type=_names,
        help="compare with these alone, such as complex-step,taylor-remainders; all for every one",
    )
    to.add("--format", choices=FORMATS, default="text", help="of what is printed (default: text)")
    to.add("--report", metavar="FILE.html", help="write a page with the table and the curves of errors, too")


def _names(text: str) -> tuple[str, ...]:
    """Names of methods, with hyphens or blanks, in any case; the beginning of a name will do."""
    from symbp.verify import METHODS

    if text.strip().lower() == "all":
        return METHODS
    found = []
    for part in text.split(","):
        asked = part.strip().lower().replace("-", " ").replace("_", " ")
        fitting = [name for name in METHODS if name.lower().startswith(asked)] if asked else []
        exact = [name for name in fitting if name.lower() == asked]
        if len(exact or fitting) != 1:
            known = ", ".join(name.replace(" ", "-") for name in METHODS)
            raise argparse.ArgumentTypeError(f"there is no method {part.strip()!r}; choose of: {known}")
        found += exact or fitting
    return tuple(dict.fromkeys(found))


def refuse_to_overwrite(args: argparse.Namespace) -> None:
    from symbp.api.files import refuse_to_overwrite

    if args.report:
        refuse_to_overwrite(args.report, force=args.force)


def show(args: argparse.Namespace, report: CheckReport) -> None:
    """Prints the report, and writes its page if one was asked for."""
    from symbp.api.files import write

    if args.json:
        print(json.dumps(report.json(), indent=2))
    elif args.format == "json":
        print(json.dumps(report.document(), indent=2, ensure_ascii=False))
    else:
        print(report.html() if args.format == "html" else report)
    if args.report:
        print(f"wrote {write(args.report, report.html(), force=args.force)}", file=sys.stderr)
