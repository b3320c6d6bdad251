"""Lays out what is shown around an answer: the form, the views, the downloads, what went wrong.

Enters: what is asked and the answer. Leaves: HTML. Must not know: HTTP, or how answers come about.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from markupsafe import Markup

from symbp.rendering import block, render, template_folder
from symbp.serve.asked import FORMATS, Asked
from symbp.serve.desk import Answer
from symbp.targets import COMPLETE, TARGETS, TITLES

SHELL = "serve.html.j2"
STYLES = ((SHELL, "shell_style"), ("page_fragment.html.j2", "style"))  # of the shell, of a document
PAGE = "page.css"
PICTURES = ("drawing.css", "curves.css")  # the styles of pictures within a document
VIEWS = {"derivation": "Derivation", "numbers": "Numbers", "code": "Code", "check": "Check"}
FILES = {
    "html": "HTML", "latex": "LaTeX", "markdown": "Markdown", "notebook": "notebook", "json": "JSON",
    "py": "Python",
}  # fmt: skip
NET = """\
# a small network: shapes, definitions, and at the end the loss
x: N,D    y: N:below=K
W1: D,H   b1: H
W2: H,K   b2: K
h = tanh(x@W1 + b1)
p = softmax(h@W2 + b2)
loss = -mean_n(log(p[n,y[n]]))"""
EXAMPLES = (
    ("least squares", Asked(formula="norm2(A*w - b)^2/2", wrt="w")),
    (
        "logistic regression",
        Asked(formula="X: N,D   w: D   y: N\nmean(log(1 + exp(-y*(X@w)))) + lam*norm2(w)^2", wrt="w"),
    ),
    ("log-determinant", Asked(formula="logdet(X)", wrt="X")),
    (
        "a quadratic form and its Hessian",
        Asked(formula="A: N,N:symmetric\nx: N\nx'*A*x/2", wrt="x", order="2"),
    ),
    ("a small network", Asked(formula=NET, wrt="W1,b1,W2,b2")),
)


@dataclass(frozen=True)
class Link:
    """Where a link leads; `current` if it is here."""

    words: str
    query: str
    current: bool = False


def page(asked: Asked, answer: Answer | None = None, problem: str = "") -> str:
    """The whole page: the form with what was asked, and the answer or the problem where there is one."""
    from symbp.gallery import GALLERY

    values = {
        "style": Markup(_file(PAGE)),
        "asked": asked,
        "title": _title(asked, answer, problem),
        "gallery": [(entry.name, entry.shows) for entry in GALLERY.values()],
        "examples": [Link(words, example.query()) for words, example in EXAMPLES],
        "problem": problem,
        "answer": answer,
        "document": Markup(answer.text) if answer and asked.show == "derivation" else Markup(),
        "views": [Link(words, asked.query(show=show), show == asked.show) for show, words in VIEWS.items()],
        "choices": [] if asked.is_empty else _choices(asked),
        "files": [Link(FILES[form], asked.query(show="derivation") + f"&format={form}") for form in FORMATS],
    }
    return render(SHELL, values, markup=True)


def _title(asked: Asked, answer: Answer | None, problem: str) -> str:
    if problem:
        return "symbp: no answer"
    if asked.is_empty or answer is None:
        return "symbp: gradients in closed form"
    return f"{answer.title}: {VIEWS[asked.show].lower()}"


def _choices(asked: Asked) -> list[Link]:
    """Other forms of what is shown."""
    if asked.show in ("derivation", "numbers"):
        words = {"textbook": "as a textbook has it", "computed": "as code computes it"}
        return [Link(w, asked.query(reading=r), r == asked.reading) for r, w in words.items()]
    if asked.show == "code":
        offered = TARGETS if asked.trains else COMPLETE  # of derivatives alone only these write a module
        return [Link(TITLES[t], asked.query(target=t), t == asked.target) for t in offered]
    return []


def _file(name: str) -> str:
    """A style that stands in pages as it is."""
    return (template_folder() / name).read_text(encoding="utf-8")


def style_hashes() -> tuple[str, ...]:
    """What a policy names the styles of a page by; no other style is taken."""
    between_tags = ["\n" + block(template, name) for template, name in STYLES]
    between_tags += ["\n" + _file(PAGE)]
    between_tags += [render(name, {}).strip() for name in PICTURES]
    digests = (hashlib.sha256(text.encode()).digest() for text in between_tags)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
