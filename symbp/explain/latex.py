r"""A derivation as a LaTeX document that compiles as it is, equations numbered by \tag.

Enters: a document. Leaves: LaTeX text. Must not know: other formats, or how an expression is ordered.

An adjoint is written as the derivative that it is: `dW1[i,j]` becomes ∂L/∂(W₁)_{ij}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from symbp.derive.derivation import Step
from symbp.explain.document import Document, NumberedEquation, Quotient, Section
from symbp.explain.matrix_text import Spelling, matrix_text
from symbp.explain.starts import Start
from symbp.ir.expr import Expr
from symbp.ir.printer import ADD, ATOM, MUL, Notation, Written
from symbp.ir.system import Tensor

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
LETTERS = {letter: name for name, letter in GREEK.items()}
FUNCTIONS = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "det", "max")
HEAD = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath}
\usepackage{amssymb}
\allowdisplaybreaks
\begin{document}
"""
TAIL = r"""\end{document}
"""


class Latex(Notation):
    """Index notation in LaTeX; `quotients` says which tensors are written as derivatives."""

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

    def __init__(self, quotients: Mapping[str, Quotient] | None = None) -> None:
        self.quotients = quotients or {}

    def tensor(self, name: str) -> str:
        """A tensor's name without subscripts."""
        return self.access(name, [], None)

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:
        if name in self.quotients:
            return self.quotient_of(self.quotients[name], subscripts, outside)
        symbol = symbol_latex(name)
        if not subscripts:
            return symbol
        base = f"({symbol})" if "_" in symbol else symbol
        joint = "" if all(re.fullmatch(r"\w|\\[a-z]+ ?", s) for s in subscripts) else ", "
        written = f"{base}_{{{joint.join(subscripts)}}}"
        if outside is None or outside == "0":
            return written
        return rf"\left( {written} \mid {outside} \right)"

    def quotient_of(self, quotient: Quotient, subscripts: Sequence[str], outside: str | None) -> str:
        """A derivative, its subscripts shared out to what is differentiated, then by what."""
        rest = list(subscripts)
        parts = []
        for name, rank in (quotient.of, *quotient.by):
            parts.append(self.access(name, rest[:rank], outside if len(rest) == rank else None))
            rest = rest[rank:]
        order = len(quotient.by)
        above = rf"\partial^{{{order}}}" if order > 1 else r"\partial"
        below = r" \, ".join(rf"\partial {part}" for part in parts[1:])
        return rf"\frac{{{above} {parts[0]}}}{{{below}}}"

    def symbol(self, symbol: Expr) -> str:
        return symbol_latex(symbol.name)

    def constant(self, value: Expr) -> str:
        return {"pi": r"\pi ", "E": "e", "oo": r"\infty ", "-oo": r"-\infty "}.get(str(value), str(value))

    def call(self, name: str, arguments: Sequence[str]) -> str:
        if name == "floor":
            return rf"\lfloor {arguments[0]} \rfloor"
        function = rf"\{name}" if name in FUNCTIONS else rf"\operatorname{{{name}}}"
        return function + self.parenthesis(", ".join(arguments))

    def power(self, base: str, exponent: Expr, written: str) -> str:  # noqa: ARG002
        base = self.parenthesis(base) if base.startswith(r"\frac") else f"{{{base}}}"
        return f"{base}^{{{written}}}"

    def root(self, inner: str) -> str:
        return rf"\sqrt{{{inner}}}"

    def fraction(self, numerator: Written, denominator: Written) -> Written:
        return rf"\frac{{{numerator[0]}}}{{{denominator[0]}}}", MUL

    def guard(self, op: str, lhs: str, rhs: str) -> str:
        return rf"\left[ {lhs}{self.relation[op]}{rhs} \right]"

    def quotient(self, a: Written, b: Written, sign: str) -> Written:
        if sign == "//":
            return rf"\left\lfloor \frac{{{a[0]}}}{{{b[0]}}} \right\rfloor", ATOM
        return rf"{self.wrapped(a, ATOM)} \bmod {self.wrapped(b, ATOM)}", ADD

    def parenthesis(self, inner: str) -> str:
        return rf"\left( {inner} \right)"

    def reduction(self, op: str, indices: Sequence[str], conditions: Sequence[str], body: Written) -> str:
        under = ", ".join(indices) + (r" \,:\, " + ", ".join(conditions) if conditions else "")
        return rf"{self.reduce_names[op]}_{{{under}}} {self.wrapped(body, MUL)}"

    def element(self, matrix: str, subscripts: Sequence[str]) -> str:
        return rf"\left[ {matrix} \right]_{{{', '.join(subscripts)}}}"


def symbol_latex(name: str) -> str:
    r"""A name as mathematics: `W1` is W_{1}, `beta` is \beta, `s_p` is s_{p}, `mask` is upright."""
    name = LETTERS.get(name, name)
    if name in GREEK:
        return rf"\{name} "
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name
    split = re.fullmatch(r"([^\W\d_]+)_?(\d+)", name) or re.fullmatch(r"([^\W_]+)_(\w+)", name)
    if split:
        head, tail = symbol_latex(split[1]), split[2]
        head = f"{{{head}}}" if "_" in head else head  # one subscript at a time
        return f"{head}_{{{tail if tail.isdigit() else symbol_latex(tail)}}}"
    return rf"\mathrm{{{_escaped(name)}}}"


