"""Entry point of the command `symbp`: parses arguments, runs one command, turns errors into messages.

Enters: the command line. Leaves: an exit status: 0 fine, 1 a check failed, 2 wrong usage or input.
Must not know: what a command does. Commands import what they need when they run, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from symbp import __version__
from symbp.cli.arguments import Arguments
from symbp.cli.commands import (
    check,
    compile,
    derive,
    diagnose,
    draw,
    exercise,
    gallery,
    generate,
    grad,
    grade,
    lint,
    ops,
    plan,
    prove,
    serve,
    trace,
    train,
)
from symbp.cli.completion import SHELLS, PrintCompletion
from symbp.cli.formats import convert, export, import_
from symbp.cli.parsing import Parser
from symbp.cli.status import FINE, INTERRUPTED, USAGE
from symbp.cli.streams import streams
from symbp.cli.units import excite, saliency
from symbp.errors import SymbpError

COMMANDS = (
    gallery,
    derive,
    draw,
    trace,
    grad,
    generate,
    plan,
    train,
    compile,
    convert,
    export,
    import_,
    diagnose,
    check,
    prove,
    lint,
    grade,
    exercise,
    excite,
    saliency,
    ops,
    serve,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with streams(given) as used:
        args = parser().parsed(grad.positional(given) if given[:1] == ["grad"] else given)
        used.carry(args)
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    """Runs the command and turns errors into messages."""
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except SymbpError as error:
        print(f"symbp {args.command}: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print(f"symbp {args.command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _close_stdout()
        return FINE
    except OSError as error:  # a disk that is full under stdout, say
        print(f"symbp {args.command}: {error}", file=sys.stderr)
        _close_stdout()
        return USAGE


def _close_stdout() -> None:
    """Sends what is still to be written to nowhere, so that leaving doesn't fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> Parser:
    """All commands and their options."""
    found = Parser(
        prog="symbp",
        description="Gradients of neural networks in closed form, code to keep, and proof that both hold.",
        epilog="NET is the name of a ready-made network (symbp gallery) or a Python file that declares one: "
        "my_net.py, or my_net.py:net where it declares several.",
    )
    found.add_argument("--version", action="version", version=f"symbp {__version__}")
    ascii_: dict[str, Any] = {
        "action": "store_true",
        "help": "print equations in ASCII: sum_j for Σ_j, ^T for ᵀ",
    }
    found.add_argument("--ascii", **ascii_)
    found.add_argument(
        "--print-completion",
        metavar="SHELL",
        choices=SHELLS,
        action=PrintCompletion,
        help=f"print what makes a shell complete commands and options: {', '.join(SHELLS)}",
    )
    commands = found.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        name = command.__name__.rpartition(".")[2].rstrip("_")  # `import` is a word of Python's own
        summary = (command.__doc__ or "").splitlines()[0]
        sub = commands.add_parser(name, help=command.HELP, description=summary)
        command.add_arguments(Arguments(sub))
        sub.add_argument("--ascii", default=argparse.SUPPRESS, **ascii_)
        sub.set_defaults(run=command.run)
    return found
