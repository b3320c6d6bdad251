"""Prints the gradient of a formula: in one line, as equations, as LaTeX, as JSON or as a NumPy module.

Enters: a formula, the shapes of its names. Leaves: a page on stdout or in a file, the verdict of a numeric
check on stderr; the exit status is 1 if the gradient isn't the formula's.
Must not know: the grammar of formulas, or how a gradient is derived and checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbp.cli.arguments import Arguments, sizes
from symbp.cli.status import FAILED, FINE

if TYPE_CHECKING:
    from symbp.api import Derivation

HELP = "the gradient of a formula in one line"

CODE = "numpy"  # the format that is a function


def add_arguments(to: Arguments) -> None:
    to.add("formula", metavar="FORMULA", help="such as 'norm2(A*w - b)^2/2 + lam*sum(abs(w))'")
    to.add(
        "--shapes",
        metavar="NAME:SIZES",
        help="such as 'A:N,D w:D b:N lam:', with facts: 'S:N,N:symmetric' (default: by use and spelling)",
    )
    to.add("--wrt", metavar="A,B", help="differentiate by these (default: the only name)")
    to.add("--order", type=int, choices=(1, 2), default=1, help="2: the Hessian, too (default: 1)")
    to.add("--format", choices=("text", "latex", "json", CODE), default="text", help="default: text")
    to.add(
        "--steps",
        nargs="?",
        const=True,
        default=False,
        choices=("computed",),
        help="show how each derivative comes about; computed: every rewrite on the way to the code",
    )
    to.sizes()
    to.add(
        "--seed",
        type=int,
        default=0,
        metavar="INTEGER",
        help="of the random points of the check (default: 0)",
    )
    to.output("the gradient")


def positional(words: Sequence[str]) -> list[str]:
    """The command line with a formula that starts with a minus told from an option: `-x'*x` is none."""
    return [
        f" {word}" if word[:1] == "-" != word[1:2] and set(word) & set("()*'^@[") else word for word in words
    ]


def run(args: argparse.Namespace) -> int:
    import symbp as bp
    from symbp.api.files import refuse_to_overwrite, write
    from symbp.read.formula import read_formula

    if args.output:
        refuse_to_overwrite(args.output, force=args.force)
    args.formula = args.formula.strip()
    formula = read_formula(args.formula, args.shapes, args.wrt)
    derivation = bp.grad_of(formula, order=args.order)
    report = bp.check(
        formula.network,
        derivation=derivation,
        sizes=sizes(args),
        methods=("central differences",),
        seed=args.seed,
    )
    page = _page(args, derivation).rstrip("\n") + "\n"
    if args.output:
        print(f"wrote {write(args.output, page, force=args.force)}", file=sys.stderr)
    else:
        sys.stdout.write(page)
    if not report.ok:
        print(report, file=sys.stderr)
        return FAILED
    worst = max(row.max_rel_error for row in report.rows)
    print(f"checked by central differences: relative error {worst:.1e}", file=sys.stderr)
    return FINE


def _page(args: argparse.Namespace, derivation: Derivation) -> str:
    from symbp.api import source

    if args.format == "latex":
        return derivation.latex(steps=args.steps)
    if args.format == CODE:
        return source(derivation, sizes=sizes(args))
    short = derivation.short()
    if args.format == "json":
        found = {form.key: {"matrix": form.matrix, "index": form.index} for form in short}
        plain = {"formula": args.formula, "short": found, **json.loads(derivation.json())}
        return json.dumps(plain, indent=2, ensure_ascii=False)
    _, _, rest = derivation.text(steps=args.steps).partition("\n")
    return "\n".join([args.formula, "", *(f"  {form}" for form in short), rest])