def _escaped(text: str) -> str:
    for sign in "_&%#$":
        text = text.replace(sign, "\\" + sign)
    return text


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
        norm=r"\left\lVert {} \right\rVert^{{2}}",
        power=r"{{{}}}^{{\circ {}}}",
    )


def matrix_latex(shown: NumberedEquation, notation: Latex) -> str | None:
    """The equation in matrix notation, or None where it has none."""
    if shown.matrix is None:
        return None
    return f"{notation.tensor(shown.equation.target)} = {matrix_text(shown.matrix, spelling(notation))}"


def notation_for(document: Document) -> Latex:
    """The notation in which what the document says is a derivative looks like one."""
    return Latex(document.quotients)


def latex(document: Document, *, steps: bool = False) -> str:
    """A complete document; with `steps`, the rewrites are listed in words."""
    notation = notation_for(document)
    parts = [HEAD, rf"\section*{{{_escaped(document.title)}}}", _given(document.given)]
    parts += [_starts(document.starts)] if document.starts else []
    parts += [_section(section, notation) for section in document.sections]
    if steps and document.steps:
        parts.append(_steps(document.steps))
    parts += [rf"\paragraph{{Warning.}} {_prose(warning)}" for warning in document.warnings]
    return "\n".join([*parts, TAIL])


def _given(tensors: Sequence[Tensor]) -> str:
    rows = []
    for tensor in tensors:
        shape = r" \times ".join(Latex().show(extent) for extent in tensor.shape) or "1"
        domain = r"\mathbb{Z}" if tensor.integer else r"\mathbb{R}"
        facts = "".join(f", {_prose(fact)}" for fact in sorted(map(str, tensor.facts)))
        rows.append(
            rf"  \item ${symbol_latex(tensor.name)} \in {domain}^{{{shape}}}$: {tensor.role.value}{facts}"
        )
    return "\n".join([r"\subsection*{Given}", r"\begin{itemize}", *rows, r"\end{itemize}"])


def _starts(starts: Sequence[Start]) -> str:
    rows = []
    for start in starts:
        kind, scale = start.words(Latex(), r"\pm ")
        names = ", ".join(f"${symbol_latex(name)}$" for name in start.names)
        why = f"; {_prose(start.initial.reason)}" if start.initial.reason else ""
        rows.append(rf"  \item {names}: {f'{kind} ${scale}$'.strip() if scale else kind}{why}")
    return "\n".join([r"\subsection*{Start}", r"\begin{itemize}", *rows, r"\end{itemize}"])


def _section(section: Section, notation: Latex) -> str:
    lines = [rf"\subsection*{{{section.title}}}"]
    if section.pairs:
        pairs = (f"${notation.tensor(a)}$ {section.verb} ${notation.tensor(b)}$" for a, b in section.pairs)
        lines.append(", ".join(pairs) + ".")
    for shown in section.equations:
        lines += [r"\begin{align*}", *_rows(shown, notation), r"\end{align*}"]
    return "\n".join(lines)


def _rows(shown: NumberedEquation, notation: Latex) -> list[str]:
    left, right = notation.equation(shown.equation)
    rows = [rf"  {left} &= {right} \tag{{{shown.number}}}"]
    matrix = matrix_latex(shown, notation)
    if matrix is not None:
        rows[0] += r" \\"
        rows.append("  " + matrix.replace(" = ", " &= ", 1))
    return rows


def _steps(steps: Sequence[Step]) -> str:
    rows = [
        rf"  \item \emph{{{_prose(step.rule)}}} in {_code(step.target)}. {_prose(step.reason)}\\"
        rf"{_code(step.before)} becomes {_code(step.after)}"
        for step in steps
    ]
    return "\n".join([r"\subsection*{Steps}", r"\begin{enumerate}\raggedright", *rows, r"\end{enumerate}"])


_SIGNS = {
    "·": r"$\cdot$", "Σ": r"$\Sigma$", "Π": r"$\Pi$", "²": "$^2$", "³": "$^3$", "≤": r"$\le$", "≥": r"$\ge$",
    "≠": r"$\neq$", "∂": r"$\partial$", "→": r"$\to$", "⟶": r"$\to$", "−": "$-$", "∞": r"$\infty$",
    "<": "$<$", ">": "$>$", "^": r"\^{}", "_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$",
    "{": r"\{", "}": r"\}", "~": r"\~{}", "\\": r"\textbackslash{}", "…": r"\dots{}", "|": r"$|$",
    "⊙": r"$\odot$", "′": "$'$",
} | {letter: rf"$\{name}$" for letter, name in LETTERS.items()}  # fmt: skip


def _prose(text: str) -> str:
    """Plain text with every sign that LaTeX reads as a command written out."""
    return "".join(_SIGNS.get(sign, sign) for sign in text)


def _code(text: str) -> str:
    """Index notation as typewriter text that may break after every product."""
    return rf"\texttt{{{_prose(text)}}}".replace(r"$\cdot$", r"$\cdot$\allowbreak{}")
