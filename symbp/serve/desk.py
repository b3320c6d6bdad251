"""Answers what is asked: derives, writes code, checks, prints files.

Enters: a `Task`. Leaves: an `Answer`, or a `Refusal` with a message for whoever asked. Must not know: HTTP,
processes, or how pages are laid out.
"""

from __future__ import annotations

import sys
import traceback
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbp.errors import SymbpError
from symbp.serve.asked import Asked

if TYPE_CHECKING:
    from symbp.api import Derivation
    from symbp.gallery import Exhibit
    from symbp.language import Network
    from symbp.read.reading import Style

KEPT = 4  # derivations at hand
LONGEST_ANSWER = 16_000_000  # characters
EXTENSIONS = {
    "html": "html",
    "latex": "tex",
    "markdown": "md",
    "notebook": "ipynb",
    "json": "json",
    "py": "py",
}


@dataclass(frozen=True)
class Task:
    """A part of a page (`derivation`, `numbers`, `code`, `check`), or as a `file` what is downloaded in that
    format."""

    asked: Asked
    part: str
    file: bool = False


@dataclass(frozen=True)
class Compared:
    """A gradient beside another way to find it."""

    name: str
    method: str
    error: str
    entries: str
    verdict: str
    ok: bool


@dataclass(frozen=True)
class Answer:
    """The text of a part or file: markup of a derivation, code. Of a check, its rows, too. `short` are the
    results in one line each."""

    title: str
    text: str
    short: tuple[str, ...] = ()
    rows: tuple[Compared, ...] = ()
    file: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer. `ours` if the fault is symbp's own."""

    message: str
    ours: bool = False


@dataclass(frozen=True)
class Subject:
    """What is differentiated, and its derivation."""

    network: Network
    derivation: Derivation
    exhibit: Exhibit | None


class Desk:
    """Answers tasks one after the other; the last few derivations stay at hand."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Asked, Subject] = OrderedDict()

    def answer(self, task: Task) -> Answer | Refusal:
        """The answer, whatever happens on the way."""
        try:
            found = self._answer(task)
        except SymbpError as error:
            return Refusal(str(error))
        except RecursionError:
            return Refusal("this is nested too deeply")
        except MemoryError:
            return Refusal("this needs more memory than a request may take")
        except Exception as error:
            print(f"symbp serve: {task!r}\n{traceback.format_exc()}", file=sys.stderr)
            return Refusal(
                f"symbp failed here, and that is a fault of its own ({type(error).__name__})", True
            )
        if len(found.text) > LONGEST_ANSWER:
            return Refusal(f"the answer has {len(found.text)} characters, more than {LONGEST_ANSWER}")
        return found

    def _answer(self, task: Task) -> Answer:
        subject = self._subject(task.asked)
        title = subject.derivation.name
        if task.file:
            name = f"{title}.{EXTENSIONS[task.part]}"
            return Answer(title, _file(task.asked, task.part, subject), file=name)
        if task.part == "numbers":
            example = subject.derivation.values(small=True, reading=_reading(task.asked))
            return Answer(title, example.text())
        if task.part == "code":
            return Answer(title, _code(task.asked, subject))
        if task.part == "check":
            return _check(subject)
        short = () if task.asked.net else tuple(map(str, subject.derivation.short()))
        page = subject.derivation.html(fragment=True, reading=_reading(task.asked), about=_about(task.asked))
        return Answer(title, page, short)

    def _subject(self, asked: Asked) -> Subject:
        """The derivation, made now or at hand."""
        key = Asked(net=asked.net, formula=asked.formula, wrt=asked.wrt, order=asked.order)
        if key not in self._kept:
            self._kept[key] = _subject(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _subject(asked: Asked) -> Subject:
    import symbp as bp
    from symbp import gallery
    from symbp.read.formula import read_formula

    order = int(asked.order)
    if asked.formula:
        formula = read_formula(asked.formula, None, asked.wrt or None)
        return Subject(formula.network, bp.grad_of(formula, order=order), None)
    shown = gallery.find(asked.net).load()
    by = [name.strip() for name in asked.wrt.split(",")] if asked.wrt else None
    return Subject(shown.net, bp.derive(shown.net, wrt=by, order=order), shown)


def _reading(asked: Asked) -> Style:
    return "computed" if asked.reading == "computed" else "textbook"


def _code(asked: Asked, subject: Subject) -> str:
    """A training module of a gallery network as it stands, else a module of the derivatives."""
    from symbp.api import source

    if subject.exhibit is None or not asked.trains:
        return source(subject.derivation, target=asked.target)
    return source(
        subject.network,
        optimizer=subject.exhibit.optimizer,
        target=asked.target,
        derivation=subject.derivation,
    )


def _check(subject: Subject) -> Answer:
    import symbp as bp

    report = bp.check(subject.network, derivation=subject.derivation)
    rows = tuple(
        Compared(
            row.parameter,
            row.method,
            f"{row.max_rel_error:.1e}",
            f"{row.entries} of {row.size}" + (f" and {row.points} more points" if row.points else ""),
            row.verdict,
            row.ok,
        )
        for row in report.rows
    )
    return Answer(report.network, str(report), rows=rows)


def _about(asked: Asked) -> str:
    """What a network of the gallery is, in a few words."""
    from symbp.gallery import GALLERY

    return GALLERY[asked.net].shows if asked.trains and asked.net in GALLERY else ""


def _file(asked: Asked, form: str, subject: Subject) -> str:
    derivation, reading = subject.derivation, _reading(asked)
    match form:
        case "html":
            return derivation.html(reading=reading, about=_about(asked))
        case "latex":
            return derivation.latex(steps=True, reading=reading)
        case "markdown":
            return derivation.markdown(steps=True, reading=reading)
        case "notebook":
            return derivation.notebook(steps=True, code=_cell(asked), reading=reading)
        case "json":
            return derivation.json(reading=reading)
        case _:
            return _code(asked, subject)


def _cell(asked: Asked) -> str:
    """The code that derives the same again."""
    order = "" if asked.order == "1" else f", order={asked.order}"
    if asked.formula:
        by = f", wrt={asked.wrt!r}" if asked.wrt else ""
        return f"import symbp as bp\n\nd = bp.grad_of({asked.formula!r}{by}{order})"
    by = f", wrt={[name.strip() for name in asked.wrt.split(',')]!r}" if asked.wrt else ""
    return f'import symbp as bp\n\nd = bp.derive(bp.gallery.find("{asked.net}").load().net{by}{order})'
