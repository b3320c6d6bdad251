r"""A derivation as a LaTeX document that compiles as it is, equations numbered by \tag.

Enters: a document. Leaves: LaTeX text. Must not know: other formats, or how an expression is ordered.

An adjoint is written as the derivative that it is: `dW1[i,j]` becomes ∂L/∂(W₁)_{ij}.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symbp.derive.derivation import Side, Step
from symbp.explain.document import Document, NumberedEquation, Section, sides
from symbp.explain.lecture import Sentence, Steps, rows
from symbp.explain.starts import Start
from symbp.ir.decimals import decimal
from symbp.ir.expr import Expr
from symbp.ir.labels import Differential
from symbp.ir.printer import ADD, ATOM, MUL, Notation, Written
from symbp.ir.system import Tensor
from symbp.read.layout import TEXT_WIDTH, lines
from symbp.read.lecture import Lesson
from symbp.read.legend import Entry, Named, Piece
from symbp.read.matrix.spell import Spelling, matrix_sides
from symbp.read.spelling import LETTERS, Symbol, escaped, latex_access, name_latex
from symbp.read.symbols import Symbols

LEFT_MARGIN = 25.0  # of a list
TAG_WIDTH = 30.0
STEP_INDENT = 60.0  # of the steps' list, with the arrow
MARK = "\0"
FUNCTIONS = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "det", "max")
HEAD = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{amsmath}
\usepackage{amssymb}
\allowdisplaybreaks
\begin{document}
"""
TAIL = r"""\end{document}
"""


class Latex(Notation):
    """Index notation in LaTeX, with the symbols of a page."""

    times = r" \, "
    relation = {"=": " = ", "!=": r" \neq ", "<": " < ", "<=": r" \le ", ">": " > ", ">=": r" \ge "}  # noqa: RUF012
    reduce_names = {  # noqa: RUF012
        "sum": r"\sum", "prod": r"\prod", "max": r"\max", "argmax": r"\operatorname*{argmax}",
        "argsort": r"\operatorname*{argsort}",
        "inverse": r"\operatorname*{inverse}", "det": r"\det", "logdet": r"\log\lvert\det\rvert",
        "cholesky": r"\operatorname*{cholesky}", "cofactors": r"\operatorname*{cofactors}",
        "eigenvalues": r"\operatorname*{eigenvalues}", "eigenvectors": r"\operatorname*{eigenvectors}",
        "singular_values": r"\operatorname*{singular\ values}",
        "left_vectors": r"\operatorname*{left\ vectors}", "right_vectors": r"\operatorname*{right\ vectors}",
    }  # fmt: skip

    def __init__(self, symbols: Symbols | None = None) -> None:
        self.of = symbols
        self.symbols = symbols.symbols if symbols is not None else {}

    def tensor(self, name: str) -> str:
        """A tensor's name without subscripts."""
        return self.access(name, [], None)

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        symbol = self.symbols.get(name) or Symbol(name)
        written = latex_access(symbol, subscripts, lambda other, subs: self.access(other, subs, None))
        if outside is None or outside == "0":
            return written
        return rf"\left( {written} \mid {outside} \right)"

    def symbol(self, symbol: Expr) -> str:
        return name_latex(symbol.name)

    def number(self, value: Expr) -> str:
        """A small number as a power of ten: `1e-5` would be read as a product and a difference."""
        digits, _, exponent = decimal(value).partition("e-")
        if not exponent:
            return digits
        sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        power = f"10^{{-{exponent}}}"
        return sign + (power if digits == "1" else rf"{digits} \cdot {power}")

    def constant(self, value: Expr) -> str:
        return {"pi": r"\pi ", "E": "e", "oo": r"\infty ", "-oo": r"-\infty "}.get(str(value), str(value))

    def call(self, name: str, arguments: Sequence[str]) -> str:
        if name == "floor":
            return rf"\lfloor {arguments[0]} \rfloor"
        if name == "abs":
            return rf"\left\lvert {arguments[0]} \right\rvert"
        name = {"sigmoid": "sigma"}.get(name, name)
        if name.endswith("_slope"):
            return rf"\operatorname{{{escaped(name[:-6])}}}'" + self.parenthesis(", ".join(arguments))
        function = rf"\{name}" if name in (*FUNCTIONS, "sigma") else rf"\operatorname{{{escaped(name)}}}"
        return function + self.parenthesis(", ".join(arguments))

    def slope(self, of: str, by: str) -> str:
        return rf"\frac{{\partial {of}}}{{\partial {by}}}"

    def power(self, base: str, exponent: Expr, written: str) -> str:  # noqa: ARG002
        base = self.base(base)
        return f"{base if base.startswith('{') else f'{{{base}}}'}^{{{written}}}"

    def base(self, written: str) -> str:
        """A fraction in parentheses, what has a sign raised behind it already in braces."""
        if written.startswith(r"\frac"):
            return f"{{{self.parenthesis(written)}}}"
        return f"{{{written}}}" if "^" in written else written

    def root(self, inner: str) -> str:
        return rf"\sqrt{{{inner}}}"

    def fraction(self, numerator: Written, denominator: Written) -> Written:
        return rf"\frac{{{numerator[0]}}}{{{denominator[0]}}}", MUL

    def guard(self, op: str, lhs: str, rhs: str) -> str:
        return rf"\left[ {lhs}{self.relation[op]}{rhs} \right]"

    def holding(self, guard: str) -> str:
        inner = guard.removeprefix(r"\left[ ").removesuffix(r" \right]")
        return rf" \quad \text{{for }} {inner}"

    def quotient(self, a: Written, b: Written, sign: str) -> Written:
        if sign == "//":
            return rf"\left\lfloor \frac{{{a[0]}}}{{{b[0]}}} \right\rfloor", ATOM
        return rf"{self.wrapped(a, ATOM)} \bmod {self.wrapped(b, ATOM)}", ADD

    def parenthesis(self, inner: str) -> str:
        return rf"\left( {inner} \right)"

    def reduction(self, op: str, indices: Sequence[str], conditions: Sequence[str], body: Written) -> str:
        such = rf" \quad \text{{where }} {', '.join(conditions)}" if conditions else ""
        return rf"{self.reduce_names[op]}_{{{', '.join(indices)}}} {self.wrapped(body, MUL)}{such}"

    def along(self, function: str, indices: Sequence[str], body: str, conditions: Sequence[str]) -> str:
        named = rf"\operatorname{{{escaped(function)}}}"
        such = rf" \quad \text{{where }} {', '.join(conditions)}" if conditions else ""
        return f"{named}_{{{', '.join(indices)}}}{self.parenthesis(body + such)}"

    def derivative(self, what: Differential, total: bool) -> str:
        of, by = self.tensor(what.of), self.tensor(what.by)
        above = rf"\sum {of}" if total else of
        whole = rf"\frac{{\partial {above}}}{{\partial {by}}}"
        return rf"\text{{a part of }} {whole}" if what.part else whole

    def component(self, place: str, index: str) -> str:
        return rf"\left( {place} \right)_{{{index}}}"

    def element(self, matrix: str, subscripts: Sequence[str]) -> str:
        return rf"\left[ {matrix} \right]_{{{', '.join(subscripts)}}}"


