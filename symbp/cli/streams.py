"""How the standard streams spell what commands print: in UTF-8, or in ASCII where nothing else is shown.

Enters: the words of a command line, then the options that were read. Leaves: streams while a command runs.
Must not know: what a command prints.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

from symbp.cli.plain import Ascii, shows_mathematics

DOCUMENTS = {"json": "json", "notebook": "json", "html": "html", "svg": "html"}


class Streams:
    """Both streams; once the options are known, stdout is spelled as the document needs that it carries."""

    def __init__(self, asked: bool) -> None:
        self.asked = asked
        self.own: TextIO = sys.stdout
        self.out, self.err = (self._stream(s, asked) for s in (sys.stdout, sys.stderr))

    @staticmethod
    def _stream(stream: TextIO, asked: bool) -> Any:
        if asked or not shows_mathematics(stream):
            return Ascii(stream)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
        return stream

    def carry(self, args: argparse.Namespace) -> None:
        """A document that goes to a file or a pipe is in UTF-8, whatever a console would show."""
        if not isinstance(self.out, Ascii):
            return
        form = "json" if getattr(args, "json", False) else getattr(args, "format", "text")
        spelling = DOCUMENTS.get(form, "source")
        if form == "text" and args.command not in ("generate", "draw"):
            spelling = "text"
        self.out.spelling = spelling
        if spelling != "text" and not self.asked and not self.own.isatty():
            self.out.spelling = "as it is"
            if isinstance(self.own, io.TextIOWrapper):
                self.own.reconfigure(encoding="utf-8")


@contextmanager
def streams(words: Sequence[str]) -> Iterator[Streams]:
    """The streams of one command."""
    found = Streams("--ascii" in words)
    with ExitStack() as stack:
        if isinstance(found.out, Ascii):
            stack.enter_context(redirect_stdout(found.out))
        if isinstance(found.err, Ascii):
            stack.enter_context(redirect_stderr(found.err))
        yield found
