r"""Formulas as LaTeX has them, `\frac{1}{2} \|A x - b\|^2`, as plain ones that say the same.

Enters: LaTeX without an equals sign. Leaves: a formula for the grammar. Must not know: shapes, values.

Every letter is a name, products have no sign, a function may stand before what it is taken of without
parentheses. What stands below a letter are subscripts where these are indices of a sum, else a part of the
name.
"""

from __future__ import annotations

import re

from symbp.read.formula.functions import KNOWN
from symbp.read.grammar.cursor import DEEPEST
from symbp.read.grammar.places import error_at

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "vartheta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π",
    "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "l",
}  # fmt: skip
SIGNS = {
    "cdot": "·", "times": "·", "odot": " ⊙ ", "circ": " ⊙ ", "oslash": " ⊘ ", "le": " ≤ ", "leq": " ≤ ",
    "ge": " ≥ ", "geq": " ≥ ", "ne": " ≠ ", "neq": " ≠ ",
}  # fmt: skip
NOTHING = ("left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "quad", ",", ";", "!", ":", " ")
FONTS = ("mathrm", "mathbf", "mathit", "mathsf", "boldsymbol", "bm", "text", "operatorname", "mathbb")
NORMS = (r"\|", r"\rVert", r"\Vert")
SUMS = {"sum": "Σ", "prod": "Π"}
TRANSPOSES = ("T", r"\top", r"\intercal", r"\mathsf{T}", r"\mathrm{T}", r"\mathsf T", "'")
WORD = re.compile(r"\s+|\\(?P<command>[A-Za-z]+|[^A-Za-z])|(?P<number>\d+(?:\.\d+)?)|(?P<sign>.)", re.DOTALL)
OPENING = re.compile(r"\s*(?:\\left\s*)?\(")
BOUND = re.compile(r"\\(?:sum|prod)\s*_\s*(?:\{([^{}]*)\}|([A-Za-z]))")


def from_latex(text: str) -> str:
    """The formula in plain text. Raises FormulaError, which points at what has no meaning."""
    found = (re.split(r"[=<>\\]", one or other)[0] for one, other in BOUND.findall(text))
    return _Reader(text, frozenset("".join(found)) - set(", ")).whole()


class _Reader:
    def __init__(self, text: str, indices: frozenset[str]) -> None:
        self.text, self.indices, self.at, self.depth = text, indices, 0, 0

    def whole(self) -> str:
        found = self.until("")
        if self.at < len(self.text):
            raise error_at(self.text, (self.at, self.at + 1), f"{self.text[self.at]!r} closes nothing")
        return found

    def until(self, closing: str) -> str:
        """Everything before a closing sign, products with signs."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise error_at(self.text, (self.at, self.at + 1), f"more than {DEEPEST} levels")
        found, ended = "", False  # whether a value has just ended, so that another is a factor
        while not self.closes(closing):
            start = self.at
            part, begins, ends = self.part(ended)
            found += ("·" if ended and begins else "") + part
            ended = ends if part else ended
            if self.at == start:
                break
        self.depth -= 1
        return found

    def closes(self, closing: str) -> bool:
        self.spaces()
        rest = re.sub(r"^\\right\s*(?=[)\\}|])", "", self.text[self.at :])
        return not rest or rest[0] in ")}" or (closing == "‖" and rest.startswith(NORMS))

    def spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def part(self, ended: bool) -> tuple[str, bool, bool]:
        """The next part, and whether it begins and ends a value."""
        start = self.at
        match = WORD.match(self.text, start)
        assert match is not None
        self.at = match.end()
        command, number, sign = match["command"], match["number"], match["sign"]
        if command is not None:
            return self.command(command, start, ended)
        if number is not None:
            return number, True, True
        if sign is None:
            return "", False, ended
        if sign == "^":
            return self.power(), False, True
        if sign == "{":
            return f"({self.group(start)})", True, True
        if sign == "(":
            return f"({self.inside(')', start)})", True, True
        if sign == "e" and self.text[self.at :].lstrip().startswith("^"):
            self.spaces()
            self.at += 1
            return f"exp({self.argument()})", True, True
        if sign.isalpha():
            return self.named(sign), True, True
        return (f" {sign} " if sign in "+-=<>" else sign), False, sign in "'!"

    def command(self, name: str, start: int, ended: bool) -> tuple[str, bool, bool]:
        if name in NOTHING:
            return "", False, ended
        if name in SIGNS:
            return SIGNS[name], False, False
        if name in SUMS:
            return self.reduction(SUMS[name], start), True, False
        if name in ("frac", "tfrac", "dfrac"):
            return f"(({self.argument()})/({self.argument()}))", True, True
        if name == "sqrt":
            return f"sqrt({self.argument()})", True, True
        if name in ("|", "lVert", "Vert"):
            return f"‖{self.between(start)}", True, True
        if name in FONTS:
            name = self.argument().replace("·", "")
            if name == "1":
                return "𝟏", True, True
            if name and name not in KNOWN:
                return self.named(name), True, True
        if name in KNOWN and (name != "sigma" or OPENING.match(self.text, self.at)):
            return f"{name}({self.applied(start)})", True, True
        if name in LETTERS:
            return self.named(LETTERS[name]), True, True
        raise error_at(self.text, (start, self.at), rf"\{name} has no meaning in a formula")

    # --- what a sign takes
    def argument(self) -> str:
        """A group in braces, or the next sign alone."""
        self.spaces()
        start = self.at
        if start == len(self.text):
            raise error_at(self.text, (start, start), "the formula ends too soon")
        if self.text[start] == "{":
            self.at += 1
            return self.group(start)
        match = re.compile(r"\\[A-Za-z]+|.").match(self.text, start)
        assert match is not None
        self.at = match.end()
        return match.group() if match.group()[0] != "\\" else self.command(match.group()[1:], start, False)[0]

    def group(self, start: int) -> str:
        return self.inside("}", start)

    def inside(self, closing: str, start: int) -> str:
        found = self.until(closing)
        self.close(closing, start)
        return found

    def close(self, closing: str, start: int) -> None:
        signs = "|".join(map(re.escape, NORMS if closing == "‖" else (closing,)))
        match = re.compile(rf"\s*(?:\\right\s*)?(?:{signs})").match(self.text, self.at)
        if match is None:
            raise error_at(self.text, (start, start + 1), f"nothing closes this: expected {closing}")
        self.at = match.end()

    def between(self, start: int) -> str:
        r"""What stands between `\|` and `\|`, with the sign behind it and the kind of norm."""
        found = self.until("‖")
        self.close("‖", start)
        kind = re.compile(r"\s*_\s*(?:\{([12F])\}|([12F]))").match(self.text, self.at)
        if kind is None:
            return f"{found}‖"
        self.at = kind.end()
        return f"{found}‖_{kind[1] or kind[2]}"

    def applied(self, start: int) -> str:
        """What a function is taken of: what is in parentheses, or the next value with what is raised."""
        opening = OPENING.match(self.text, self.at)
        if opening is not None:
            self.at = opening.end()
            return self.inside(")", start)
        found, ended = "", False
        while not ended or self.text[self.at :].lstrip()[:1] in ("^", "'"):
            self.spaces()
            if self.at == len(self.text):
                raise error_at(self.text, (start, self.at), "what is this taken of?")
            part, _, ended = self.part(ended)
            found += part
        return found

    def power(self) -> str:
        self.spaces()
        for transpose in TRANSPOSES:
            for written in (f"{{{transpose}}}", transpose):
                if self.text.startswith(written, self.at):
                    self.at += len(written)
                    return "'"
        inverse = re.compile(r"\{\s*-\s*(?:T|\\top)\s*\}").match(self.text, self.at)
        if inverse is not None:
            self.at = inverse.end()
            return "^-1'"
        exponent = self.argument().replace(" ", "")
        return f"^{exponent}" if re.fullmatch(r"-?\w", exponent) else f"^({exponent})"

    def named(self, name: str) -> str:
        """A letter with what stands below it."""
        self.spaces()
        if not self.text.startswith("_", self.at):
            return name
        self.at += 1
        below = self.argument().replace("·", "").replace(" ", "")
        letters = below.replace(",", "")
        if letters and set(letters) <= self.indices:
            return f"{name}[{','.join(letters)}]"
        if not re.fullmatch(r"\w+", below):
            raise error_at(self.text, (self.at - 1, self.at), f"{below!r} is no index of a sum and no name")
        return f"{name}_{below}"

    def reduction(self, sign: str, start: int) -> str:
        self.spaces()
        if not self.text.startswith("_", self.at):
            raise error_at(self.text, (start, self.at), "say what it runs over", help=r"as in \sum_i x_i^2")
        self.at += 1
        under = re.split("[=<>≤≥≠]", self.argument().replace("·", "").replace(" ", ""))[0]
        self.spaces()
        if self.text.startswith("^", self.at):
            self.at += 1
            self.argument()  # how far follows from what is read
        return f"{sign}_{{{','.join(under.replace(',', ''))}}} "