def spelling(notation: Latex) -> Spelling:
    """Matrix notation in LaTeX."""
    return Spelling(
        notation,
        transpose=r"^{\top}",
        times=r" \, ",
        hadamard=r" \odot ",
        divide=r" \oslash ",
        ones=r"\mathbf{1}",
        identity="I",
        inverse="^{-1}",
        minus=" - ",
        norm=r"\left\lVert {} \right\rVert",
        square="^{2}",
        power=r"{{{}}}^{{\circ {}}}",
        correlation=r" \star ",
        kronecker=r" \otimes ",
        summed=r"\sum_{{{}}} ",
        rows=r"{} \left[ {} \right]",
        named=_with_subscripts,
        beyond=r"\left( {} \mid {} \right)".format,
    )


def _with_subscripts(notation: Notation, name: str, subscripts: Sequence[str]) -> str:
    """A tensor with subscripts at some of its axes; behind a derivative by several tensors, that has them."""
    symbol = notation.symbols.get(name) if isinstance(notation, Latex) else None
    ranked = (
        [n for _, n in (symbol.quotient.of, *symbol.quotient.by) if n] if symbol and symbol.quotient else []
    )
    if subscripts and len(ranked) > 1 and len(subscripts) < sum(ranked):
        return rf"\left( {notation.access(name, [], None)} \right)_{{{', '.join(subscripts)}}}"
    return notation.access(name, subscripts, None)


def matrix_latex(shown: NumberedEquation, notation: Latex) -> tuple[str, str] | None:
    """Both sides of the equation in matrix notation, or None where it has none."""
    if shown.matrix is None:
        return None
    return matrix_sides(shown.matrix, spelling(notation))


def notation_for(document: Document) -> Latex:
    """The notation in which what the document says is a derivative looks like one."""
    return Latex(document.reading.symbols)


