"""How `symbp check` shows what it found, and which methods it asks.

Enters: the command line, a report. Leaves: text, JSON or a page; names of methods.
Must not know: how anything is compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Protocol

from markupsafe import Markup

from symbp.cli.arguments import Arguments
from symbp.errors import UsageError


class Shown(Protocol):
    """A report that can be shown."""

    def json(self) -> object: ...

    def _repr_html_(self) -> str: ...


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
    """Names of methods. Raises ArgumentTypeError: one that is none."""
    from symbp.verify import METHODS
    from symbp.verify.named import methods_named

    try:
        return methods_named(text, METHODS)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.what}; {error.help}") from None


def refuse_to_overwrite(args: argparse.Namespace) -> None:
    from symbp.api.files import refuse_to_overwrite

    if args.report:
        refuse_to_overwrite(args.report, force=args.force)


def show(args: argparse.Namespace, *reports: Shown) -> None:
    """Prints the reports, and writes their page if one was asked for."""
    from symbp.api.files import write

    if args.json:
        found = [report.json() for report in reports]
        print(json.dumps(found[0] if len(found) == 1 else found, indent=2, ensure_ascii=False))
    elif args.format == "json":
        documents = [_document(report) for report in reports]
        print(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False))
    else:
        print(_page(reports) if args.format == "html" else "\n\n".join(map(str, reports)))
    if args.report:
        print(f"wrote {write(args.report, _page(reports), force=args.force)}", file=sys.stderr)


def _document(report: Shown) -> object:
    """All that a report holds; its rows alone are what `--json` prints of a check."""
    own = getattr(report, "document", None)
    return own() if own is not None else report.json()


def _page(reports: Sequence[Shown]) -> str:
    """One page: a report's own, or several one below the other."""
    own = getattr(reports[0], "html", None)
    if len(reports) == 1 and own is not None:
        return str(own())
    from symbp.rendering import render

    parts = [Markup(report._repr_html_()) for report in reports]
    return render("reports.html.j2", {"title": "Gradients checked", "reports": parts}, markup=True)
