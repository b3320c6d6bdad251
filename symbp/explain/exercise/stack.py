"""A worksheet as questions for STACK, Moodle's question type that Maxima grades: one for each blank.

Enters: a document, how many blanks, a seed. Leaves: a Moodle XML file. Must not know: other formats. What is
typed is evaluated in Maxima, by functions that go along with the question, at two points with different
sizes, and compared there with the value; nothing in the question calls symbp.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from symbp.errors import UsageError
from symbp.explain.document import Document, NumberedEquation, sides
from symbp.explain.exercise.instances import Array, Instance, as_matrix, instances
from symbp.explain.exercise.maxima import FUNCTIONS, Unspelled, as_number, spelled, words
from symbp.explain.exercise.worksheet import Blank, Worksheet, worksheet
from symbp.explain.latex import notation_for
from symbp.ir.expr import Expr
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.printer import expression_text
from symbp.read.matrix.rewrite import nodes
from symbp.read.matrix.tree import Named, OneHot
from symbp.rendering import render

DECIMALS = 12
MISFIT = (
    "Shapes don't fit: of what is multiplied or added, or of the whole. Or a name isn't in the table, or "
    "there is a division by 0."
)
Node = tuple[str, int, int, str, str]

NODES: tuple[Node, ...] = (
    ("sbright", -1, 1, "", ""),
    ("sbfit", 2, 4, "", ""),
    ("sbminus", -1, 3, "The sign is wrong.", ""),
    ("sbfactor", -1, -1, "Off by a factor: a sum or a mean?", "The shape fits, the values don't."),
    ("sbtransposed", -1, -1, "It is the transpose of what is asked for.", MISFIT),
)
"""A test, the nodes behind it when it holds and when it doesn't, and what is said then; -1 ends the tree."""


@dataclass(frozen=True)
class Question:
    """One blank: what the page says, with every blank left open, what may be typed, what is right. `given`
    has a symbol, the word for it and a shape; `points` the values of what is given and of what is asked for;
    `tried` are answers with the number of the node that ends them."""

    name: str
    asked: Markup
    shape: str
    equations: tuple[Markup, ...]
    given: tuple[tuple[Markup, str, str], ...]
    sizes: str
    points: tuple[tuple[str, str], ...]
    allowed: str
    right: str

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Of the tree that grades an answer."""
        return NODES

    @property
    def tried(self) -> tuple[tuple[str, str], ...]:
        """Answers that STACK's own question tests try, with the note of the node that ends them."""
        return (self.right, "prt1-1-T"), (f"-({self.right})", "prt1-3-T"), (f"3*({self.right})", "prt1-4-T")


@dataclass(frozen=True)
class _Page:
    """What all questions of a file share: `names` of tensors, sizes and constants, the label tensors of which
    a one-hot matrix is used, and the points."""

    document: Document
    names: Mapping[str, str]
    labels: Mapping[str, Expr]
    points: tuple[Instance, ...]

    def right_side(self, shown: NumberedEquation) -> str | None:
        """Its right side as Maxima has it, where it has one whose value is that of the tensor."""
        if shown.matrix is None or not shown.matrix.is_whole or shown.matrix.condition is not None:
            return None
        try:
            text = spelled(shown.matrix.right, self.names)
        except Unspelled:
            return None
        target, right = shown.line.target, shown.matrix.right
        return text if all(point.is_given_by(right, target) for point in self.points) else None

    def known(self, point: Instance, given: Sequence[str], used: Sequence[str]) -> str:
        """What an answer may name, with its value at a point: a list of equations. `ones(N)` and `onehot(y)`
        are looked up as they are written."""
        pairs = {self.names[name]: maxima(point.values[name]) for name in given}
        for symbol, size in point.sizes.items():
            word = self.names[as_number(symbol)]
            pairs |= {word: str(size), f"ones({word})": maxima(np.ones(size))}
        for constant, value in self.document.reading.constants.items():
            pairs[self.names[as_number(constant.name)]] = _decimal(float(value))
        for name in used:
            classes = evaluate_size(self.labels[name], point.sizes)
            hot = np.eye(classes)[point.values[name].astype(int)]
            pairs[f"onehot({self.names[name]})"] = maxima(hot)
        return f"[{','.join(f'{word}={value}' for word, value in pairs.items())}]"