def latex(document: Document, *, steps: Steps = False, fragment: bool = False) -> str:
    """A complete document; with `steps`, how each derivative comes about, or how the `computed` equations
    came to be what they are; as a `fragment`, the equations alone, for a document of one's own that uses
    amsmath."""
    notation = notation_for(document)
    if fragment:
        shown = [equation for section in document.sections for equation in section.equations]
        return "\n".join(line for equation in shown for line in aligned(equation, notation)) + "\n"
    parts = [HEAD, rf"\section*{{{escaped(document.title)}}}", given(document.given, notation)]
    parts += [_starts(document.starts, notation)] if document.starts else []
    parts += [_legend(document.reading.legend, notation)] if document.reading.legend else []
    parts += [_section(section, notation) for section in document.sections]
    if steps and steps != "computed" and document.lecture.lessons:
        parts.append(_lecture(document))
    elif steps and document.steps:
        parts.append(_steps(document.steps, document.ever))
    parts += [rf"\paragraph{{Warning.}} {_prose(warning)}" for warning in document.warnings]
    return "\n".join([*parts, TAIL])


def given(tensors: Sequence[Tensor], notation: Latex) -> str:
    rows = []
    for tensor in tensors:
        shape = r" \times ".join(map(notation.show, tensor.shape)) or "1"
        domain = r"\mathbb{Z}" if tensor.integer else r"\mathbb{R}"
        facts = "".join(f", {_prose(fact)}" for fact in sorted(map(str, tensor.facts)))
        rows.append(
            rf"  \item ${notation.tensor(tensor.name)} \in {domain}^{{{shape}}}$: {tensor.role.value}{facts}"
        )
    return "\n".join([r"\subsection*{Given}", r"\begin{itemize}", *rows, r"\end{itemize}"])


def _starts(starts: Sequence[Start], notation: Latex) -> str:
    rows = []
    for start in starts:
        kind, scale = start.words(notation, r"\pm ")
        names = ", ".join(f"${notation.tensor(name)}$" for name in start.names)
        why = f"; {_prose(start.initial.reason)}" if start.initial.reason else ""
        rows.append(rf"  \item {names}: {f'{kind} ${scale}$'.strip() if scale else kind}{why}")
    return "\n".join([r"\subsection*{Start}", r"\begin{itemize}", *rows, r"\end{itemize}"])


def _section(section: Section, notation: Latex) -> str:
    written = [rf"\subsection*{{{section.title}}}"]
    if section.pairs:
        pairs = (f"${notation.tensor(a)}$ {section.verb} ${notation.tensor(b)}$" for a, b in section.pairs)
        written.append(", ".join(pairs) + ".")
    for shown in section.equations:
        written += aligned(shown, notation)
    return "\n".join(written)


def _legend(entries: Sequence[Entry], notation: Latex) -> str:
    rows = [rf"  \item {{}}{_entry(entry, notation)}" for entry in entries]  # a bracket is no option of \item
    return "\n".join([r"\subsection*{Legend}", r"\begin{itemize}\raggedright", *rows, r"\end{itemize}"])


def _entry(entry: Entry, notation: Latex) -> str:
    return _spelled(entry.pieces, notation)


def _spelled(pieces: Sequence[Piece], notation: Latex) -> str:
    spelled = []
    for piece in pieces:
        if isinstance(piece, str):
            spelled.append(_prose(piece))
        else:
            written = notation.tensor(piece.name) if isinstance(piece, Named) else notation.show(piece)
            spelled.append(f"${written}$")
    return "".join(spelled)


def equation(shown: NumberedEquation, notation: Latex) -> str:
    """One numbered equation in its forms, as an environment of its own."""
    return "\n".join(aligned(shown, notation))


def aligned(shown: NumberedEquation, notation: Latex) -> list[str]:
    """The equation, and its matrix form below, each broken into lines that fit the page."""
    tag = rf"\tag{{{shown.number}}}"
    left, right = sides(shown.line, notation)
    first = lines(left, right, TEXT_WIDTH - TAG_WIDTH)
    rows = [f"  {left} &= {first[0]}", *(rf"  &\qquad {line}" for line in first[1:])]
    rows[-1] += f" {tag}"
    matrix = matrix_latex(shown, notation) if shown.beside is not None else None
    if matrix is not None:
        left, right = matrix
        first = lines(left, right, TEXT_WIDTH)
        rows += [f"  {left} &= {first[0]}", *(rf"  &\qquad {line}" for line in first[1:])]
    return [r"\begin{align*}", *(rf"{row} \\" for row in rows[:-1]), rows[-1], r"\end{align*}"]


def _lecture(document: Document) -> str:
    """How each derivative comes about."""
    lessons = document.lecture.told
    written = [line for lesson in lessons for line in lesson_rows(document, lesson, r"\item ")]
    body = "\n".join([r"\begin{enumerate}\raggedright", *written, r"\end{enumerate}"])
    return rf"\subsection*{{Steps}}{chr(10)}{body}"


