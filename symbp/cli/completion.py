"""Completion for shells, by shtab: `eval "$(symbp --print-completion bash)"`.

Enters: the parser of all commands, the name of a shell. Leaves: its script on stdout.
Must not know: what any command does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")
BASH = """_symbp_nets() {{
  compgen -W "{nets}" -- "$1"
  compgen -d -- "$1"
  compgen -f -X '!*.py' -- "$1"
}}"""
ZSH = """_symbp_nets() {{
  _alternative 'nets:net:({nets})' 'files:file:_files -g "*.py"'
}}"""


class PrintCompletion(argparse.Action):
    """The option `--print-completion SHELL`: prints the script and leaves."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002
        shell: str | Sequence[Any] | None,
        option: str | None = None,  # noqa: ARG002
    ) -> None:
        try:
            import shtab
        except ImportError:
            parser.error("completion takes shtab: pip install 'symbp[completion]'")
        print(script(parser, str(shell), shtab))
        parser.exit(0)


def script(parser: argparse.ArgumentParser, shell: str, shtab: Any) -> str:
    """Commands, options, their choices; networks of the gallery and files where they are asked for."""
    from symbp.gallery import GALLERY

    for action in _actions(parser):
        if action.dest == "net":
            action.complete = dict.fromkeys(("bash", "zsh"), "_symbp_nets")  # type: ignore[attr-defined]
        elif "FILE" in str(action.metavar) or ".npz" in str(action.metavar):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    nets = " ".join(GALLERY)
    preamble = {"bash": BASH.format(nets=nets), "zsh": ZSH.format(nets=nets)}
    found: str = shtab.complete(parser, shell, preamble=preamble)
    return found


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Those of the parser and of all its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
