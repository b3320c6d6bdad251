"""The one exception tree: every message says what is wrong, where, and what to do.

Enters: facts about a failure. Leaves: an exception whose text a user can act on.
Must not know: any other module of symbp.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


def meant(name: object, known: Iterable[object]) -> str | None:
    """`did you mean …?` for a name that is close to known ones; upper and lower case count little."""
    choices = list(dict.fromkeys(map(str, known)))
    by_case: dict[str, list[str]] = {}
    for choice in choices:
        by_case.setdefault(choice.lower(), []).append(choice)
    wanted = str(name).lower()
    near = difflib.get_close_matches(wanted, by_case, n=2)
    alike = [difflib.SequenceMatcher(None, lower, wanted).ratio() for lower in near]
    near = [lower for lower, ratio in zip(near, alike, strict=True) if ratio > alike[0] - 0.1]
    same = by_case.get(wanted) or [choice for lower in near for choice in by_case[lower]]
    return f"did you mean {' or '.join(same)}?" if same else None


def choose(name: object, known: Iterable[object], otherwise: str = "choose one of") -> str:
    """The help for a name that isn't there: the nearest known ones or, where none is near, all of them."""
    choices = list(dict.fromkeys(map(str, known)))
    return meant(name, choices) or f"{otherwise}: {', '.join(choices) or 'there is none'}"


def meant_file(path: str | Path) -> str | None:
    """`did you mean …?` for a path at which nothing is: a file of nearly that name beside it."""
    try:
        beside = [found.name for found in Path(path).absolute().parent.iterdir()]
    except OSError:
        return None
    return meant(Path(path).name, beside)


def no_attribute(module: str, name: str, known: Callable[[], Iterable[str]]) -> AttributeError:
    """What a module raises that has no such attribute. Names with an underscore are asked for by tools and
    by the import system: nothing is looked up for those."""
    hint = None if name.startswith("_") else meant(name, known())
    return AttributeError(f"module {module!r} has no attribute {name!r}" + (f"; {hint}" if hint else ""))


def no_method(name: str) -> AttributeError:
    """What a tensor raises for a method that it has elsewhere: `x.reshape(…)`."""
    hint = "" if name.startswith("_") else f"; ops are functions, as in bp.{name}(x, …)"
    return AttributeError(f"a tensor has no attribute {name!r}{hint}")


@dataclass(frozen=True)
class Origin:
    """The place in a user's file where something was declared."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.text}" if self.text else where


class SymbpError(Exception):
    """Root of the tree.

    Parameters: ``what`` is wrong in one sentence; ``where`` (the user's line, or a named place);
    ``details``, one line each (both shapes, both sizes, …); ``help``, what to do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        where: Origin | str | None = None,
        details: tuple[str, ...] = (),
        help: str | None = None,
    ) -> None:
        self.what, self.where, self.details, self.help = what, where, details, help
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        if self.where is not None:
            lines.append(f"  at {self.where}")
        lines += [f"  {detail}" for detail in self.details]
        if self.help:
            lines.append(f"  help: {self.help}")
        return "\n".join(lines)


class DeclarationError(SymbpError):
    """What the user wrote is not a network: a bad name, a tensor declared twice, a loss with axes."""


class ShapeError(DeclarationError):
    """Sizes that must agree do not; the message names both tensors and both sizes."""


class InvalidSystem(SymbpError):
    """A system of equations breaks a rule of the representation (found by the validator between stages)."""


class OutsideDomain(SymbpError):
    """A body cannot be evaluated in the chosen domain of numbers (``exp`` over the rationals, say)."""


class EvaluationError(SymbpError):
    """A system cannot be evaluated: a read out of range, a value that depends on itself."""


class DerivationError(SymbpError):
    """The calculus cannot derive a gradient, or a rewrite changed a value (a bug, never ignored)."""


class ReadingError(SymbpError):
    """A page would say what isn't so: one symbol for two tensors."""


class DoubtfulRewrite(UserWarning):
    """A rewrite could not be confirmed and was taken back; the result is right, in a longer form."""


class LoweringError(SymbpError):
    """No program is known yet for an equation; the message shows the equation."""


class InvalidTree(SymbpError):
    """A tree of code breaks a rule: shapes that don't agree, a name that nothing defines."""


class GenerationError(SymbpError):
    """Source text could not be written: an existing file, an unknown target or dtype."""


class DataError(SymbpError):
    """Data do not fit the network: shape, dtype, not finite, labels out of range."""


class UsageError(SymbpError):
    """A command or call names something that does not exist: a gallery net, a file, an option."""


class FormulaError(UsageError):
    """A formula that can't be read; the message shows the formula with a caret under the place."""