def stack(document: Document, *, blanks: int = 5, seed: int = 0) -> str:
    """The file. Raises UsageError: no gradients, no blanks, or nothing that Maxima has signs for."""
    page = _page(document, seed)
    sheet = worksheet(document, blanks=blanks, seed=seed, only=lambda e: page.right_side(e) is not None)
    if not sheet.blanks:
        raise UsageError(
            f"{document.title} has nothing to ask for in STACK: no equation of whole matrices",
            help="--format html, or a notebook, which grade in index notation, too",
        )
    questions = [_question(page, sheet, blank) for blank in sheet.blanks]
    return render("exercise_stack.xml.j2", {"questions": questions}, markup=True)


def _page(document: Document, seed: int) -> _Page:
    points = instances(document, seed)
    if len(points) < 2:
        raise UsageError(
            f"{document.title} has no two small examples of different sizes to compare answers at",
            help="--format html, or a notebook",
        )
    numbers = [*points[0].sizes, *(constant.name for constant in document.reading.constants)]
    symbols = {as_number(symbol): symbol for symbol in numbers}
    symbols |= {name: document.reading.symbols.text[name] for name in points[0].values}
    trees = [node for e in document.equations if e.matrix for node in nodes(e.matrix.right)]
    hot = [(n.labels.name, n.classes) for n in trees if isinstance(n, OneHot) and isinstance(n.labels, Named)]
    return _Page(document, words(symbols), dict(hot), points)


def _question(page: _Page, sheet: Worksheet, blank: Blank) -> Question:
    document, target = page.document, blank.shown.line.target
    notation, system = notation_for(document), document.reading.derivation.system
    on_sheet = [e.line.target for section in sheet.sections for e in section.equations]
    kinds = {name: page.points[0].values[name] for name in [*(t.name for t in document.given), *on_sheet]}
    given = [n for n, a in kinds.items() if n != target and a.ndim <= 2 and not system.tensor(n).integer]
    numbers = [word for name, word in page.names.items() if name.startswith(as_number(""))]
    used = [name for name in page.labels if name in kinds and kinds[name].ndim == 1]
    table = [
        (_tex(notation.tensor(name)), page.names[name], _shape(system.tensor(name).shape)) for name in given
    ]
    table += [(_tex(notation.tensor(n)), f"onehot({page.names[n]})", "a row for each label") for n in used]
    right = page.right_side(blank.shown)
    assert right is not None  # it was chosen for that
    return Question(
        name=f"{document.title}: {document.reading.symbols.text[target]} ({blank.shown.number})",
        asked=_tex(notation.tensor(target)),
        shape=_shape(blank.shape),
        equations=tuple(_equations(sheet, blank)),
        given=tuple(table),
        sizes=", ".join(numbers),
        points=tuple((page.known(point, given, used), maxima(point.values[target])) for point in page.points),
        allowed=",".join(sorted({*FUNCTIONS, *numbers, *(page.names[name] for name in [*given, *used])})),
        right=right,
    )


def _equations(sheet: Worksheet, blank: Blank) -> Iterator[Markup]:
    """The equations of the page in index notation, every blank left open: other questions ask for them."""
    notation = notation_for(sheet.document)
    for shown in (e for section in sheet.sections for e in section.equations):
        left, right = sides(shown.line, notation)
        if shown.number == blank.shown.number:
            right = r"\boxed{\text{?}}"
        elif shown.number in sheet.by_number:
            right = r"\ldots"
        yield _tex(rf"({shown.number})\quad {left} = {right}", display=True)


def _tex(formula: str, *, display: bool = False) -> Markup:
    """LaTeX between the signs that Moodle's MathJax looks for; `[[` and `{@` would be STACK's own."""
    formula = formula.replace("[[", "[ [").replace("]]", "] ]").replace("{@", "{ @").replace("{#", "{ #")
    begin, end = (r"\[", r"\]") if display else (r"\(", r"\)")
    return Markup(begin + html.escape(formula, quote=False) + end)


def _shape(extents: Sequence[Expr]) -> str:
    rows = " × ".join(map(expression_text, extents))
    return ("a number", f"a column of {rows}", rows)[min(len(extents), 2)]


def maxima(array: Array) -> str:
    """A tensor's value as Maxima has it: a vector is a column."""
    if array.ndim == 0:
        return _decimal(float(array))
    rows = (",".join(map(_decimal, row)) for row in as_matrix(array).tolist())
    return f"matrix({','.join(f'[{row}]' for row in rows)})"


def _decimal(number: float) -> str:
    return np.format_float_positional(number, DECIMALS, trim="-", unique=False)
