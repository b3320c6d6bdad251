"""A parser of command lines that tells the nearest name for a misspelt command, option or choice.

Enters: words of a command line. Leaves: their values, or an error that says what may have been meant.
Must not know: any command.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from symbp.errors import choose, meant


class Parser(argparse.ArgumentParser):
    """`argparse`'s, with its two errors about names that aren't there."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            begins = tuple(f"{option}-" for option in action.option_strings)
            longer = [option for option in self._option_string_actions if option.startswith(begins or "?")]
            other = f"; or was {' or '.join(longer)} meant?" if longer else ""
            told = f"there is no {value!r}: {choose(value, action.choices)}{other}"
            raise argparse.ArgumentError(action, told)

    def parsed(self, words: Sequence[str]) -> argparse.Namespace:
        """The values of a command line."""
        found, strange = self.parse_known_args(words)
        if strange:
            asked = self._command(getattr(found, "command", None))
            option = next((word for word in strange if word.startswith("-")), None)
            hint = meant(option.partition("=")[0], asked._option_string_actions) if option else None
            asked.error(f"unrecognized arguments: {' '.join(strange)}" + (f"; {hint}" if hint else ""))
        return found

    def _command(self, name: str | None) -> Parser:
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and name in action.choices:
                chosen: Parser = action.choices[name]
                return chosen
        return self