def lesson_rows(document: Document, lesson: Lesson, item: str) -> list[str]:
    """How one derivative comes about: sentences, and formulas aligned at the equals sign."""
    notation, written, formulas = Latex(document.lecture.symbols), list[str](), list[str]()
    for row in rows(document, lesson, notation):
        if isinstance(row, Sentence):
            written += _block(formulas)
            formulas = []
            written.append(item + _spelled(row.pieces, notation))
            item = ""
        else:
            tag = "" if row.number is None else rf" \tag{{{row.number}}}"
            first = lines(row.left, row.right, TEXT_WIDTH - TAG_WIDTH - LEFT_MARGIN)
            broken = [f"  {row.left} &= {first[0]}", *(rf"  &\qquad {line}" for line in first[1:])]
            formulas += [*broken[:-1], broken[-1] + (tag or r" \notag")]
    return [*written, *_block(formulas)]


def _block(formulas: Sequence[str]) -> list[str]:
    if not formulas:
        return []
    notag = [row if r"\tag{" in row or row.endswith(r"\notag") else rf"{row} \notag" for row in formulas]
    return [r"\begin{align*}", *(rf"{row} \\" for row in notag[:-1]), notag[-1], r"\end{align*}"]


def _steps(steps: Sequence[Step], symbols: Symbols) -> str:
    notation, room = Latex(symbols), TEXT_WIDTH - STEP_INDENT
    rows = []
    for step in steps:
        reason = _mixed(step.because(Marked(symbols)))
        rows.append(rf"  \item \emph{{{_prose(step.rule)}}} in ${notation.tensor(step.target)}$. {reason}")
        left = [] if step.before or step.differential is None else [(step.spelled(notation)[0], "")]
        sides = [[*left, *_sides(step.before, notation)], _sides(step.after, notation)]
        rows += [r"\begin{align*}", *_becoming(sides, room), r"\end{align*}"]
    return "\n".join([r"\subsection*{Steps}", r"\begin{enumerate}\raggedright", *rows, r"\end{enumerate}"])


def _sides(side: Side, notation: Latex) -> list[tuple[str, str]]:
    """Both sides of each equation; a value without a name as a left-hand side alone."""
    written = ((e, notation.equation(e)) for e in side)
    return [(left, right) if e.target else (right, "") for e, (left, right) in written]


def _becoming(sides: Sequence[Sequence[tuple[str, str]]], room: float) -> list[str]:
    """The rows of what becomes what, broken where they don't fit."""
    rows: list[str] = []
    for arrow, side in zip((r"\quad", r"\to \;"), sides, strict=True):
        for count, (left, right) in enumerate(side):
            whole = lines("", f"{left} = {right}" if right else left, room)
            lead = r"\quad" if count else arrow
            rows += [f"  {lead}& {whole[0]}", *(rf"  & \qquad {line}" for line in whole[1:])]
    return [*(rf"{row} \\" for row in rows[:-1]), rows[-1]]


class Marked(Latex):
    """A notation whose tensors can be told from the words around them."""

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        return f"{MARK}{self.plain.access(name, subscripts, outside)}{MARK}"

    @property
    def plain(self) -> Latex:
        """The same without marks, for what is made of several tensors."""
        return Latex(self.of)


def _mixed(text: str) -> str:
    """Words with tensors between marks."""
    pieces = text.split(MARK)
    return "".join(f"${piece}$" if at % 2 else _prose(piece) for at, piece in enumerate(pieces))


_SIGNS = {
    "·": r"$\cdot$", "Σ": r"$\Sigma$", "Π": r"$\Pi$", "²": "$^2$", "³": "$^3$", "≤": r"$\le$", "≥": r"$\ge$",
    "≠": r"$\neq$", "∂": r"$\partial$", "→": r"$\to$", "⟶": r"$\to$", "−": "$-$", "∞": r"$\infty$",
    "<": "$<$", ">": "$>$", "^": r"\^{}", "_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$",
    "{": r"\{", "}": r"\}", "~": r"\~{}", "\\": r"\textbackslash{}", "…": r"\dots{}", "|": r"$|$",
    "⊙": r"$\odot$", "∘": r"$\circ$", "′": "$'$", "–": "--", "ᵀ": r"$^{\top}$",
    "⊘": r"$\oslash$", "⊗": r"$\otimes$", "∈": r"$\in$", "⋆": r"$\star$", "𝟏": r"$\mathbf{1}$",
} | {letter: rf"$\{name}$" for letter, name in LETTERS.items()}  # fmt: skip


_PAIRS = {"^∘2": r"$^{\circ 2}$", "--": "{-}{-}"}  # signs that are one together


def _prose(text: str) -> str:
    """Plain text with every sign that LaTeX reads as a command written out."""
    parts = re.split(r"(\^∘2|--)", text)
    return "".join(_PAIRS.get(part) or "".join(_SIGNS.get(sign, sign) for sign in part) for part in parts)
